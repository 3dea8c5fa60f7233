//! Vendors and their contracts.

use super::{CONTRACT, Office, TOKEN, system};
use archwire_core::{
    EventKind, FieldGroup,
    contract::{ImageAccess, Pace, PatientScope, Purpose},
};

/// The vendor `ceph` with `more` in its table, beside the system `front-desk`. The first line of `more` is line 12.
fn office(more: &str) -> Office {
    let vendor = format!("[vendors.ceph]\ntoken = {{ file = \"token\" }}\n{CONTRACT}{more}\n");
    Office::with(&system(&vendor)).secret("token", TOKEN)
}

/// The same, with one of the lines that have to be there replaced.
fn office_instead(line: &str, by: &str) -> Office {
    assert!(CONTRACT.contains(line), "{line}");
    let vendor = format!(
        "[vendors.ceph]\ntoken = {{ file = \"token\" }}\n{}",
        CONTRACT.replace(line, by)
    );
    Office::with(&system(&vendor)).secret("token", TOKEN)
}

fn problem(more: &str) -> String {
    office(more).problem()
}

fn assert_problem(problem: &str, expected: &str) {
    assert!(problem.contains(expected), "{problem}");
}

#[test]
fn a_contract_grants_nothing_that_it_does_not_say() {
    let office = office_instead("write-fields = [", "#[");
    let config = office.config();
    let contract = &config.vendors[&"ceph".parse().unwrap()].contract;
    assert!(contract.enabled && contract.patients == PatientScope::All);
    assert!(
        EventKind::ALL
            .into_iter()
            .all(|kind| !contract.reads(kind) && !contract.writes(kind))
    );
    assert!(contract.read.fields.is_empty() && contract.write.fields.is_empty() && !contract.read.source);
    assert_eq!(contract.images, ImageAccess::default());
    assert_eq!(contract.pace, Pace::default());
}

#[test]
fn a_contract_is_read_with_all_that_it_says() {
    let more = r#"enabled = false
contact = "privacy@example.com"
valid-from = "2026-01-01"
valid-until = "2026-12-31"
read-kinds = ["created", "imaged"]
read-fields = ["name", "photo"]
read-source = true
write-kinds = ["updated"]
images = ["read"]
requests-per-second = 7
streams = 2"#;
    let config = office(more).config();
    let contract = &config.vendors[&"ceph".parse().unwrap()].contract;
    assert!(!contract.enabled && contract.read.source && contract.images.read && !contract.images.write);
    assert_eq!(contract.purpose, Purpose::Treatment);
    assert_eq!(contract.basis, "agreement of 2026-01-15");
    assert_eq!(contract.grantee.contact.as_deref(), Some("privacy@example.com"));
    assert_eq!(contract.grantee.vendor.as_str(), "ceph");
    assert_eq!(contract.validity.from().unwrap().to_string(), "2026-01-01");
    assert_eq!(contract.validity.until().unwrap().to_string(), "2026-12-31");
    assert_eq!(
        contract.read.kinds,
        [EventKind::PatientCreated, EventKind::PatientImaged].into()
    );
    assert_eq!(contract.read.fields, [FieldGroup::Name, FieldGroup::Photo].into());
    assert_eq!(contract.write.kinds, [EventKind::PatientUpdated].into());
    assert_eq!(
        (
            contract.pace.requests_per_second.get(),
            contract.pace.streams.get()
        ),
        (7, 2)
    );
}

#[test]
fn a_vendor_may_have_no_token_in_the_configuration() {
    let config = Office::with(&format!("[vendors.ceph]\n{CONTRACT}")).config();
    assert!(config.vendors[&"ceph".parse().unwrap()].token.is_none());
}

#[test]
fn with_whom_what_for_on_what_basis_and_of_whom_has_to_be_said() {
    for key in ["organization", "purpose", "legal-basis", "patients"] {
        let line = CONTRACT.lines().find(|line| line.starts_with(key)).unwrap();
        let problem = office_instead(line, "").problem();
        assert_problem(
            &problem,
            &format!("config_missing vendors.ceph.{key} is missing -> say "),
        );
    }
}

