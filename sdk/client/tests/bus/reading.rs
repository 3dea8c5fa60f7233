//! The calls that ask once.

use crate::{
    fake::{FakeBus, Memory},
    support::{client, soon},
};
use archwire_client::{PatientKey, v1};

#[tokio::test]
async fn a_patient_is_found_by_either_id_and_an_unknown_one_is_none() {
    let bus = FakeBus::start(Memory {
        stored: vec!["17".into()],
        ..Memory::default()
    });
    let client = client(&bus).await;
    let by_local_id = soon(client.get_patient(PatientKey::LocalId("17".into())))
        .await
        .unwrap();
    assert_eq!(by_local_id.unwrap().patient_id, "p");
    assert!(
        soon(client.get_patient(PatientKey::PatientId("p".into())))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        soon(client.get_patient(PatientKey::LocalId("18".into())))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_history_of_250_events_comes_in_three_pages_without_gaps() {
    let bus = FakeBus::start(Memory::with_events(250));
    let client = client(&bus).await;
    let (mut revisions, mut pages, mut after) = (Vec::new(), 0, Some(0));
    while let Some(revision) = after {
        let page = soon(client.list_events("p", revision)).await.unwrap();
        revisions.extend(page.events.iter().map(|stored| stored.event.revision));
        (pages, after) = (pages + 1, page.next);
    }
    assert_eq!(pages, 3);
    assert_eq!(revisions, (1..=250).collect::<Vec<_>>());
}

#[tokio::test]
async fn everybody_is_found_page_by_page() {
    let bus = FakeBus::start(Memory {
        stored: (1..=5).map(|id| id.to_string()).collect(),
        ..Memory::default()
    });
    let client = client(&bus).await;
    let (mut ids, mut token) = (Vec::new(), Some(String::new()));
    while let Some(page_token) = token {
        let asked = v1::FindPatientsRequest {
            page_token,
            ..v1::FindPatientsRequest::default()
        };
        let page = soon(client.find_patients(asked)).await.unwrap();
        ids.extend(page.patients.into_iter().map(|found| found.patient_id));
        token = page.next;
    }
    assert_eq!(ids, ["p1", "p2", "p3", "p4", "p5"]);
}
