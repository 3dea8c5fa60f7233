//! What stands in the log is in the audit, each record of it once, whenever the broker is killed.

use crate::{
    office::{connect, system, until},
    support::*,
};
use archwire::audit::Audit;
use archwire_core::{EventKind, PatientId, Subject};
use archwire_nats::{CloudEvent, Entry, Expected};
use archwire_proto::v1::{Event, Observation, Receipt, ReceiptOutcome, Seen, Sighting, sighting::What};
use prost::Message as _;
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;

fn entry(subject: Subject, kind: &'static str, payload: Vec<u8>) -> Entry {
    Entry {
        subject,
        attributes: CloudEvent {
            id: PatientId::generate().to_string(),
            kind,
            source: "/systems/front-desk".to_owned(),
            time: SystemTime::now(),
            content_type: "application/protobuf",
            traceparent: None,
        },
        expected: Expected::Anything,
        payload: payload.into(),
    }
}

fn event(patient: PatientId) -> Entry {
    let event = Event {
        id: PatientId::generate().to_string(),
        patient_id: patient.to_string(),
        changed: vec!["birth_date".to_owned()],
        observation: Some(Observation {
            system: "front-desk".to_owned(),
            actor: Some("kim".to_owned()),
            ..Observation::default()
        }),
        ..Event::default()
    };
    let kind = EventKind::PatientUpdated.cloud_event_type();
    entry(Subject::Patient(patient), kind, event.encode_to_vec())
}

fn sighting(patient: PatientId, receipt: Option<Receipt>) -> Entry {
    let sighting = Sighting {
        patient_id: patient.to_string(),
        system: "imaging".to_owned(),
        what: Some(What::Seen(Seen {
            local_id: "7".to_owned(),
            receipt,
            ..Seen::default()
        })),
        ..Sighting::default()
    };
    let subject = Subject::Sighting(system("imaging"), patient);
    entry(subject, "archwire.sighting.v1", sighting.encode_to_vec())
}

fn receipt() -> Receipt {
    Receipt {
        outcome: ReceiptOutcome::Verified.into(),
        written: vec!["birth_date".to_owned()],
        ..Receipt::default()
    }
}

#[test]
fn a_kill_at_any_moment_neither_repeats_nor_leaves_out_anything() {
    let outer = tokio::runtime::Runtime::new().unwrap();
    let archive = outer.block_on(Archive::open());
    let patient = PatientId::generate();
    let mut wanted = Vec::new();
    for round in 0..8_u64 {
        // Everything of a broker ends when its runtime does, at whatever it is.
        let broker = tokio::runtime::Runtime::new().unwrap();
        let began = broker.block_on(async {
            let connection = connect(&archive.server).await;
            let log = open_log(&connection).await;
            let audit = Audit::open(&log, SIZE).await.unwrap();
            let began = audit.passed();
            tokio::spawn(audit.clone().follow(log.clone(), CancellationToken::new()));
            for _ in 0..40 {
                wanted.push(log.append(event(patient)).await.unwrap().sequence);
                log.append(sighting(patient, None)).await.unwrap();
                wanted.push(
                    log.append(sighting(patient, Some(receipt())))
                        .await
                        .unwrap()
                        .sequence,
                );
            }
            let killed_at = began + round * 17;
            until("the follower got so far", || audit.passed() >= killed_at).await;
            began
        });
        broker.shutdown_background();
        assert!(began <= round * 120);
    }
    outer.block_on(async {
        let audit = Audit::open(&archive.log, SIZE).await.unwrap();
        let stop = CancellationToken::new();
        let following = tokio::spawn(audit.clone().follow(archive.log.clone(), stop.clone()));
        until("the follower has gone through the log", || audit.passed() >= 960).await;
        audit.caught_up(&archive.log).await.unwrap();
        let records = records(&audit).await;
        let told: Vec<_> = records.iter().map(|(_, record)| record.log_sequence).collect();
        assert_eq!(told, wanted);
        let (one, other) = (&records[0].1, &records[1].1);
        assert_eq!(
            (one.action.as_str(), one.program.as_str()),
            ("event.updated", "front-desk")
        );
        assert_eq!(
            (one.person.as_str(), &one.patient_ids[..]),
            ("kim", &[patient.to_string()][..])
        );
        assert_eq!(one.paths, ["birth_date"]);
        assert_eq!(
            (other.action.as_str(), other.system.as_deref()),
            ("delivery.verified", Some("imaging"))
        );
        assert_eq!(archive.verified(&audit, false).await.findings, []);
        stop.cancel();
        following.await.unwrap();
    });
}

#[tokio::test]
async fn two_brokers_at_once_do_not_tell_it_twice() {
    let archive = Archive::open().await;
    let patient = PatientId::generate();
    let log = &archive.log;
    let stop = CancellationToken::new();
    let mut audits = Vec::new();
    for _ in 0..2 {
        let audit = Audit::open(log, SIZE).await.unwrap();
        tokio::spawn(audit.clone().follow(log.clone(), stop.clone()));
        audits.push(audit);
    }
    let mut wanted = Vec::new();
    for _ in 0..300 {
        wanted.push(log.append(event(patient)).await.unwrap().sequence);
    }
    for audit in &audits {
        until("both have gone through the log", || audit.passed() >= 300).await;
        audit.settle().await.unwrap();
    }
    let records = records(&audits[0]).await;
    let told: Vec<_> = records.iter().map(|(_, record)| record.log_sequence).collect();
    assert_eq!(told, wanted);
    stop.cancel();
}
