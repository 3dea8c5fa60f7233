//! Each clause of the two rules, with and without what it asks for.

use super::*;
use crate::{IdentifierStatus, NameUse, Period};

fn emma() -> Patient {
    person("Emma", "García", "2012-03-14").phone(PHONE)
}

fn emma_by_number() -> Patient {
    person("Emma", "García", "2012-03-14").number(CHART, "MR", "4711")
}

#[test]
fn names_birth_date_sex_and_a_phone_link() {
    assert_eq!(linked(&emma(), &emma()), Some(Rule::Demographics));
    let shown = person("EMMA", "GARCIA", "2012-03-14").phone("+1 (503) 555-0142");
    assert_eq!(linked(&emma(), &shown), Some(Rule::Demographics));
}

#[test]
fn a_mail_address_does_as_well_as_a_phone() {
    let known = person("Emma", "García", "2012-03-14").email("emma.garcia@mail.example");
    let shown = person("Emma", "García", "2012-03-14").email("Emma.Garcia@MAIL.example");
    assert_eq!(linked(&known, &shown), Some(Rule::Demographics));
}

#[test]
fn without_any_one_of_them_nothing_links() {
    let mut without_sex = emma();
    without_sex.administrative_sex = None;
    let mut of_unknown_sex = emma();
    of_unknown_sex.administrative_sex = Some(AdministrativeSex::Unknown);
    let others = [
        person("Emma", "García", "2012-03-14"),
        person("Emma", "García", "2012-03-14").phone("503 555 0143"),
        person("Emma", "García", "2012-03-15").phone(PHONE),
        person("Emma", "García", "2012-03").phone(PHONE),
        person("Emily", "García", "2012-03-14").phone(PHONE),
        person("Emma", "Gracia", "2012-03-14").phone(PHONE),
        person("E", "García", "2012-03-14").phone(PHONE),
        emma().male(),
        without_sex,
        of_unknown_sex,
    ];
    for other in others {
        assert_eq!(linked(&emma(), &other), None);
        assert_eq!(linked(&other, &emma()), None);
    }
}

#[test]
fn two_records_without_sex_or_birth_date_do_not_link() {
    let mut one = emma();
    one.administrative_sex = None;
    assert_eq!(linked(&one, &one), None);
    let mut one = emma();
    one.birth_date = None;
    assert_eq!(linked(&one, &one), None);
    assert_eq!(
        linked(
            &person("E", "García", "2012-03-14").phone(PHONE),
            &person("E", "García", "2012-03-14").phone(PHONE)
        ),
        None
    );
}

#[test]
fn nicknames_and_missing_middle_names_are_not_equal() {
    let known = person("Elizabeth Ann", "Lee", "2012-03-14").phone(PHONE);
    for given in ["Liz", "Elizabeth", "Elizabeth A", "Ann Elizabeth"] {
        let shown = person(given, "Lee", "2012-03-14").phone(PHONE);
        assert_eq!(linked(&known, &shown), None, "{given}");
    }
}

#[test]
fn one_given_name_of_two_words_is_two_given_names() {
    let known = person("Anna Maria", "Lee", "2012-03-14").phone(PHONE);
    for given in ["Anna|Maria", "Anna-Maria", "ANNAMARIA"] {
        let shown = person(given, "Lee", "2012-03-14").phone(PHONE);
        assert_eq!(linked(&known, &shown), Some(Rule::Demographics), "{given}");
    }
}

#[test]
fn two_known_namesakes_leave_it_to_a_person() {
    let mut practice = Practice::new();
    let one = practice.knows(&emma());
    let two = practice.knows(&person("Emma", "Garcia", "2012-03-14").email("emma@mail.example"));
    practice.asks(&emma(), &[one, two]);
}

#[test]
fn a_namesake_who_was_ruled_out_still_is_one() {
    let mut practice = Practice::new();
    let one = practice.knows(&emma());
    let two = practice.knows(&person("Emma", "Garcia", "2012-03-14"));
    practice.rules_out(two);
    practice.asks(&emma(), &[one]);
}

#[test]
fn who_was_ruled_out_is_neither_linked_nor_listed() {
    let mut practice = Practice::new();
    let one = practice.knows(&emma().number(CHART, "MR", "4711"));
    practice.rules_out(one);
    practice.asks(&emma().number(CHART, "MR", "4711"), &[]);
}

#[test]
fn who_has_a_record_in_the_same_system_is_only_listed() {
    let mut practice = Practice::new();
    let one = practice.knows(&emma().number(CHART, "MR", "4711"));
    practice.has_record(one);
    practice.asks(&emma().number(CHART, "MR", "4711"), &[one]);
}