#[test]
fn a_misspelt_word_comes_with_the_nearest_one() {
    for (more, expected) in [
        (
            "read-kinds = [\"created\", \"update\"]",
            "line 12: config_value vendors.ceph.read-kinds[1] \"update\" is no kind of event -> did you mean \"updated\"?",
        ),
        (
            "read-fields = [\"names\"]",
            "vendors.ceph.read-fields[0] \"names\" is no group of fields -> did you mean \"name\"?",
        ),
        (
            "write-kinds = [\"everything\"]",
            "vendors.ceph.write-kinds[0] \"everything\" is no kind of event -> write one of created, updated,",
        ),
        (
            "images = [\"all\"]",
            "vendors.ceph.images[0] \"all\" is no access to images -> write one of read, write",
        ),
        (
            "valid-from = \"1.1.2026\"",
            "vendors.ceph.valid-from \"1.1.2026\" is no day -> write a day",
        ),
        (
            "streams = 0",
            "vendors.ceph.streams 0 is out of bounds -> write a whole number from 1 to 4096",
        ),
        (
            "requests-per-second = 10001",
            "vendors.ceph.requests-per-second 10001 is out of bounds -> write a whole number from 1 to 10000",
        ),
        (
            "contact = \"\"",
            "vendors.ceph.contact is not one line of 1 to 256 bytes",
        ),
    ] {
        assert_problem(&problem(more), expected);
    }
    let purpose = office_instead("\"treatment\"", "\"treatments\"").problem();
    assert_problem(
        &purpose,
        "vendors.ceph.purpose \"treatments\" is no purpose -> did you mean \"treatment\"?",
    );
    let patients = office_instead("\"all\"", "\"some\"").problem();
    assert_problem(
        &patients,
        "vendors.ceph.patients \"some\" is no choice of patients -> write one of all, linked",
    );
}

#[test]
fn a_legal_basis_is_one_line_of_at_most_256_bytes() {
    let with = |basis: &str| office_instead("agreement of 2026-01-15", basis);
    assert!(with(&"x".repeat(256)).load().is_ok());
    for basis in ["x".repeat(257), "a\\nb".to_owned(), " ".to_owned()] {
        assert_problem(
            &with(&basis).problem(),
            "config_value vendors.ceph.legal-basis is not one line of 1 to 256 bytes",
        );
    }
}

#[test]
fn a_contract_that_ends_before_it_begins_is_refused() {
    let problem = problem("valid-from = \"2026-02-01\"\nvalid-until = \"2026-01-31\"");
    assert_problem(
        &problem,
        "line 13: config_conflict vendors.ceph.valid-until the last day is before the first one",
    );
    assert!(
        office("valid-from = \"2026-02-01\"\nvalid-until = \"2026-02-01\"")
            .load()
            .is_ok()
    );
}

#[test]
fn patients_by_link_are_those_of_a_system_or_vendor_that_there_is() {
    let linked = |name: &str| {
        let by = format!("patients = \"linked\"\nlinked-with = \"{name}\"");
        office_instead("patients = \"all\"", &by)
    };
    for name in ["front-desk", "ceph"] {
        let config = linked(name).config();
        let scope = &config.vendors[&"ceph".parse().unwrap()].contract.patients;
        assert_eq!(*scope, PatientScope::LinkedWith(name.parse().unwrap()));
    }
    assert_problem(
        &linked("front-dest").problem(),
        "vendors.ceph.linked-with \"front-dest\" is no system or vendor -> did you mean \"front-desk\"?",
    );
    let problem = office_instead("patients = \"all\"", "patients = \"linked\"").problem();
    assert_problem(
        &problem,
        "config_missing vendors.ceph.linked-with is missing -> name the system",
    );
    assert_problem(
        &self::problem("linked-with = \"front-desk\""),
        "config_conflict vendors.ceph.linked-with names a system, but the contract is about all patients",
    );
}

#[test]
fn events_of_images_go_with_images_and_nobody_writes_a_parting() {
    assert_problem(
        &problem("read-kinds = [\"imaged\"]\nimages = [\"write\"]"),
        "config_conflict vendors.ceph.read-kinds has \"imaged\", but images are not granted -> write images = [\"read\"]",
    );
    assert_problem(
        &problem("write-kinds = [\"image-amended\"]"),
        "config_conflict vendors.ceph.write-kinds has \"image-amended\", but images are not granted",
    );
    assert_problem(
        &problem("write-kinds = [\"unmerged\"]"),
        "config_value vendors.ceph.write-kinds has \"unmerged\", which no vendor can write",
    );
}

#[test]
fn whoever_owns_a_group_may_write_it() {
    let fields = CONTRACT
        .lines()
        .find(|line| line.starts_with("write-fields"))
        .unwrap();
    let problem = office_instead(fields, "write-fields = [\"name\"]\nowns = [\"name\", \"photo\"]").problem();
    assert_problem(
        &problem,
        "config_conflict vendors.ceph.owns has \"photo\", which is not in its write-fields -> who is right",
    );
}
