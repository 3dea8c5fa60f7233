//! What an observation comes to, case by case.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use archwire_core::{
    FieldGroup, Fields, Judgement, Leaf, OnDisagreement, Owner, Ownership, Path, Situation, SystemName,
    judge, still_disagrees, to_write,
};
use std::collections::BTreeSet;

const FAMILY: &str = "names/official/family";
const GIVEN: &str = "names/official/given";
const LINES: &str = "addresses/home/lines";
const CITY: &str = "addresses/home/city";
const POSTAL_CODE: &str = "addresses/home/postal_code";
const HOME: &str = "telecom/phone-home/value";
const MOBILE: &str = "telecom/phone-mobile/value";

fn fields<const N: usize>(leaves: [(&str, &str); N]) -> Fields {
    let mut fields = Fields::default();
    for (path, json) in leaves {
        fields.put(&path.into(), Some(&Leaf::from_json(json).unwrap()));
    }
    fields
}

fn paths<const N: usize>(paths: [&str; N]) -> BTreeSet<Path> {
    paths.into_iter().map(Path::from).collect()
}

/// The front desk owns names and contacts.
fn front_desk_owns(on_disagreement: OnDisagreement) -> Ownership {
    let mut ownership = Ownership::default();
    for group in [FieldGroup::Name, FieldGroup::Contact] {
        let system = "front-desk".parse().unwrap();
        ownership.assign(
            group,
            Owner {
                system,
                on_disagreement,
            },
        );
    }
    ownership
}

struct Office {
    ownership: Ownership,
    front_desk_has_a_record: bool,
}

fn nobody_owns() -> Office {
    Office {
        ownership: Ownership::default(),
        front_desk_has_a_record: true,
    }
}

fn owned(on_disagreement: OnDisagreement) -> Office {
    Office {
        ownership: front_desk_owns(on_disagreement),
        front_desk_has_a_record: true,
    }
}

impl Office {
    fn judge(
        &self,
        system: &str,
        current: Option<&Fields>,
        shadow: Option<&Fields>,
        observed: &Fields,
    ) -> Judgement {
        let system: SystemName = system.parse().unwrap();
        judge(&Situation {
            system: &system,
            current,
            shadow,
            observed,
            ownership: &self.ownership,
            holds: &|_| self.front_desk_has_a_record,
            is_given_up: false,
        })
    }
}

