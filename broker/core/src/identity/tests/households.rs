//! Families: what they share is one piece of evidence, and nobody is linked on it.

use super::*;

const MOTHERS_SSN: &str = "512-34-6789";

fn child(given: &str, birth_date: &str) -> Patient {
    person(given, "Garcia", birth_date)
        .phone(PHONE)
        .email("garcia@mail.example")
}

#[test]
fn dissimilar_twins_and_siblings_stay_apart_and_out_of_review() {
    let mut practice = Practice::new();
    practice.knows(&child("Olivia", "2012-03-14"));
    practice.asks(&child("Emma", "2012-03-14"), &[]);
    practice.asks(&child("Emma", "2014-07-01"), &[]);
    practice.asks(&child("Noah", "2012-03-14").male(), &[]);
    practice.asks(&child("Olivia", "2016-11-30"), &[]);
}

#[test]
fn similar_twins_are_never_linked_to_each_other() {
    for (one, other) in [
        ("Jayden", "Jaydon"),
        ("Jayden", "Hayden"),
        ("Juan", "Juan Carlos"),
        ("Maria Jose", "Maria Luisa"),
        ("Emma", "Emmy"),
        ("Mia", "Mila"),
        ("Hưng", "Hùng"),
        ("Thanh", "Thành"),
        ("राम", "रमा"),
        ("李伟", "李薇"),
        ("A", "B"),
    ] {
        for namespace in [CHART, SSN] {
            let family_number = |given| {
                let twin = person(given, "Nguyễn", "2012-03-14").phone(PHONE);
                twin.number(namespace, "SS", MOTHERS_SSN)
            };
            assert_eq!(
                linked(&family_number(one), &family_number(other)),
                None,
                "{one}, {other}"
            );
            assert_eq!(
                linked(&family_number(other), &family_number(one)),
                None,
                "{other}, {one}"
            );
        }
    }
}

#[test]
fn a_twin_is_linked_to_nobody_while_a_twin_of_nearly_that_name_is_known() {
    for (one, other) in [("Jayden", "Jaydon"), ("Juan", "Juan Carlos"), ("Hung", "Hưng")] {
        let mut practice = Practice::new();
        let known = [
            practice.knows(&child(one, "2012-03-14")),
            practice.knows(&child(other, "2012-03-14")),
        ];
        practice.asks(&child(one, "2012-03-14"), &known);
    }
}

#[test]
fn a_twin_is_linked_while_the_other_is_called_differently() {
    let mut practice = Practice::new();
    let emma = practice.knows(&child("Emma", "2012-03-14"));
    practice.knows(&child("Olivia", "2012-03-14"));
    assert_eq!(
        practice.links(&child("Emma", "2012-03-14"), emma),
        Some(Rule::Demographics)
    );
}

#[test]
fn newborns_without_a_name_are_never_linked() {
    for given in [
        "Baby Girl",
        "BABYGIRL",
        "Baby Girl A",
        "Girl 1",
        "Newborn",
        "Infant",
        "Twin B",
        "Baby|Girl",
        "Unknown",
        "Test",
        "N/A Unknown",
        "Xxx",
        "Maria's Baby",
        "123",
        "-",
        "",
        "FNU",
    ] {
        let newborn = child(given, "2026-03-14").number(CHART, "MR", "4711");
        assert_eq!(linked(&newborn, &newborn), None, "{given}");
    }
}

#[test]
fn people_without_a_family_name_are_never_linked() {
    for family in ["", "Unknown", "Test", "LNU", "Patient", "?"] {
        let nobody = person("Emma", family, "2012-03-14")
            .phone(PHONE)
            .number(CHART, "MR", "4711");
        assert_eq!(linked(&nobody, &nobody), None, "{family}");
    }
}

#[test]
fn father_and_son_of_one_name_stay_apart() {
    let father = person("John", "Smith", "1984-03-14").male().phone(PHONE);
    let son = person("John", "Smith", "2012-03-14").male().phone(PHONE);
    let mut practice = Practice::new();
    practice.knows(&father);
    practice.asks(&son, &[]);
    // The phone says nothing of which John it is, so it is no longer evidence for either.
    let known_son = practice.knows(&son);
    practice.asks(&son, &[known_son]);
    // A phone of his own does.
    let son = son.phone("503 555 0188");
    let mut practice = Practice::new();
    practice.knows(&father);
    let known_son = practice.knows(&son);
    assert_eq!(practice.links(&son, known_son), Some(Rule::Demographics));
}

