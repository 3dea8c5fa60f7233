//! What is parked is listed without a word about the patient; `show` says everything to whoever gives a name.

use crate::support::*;
use archwire_core::PatientId;

#[tokio::test]
async fn a_list_is_of_what_is_asked_for() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    desk.park("archive", patient, "record_gone").await;
    let id = patient.to_string();
    let list = async |more: &[&str]| {
        let command = [&["parked", "list", "--json"], more].concat();
        let answer = desk.run(&command).await.json();
        let deliveries = answer["deliveries"].as_array().unwrap();
        let systems = deliveries
            .iter()
            .map(|line| line["system"].as_str().unwrap().to_owned());
        (systems.collect::<Vec<_>>(), answer["more"].as_bool().unwrap())
    };
    let both = || (vec!["archive".to_owned(), "imaging".to_owned()], false);
    let only = |system: &str| (vec![system.to_owned()], false);
    assert_eq!(list(&[]).await, both());
    assert_eq!(list(&["--patient", &id]).await, both());
    assert_eq!(list(&["--system", "imaging"]).await, only("imaging"));
    assert_eq!(list(&["--code", "record_gone"]).await, only("archive"));
    assert_eq!(list(&["--older-than", "2h"]).await, (vec![], false));
    assert_eq!(list(&["--limit", "1"]).await, (vec!["archive".to_owned()], true));
    let behind = format!("archive.{id}");
    assert_eq!(list(&["--after", &behind]).await, only("imaging"));
    let said = desk.run(&["parked", "list", "--limit", "1"]).await.well();
    assert!(said.contains(&format!("--after {behind}")), "{said}");
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
    let json = desk.run(&["parked", "list", "--json"]).await.json();
    let line = &json["deliveries"][1];
    assert_eq!(line["patient_id"], id);
    assert_eq!((&line["attempts"], &line["sequence"]), (&12.into(), &7.into()));
    assert_eq!(
        (&line["reason"], &line["status"]),
        (&"birth-date-missing".into(), &400.into())
    );
    assert!(
        desk.audited().await.is_empty(),
        "what shows nobody is not audited"
    );
}

#[tokio::test]
async fn one_is_shown_with_what_the_system_said_and_lacks() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await.to_string();
    let show = ["parked", "show", "imaging", &patient, "--by", "Kim Doe"];
    let said = desk.run(&show).await.well();
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
    for words in [
        DETAIL,
        "Kowalska",
        "birth-date-missing, HTTP 400",
        "names/official/family",
        "\n  archwire parked redrive imaging",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let json = desk.run(&[&show[..], &["--json"]].concat()).await.json();
    assert_eq!(json["detail"], DETAIL);
    let due = json["due"].as_array().unwrap();
    assert!(due.iter().any(|path| path == "birth_date"), "{due:?}");
    assert_eq!(
        json["patient"]["standing"]["patient"]["names"][0]["family"],
        "Kowalska"
    );
    let records = desk.audited().await;
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record.action, "parked.show");
        assert_eq!(record.patient_ids, [patient.as_str()]);
        assert_eq!(record.system.as_deref(), Some("imaging"));
    }
    let audit = desk.run(&["audit", "list"]).await.well();
    assert!(audit.contains("parked.show imaging  Kim Doe"), "{audit}");
}

#[tokio::test]
async fn what_is_not_parked_is_said_so() {
    let desk = Desk::open().await;
    let nobody = PatientId::generate().to_string();
    for command in [
        &["parked", "show", "imaging", &nobody][..],
        &["parked", "redrive", "imaging", &nobody],
        &["parked", "drop", "imaging", &nobody, "--reason", "it is wrong"],
    ] {
        let command = [command, &["--by", "Kim Doe", "--json"]].concat();
        assert_eq!(
            desk.run(&command).await.refused(),
            "parked_unknown",
            "{command:?}"
        );
    }
    assert!(desk.audited().await.is_empty());
    let said = desk.run(&["parked", "list"]).await.well();
    assert_eq!(said, "no such delivery is parked\n");
}