#[test]
fn a_new_patient_is_what_was_observed_whoever_observes() {
    let observed = fields([(FAMILY, r#""Lovelace""#)]);
    let judgement = owned(OnDisagreement::Restore).judge("imaging", None, None, &observed);
    assert_eq!(judgement.change.fields, observed);
    assert!(judgement.disagreements.is_empty() && judgement.lacks.is_empty());
}

#[test]
fn without_an_owner_the_later_change_counts() {
    let (before, after) = (
        fields([(FAMILY, r#""King""#)]),
        fields([(FAMILY, r#""Lovelace""#)]),
    );
    let judgement = nobody_owns().judge("imaging", Some(&before), Some(&before), &after);
    assert_eq!(judgement.change.fields, after);
    assert_eq!(judgement.change.changed, paths([FAMILY]));
}

#[test]
fn a_change_by_another_than_the_owner_is_a_disagreement() {
    let (before, after) = (
        fields([(FAMILY, r#""King""#)]),
        fields([(FAMILY, r#""Lovelace""#)]),
    );
    for (answer, restore) in [
        (OnDisagreement::Review, paths([])),
        (OnDisagreement::Restore, paths([FAMILY])),
    ] {
        let judgement = owned(answer).judge("imaging", Some(&before), Some(&before), &after);
        assert_eq!(judgement.change.fields, before);
        assert_eq!(judgement.disagreements, paths([FAMILY]));
        assert_eq!(judgement.restore, restore);
    }
}

#[test]
fn an_owner_that_has_no_record_of_the_patient_is_right_about_nothing() {
    let (before, after) = (
        fields([(FAMILY, r#""King""#)]),
        fields([(FAMILY, r#""Lovelace""#)]),
    );
    let office = Office {
        front_desk_has_a_record: false,
        ..owned(OnDisagreement::Restore)
    };
    let judgement = office.judge("imaging", Some(&before), Some(&before), &after);
    assert_eq!(judgement.change.fields, after);
    assert!(judgement.disagreements.is_empty());
}

#[test]
fn a_change_to_what_the_owner_says_is_none() {
    let current = fields([(FAMILY, r#""Lovelace""#)]);
    let shadow = fields([(FAMILY, r#""King""#)]);
    for agreed in [r#""Lovelace""#, r#""LOVELACE""#, r#""Lovel""#] {
        let observed = fields([(FAMILY, agreed)]);
        let judgement =
            owned(OnDisagreement::Restore).judge("imaging", Some(&current), Some(&shadow), &observed);
        assert!(judgement.disagreements.is_empty() && judgement.change.changed.is_empty());
    }
}

#[test]
fn what_a_system_has_in_addition_is_disputed_and_not_taken_from_it() {
    let current = fields([(HOME, r#""503 555 0100""#)]);
    let more = fields([(HOME, r#""503 555 0100""#), (MOBILE, r#""503 555 0199""#)]);
    let office = owned(OnDisagreement::Restore);
    for shadow in [None, Some(&current)] {
        let judgement = office.judge("imaging", Some(&current), shadow, &more);
        assert_eq!(judgement.disagreements, paths([MOBILE]));
        assert!(judgement.restore.is_empty() && judgement.lacks.is_empty());
        assert_eq!(judgement.change.fields, current);
    }
}

#[test]
fn a_first_sight_adds_what_is_not_known_and_is_owed_what_it_lacks() {
    let current = fields([(FAMILY, r#""Lovelace""#), (HOME, r#""503 555 0100""#)]);
    let observed = fields([(FAMILY, r#""LOVELACE""#), (MOBILE, r#""503 555 0199""#)]);
    let judgement = nobody_owns().judge("imaging", Some(&current), None, &observed);
    assert_eq!(judgement.change.changed, paths([MOBILE]));
    assert_eq!(judgement.lacks, paths([FAMILY, HOME]));
    assert!(judgement.disagreements.is_empty());
}

#[test]
fn an_address_that_contradicts_at_first_sight_is_disputed_whole() {
    let current = fields([(LINES, r#"["12 Maple Street"]"#), (CITY, r#""Springfield""#)]);
    let observed = fields([
        (LINES, r#"["9 Elm Road"]"#),
        (CITY, r#""SPRINGFIELD""#),
        (POSTAL_CODE, r#""97477""#),
    ]);
    let judgement = nobody_owns().judge("imaging", Some(&current), None, &observed);
    assert!(judgement.change.changed.is_empty());
    assert_eq!(judgement.disagreements, paths([LINES, POSTAL_CODE]));
    assert!(judgement.restore.is_empty());
    let judgement = owned(OnDisagreement::Restore).judge("imaging", Some(&current), None, &observed);
    assert_eq!(judgement.restore, paths([LINES, POSTAL_CODE]));
}

#[test]
fn the_owner_wins_at_first_sight_with_whole_elements() {
    let current = fields([
        (LINES, r#"["12 Maple Street"]"#),
        (POSTAL_CODE, r#""97477""#),
        (FAMILY, r#""Lovelace""#),
        (GIVEN, r#"["Ada", "Augusta"]"#),
        (MOBILE, r#""503 555 0199""#),
    ]);
    let observed = fields([
        (LINES, r#"["9 Elm Road"]"#),
        (CITY, r#""Springfield""#),
        (FAMILY, r#""LOVELACE""#),
        (GIVEN, r#"["Ada"]"#),
    ]);
    let judgement = owned(OnDisagreement::Restore).judge("front-desk", Some(&current), None, &observed);
    assert_eq!(judgement.change.changed, paths([LINES, CITY, POSTAL_CODE]));
    assert_eq!(judgement.change.fields.get(&POSTAL_CODE.into()), None);
    assert_eq!(judgement.lacks, paths([FAMILY, GIVEN, MOBILE]));
    assert!(judgement.disagreements.is_empty());
}

#[test]
fn the_owner_wins_at_first_sight_over_capitals_and_what_was_cut_off() {
    let current = fields([(FAMILY, r#""LOVEL""#), (GIVEN, r#"["ADA"]"#)]);
    let observed = fields([(FAMILY, r#""Lovelace""#), (GIVEN, r#"["Ada"]"#)]);
    let judgement = owned(OnDisagreement::Review).judge("front-desk", Some(&current), None, &observed);
    assert_eq!(judgement.change.fields, observed);
    // Somebody else who knows more is asked for.
    let judgement = owned(OnDisagreement::Review).judge("imaging", Some(&current), None, &observed);
    assert_eq!(judgement.disagreements, paths([FAMILY]));
}

#[test]
fn an_element_that_goes_takes_with_it_what_the_system_never_showed_of_it() {
    let current = fields([(LINES, r#"["12 Maple Street"]"#), (CITY, r#""Springfield""#)]);
    let shadow = fields([(LINES, r#"["12 MAPLE STREET"]"#)]);
    let judgement = nobody_owns().judge("imaging", Some(&current), Some(&shadow), &Fields::default());
    assert_eq!(judgement.change.fields, Fields::default());
}

#[test]
fn an_element_that_was_taken_away_comes_back_whole_when_it_is_edited() {
    let shadow = fields([(LINES, r#"["12 Maple Street"]"#), (CITY, r#""Springfield""#)]);
    let observed = fields([(LINES, r#"["14 Maple Street"]"#), (CITY, r#""Springfield""#)]);
    let judgement = nobody_owns().judge("imaging", Some(&Fields::default()), Some(&shadow), &observed);
    assert_eq!(judgement.change.fields, observed);
}

#[test]
fn what_a_superseded_record_says_of_its_own_standing_is_not_heard() {
    let current = fields([("status", r#""active""#), (FAMILY, r#""King""#)]);
    let observed = fields([("status", r#""archived""#), (FAMILY, r#""Lovelace""#)]);
    for shadow in [None, Some(&current)] {
        let judgement = judge(&Situation {
            system: &"front-desk".parse().unwrap(),
            current: Some(&current),
            shadow,
            observed: &observed,
            ownership: &Ownership::default(),
            holds: &|_| true,
            is_given_up: true,
        });
        let told = judgement.change.changed.union(&judgement.disagreements);
        assert_eq!(told.cloned().collect::<BTreeSet<_>>(), paths([FAMILY]));
        assert!(!judgement.lacks.contains(&"status".into()));
    }
}

#[test]
fn only_what_is_due_and_shown_otherwise_is_written() {
    let wanted = fields([
        (FAMILY, r#""Lovelace""#),
        (HOME, r#""1""#),
        (CITY, r#""Springfield""#),
    ]);
    let shown = fields([(FAMILY, r#""King""#), (HOME, r#""1""#)]);
    assert_eq!(to_write(&paths([FAMILY, HOME]), &wanted, &shown), paths([FAMILY]));
}

#[test]
fn elements_with_one_key_are_written_together() {
    let second = "telecom/phone-home~2/value";
    let wanted = fields([(HOME, r#""2""#)]);
    let shown = fields([(HOME, r#""1""#), (second, r#""2""#)]);
    assert_eq!(to_write(&paths([HOME]), &wanted, &shown), paths([HOME, second]));
}

#[test]
fn what_is_to_go_is_written_where_it_may_be_filed_under_another_key() {
    let due = paths(["telecom/phone-any/value"]);
    let shown = fields([(HOME, r#""1""#)]);
    assert_eq!(to_write(&due, &Fields::default(), &shown), due);
    assert_eq!(to_write(&due, &shown, &shown), paths([]));
}

#[test]
fn a_disagreement_ends_with_a_rendering() {
    let held = fields([(FAMILY, r#""Lovelace""#)]);
    let still = |shown: &str| still_disagrees(&FAMILY.into(), &fields([(FAMILY, shown)]), &held);
    assert!(!still(r#""LOVEL""#) && still(r#""King""#));
    assert!(still_disagrees(&FAMILY.into(), &Fields::default(), &held));
}
