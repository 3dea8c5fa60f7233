//! A local id that was given to another person.

use super::*;
use crate::{NameUse, identity::is_another_person};

fn became(before: &Patient, after: &Patient) -> bool {
    is_another_person(&Profile::of(before), &Profile::of(after))
}

fn emma() -> Patient {
    person("Emma", "Garcia", "2012-03-14").phone(PHONE)
}

#[test]
fn a_stranger_a_sibling_and_a_parent_are_other_people() {
    for after in [
        person("Walter", "Lee", "1950-05-06").male(),
        person("Olivia", "Garcia", "2014-07-01"),
        person("Noah", "Garcia", "2012-03-14").male(),
        person("Emma", "Garcia", "1984-11-02"),
        person("Emma", "Miller", "2015-06-20"),
    ] {
        assert!(became(&emma(), &after));
        assert!(became(&after, &emma()));
    }
}

#[test]
fn corrections_marriages_and_what_is_not_stated_are_the_same_person() {
    let nothing_stated = Patient {
        telecom: emma().telecom,
        ..Patient::default()
    };
    for after in [
        emma(),
        person("Emma", "Miller", "2012-03-14"),
        person("Emma", "Gracia", "2012-03-15"),
        person("Emmy", "Garcia", "2012-03-14"),
        person("Emma Louise", "Garcia-Lopez", "2012-03-14"),
        person("Emma", "Garcia", "2014-07-01"),
        person("Garcia", "Emma", "2012-03-14"),
        person("Baby Girl", "Garcia", "2012-03-14"),
        emma().male(),
        nothing_stated,
    ] {
        assert!(!became(&emma(), &after));
        assert!(!became(&after, &emma()));
    }
}

#[test]
fn a_stated_former_name_explains_a_change() {
    let mut after = person("Elena", "Miller", "2012-03-14");
    assert!(became(&emma(), &after));
    after.names.push(HumanName {
        r#use: Some(NameUse::Maiden),
        ..emma().names.remove(0)
    });
    assert!(!became(&emma(), &after));
}

#[test]
fn another_given_name_alone_is_a_correction_only_where_the_birth_date_stays() {
    let olivia = person("Olivia", "Garcia", "2012-03-14");
    assert!(!became(&emma(), &olivia));
    assert!(became(&emma(), &person("Olivia", "Garcia", "")));
    assert!(became(&person("Emma", "Garcia", ""), &olivia));
    let slipped = |birth_date| person("Emmy", "Garcia", birth_date);
    assert!(became(&emma(), &slipped("")));
    assert!(!became(&slipped(""), &emma()));
    assert!(!became(&person("Emma", "Garcia", ""), &slipped("")));
    let mut twin = emma();
    twin.multiple_birth = Some(true);
    assert!(became(&twin, &olivia));
}

#[test]
fn another_trusted_number_and_another_name_are_another_person() {
    let before = emma().number(SSN, "SS", "512-34-6789");
    let renumbered = emma().number(SSN, "SS", "512-34-6780");
    assert!(!became(&before, &renumbered));
    assert!(became(
        &before,
        &person("Olivia", "Garcia", "2012-03-14").number(SSN, "SS", "512-34-6780")
    ));
}
