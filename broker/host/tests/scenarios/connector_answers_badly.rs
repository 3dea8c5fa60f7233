//! A connector whose answers are not within the contract.

use crate::support::{config, hostile, tell};
use archwire_core::{Cursor, Delivery, EventKind, LocalId, Patient, PatientId, Revision};
use archwire_host::CallError;
use std::collections::BTreeSet;

fn delivery(local_id: &str) -> Delivery {
    Delivery {
        event_id: PatientId::generate().to_string(),
        kind: EventKind::PatientUpdated,
        patient_id: PatientId::generate(),
        revision: Revision::new(2),
        local_id: Some(local_id.parse().unwrap()),
        patient: Patient::default(),
        changed: BTreeSet::new(),
        in_doubt_since: None,
    }
}

fn invalid(error: &CallError) -> &'static str {
    match error {
        CallError::Invalid { code, .. } => code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn records_that_cannot_be_read_are_set_apart_and_the_others_of_the_page_are_kept() {
    let connector = hostile(config()).await;
    let answer = connector
        .poll(Some(&Cursor("page-mixed".to_owned())))
        .await
        .unwrap();
    let ids: Vec<&str> = answer
        .page
        .views
        .iter()
        .map(|view| view.local_id.as_str())
        .collect();
    assert_eq!(ids, ["0", "1"]);
    assert_eq!(
        answer.page.views[0].patient.names[0]
            .family
            .as_ref()
            .unwrap()
            .as_str(),
        "Lovelace"
    );
    let unreadable: Vec<_> = answer
        .unreadable
        .iter()
        .map(|one| (one.position, one.code))
        .collect();
    let expected = [
        (1, "local_id_invalid"),
        (2, "local_id_invalid"),
        (3, "local_id_invalid"),
        (4, "birth_date_invalid"),
        (5, "source_too_large"),
        (6, "patient_too_large"),
        (7, "actor_too_long"),
        (8, "source_label_invalid"),
    ];
    assert_eq!(unreadable, expected);
    assert!(answer.unreadable[0].local_id.is_none() && answer.unreadable[0].source.is_some());
    assert_eq!(
        answer.unreadable[3].local_id.as_ref().map(LocalId::as_str),
        Some("bad-3")
    );
    assert!(answer.unreadable[4].source.is_none());
}

#[tokio::test]
async fn a_record_was_merged_into_another_one_that_can_be_named_or_the_view_of_it_is_set_apart() {
    let connector = hostile(config()).await;
    let answer = connector
        .poll(Some(&Cursor("page-merged".to_owned())))
        .await
        .unwrap();
    let [merged] = answer.page.views.as_slice() else {
        panic!("one view can be read")
    };
    let survivor = merged.merged_into.as_ref().map(LocalId::as_str);
    assert_eq!((merged.local_id.as_str(), survivor), ("0", Some("1")));
    let unreadable: Vec<_> = answer
        .unreadable
        .iter()
        .map(|one| (one.position, one.code, one.local_id.as_ref().map(LocalId::as_str)))
        .collect();
    let expected = [
        (1, "merged_into_itself", Some("1")),
        (2, "merged_into_invalid", Some("2")),
        (3, "merged_into_invalid", Some("3")),
    ];
    assert_eq!(unreadable, expected);
}

#[tokio::test]
async fn a_page_has_at_most_1000_observations() {
    let connector = hostile(config()).await;
    let full = connector
        .poll(Some(&Cursor("page 1000".to_owned())))
        .await
        .unwrap();
    assert_eq!(full.page.views.len(), 1000);
    let error = connector
        .poll(Some(&Cursor("page 1001".to_owned())))
        .await
        .unwrap_err();
    assert_eq!(invalid(&error), "too_many_observations");
}

#[tokio::test]
async fn a_page_that_does_not_fit_in_the_connectors_memory_is_none() {
    let error = hostile(config())
        .await
        .poll(Some(&Cursor("page 1000000".to_owned())))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "connector_memory_limit");
}

#[tokio::test]
async fn a_cursor_has_at_most_64_kib() {
    let connector = hostile(config()).await;
    assert_eq!(tell(&connector, "long-cursor 65536").await.unwrap().len(), 65_536);
    assert_eq!(
        invalid(&tell(&connector, "long-cursor 65537").await.unwrap_err()),
        "cursor_too_long"
    );
}

#[tokio::test]
async fn a_survey_has_at_most_10000_entries() {
    let connector = hostile(config()).await;
    assert_eq!(connector.survey(None).await.unwrap().entries.len(), 3);
    let error = connector
        .survey(Some(&Cursor("10001".to_owned())))
        .await
        .unwrap_err();
    assert_eq!(invalid(&error), "too_many_entries");
}

#[tokio::test]
async fn a_delivery_ends_with_a_local_id_or_not_at_all() {
    let connector = hostile(config()).await;
    assert_eq!(
        connector.deliver(&delivery("7")).await.unwrap().local_id.as_str(),
        "7"
    );
    let error = connector.deliver(&delivery("answer-no-id")).await.unwrap_err();
    assert_eq!(invalid(&error), "local_id_invalid");
    assert!(
        error.may_have_acted(),
        "the record may be there although its id is not known"
    );
}

#[tokio::test]
async fn a_record_that_was_not_asked_for_is_not_taken() {
    let connector = hostile(config()).await;
    let fetch = async |id: &str| connector.fetch(&id.parse().unwrap()).await;
    assert_eq!(fetch("7").await.unwrap().unwrap().local_id.as_str(), "7");
    assert!(fetch("none").await.unwrap().is_none());
    assert_eq!(
        invalid(&fetch("answer-another").await.unwrap_err()),
        "other_record"
    );
}

#[tokio::test]
async fn a_report_is_cut_to_what_fits_on_a_screen() {
    let report = hostile(config()).await.check().await.unwrap();
    assert_eq!(report.facts.len(), 16);
    assert_eq!(report.facts[0], ("version".to_owned(), "1 2".to_owned()));
}

#[tokio::test]
async fn what_a_connector_does_not_do_is_never_called() {
    let request = archwire_host::IncomingRequest {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let error = hostile(config()).await.receive(request).await.unwrap_err();
    assert_eq!(
        (error.code(), error.may_have_acted()),
        ("connector_not_offered", false)
    );
}
