//! Faults: what the client sees, what the office did, and what the logs say about both.

use std::time::Duration;

use archwire_opendental_simulator::{Fault, FaultKind, Handle, Options, PatientFields};
use reqwest::Method;
use serde_json::json;

use crate::support::Office;

const PATIENCE: Duration = Duration::from_secs(30);

fn jane() -> serde_json::Value {
    json!({"LName": "Smith", "FName": "Jane"})
}

#[tokio::test]
async fn a_connection_cut_before_the_work_leaves_nothing_behind() {
    let office = Office::open().await;
    office
        .handle
        .set_fault(Fault::drop_before().on("POST", "/patients").times(1));
    assert!(
        office
            .request(Method::POST, "/patients")
            .body(jane().to_string())
            .send()
            .await
            .is_err()
    );
    assert!(office.handle.patients().is_empty());
    let record = office.handle.requests().pop().unwrap();
    assert_eq!(
        (record.status, record.finished, record.fault),
        (None, true, Some("drop"))
    );
    assert_eq!(office.post("/patients", jane()).await.0, 201, "once only");
}

#[tokio::test]
async fn a_connection_cut_after_the_work_leaves_a_patient_whom_nobody_was_told_of() {
    let office = Office::open().await;
    office
        .handle
        .set_fault(Fault::drop_after().on("POST", "/patients").times(1));
    assert!(
        office
            .request(Method::POST, "/patients")
            .body(jane().to_string())
            .send()
            .await
            .is_err()
    );
    assert_eq!(office.handle.patients().len(), 1);
    assert_eq!(office.handle.changes()[0].status_sent, None);
    assert_eq!(
        office.post("/patients", jane()).await.0,
        201,
        "without birthdate it is created twice"
    );
    assert_eq!(office.handle.patients().len(), 2);
}

#[tokio::test]
async fn half_a_body_and_broken_json_come_with_the_right_status() {
    let office = Office::open().await;
    office.handle.set_fault(Fault::new(FaultKind::HalfBody).times(1));
    let response = office
        .request(Method::POST, "/patients")
        .body(jane().to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 201);
    assert!(
        response.bytes().await.is_err(),
        "the connection ends before the body does"
    );
    office
        .handle
        .set_fault(Fault::new(FaultKind::InvalidJson).times(1));
    let response = office.request(Method::GET, "/patients/1").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    assert!(text.starts_with("{\"PatNum\":1") && serde_json::from_str::<serde_json::Value>(&text).is_err());
}

#[tokio::test]
async fn garbage_comes_before_or_after_the_work_with_status_200() {
    let office = Office::open().await;
    let garbage = || Fault::new(FaultKind::Garbage).on("POST", "/patients").times(1);
    for (fault, patients) in [(garbage(), 0), (garbage().after_applying(), 1)] {
        office.handle.set_fault(fault);
        let response = office
            .request(Method::POST, "/patients")
            .body(jane().to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.text().await.unwrap().starts_with("<!DOCTYPE html>"));
        assert_eq!(office.handle.patients().len(), patients);
    }
}