#[test]
fn a_junior_is_not_the_senior_even_when_the_birth_date_was_copied() {
    let named = |family: &str| person("John", family, "1984-03-14").male().phone(PHONE);
    assert_eq!(linked(&named("Smith Sr."), &named("Smith, Jr")), None);
    assert_eq!(linked(&named("Smith III"), &named("Smith II")), None);
    assert_eq!(
        linked(&named("Smith Jr"), &named("SMITH JR.")),
        Some(Rule::Demographics)
    );
    assert_eq!(
        linked(&named("Smith"), &named("Smith Jr")),
        Some(Rule::Demographics)
    );
}

#[test]
fn a_guardians_number_on_every_child_links_nobody() {
    let mut practice = Practice::new();
    let mother = practice.knows(&person("Ana", "Garcia", "1984-03-14").phone(PHONE).number(
        SSN,
        "SS",
        MOTHERS_SSN,
    ));
    let emma = child("Emma", "2012-03-14").number(SSN, "SS", MOTHERS_SSN);
    practice.asks(&emma, &[mother]);
    let known_emma = practice.knows(&emma);
    let noah = child("Noah", "2014-07-01").male().number(SSN, "SS", MOTHERS_SSN);
    practice.asks(&noah, &[mother, known_emma]);
    practice.knows(&noah);
    assert_eq!(practice.links(&emma, known_emma), Some(Rule::Demographics));
    practice.knows(&child("Mateo", "2015-01-02").male().number(SSN, "SS", MOTHERS_SSN));
    // Four of one family hold it: that it is shared is no longer news.
    practice.asks(&child("Lucia", "2018-09-10").number(SSN, "SS", MOTHERS_SSN), &[]);
}

#[test]
fn cousins_of_one_name_and_year_stay_apart() {
    let mut practice = Practice::new();
    practice.knows(&child("Maria", "2012-03-14"));
    practice.asks(&child("Maria", "2012-09-30"), &[]);
}

#[test]
fn stepsiblings_of_one_given_name_and_birth_date_stay_apart() {
    let mut practice = Practice::new();
    practice.knows(&child("Emma", "2012-03-14"));
    assert_eq!(
        practice
            .identifies(&person("Emma", "Miller", "2012-03-14").phone(PHONE))
            .same,
        None
    );
}

#[test]
fn those_who_were_born_together_need_more_than_a_phone() {
    let twin = |order: Option<u32>| {
        let mut twin = child("Maria", "2012-03-14");
        twin.multiple_birth = Some(true);
        twin.multiple_birth_order = order;
        twin
    };
    assert_eq!(linked(&twin(None), &twin(None)), None);
    assert_eq!(linked(&twin(None), &child("Maria", "2012-03-14")), None);
    assert_eq!(linked(&twin(Some(1)), &twin(Some(2))), None);
    assert_eq!(linked(&twin(Some(1)), &twin(Some(1))), Some(Rule::Demographics));
}

#[test]
fn the_offices_own_phone_is_nobodys() {
    let office = "503 555 0100";
    let mut practice = Practice::new();
    for number in 0..9 {
        practice.knows(
            &person("Ana", &format!("Family {number} Q"), "1984-03-14")
                .phone(office)
                .male(),
        );
    }
    let emma = person("Emma", "Lee", "2012-03-14").phone(office);
    let id = practice.knows(&emma);
    practice.asks(&emma, &[id]);
    let placeholder = |phone| person("Emma", "Lee", "2012-03-14").phone(phone);
    for phone in ["000-000-0000", "503 000 0000", "999-9999", "555-1212", "123-4567"] {
        assert_eq!(linked(&placeholder(phone), &placeholder(phone)), None, "{phone}");
    }
    let by_mail = person("Emma", "Lee", "2012-03-14").email("noreply@office.example");
    assert_eq!(linked(&by_mail, &by_mail), None);
}

#[test]
fn seven_digits_are_not_the_number_of_another_area() {
    let at = |phone| person("Emma", "Lee", "2012-03-14").phone(phone);
    assert_eq!(linked(&at("555 0142"), &at("503 555 0142")), None);
    assert_eq!(linked(&at("555 0142"), &at("555-0142")), Some(Rule::Demographics));
}

#[test]
fn accents_that_one_program_does_not_know_are_no_difference() {
    let named = |given| person(given, "Núñez", "2012-03-14").phone(PHONE);
    let bare = person("Zoe", "Nunez", "2012-03-14").phone(PHONE);
    assert_eq!(linked(&named("Zoë"), &bare), Some(Rule::Demographics));
    assert_eq!(linked(&bare, &named("Zoë")), Some(Rule::Demographics));
    assert_eq!(linked(&named("Zoë"), &named("Zoe")), None);
}
