//! What holds for all patients.

use super::*;
use crate::{identity::is_another_person, sample};
use proptest::{collection::vec, prelude::*, sample::select};

/// Patients of few families, so that they often agree.
fn relative() -> impl Strategy<Value = Patient> {
    let given = select(vec![
        "Emma",
        "EMMA",
        "Emmy",
        "Juan",
        "Juan Carlos",
        "Baby Girl",
        "李",
        "Zoë",
        "Zoe",
        "",
    ]);
    let family = select(vec![
        "Garcia",
        "GARCÍA",
        "Garcia Lopez",
        "Smith Jr",
        "Smith Sr",
        "王",
        "",
    ]);
    let birth_date = select(vec![
        "2012-03-04",
        "2012-04-03",
        "2012-03-14",
        "2012",
        "1900-01-01",
        "1984-11-02",
    ]);
    let phone = select(vec!["", PHONE, "503 555 0177", "000 0000", "+1 503 555 0142"]);
    let number = select(vec!["", "4711", "4712", "0000"]);
    (
        given,
        family,
        birth_date,
        phone,
        number,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(given, family, birth_date, phone, number, male, chart)| {
            let namespace = if chart { CHART } else { SSN };
            let patient = person(given, family, birth_date)
                .phone(phone)
                .number(namespace, "MR", number);
            if male { patient.male() } else { patient }
        })
}

/// What the rules compare, written once more and more simply: lower case without accents, spaces and generation.
fn simple(text: &str) -> String {
    let text = text
        .to_lowercase()
        .replace('í', "i")
        .replace('ë', "e")
        .replace(' ', "");
    text.trim_end_matches("jr").trim_end_matches("sr").to_owned()
}

fn same_in_all_that_must_agree(one: &Patient, two: &Patient) -> bool {
    let name = |patient: &Patient| {
        let name = patient.names.first().unwrap().clone();
        let given: String = name.given.iter().map(|given| simple(given.as_str())).collect();
        (given, simple(name.family.unwrap().as_str()))
    };
    name(one) == name(two)
        && one.birth_date == two.birth_date
        && one.administrative_sex == two.administrative_sex
}

proptest! {
    #[test]
    fn any_patients_can_be_asked_about(known in vec(sample::patient(), 0..12), shown in sample::patient()) {
        let mut practice = Practice::new();
        for patient in &known {
            practice.knows(patient);
            let _either = is_another_person(&Profile::of(patient), &Profile::of(&shown));
        }
        prop_assert!(practice.identifies(&shown).review.len() <= Verdict::MOST_CANDIDATES);
    }

    #[test]
    fn any_text_in_any_script_can_be_asked_about(
        given in "\\PC{0,60}", family in "\\PC{0,60}", phone in "\\PC{0,30}", number in "\\PC{0,30}",
    ) {
        let one = person(&given, &family, "2012-03-14").phone(&phone).email(&phone).number(CHART, "MR", &number);
        let two = person(&family, &given, "2012-03-14").phone(&number).email(&number).number(CHART, "MR", &phone);
        let mut practice = Practice::new();
        practice.knows(&one);
        practice.identifies(&two);
        prop_assert!(!is_another_person(&Profile::of(&one), &Profile::of(&one)));
    }

    #[test]
    fn the_same_person_twice_with_a_phone_of_their_own_is_linked(given in "Q[a-w]{3,8}", family in "Q[a-w]{3,8}") {
        let one = person(&given, &family, "2012-03-14").phone(PHONE);
        prop_assert_eq!(linked(&one, &one), Some(Rule::Demographics));
    }

    #[test]
    fn nobody_is_linked_to_whom_they_differ_from(known in vec(relative(), 1..8), shown in relative()) {
        let mut practice = Practice::new();
        let known: BTreeMap<PatientId, Patient> =
            known.into_iter().map(|patient| (practice.knows(&patient), patient)).collect();
        if let Some((id, _)) = practice.identifies(&shown).same {
            let same = known.get(&id).unwrap();
            prop_assert!(same_in_all_that_must_agree(same, &shown));
        }
    }

    #[test]
    fn the_order_in_which_patients_became_known_does_not_matter(
        known in vec(relative(), 1..12), shown in relative(), turn in any::<usize>(),
    ) {
        let mut practice = Practice::new();
        for patient in &known {
            practice.knows(patient);
        }
        let mut other = People::new(Trust::by_kind());
        let mut order: Vec<PatientId> = practice.known.keys().copied().collect();
        let middle = turn % order.len();
        order.rotate_left(middle);
        // Each is first put in as somebody else, and one is put in and removed, so that entries are used again.
        for id in order.iter().rev() {
            other.put(*id, &Profile::of(&shown));
        }
        let gone = PatientId::generate();
        other.put(gone, &Profile::of(&shown));
        other.remove(gone);
        for id in &order {
            other.put(*id, &practice.known.get(id).unwrap().profile);
        }
        let asked = Profile::of(&shown);
        let known = |id| practice.known.get(&id).cloned();
        prop_assert_eq!(other.identify(&asked, &known), practice.people.identify(&asked, &known));
    }

    #[test]
    fn who_links_to_whom_does_not_depend_on_who_was_first(one in relative(), two in relative()) {
        prop_assert_eq!(linked(&one, &two), linked(&two, &one));
    }

    #[test]
    fn another_person_is_so_both_ways_while_birth_dates_stay(one in relative(), two in relative()) {
        let (one, two) = (Profile::of(&one), Profile::of(&two));
        if one.birth.is_some() == two.birth.is_some() {
            prop_assert_eq!(is_another_person(&one, &two), is_another_person(&two, &one));
        }
        prop_assert!(!is_another_person(&one, &one));
    }
}
