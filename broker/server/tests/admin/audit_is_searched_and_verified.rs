//! The audit from the command line: whether it is whole, and what is in it.

use crate::support::*;
use archwire::audit::{Disclosure, Terms, Told};
use archwire_core::PatientId;

#[tokio::test]
async fn an_audit_that_nobody_touched_is_said_to_be_whole() {
    let desk = Desk::open().await;
    let (_, _, item) = doubtful_pair(&desk).await;
    let number = item.to_string();
    desk.run(&["review", "show", &number, "--by", "Kim Doe"])
        .await
        .well();
    desk.decide(&["review", "not-same", &number]).await.well();
    let said = desk.run(&["audit", "verify", "--json"]).await.json();
    assert_eq!(said["is_whole"], true, "{said}");
    assert_eq!(said["records"], 2);
    let said = desk.run(&["audit", "verify"]).await.well();
    assert!(said.ends_with("the audit is whole\n"), "{said}");
    // Nothing is signed here.
    assert_eq!(desk.run(&["audit", "key"]).await.well(), "nothing is signed\n");
    let missing = ["audit", "verify", "--json", "--checkpoints", "nowhere.jsonl"];
    assert_eq!(desk.run(&missing).await.refused(), "checkpoints_unreadable");
    // Somebody who asks to compare with what is empty, or none, is not told that all is well.
    let folder = tempfile::tempdir().unwrap();
    for text in ["", "none\n"] {
        let file = folder.path().join("checkpoints.jsonl");
        std::fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        let verify = ["audit", "verify", "--checkpoints", path];
        let said = desk.run(&verify).await;
        assert_eq!(said.code, Some(3), "{}", said.said);
        assert!(said.said.contains("nothing was compared"), "{}", said.said);
    }
}

#[tokio::test]
async fn a_list_is_of_what_people_did_and_a_search_finds_everything() {
    let desk = Desk::open().await;
    let patient = PatientId::generate();
    let terms = &Terms::without_contract("tracer".parse().unwrap());
    let told = Told::Patient(patient);
    desk.audit.disclosed(Disclosure { terms, told }).await.unwrap();
    let other = Told::Patient(PatientId::generate());
    let disclosed = desk.audit.disclosed(Disclosure { terms, told: other });
    disclosed.await.unwrap();
    assert!(desk.run(&["audit", "list", "--json"]).await.lines().is_empty());
    let search = async |arguments: &[&str]| {
        let words = [&["audit", "search", "--json"], arguments].concat();
        desk.run(&words).await.lines()
    };
    assert_eq!(search(&[]).await.len(), 2);
    let found = search(&["--patient", &patient.to_string(), "--vendor", "tracer"]).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["action"], "disclosure.patient");
    assert_eq!(found[0]["recipient"], "tracer");
    for (arguments, count) in [
        (["--action", "disclosure."], 2),
        (["--action", "disclosure"], 0),
        (["--vendor", "somebody"], 0),
        (["--since", "2020-01-01"], 2),
        (["--until", "2020-01-01"], 0),
        (["--after", "1"], 1),
    ] {
        assert_eq!(search(&arguments).await.len(), count, "{arguments:?}");
    }
}

#[tokio::test]
async fn who_became_one_person_is_found_by_either_id() {
    let desk = Desk::open().await;
    let (one, other, item) = doubtful_pair(&desk).await;
    let terms = &Terms::without_contract("tracer".parse().unwrap());
    for patient in [one, other] {
        let told = Told::Patient(patient);
        desk.audit.disclosed(Disclosure { terms, told }).await.unwrap();
    }
    desk.decide(&["review", "link", &item.to_string()]).await.well();
    for patient in [one, other] {
        let patient = patient.to_string();
        let search = [
            "audit",
            "search",
            "--json",
            "--action",
            "disclosure.",
            "--patient",
            &patient,
        ];
        assert_eq!(desk.run(&search).await.lines().len(), 1);
        let merged = [&search[..], &["--with-merged"]].concat();
        assert_eq!(desk.run(&merged).await.lines().len(), 2);
    }
}