#[tokio::test]
async fn an_office_off_the_network_refuses_connections_and_does_nothing_on_open_ones() {
    let office = Office::open().await;
    assert_eq!(
        office.post("/patients", jane()).await.0,
        201,
        "a connection is open"
    );
    office
        .handle
        .set_fault(Fault::new(FaultKind::Hang).on("GET", "/clinics").times(1));
    let hanging = tokio::spawn(office.request(Method::GET, "/clinics").send());
    let arrived = |handle: &Handle| handle.requests().len() == 2;
    assert!(office.handle.wait_until(PATIENCE, arrived).await);
    office.handle.set_reachable(false);
    let refused = async {
        loop {
            let sent = office
                .request(Method::POST, "/patients")
                .body(jane().to_string())
                .send();
            if sent.await.is_err_and(|error| error.is_connect()) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
    let hanging = tokio::time::timeout(PATIENCE, hanging).await.unwrap().unwrap();
    assert!(hanging.is_err(), "the connection was closed");
    assert_eq!(office.handle.patients().len(), 1, "nothing was taken");
    office
        .handle
        .front_desk()
        .create(&PatientFields::named("Doe", "Kim"));
    office.handle.set_reachable(true);
    let again = async { while office.request(Method::GET, "/patients/2").send().await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
    assert_eq!(office.post("/patients", jane()).await.0, 201);
}

#[tokio::test]
async fn statuses_can_replace_the_answer_before_or_after_the_work() {
    let office = Office::open().await;
    let wait = Some(Duration::from_millis(1500));
    office.handle.set_fault(
        Fault::new(FaultKind::Status {
            status: 429,
            retry_after: wait,
        })
        .times(2),
    );
    for _ in 0..2 {
        let response = office
            .request(Method::POST, "/patients")
            .body(jane().to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "2");
    }
    assert!(office.handle.patients().is_empty());
    office
        .handle
        .set_fault(Fault::status(500).after_applying().times(1));
    assert_eq!(office.post("/patients", jane()).await.0, 500);
    assert_eq!(office.handle.patients().len(), 1);
    assert_eq!(office.handle.changes()[0].status_sent, Some(500));
    assert_eq!(office.handle.waiting_faults(), 0);
}

#[tokio::test]
async fn a_hanging_request_shows_in_the_log_until_the_client_gives_up() {
    let office = Office::open().await;
    office
        .handle
        .set_fault(Fault::new(FaultKind::Hang).on("GET", "/clinics"));
    let hanging = tokio::spawn(office.request(Method::GET, "/clinics").send());
    assert!(
        office
            .handle
            .wait_until(PATIENCE, |handle| !handle.requests().is_empty())
            .await
    );
    assert!(!office.handle.requests()[0].finished);
    hanging.abort();
    assert!(
        office
            .handle
            .wait_until(PATIENCE, |handle| handle.requests()[0].finished)
            .await
    );
    assert_eq!(office.handle.requests()[0].status, None);
    office.handle.clear_faults();
    assert_eq!(office.get("/clinics").await.0, 200);
}

#[tokio::test]
async fn a_client_that_gives_up_does_not_stop_the_work() {
    let office = Office::open().await;
    office
        .handle
        .set_fault(Fault::delay(Duration::from_millis(300)).times(1));
    let giving_up = tokio::spawn(
        office
            .request(Method::POST, "/patients")
            .body(jane().to_string())
            .send(),
    );
    let begun = |handle: &Handle| handle.requests().first().is_some_and(|record| record.begun);
    assert!(office.handle.wait_until(PATIENCE, begun).await);
    giving_up.abort();
    assert!(
        office
            .handle
            .wait_until(PATIENCE, |handle| handle.requests()[0].finished)
            .await
    );
    assert!(
        office
            .handle
            .wait_until(PATIENCE, |handle| handle.patients().len() == 1)
            .await
    );
    assert_eq!(office.handle.changes()[0].status_sent, None);
}

#[tokio::test]
async fn stopping_ends_hanging_requests_and_frees_the_port() {
    let office = Office::open().await;
    office.handle.set_fault(Fault::new(FaultKind::Hang));
    let hanging = tokio::spawn(office.request(Method::GET, "/clinics").send());
    assert!(
        office
            .handle
            .wait_until(PATIENCE, |handle| !handle.requests().is_empty())
            .await
    );
    let url = office.handle.base_url();
    let listen = url
        .trim_start_matches("http://")
        .trim_end_matches("/api/v1")
        .parse()
        .unwrap();
    office.handle.stop().await;
    assert!(hanging.await.unwrap().is_err());
    let again = Office::with(Options {
        listen,
        ..Options::service()
    })
    .await;
    assert_eq!(again.handle.base_url(), url);
}

#[tokio::test]
async fn the_request_log_holds_parameter_names_and_never_their_values() {
    let office = Office::open().await;
    office
        .get("/patients?LName=secretname&Birthdate=1976-05-24")
        .await;
    let record = office.handle.requests().pop().unwrap();
    assert_eq!(
        (record.method.as_str(), record.path.as_str()),
        ("GET", "/patients")
    );
    assert_eq!(record.query_names, ["LName", "Birthdate"]);
    assert_eq!((record.status, record.in_flight), (Some(200), 1));
    assert!(!format!("{record:?}").contains("secretname"));
}
