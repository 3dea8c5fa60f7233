//! What no patient should look like.

use super::*;
use crate::{Address, identity::is_rendering_of};

#[test]
fn absurd_and_partial_birth_dates_never_link() {
    for birth_date in [
        "0001-01-01",
        "1900-01-01",
        "1970-01-01",
        "9999-12-31",
        "1111-11-11",
        "2012",
        "2012-03",
        "1784-03-14",
    ] {
        let one = person("Emma", "Garcia", birth_date)
            .phone(PHONE)
            .number(CHART, "MR", "4711");
        assert!(one.birth_date.is_some());
        assert_eq!(linked(&one, &one), None, "{birth_date}");
    }
}

#[test]
fn a_birth_date_of_next_week_counts_when_the_week_has_come() {
    let newborn = person("Emma", "Garcia", "2026-03-14").phone(PHONE);
    let mut practice = Practice::new();
    let id = practice.knows(&newborn);
    let on = |today| {
        let profile = Profile::of(&newborn).as_of(&PartialDate::parse(today).unwrap());
        practice
            .people
            .identify(&profile, &|id| practice.known.get(&id).cloned())
            .same
    };
    assert_eq!(on("2026-03-07"), None);
    assert_eq!(on("2026-03-13"), Some((id, Rule::Demographics)));
    assert_eq!(on("2026-03-14"), Some((id, Rule::Demographics)));
}

#[test]
fn nobody_at_all_is_nobody() {
    let nothing = Patient::default();
    assert_eq!(linked(&nothing, &nothing), None);
    let mut blank = person("", "", "2012-03-14").phone(PHONE);
    assert_eq!(linked(&blank, &blank), None);
    blank.names.first_mut().unwrap().given = vec![Text::from(" "), Text::from("\u{200B}"), Text::from("…")];
    blank.names.first_mut().unwrap().family = Some(Text::from("\u{301}"));
    assert_eq!(linked(&blank, &blank), None);
}

#[test]
fn names_of_every_script_link_to_themselves_and_to_no_other() {
    let names = [
        ("秀英", "王"),
        ("秀兰", "王"),
        ("준", "김"),
        ("민", "김"),
        ("さくら", "たなか"),
        ("ざくら", "たなか"),
        ("محمد", "حسن"),
        ("أحمد", "حسن"),
        ("Саша", "Иванова"),
        ("Маша", "Иванова"),
        ("राम", "शर्मा"),
        ("रमा", "शर्मा"),
        ("நிலா", "குமார்"),
        ("มานี", "ใจดี"),
        ("דוד", "כהן"),
        ("Ελένη", "Παπαδοπούλου"),
        ("Աննա", "Պետրոսյան"),
    ];
    for (place, (given, family)) in names.iter().enumerate() {
        for (other, (other_given, other_family)) in names.iter().enumerate() {
            let one = person(given, family, "2012-03-14").phone(PHONE);
            let two = person(other_given, other_family, "2012-03-14").phone(PHONE);
            assert_eq!(
                linked(&one, &two).is_some(),
                place == other,
                "{given} and {other_given}"
            );
        }
    }
}

#[test]
fn ten_thousand_identifiers_are_read_as_far_as_allowed_and_never_link() {
    let mut patient = person("Emma", "Garcia", "2012-03-14").phone(PHONE);
    for number in 0..10_000 {
        patient = patient.number(&format!("urn:example:{number}"), "MR", "4711");
    }
    assert!(patient.check().is_err());
    let profile = Profile::of(&patient);
    assert_eq!(profile.tokens.len(), 64);
    let mut practice = Practice::new();
    let id = practice.knows(&patient);
    practice.asks(&patient, &[id]);
    practice.asks(&person("Emma", "Garcia", "2012-03-14").phone(PHONE), &[id]);
}

#[test]
fn a_name_longer_than_is_read_never_links() {
    let endless = "a".repeat(4000);
    let one = person(&endless, "Garcia", "2012-03-14").phone(PHONE);
    assert_eq!(linked(&one, &one), None);
    assert!(is_rendering_of(&endless, &endless));
}

#[test]
fn a_phone_that_half_the_practice_has_finds_nobody_and_links_nobody() {
    let mut practice = Practice::new();
    for number in 0..=People::MOST_PER_KEY {
        practice.knows(&person("Walter", &format!("Q{number}y"), "1950-05-06").phone(PHONE));
    }
    practice.asks(&person("Walter", "Lee", "1950-05-07").phone(PHONE), &[]);
    let emma = practice.knows(&person("Emma", "Garcia", "2012-03-14").phone(PHONE));
    practice.asks(&person("Emma", "Garcia", "2012-03-14").phone(PHONE), &[emma]);
}

#[test]
fn where_half_the_practice_has_one_family_name_and_birth_date_nobody_is_linked() {
    let mut practice = Practice::new();
    for number in 0..=People::MOST_PER_KEY {
        practice.knows(&person(&format!("Q{number}y"), "Garcia", "2012-03-14"));
    }
    let emma = practice.knows(&person("Emma", "Garcia", "2012-03-14").phone(PHONE));
    practice.asks(&person("Emma", "Garcia", "2012-03-14").phone(PHONE), &[emma]);
}

#[test]
fn an_identifier_that_half_the_practice_has_is_not_trusted() {
    let mut practice = Practice::new();
    for number in 0..=People::MOST_PER_KEY {
        practice.knows(&person("Walter", &format!("Q{number}y"), "1950-05-06").number(CHART, "MR", "4711"));
    }
    let emma = practice.knows(&person("Emma", "Garcia", "2012-03-14").number(CHART, "MR", "4711"));
    practice.asks(
        &person("Emma", "Garcia", "2012-03-14").number(CHART, "MR", "4711"),
        &[emma],
    );
}

#[test]
fn no_more_than_the_stated_number_of_patients_is_compared_and_where_there_are_more_nobody_is_linked() {
    let mut practice = Practice::new();
    let emma = person("Emma", "Garcia", "2012-03-14").phone(PHONE);
    let known = practice.knows(&emma);
    assert_eq!(practice.links(&emma, known), Some(Rule::Demographics));
    let mut with_numbers = emma;
    for place in 0..60 {
        let namespace = format!("urn:example:{place}");
        with_numbers = with_numbers.number(&namespace, "MR", "4711");
        for holder in 0..6 {
            let holder = person(&format!("Q{place}x{holder}"), "Lee", "1984-11-02");
            practice.knows(&holder.number(&namespace, "MR", "4711"));
        }
    }
    let asked = std::cell::Cell::new(0);
    let verdict = practice.people.identify(&Profile::of(&with_numbers), &|id| {
        asked.set(asked.get() + 1);
        practice.known.get(&id).cloned()
    });
    assert_eq!(asked.get(), People::MOST_COMPARED);
    assert_eq!(verdict.same, None);
}

#[test]
fn nothing_of_a_person_is_printed() {
    let mut patient = person("Emma", "Garcia", "2012-03-14")
        .phone(PHONE)
        .number(SSN, "SS", "512-34-6789");
    patient.addresses.push(Address {
        lines: vec![Text::from("12 Main Street")],
        ..Address::default()
    });
    let mut practice = Practice::new();
    let id = practice.knows(&patient);
    let verdict =
        practice.identifies(&person("Emma", "Garcia", "2012-03-15").number(SSN, "SS", "512-34-6789"));
    let printed = format!("{:?} {:?} {verdict:?}", practice.people, practice.known.get(&id));
    // An id is made of the time and of chance, and may hold any digits.
    let printed = printed.replace(&id.to_string(), "");
    for secret in ["mma", "arcia", "2012", "555", "6789", "Main"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
