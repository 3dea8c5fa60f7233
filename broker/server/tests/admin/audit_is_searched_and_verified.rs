//! The audit from the command line: whether it is whole, and what is in it.

use crate::{office::everything, support::*};
use archwire::audit::{Disclosure, Terms, TokenAct, Told};
use archwire_core::PatientId;
use serde_json::Value;

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
    let terms = &Terms::of(&everything("tracer"));
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
    assert_eq!(found[0]["recipient"], "Example Vendor Ltd");
    assert_eq!(
        (&found[0]["purpose"], &found[0]["basis"]),
        (&"TREAT".into(), &"agreement of a test".into())
    );
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
    let terms = &Terms::of(&everything("tracer"));
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

#[tokio::test]
async fn the_accounting_of_a_patient_has_everybody_who_became_one_person_and_nobody_else() {
    let desk = Desk::open().await;
    let (one, other, item) = doubtful_pair(&desk).await;
    let terms = &Terms {
        recipient: "Example Cephalometry Ltd".to_owned(),
        basis: "Agreement, of 2026".to_owned(),
        ..Terms::of(&everything("tracer"))
    };
    let stranger = PatientId::generate();
    for told in [
        Told::Patient(one),
        Told::Patient(other),
        Told::Found(vec![stranger, other]),
        Told::Patient(stranger),
    ] {
        desk.audit.disclosed(Disclosure { terms, told }).await.unwrap();
    }
    let one = one.to_string();
    let words = ["audit", "disclosures", "--patient", &one];
    let account = async |more: &[&str]| desk.run(&[&words[..], more].concat()).await;
    assert_eq!(account(&["--json"]).await.lines().len(), 1, "two persons yet");
    desk.decide(&["review", "link", &item.to_string()]).await.well();
    let told = account(&["--json", "--by", "Kim Doe"]).await.lines();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|record| record["purpose"] == "TREAT"), "{told:?}");
    assert_eq!(told[2]["patient_ids"], serde_json::json!([other.to_string()]));
    let text = account(&[]).await.well();
    assert!(
        text.contains("Example Cephalometry Ltd (tracer)") && text.contains("3 disclosures\n"),
        "{text}"
    );
    let csv = account(&["--format", "csv"]).await.well();
    assert_eq!(csv.split_terminator("\r\n").count(), 4, "{csv}");
    assert!(csv.contains("\"Agreement, of 2026\""), "{csv}");
    let fhir = account(&["--format", "fhir"]).await.well();
    let events: Vec<Value> = fhir
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event["resourceType"] == "AuditEvent"));
    assert!(!fhir.contains(&stranger.to_string()));
    assert!(
        account(&["--until", "2020-01-01"])
            .await
            .well()
            .contains("no disclosures\n")
    );
    // That it was given out is in the audit, and by whom.
    let given = desk
        .run(&["audit", "search", "--json", "--action", "accounting."])
        .await
        .lines();
    assert_eq!(given.len(), 6);
    assert_eq!(
        (&given[1]["person"], &given[2]["person"]),
        (&"Kim Doe".into(), &"".into())
    );
    let unknown = [
        "audit",
        "disclosures",
        "--json",
        "--patient",
        &stranger.to_string(),
    ];
    assert_eq!(desk.run(&unknown).await.refused(), "patient_unknown");
}

#[tokio::test]
async fn who_was_not_let_in_and_what_lets_somebody_in_is_found() {
    let desk = Desk::open().await;
    let tracer = "tracer".parse().unwrap();
    for address in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "2001:db8::1"] {
        let address = address.parse().unwrap();
        desk.audit
            .authentication_failed(address, None, "token_unknown", 1);
    }
    desk.audit
        .authentication_failed("192.0.2.9".parse().unwrap(), Some(&tracer), "token_expired", 1);
    let act = || TokenAct {
        person: "Kim Doe".to_owned(),
        user_id: Some(1000),
        vendor: tracer.clone(),
        token: "abc".to_owned(),
        reason: "rotation".to_owned(),
    };
    desk.audit.token_made(act()).await.unwrap();
    desk.audit.token_revoked(act()).await.unwrap();
    let keys = vec!["vendors.tracer.read-fields".to_owned()];
    desk.audit
        .configuration_changed([1; 32], [2; 32], keys)
        .await
        .unwrap();
    let search = async |action: &str| {
        desk.run(&["audit", "search", "--json", "--action", action])
            .await
            .lines()
    };
    let failed = search("authentication.").await;
    let told: Vec<_> = failed
        .iter()
        .map(|one| (one["address"].as_str().unwrap(), one["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("192.0.2.1", 1),
            ("2001:db8::/64", 1),
            ("192.0.2.9", 1),
            ("192.0.2.1", 2)
        ]
    );
    assert_eq!(failed[2]["vendor"], "tracer");
    let tokens = search("token.").await;
    assert!(
        tokens
            .iter()
            .all(|one| one["token"] == "abc" && one["person"] == "Kim Doe"),
        "{tokens:?}"
    );
    let changed = search("configuration.").await;
    assert_eq!(
        changed[0]["keys"],
        serde_json::json!(["vendors.tracer.read-fields"])
    );
    assert_eq!(changed[0]["digest_before"], "01".repeat(32));
    // Of these, whoever asks what people did sees the tokens and the configuration.
    assert_eq!(desk.run(&["audit", "list", "--json"]).await.lines().len(), 3);
}
