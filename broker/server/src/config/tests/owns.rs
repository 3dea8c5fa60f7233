//! Who is right about what, and which identifiers are trusted.

use super::{CONTRACT, Office, TOKEN, system};
use archwire_core::{FieldGroup, OnDisagreement, Owner};

/// `more` in the table of the system `front-desk`, with the vendor `ceph` below, and `ceph` in the vendor's.
fn office(more: &str, ceph: &str) -> Office {
    let text = system(&format!(
        "{more}\n[vendors.ceph]\ntoken = {{ file = \"token\" }}\n{ceph}\n{CONTRACT}"
    ));
    Office::with(&text).secret("token", TOKEN)
}

fn owner(name: &str, on_disagreement: OnDisagreement) -> Owner {
    Owner {
        system: name.parse().unwrap(),
        on_disagreement,
    }
}

#[test]
fn systems_and_vendors_own_what_they_say_and_a_person_decides_unless_they_say_otherwise() {
    let office = office(
        "owns = [\"name\", \"responsible-parties\"]\non-disagreement = \"restore\"",
        "owns = [\"photo\"]",
    );
    let ownership = office.config().ownership();
    let front_desk = owner("front-desk", OnDisagreement::Restore);
    assert_eq!(ownership.owner(FieldGroup::Name), Some(&front_desk));
    assert_eq!(ownership.owner(FieldGroup::ResponsibleParties), Some(&front_desk));
    assert_eq!(
        ownership.owner(FieldGroup::Photo),
        Some(&owner("ceph", OnDisagreement::Review))
    );
    assert_eq!(ownership.owner(FieldGroup::Contact), None);
}

#[test]
fn nobody_owns_anything_by_default() {
    let ownership = office("", "").config().ownership();
    assert!(
        FieldGroup::ALL
            .iter()
            .all(|group| ownership.owner(*group).is_none())
    );
}

#[test]
fn a_disabled_system_owns_nothing_and_keeps_nobody_else_from_owning_it() {
    let office = office("enabled = false\nowns = [\"name\"]", "owns = [\"name\"]");
    let ownership = office.config().ownership();
    assert_eq!(
        ownership.owner(FieldGroup::Name),
        Some(&owner("ceph", OnDisagreement::Review))
    );
}

#[test]
fn a_group_with_two_owners_is_one_problem_that_names_both() {
    let problem = office("owns = [\"name\"]", "owns = [\"photo\", \"name\"]").problem();
    assert!(
        problem.contains(
            "line 8: config_conflict vendors.ceph.owns[1] \"name\" is owned by systems.front-desk already -> only one"
        ),
        "{problem}"
    );
}

#[test]
fn a_misspelt_group_comes_with_the_nearest_one_also_in_a_disabled_system() {
    let problem = office("enabled = false\nowns = [\"names\"]", "").problem();
    assert!(
        problem.contains(
            "line 6: config_value systems.front-desk.owns[0] \"names\" is no group of fields -> did you mean \"name\"?"
        ),
        "{problem}"
    );
    let problem = office("owns = [\"x\"]", "").problem();
    assert!(
        problem.contains(
            "-> the groups are identifiers, name, demographics, contact, responsible-parties, administrative, photo"
        ),
        "{problem}"
    );
}

#[test]
fn what_happens_on_disagreement_is_said_only_where_something_is_owned() {
    for more in [
        "on-disagreement = \"restore\"",
        "owns = []\non-disagreement = \"restore\"",
    ] {
        let problem = office(more, "").problem();
        assert!(
            problem.contains(
                "config_conflict systems.front-desk.on-disagreement says what happens when others change"
            ),
            "{problem}"
        );
        assert!(problem.contains("-> it belongs beside `owns`"), "{problem}");
    }
    let problem = office("", "owns = [\"name\"]\non-disagreement = \"ask\"").problem();
    assert!(
        problem.contains(
            "config_value vendors.ceph.on-disagreement \"ask\" is none of its words -> write \"review\" or \"restore\""
        ),
        "{problem}"
    );
}

#[test]
fn a_variable_says_what_happens_on_disagreement_but_not_what_is_owned() {
    let restore = "ARCHWIRE__SYSTEMS__FRONT_DESK__ON_DISAGREEMENT";
    let office_with = |more| office(more, "").variable(restore, "restore");
    let ownership = office_with("owns = [\"name\"]").config().ownership();
    assert!(ownership.restores(&"names/official/family".into()));
    let problem = office_with("").problem();
    assert!(
        problem.starts_with(&format!("environment variable {restore}: config_conflict")),
        "{problem}"
    );
    let problem = office("", "")
        .variable("ARCHWIRE__SYSTEMS__FRONT_DESK__OWNS", "name")
        .problem();
    assert!(
        problem.contains("front-desk.owns is text, but must be a list"),
        "{problem}"
    );
}

#[test]
fn no_list_of_trusted_identifiers_is_another_thing_than_an_empty_one() {
    assert_eq!(Office::with("").config().identity.trusted_identifiers, None);
    let office = Office::with("[identity]\ntrusted-identifiers = []\n");
    assert_eq!(office.config().identity.trusted_identifiers, Some([].into()));
    let office =
        Office::with("[identity]\ntrusted-identifiers = [\"urn:a:b\", \"http://h/x\", \"urn:a:b\"]\n");
    assert_eq!(
        office.config().identity.trusted_identifiers,
        Some(["http://h/x".to_owned(), "urn:a:b".to_owned()].into())
    );
}

#[test]
fn a_trusted_identifier_that_is_no_uri_is_refused() {
    for namespace in [
        "",
        "ssn",
        "us ssn:x",
        "urn:",
        ":x",
        "1urn:x",
        "urn:a b",
        "urn:\u{e9}",
    ] {
        let office = Office::with(&format!(
            "[identity]\ntrusted-identifiers = [\"urn:x\", \"{namespace}\"]\n"
        ));
        let problem = office.problem();
        assert!(
            problem.contains(
                "line 4: config_value identity.trusted-identifiers[1] is not a URI of at most 1024 bytes"
            ),
            "{namespace}: {problem}"
        );
    }
    let long = format!(
        "[identity]\ntrusted-identifiers = [\"urn:{}\"]\n",
        "a".repeat(1021)
    );
    assert!(Office::with(&long).problem().contains("[0] is not a URI"));
}

#[test]
fn at_most_sixty_four_identifiers_are_trusted() {
    let list = |count: usize| {
        let namespaces: Vec<_> = (0..count).map(|number| format!("\"urn:x:{number}\"")).collect();
        Office::with(&format!(
            "[identity]\ntrusted-identifiers = [{}]\n",
            namespaces.join(", ")
        ))
    };
    let trusted = list(64).config().identity.trusted_identifiers.unwrap();
    assert_eq!(trusted.len(), 64);
    let problem = list(65).problem();
    assert!(
        problem.contains("trusted-identifiers has 65 namespaces -> list at most 64"),
        "{problem}"
    );
}
