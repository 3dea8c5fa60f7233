//! The rules by which a system is compared, by properties and case by case.

use super::*;
use crate::{Leaf, sample};
use proptest::{collection::vec, prelude::*, sample::select};

fn fields() -> impl Strategy<Value = Fields> {
    sample::patient().prop_map(|patient| Fields::of(&patient).unwrap())
}

fn compared(wanted: &Fields, shadow: Option<&Fields>, shown: &Fields) -> Differences {
    Comparison {
        wanted,
        shadow,
        shown,
        disputed: &BTreeSet::new(),
        is_owner: &|_| false,
    }
    .differences()
}

/// What a system that writes in capitals and keeps no phones and no addresses makes of a patient.
fn lossy(fields: &Fields) -> Fields {
    let mut patient = fields.to_patient().unwrap();
    patient.addresses.clear();
    patient.telecom.clear();
    for name in &mut patient.names {
        name.family = name
            .family
            .take()
            .map(|family| family.as_str().to_uppercase().into());
    }
    Fields::of(&patient).unwrap()
}

fn entry((number, version): (u32, Option<&str>)) -> SurveyEntry {
    SurveyEntry {
        local_id: number.to_string().parse().unwrap(),
        version: version.map(str::to_owned),
    }
}

fn entries() -> impl Strategy<Value = Vec<SurveyEntry>> {
    let version = select(vec![None, Some("monday"), Some("tuesday")]);
    vec((0..20_u32, version).prop_map(entry), 0..40)
}

fn survey(pages: &[&[SurveyEntry]]) -> Survey {
    let mut survey = Survey::default();
    for page in pages {
        survey.add(page.iter().cloned()).unwrap();
    }
    survey
}

proptest! {
    #[test]
    fn a_record_that_shows_what_the_bus_wants_never_differs(wanted in fields(), shadow in proptest::option::of(fields())) {
        prop_assert!(compared(&wanted, shadow.as_ref(), &wanted).is_none());
    }

    #[test]
    fn a_record_that_shows_what_its_system_made_of_a_delivery_never_differs(wanted in fields()) {
        let shown = lossy(&wanted);
        let differences = compared(&wanted, Some(&shown), &shown).settle(&BTreeSet::new());
        prop_assert!(differences.is_none(), "{differences:?}");
    }

    #[test]
    fn what_was_not_brought_yet_is_lacking_wherever_the_record_shows_otherwise(wanted in fields(), shown in fields()) {
        let due = wanted.difference(&shown);
        let differences = compared(&wanted, Some(&shown), &shown).settle(&due);
        let expected: BTreeSet<_> =
            due.into_iter().filter(|path| still_disagrees(path, &shown, &wanted)).collect();
        prop_assert!(differences.unheard.is_empty());
        prop_assert_eq!(differences.paths(), expected);
    }

    #[test]
    fn nothing_is_unheard_that_the_record_showed_before(wanted in fields(), shadow in fields(), shown in fields()) {
        for path in compared(&wanted, Some(&shadow), &shown).unheard {
            prop_assert_ne!(shadow.get(&path), shown.get(&path), "{}", path);
            prop_assert_ne!(wanted.get(&path), shown.get(&path), "{}", path);
        }
    }

    #[test]
    fn the_order_of_pages_and_entries_changes_nothing(
        (listed, shuffled) in entries().prop_flat_map(|listed| (Just(listed.clone()), Just(listed).prop_shuffle())),
        at in 0..40_usize, known in proptest::collection::btree_set(0..25_u32, 0..10),
    ) {
        let known: Vec<_> = known.into_iter().map(|number| (id(number), number)).collect();
        let at = at.min(listed.len());
        let in_order = survey(&[&listed[..at], &listed[at..]]);
        let out_of_order = survey(&[&shuffled[at..], &shuffled[..at]]);
        prop_assert_eq!(in_order.against(known.clone()), out_of_order.against(known));
    }

    #[test]
    fn every_record_is_listed_missing_or_extra_and_only_one_of_them(
        listed in entries(), known in proptest::collection::btree_set(0..25_u32, 0..10),
    ) {
        let known: BTreeSet<_> = known.into_iter().map(id).collect();
        let on_it: BTreeSet<_> = listed.iter().map(|entry| entry.local_id.clone()).collect();
        let against = survey(&[&listed]).against(known.iter().map(|known| (known.clone(), ())));
        let both: Vec<_> = against.listed.into_iter().map(|(id, ..)| id).collect();
        let missing: Vec<_> = against.missing.into_iter().map(|(id, ())| id).collect();
        prop_assert_eq!(both, known.intersection(&on_it).cloned().collect::<Vec<_>>());
        prop_assert_eq!(missing, known.difference(&on_it).cloned().collect::<Vec<_>>());
        prop_assert_eq!(against.extra, on_it.difference(&known).cloned().collect::<Vec<_>>());
    }
}

