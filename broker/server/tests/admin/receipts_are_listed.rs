//! Receipts come out of the log as they went in: of a patient, of a system, of an outcome, the last of them.

use crate::{office::system, support::*};
use archwire_core::{PatientId, Receipt, ReceiptOutcome, Revision};
use std::collections::BTreeSet;

fn receipt(revision: u64, outcome: ReceiptOutcome) -> Receipt {
    let paths = |paths: &[&str]| -> BTreeSet<_> { paths.iter().map(|path| (*path).into()).collect() };
    Receipt {
        event_id: format!("019a8f30-8d5e-7c31-b5a5-{revision:012}"),
        revision: Revision::new(revision),
        outcome,
        action: None,
        written: paths(&["birth_date", "names/official/family"]),
        rendered: paths(&["names/official/family"]),
        differs: BTreeSet::new(),
        reason: None,
        attempts: 2,
        connector_version: "0.1.0".to_owned(),
    }
}

/// Two patients with receipts of revisions 1 to 4, by whom and where.
async fn receipts(desk: &Desk) -> [PatientId; 2] {
    let one = person("Kowalska", "Anna", "1987-03-09", "555-010-0199");
    let other = person("Nowak", "Ewa", "1978-01-02", "555-010-0142");
    let patients = [
        desk.see("front-desk", "1", one).await,
        desk.see("front-desk", "2", other).await,
    ];
    for (name, patient, revision, outcome) in [
        ("imaging", 0, 1, ReceiptOutcome::Parked),
        ("archive", 0, 2, ReceiptOutcome::Verified),
        ("imaging", 1, 3, ReceiptOutcome::Verified),
        ("imaging", 0, 4, ReceiptOutcome::Verified),
    ] {
        let receipt = receipt(revision, outcome);
        let (registry, system) = (&desk.office.registry, system(name));
        let noted = registry.receipted(&system, patients[patient], receipt);
        noted.await.unwrap();
    }
    patients
}

#[tokio::test]
async fn receipts_are_found_by_patient_system_and_outcome() {
    let desk = Desk::open().await;
    let [one, _] = receipts(&desk).await;
    let one = one.to_string();
    let revisions = async |which: &[&str]| {
        let lines = desk.run(&[&["receipts", "--json"], which].concat()).await.lines();
        let revisions = lines.iter().map(|line| line["revision"].as_u64().unwrap());
        revisions.collect::<Vec<_>>()
    };
    assert_eq!(revisions(&[]).await, [1, 2, 3, 4]);
    assert_eq!(revisions(&["--patient", &one]).await, [1, 2, 4]);
    assert_eq!(revisions(&["--system", "imaging"]).await, [1, 3, 4]);
    assert_eq!(
        revisions(&["--system", "imaging", "--patient", &one]).await,
        [1, 4]
    );
    assert_eq!(revisions(&["--outcome", "verified"]).await, [2, 3, 4]);
    assert_eq!(revisions(&["--last", "2"]).await, [3, 4]);
    assert_eq!(
        revisions(&["--outcome", "verified", "--last", "1", "--system", "archive"]).await,
        [2]
    );
    assert_eq!(revisions(&["--outcome", "dropped"]).await, [0; 0]);
    assert!(desk.audited().await.is_empty());
}

#[tokio::test]
async fn a_receipt_says_paths() {
    let desk = Desk::open().await;
    receipts(&desk).await;
    let said = desk.run(&["receipts", "--last", "1"]).await.well();
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
    for words in [
        "verified    imaging  revision 4",
        "wrote: birth_date, names/official/family",
        "in its own way: names/official/family",
        "attempts: 2",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let line = &desk.run(&["receipts", "--last", "1", "--json"]).await.lines()[0];
    assert_eq!(line["rendered"][0], "names/official/family");
    assert_eq!(line["connector_version"], "0.1.0");
}

#[tokio::test]
async fn nobody_and_nonsense_are_told_from_nothing() {
    let desk = Desk::open().await;
    let nobody = PatientId::generate().to_string();
    let answer = desk.run(&["receipts", "--patient", &nobody, "--json"]).await;
    assert_eq!(answer.refused(), "patient_unknown");
    let wrong = desk.run(&["receipts", "--outcome", "lost"]).await;
    assert_eq!(wrong.code, Some(64));
    assert!(wrong.complained.contains("superseded"), "{}", wrong.complained);
    assert_eq!(desk.run(&["receipts"]).await.well(), "no such receipt\n");
    assert_eq!(desk.run(&["receipts", "--json"]).await.well(), "");
}
