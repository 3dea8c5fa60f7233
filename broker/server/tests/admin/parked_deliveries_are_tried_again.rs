//! What is parked is tried again when a person asks for it, and that outlives a stop.

use crate::{office::system, support::*};
use archwire::parked::ParkedFilter;

#[tokio::test]
async fn what_is_tried_again_is_noted_and_audited() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    let id = patient.to_string();
    let redrive = ["parked", "redrive", "imaging", &id, "--by", "Kim Doe"];
    let trial = desk.run(&[&redrive[..], &["--dry-run"]].concat()).await.well();
    assert!(
        trial.contains(&id) && trial.contains("1 delivery would be tried again"),
        "{trial}"
    );
    assert!(desk.parked.redriven(&system("imaging")).is_empty());
    assert!(
        desk.audited().await.is_empty(),
        "nothing was done, and nobody shown"
    );
    let said = desk.run(&redrive).await.well();
    assert_eq!(said, "1 delivery is tried again\n");
    assert_eq!(desk.parked.redriven(&system("imaging")), [patient]);
    let list = desk.run(&["parked", "list", "--json"]).await.json();
    assert_eq!(list["deliveries"][0]["is_redriven"], true);
    let records = desk.audited().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].action, "parked.redrive");
    assert_eq!(records[0].patient_ids, [id.as_str()]);
    // A second time is no mistake.
    assert_eq!(desk.run(&redrive).await.well(), said);
}

#[tokio::test]
async fn everything_is_meant_only_when_that_is_said() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    desk.park("archive", patient, "record_gone").await;
    for command in [
        &["parked", "redrive"][..],
        &["parked", "drop", "--reason", "it is wrong"],
    ] {
        let command = [command, &["--by", "Kim Doe", "--json"]].concat();
        assert_eq!(desk.run(&command).await.refused(), "parked_filter_needed");
    }
    let both = desk
        .run(&["parked", "redrive", "--all", "--code", "x", "--by", "Kim Doe"])
        .await;
    assert_eq!(both.code, Some(64), "all, and then only some");
    let redrive = ["parked", "redrive", "--all", "--by", "Kim Doe", "--json"];
    let answer = desk.run(&redrive).await.json();
    assert_eq!((&answer["count"], &answer["unreachable"]), (&2.into(), &0.into()));
    let lines = desk.parked.lines_of(&ParkedFilter::default());
    assert!(lines.iter().all(|line| line.redriven));
    let systems: Vec<_> = desk
        .audited()
        .await
        .into_iter()
        .map(|record| record.system)
        .collect();
    assert_eq!(systems, [Some("archive".to_owned()), Some("imaging".to_owned())]);
}

#[tokio::test]
async fn what_the_bus_does_not_write_to_is_refused_and_the_others_are_tried() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    desk.park("front-desk", patient, "refused").await;
    desk.park("gone-system", patient, "refused").await;
    let redrive = async |which: &[&str]| {
        let command = [&["parked", "redrive"], which, &["--by", "Kim Doe", "--json"]].concat();
        desk.run(&command).await
    };
    assert_eq!(redrive(&["front-desk"]).await.refused(), "system_not_delivered");
    assert_eq!(redrive(&["gone-system"]).await.refused(), "system_not_configured");
    let listed = desk
        .run(&["parked", "list", "--system", "gone-system", "--json"])
        .await;
    assert_eq!(listed.json()["count"], 1, "it is listed all the same");
    let answer = redrive(&["--all"]).await;
    assert_eq!(answer.code, Some(1), "not everything that was meant was done");
    let answer: serde_json::Value = serde_json::from_str(&answer.said).unwrap();
    assert_eq!((&answer["count"], &answer["unreachable"]), (&1.into(), &2.into()));
    assert_eq!(desk.parked.redriven(&system("imaging")), [patient]);
}

#[tokio::test]
async fn more_than_one_call_takes_are_all_tried_again() {
    let desk = Desk::open().await;
    let patients = (0..1050).map(|_| archwire_core::PatientId::generate());
    let parking = patients.map(|patient| {
        let desk = &desk;
        async move { desk.park("archive", patient, "refused").await }
    });
    futures_util::future::join_all(parking).await;
    let command = ["parked", "redrive", "archive", "--by", "Kim Doe", "--json"];
    let answer = desk.run(&command).await.json();
    assert_eq!(answer["count"], 1050);
    assert_eq!(desk.parked.redriven(&system("archive")).len(), 1050);
    let records = desk.audited().await;
    let named: usize = records.iter().map(|record| record.patient_ids.len()).sum();
    assert!(records.iter().all(|record| record.patient_ids.len() <= 256));
    assert_eq!(named, 1050);
    let reason = ["--reason", "the archive is gone"];
    let command = [
        &["parked", "drop", "archive", "--by", "Kim Doe", "--json"],
        &reason[..],
    ]
    .concat();
    assert_eq!(desk.run(&command).await.json()["count"], 1050);
    assert_eq!(desk.parked.count(&system("archive")), 0);
}