fn id(number: u32) -> LocalId {
    number.to_string().parse().unwrap()
}

/// Fields with a family name where there is one.
fn named(family: Option<&str>) -> Fields {
    let mut fields = Fields::default();
    let leaf = family.map(|family| Leaf::from_json(&format!("\"{family}\"")).unwrap());
    fields.put(&"names/official/family".into(), leaf.as_ref());
    fields
}

/// What a record comes to that showed, and now shows, these names while the bus wants another: `u` for unheard, `l` for
/// lacking, `b` unless brought, `-` for nothing.
fn comes_to(wanted: Option<&str>, before: Option<&str>, now: Option<&str>) -> char {
    let differences = compared(&named(wanted), Some(&named(before)), &named(now));
    match (
        differences.unheard.len(),
        differences.lacking.len(),
        differences.unless_brought.len(),
    ) {
        (0, 0, 0) => '-',
        (1, 0, 0) => 'u',
        (0, 1, 0) => 'l',
        (0, 0, 1) => 'b',
        other => panic!("{other:?} of one path"),
    }
}

#[test]
fn each_case_of_a_path_comes_to_what_the_table_says() {
    let (smith, jones, doe) = (Some("Smith"), Some("Jones"), Some("Doe"));
    for (wanted, before, now, expected) in [
        (smith, smith, smith, '-'),
        (smith, jones, smith, '-'),
        (smith, smith, Some("SMITH"), '-'),
        (smith, Some("SMITH"), smith, '-'),
        (smith, Some("SMITH"), Some("SMITH"), '-'),
        // Brought between the last reading and this one, in the system's own way.
        (smith, jones, Some("SMITH"), '-'),
        (smith, smith, doe, 'u'),
        (smith, jones, doe, 'u'),
        (smith, smith, None, 'u'),
        (smith, None, doe, 'u'),
        (None, None, doe, 'u'),
        (None, smith, doe, 'u'),
        (None, smith, None, '-'),
        // Shortened by somebody, not by the system: it has shown all of it.
        (Some("Smith-Jones"), Some("Smith-Jones"), smith, 'u'),
        (Some("Smith-Jones"), smith, smith, '-'),
        (smith, jones, jones, 'l'),
        (smith, None, None, 'b'),
        (None, jones, jones, 'b'),
    ] {
        let found = comes_to(wanted, before, now);
        assert_eq!(found, expected, "{wanted:?}, {before:?}, {now:?}");
    }
}

#[test]
fn what_is_in_review_or_the_systems_own_is_lacking_only_where_the_bus_has_yet_to_bring_it() {
    let path = Path::from("names/official/family");
    let (wanted, shown) = (named(Some("Smith")), named(Some("Jones")));
    let disputed = BTreeSet::from([path.clone()]);
    for (disputed, owner) in [(&disputed, false), (&BTreeSet::new(), true)] {
        let differences = Comparison {
            wanted: &wanted,
            shadow: Some(&shown),
            shown: &shown,
            disputed,
            is_owner: &|_| owner,
        }
        .differences();
        assert!(differences.clone().settle(&BTreeSet::new()).is_none());
        let due = BTreeSet::from([path.clone()]);
        assert_eq!(differences.settle(&due).lacking, due);
    }
}

#[test]
fn a_record_that_was_never_taken_is_unheard_in_all_that_it_shows_otherwise() {
    let differences = compared(&named(Some("Smith")), None, &named(Some("Jones")));
    assert_eq!(differences.unheard.len(), 1);
    assert!(compared(&named(Some("Smith")), None, &named(Some("SMITH"))).is_none());
}

#[test]
fn a_record_with_two_versions_in_one_survey_has_none() {
    let survey = survey(&[&[
        entry((1, Some("a"))),
        entry((2, Some("a"))),
        entry((1, Some("b"))),
    ]]);
    let against = survey.against([(id(1), ()), (id(2), ())]);
    let versions: Vec<_> = against.listed.iter().map(|(_, version, ())| *version).collect();
    assert_eq!(versions, [None, Some(RecordVersion::of("a"))]);
}

#[test]
fn a_survey_has_its_bound() {
    let mut survey = Survey::default();
    let most = u32::try_from(Survey::MOST).unwrap();
    assert_eq!(survey.add((0..most).map(|number| entry((number, None)))), Ok(()));
    assert_eq!(survey.add([entry((0, None))]), Ok(()));
    assert_eq!(survey.add([entry((most, None))]), Err(SurveyTooLarge));
}