#[test]
fn of_whom_the_caller_knows_nothing_is_not_there() {
    let mut practice = Practice::new();
    let one = practice.knows(&emma());
    let two = practice.knows(&emma());
    practice.asks(&emma(), &[one, two]);
    practice.forgets(two);
    assert_eq!(practice.links(&emma(), one), Some(Rule::Demographics));
}

#[test]
fn a_phone_of_the_past_is_no_phone() {
    let past = |change: fn(&mut ContactPoint)| {
        let mut patient = emma();
        change(patient.telecom.first_mut().unwrap());
        patient
    };
    let ended = Period {
        start: None,
        end: PartialDate::parse("2020-01-31").ok(),
    };
    assert_eq!(
        linked(&past(|phone| phone.r#use = Some(ContactUse::Old)), &emma()),
        None
    );
    assert_eq!(
        linked(&past(|phone| phone.system = ContactSystem::Fax), &emma()),
        None
    );
    let mut patient = emma();
    patient.telecom.first_mut().unwrap().period = Some(ended);
    assert_eq!(linked(&patient, &emma()), None);
}

#[test]
fn a_contradicting_identifier_prevents_a_link() {
    let known = emma().number("urn:example:insurance", "MB", "A1");
    assert_eq!(
        linked(&known, &emma().number("urn:example:insurance", "MB", "A2")),
        None
    );
    assert_eq!(
        linked(&known, &emma().number("urn:example:insurance", "MB", "a-1")),
        Some(Rule::Demographics)
    );
    assert_eq!(
        linked(&known, &emma().number("urn:example:other", "MB", "A2")),
        Some(Rule::Demographics)
    );
    let known = emma_by_number().number(SSN, "SS", "512-34-6789");
    assert_eq!(
        linked(&known, &emma_by_number().number(SSN, "SS", "512-34-6780")),
        None
    );
}

#[test]
fn a_trusted_identifier_links_with_names_and_birth_date() {
    assert_eq!(
        linked(&emma_by_number(), &emma_by_number()),
        Some(Rule::TrustedIdentifier)
    );
    let mut without_sex = emma_by_number();
    without_sex.administrative_sex = None;
    assert_eq!(
        linked(&without_sex, &emma_by_number()),
        Some(Rule::TrustedIdentifier)
    );
    let bare = person("Emma", "García", "2012-03-14").number(SSN, "", "512-34-6789");
    assert_eq!(linked(&bare, &bare), Some(Rule::TrustedIdentifier));
}

#[test]
fn initials_of_later_names_do_not_contradict_under_an_identifier() {
    let known = person("Emma|Louise", "García", "2012-03-14").number(CHART, "MR", "4711");
    let shown = |given| person(given, "García", "2012-03-14").number(CHART, "MR", "4711");
    assert_eq!(linked(&known, &shown("Emma|L")), Some(Rule::TrustedIdentifier));
    for given in ["Emma", "E", "E Louise", "Emma K", "Louise", "Baby Girl"] {
        assert_eq!(linked(&known, &shown(given)), None, "{given}");
    }
}

#[test]
fn an_identifier_of_another_kind_is_not_trusted() {
    for kind in ["", "AN", "VN", "MB", "XX"] {
        let one = person("Emma", "García", "2012-03-14").number(CHART, kind, "4711");
        assert_eq!(linked(&one, &one), None, "{kind}");
    }
}

#[test]
fn the_administrators_list_is_the_only_one_that_counts() {
    let listed = person("Emma", "García", "2012-03-14").number("urn:example:insurance", "MB", "A1");
    let mut practice = Practice::trusting(Trust::only([String::from("urn:example:insurance")].into()));
    let by_list = practice.knows(&listed);
    let _by_kind = practice.knows(&person("Olivia", "Lee", "2010-05-06").number(CHART, "MR", "4711"));
    assert_eq!(practice.links(&listed, by_list), Some(Rule::TrustedIdentifier));
    let by_kind = practice.identifies(&person("Olivia", "Lee", "2010-05-06").number(CHART, "MR", "4711"));
    assert_eq!(by_kind.same, None);
}

#[test]
fn an_identifier_that_two_hold_is_not_trusted() {
    let mut practice = Practice::new();
    let one = practice.knows(&emma_by_number());
    let two = practice.knows(&person("Noah", "García", "2010-05-06").number(CHART, "MR", "4711"));
    practice.asks(&emma_by_number(), &[one, two]);
}

#[test]
fn two_identifiers_that_lead_to_two_patients_lead_to_none() {
    let mut practice = Practice::new();
    let one = practice.knows(&emma_by_number());
    let two = practice.knows(&person("Emma", "García", "2012-03-14").number(SSN, "SS", "512-34-6789"));
    practice.asks(&emma_by_number().number(SSN, "SS", "512-34-6789"), &[one, two]);
}

#[test]
fn a_retired_identifier_and_that_of_another_assigner_do_not_link() {
    let mut retired = emma_by_number();
    retired.identifiers.first_mut().unwrap().status = Some(IdentifierStatus::Retired);
    assert_eq!(linked(&retired, &emma_by_number()), None);
    assert_eq!(linked(&emma_by_number(), &retired), None);
    let assigned = |assigner: &str| {
        let mut patient = emma_by_number();
        patient.identifiers.first_mut().unwrap().assigner = Some(Text::from(assigner));
        patient
    };
    assert_eq!(linked(&assigned("Elm Street"), &assigned("Maple Street")), None);
    assert_eq!(
        linked(&assigned("Elm Street"), &assigned("ELM STREET")),
        Some(Rule::TrustedIdentifier)
    );
}

#[test]
fn former_and_familiar_names_never_link() {
    for r#use in [
        NameUse::Maiden,
        NameUse::Old,
        NameUse::Nickname,
        NameUse::Anonymous,
    ] {
        let mut known = emma();
        known.names.first_mut().unwrap().r#use = Some(r#use);
        assert_eq!(linked(&known, &emma()), None, "{use:?}", use = r#use);
    }
    let mut known = person("Emma", "Miller", "2012-03-14").phone(PHONE);
    known.names.extend(emma().names.into_iter().map(|name| HumanName {
        r#use: Some(NameUse::Maiden),
        ..name
    }));
    assert_eq!(linked(&known, &emma()), None);
    let mut practice = Practice::new();
    let id = practice.knows(&known);
    practice.asks(&emma(), &[id]);
}

#[test]
fn the_official_name_is_the_name_wherever_it_stands() {
    let mut known = emma();
    let official = HumanName {
        r#use: Some(NameUse::Official),
        ..known.names.remove(0)
    };
    let usual = HumanName {
        r#use: Some(NameUse::Usual),
        given: vec![Text::from("Emmy")],
        ..official.clone()
    };
    known.names = vec![usual.clone(), official.clone()];
    assert_eq!(linked(&known, &emma()), Some(Rule::Demographics));
    known.names = vec![official, usual];
    assert_eq!(linked(&known, &emma()), Some(Rule::Demographics));
}

#[test]
fn a_replaced_patient_is_found_as_it_is_now_and_a_removed_one_not_at_all() {
    let mut practice = Practice::new();
    let id = practice.knows(&emma());
    let now = person("Olivia", "Lee", "2010-05-06").phone("503 555 0177");
    practice.people.put(id, &Profile::of(&now));
    practice.known.get_mut(&id).unwrap().profile = Profile::of(&now).into();
    practice.asks(&emma(), &[]);
    assert_eq!(practice.links(&now, id), Some(Rule::Demographics));
    practice.people.remove(id);
    practice.people.remove(id);
    assert!(practice.people.is_empty());
    practice.asks(&now, &[]);
}

#[test]
fn patients_who_change_often_are_found_and_leave_nothing_behind() {
    let mut practice = Practice::new();
    let id = practice.knows(&emma());
    let other = practice.knows(&person("Olivia", "Lee", "2010-05-06").phone(PHONE));
    // Often enough for the keys to be moved together.
    for number in 0..20_000 {
        let phone = format!("503 555 {number:04}");
        practice.people.put(id, &Profile::of(&emma().phone(&phone)));
    }
    assert_eq!(practice.people.len(), 2);
    assert_eq!(practice.links(&emma(), id), Some(Rule::Demographics));
    assert_eq!(
        practice.links(&person("Olivia", "Lee", "2010-05-06").phone(PHONE), other),
        Some(Rule::Demographics)
    );
}

#[test]
fn what_a_patient_is_called_in_the_index_is_not_what_decides() {
    let mut practice = Practice::new();
    let id = practice.knows(&emma());
    practice.known.get_mut(&id).unwrap().profile =
        Profile::of(&person("Olivia", "Lee", "2010-05-06").phone(PHONE)).into();
    practice.asks(&emma(), &[]);
}
