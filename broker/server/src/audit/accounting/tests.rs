//! What is accounted for is what was told of the patient: all of it, on the terms of then, and nothing of anybody else.

use super::*;
use proptest::{collection::vec, prelude::*};

fn id(number: u128) -> PatientId {
    uuid::Uuid::from_u128(0x019a_8f30_8d5e_7c31_b5a5_02d1_f0a4_c000 + number)
        .to_string()
        .parse()
        .unwrap()
}

fn record(action: Action, patients: &[PatientId]) -> AuditRecord {
    AuditRecord {
        action: action.as_str().to_owned(),
        vendor: Some("tracer".to_owned()),
        patient_ids: patients.iter().map(ToString::to_string).collect(),
        ..AuditRecord::default()
    }
}

/// A subscription of `stream` brings events: of whom, and what.
fn brought(stream: u64, events: &[(u64, PatientId, EventKind)]) -> AuditRecord {
    let mut sent = record(Action::Sent, &[]);
    for (sequence, patient, kind) in events {
        sent.patient_ids.push(patient.to_string());
        sent.events.push(AuditedEvent {
            sequence: *sequence,
            patient: u32::try_from(sent.patient_ids.len() - 1).unwrap(),
            kind: (*kind).into(),
        });
    }
    AuditRecord { stream, ..sent }
}

fn joined(word: &str, log_sequence: u64, one: PatientId, other: PatientId) -> AuditRecord {
    AuditRecord {
        action: format!("event.{word}"),
        log_sequence,
        ..record(Action::Started, &[one, other])
    }
}

fn accounted(mut accountant: Accountant, records: Vec<AuditRecord>) -> Vec<Accounted> {
    (1..)
        .zip(records)
        .flat_map(|(place, record)| accountant.take(place, record))
        .collect()
}

/// The places of the records, and the sequences of their events.
fn places(accounted: &[Accounted]) -> Vec<(u64, Vec<u64>)> {
    let events = |told: &Accounted| told.record.events.iter().map(|event| event.sequence).collect();
    accounted.iter().map(|told| (told.place, events(told))).collect()
}

#[test]
fn a_subscription_is_accounted_for_on_the_terms_that_it_was_opened_with() {
    let opened = |recipient: &str| AuditRecord {
        recipient: recipient.to_owned(),
        basis: format!("agreement with {recipient}"),
        purpose: "TREAT".to_owned(),
        contract: recipient.as_bytes().to_vec().into(),
        groups: vec![recipient.to_owned()],
        ..record(Action::Opened, &[])
    };
    let kind = EventKind::PatientUpdated;
    let told = accounted(
        Accountant::new(id(1), []),
        vec![
            opened("one"),
            opened("two"),
            brought(1, &[(4, id(1), kind), (5, id(2), kind)]),
            brought(2, &[(4, id(1), kind)]),
            brought(2, &[(5, id(2), kind)]),
            AuditRecord {
                stream: 1,
                ..opened("three")
            },
        ],
    );
    assert_eq!(places(&told), [(3, vec![4]), (4, vec![4])]);
    let recipients: Vec<_> = told.iter().map(|told| told.record.recipient.as_str()).collect();
    assert_eq!(recipients, ["one", "two"]);
    assert_eq!(told[0].record.patient_ids, [id(1).to_string()], "of nobody else");
    assert_eq!(told[1].record.basis, "agreement with two");
}

#[test]
fn a_checkpoint_repeats_the_terms_for_who_reads_from_there_on() {
    let continued = AuditRecord {
        recipient: "one".to_owned(),
        stream: 3,
        ..record(Action::Continued, &[])
    };
    let sent = brought(3, &[(9, id(1), EventKind::PatientCreated)]);
    let told = accounted(Accountant::new(id(1), []), vec![continued, sent]);
    assert_eq!(told[0].record.recipient, "one");
}

#[test]
fn whoever_is_one_person_with_the_patient_by_now_is_accounted_for_from_the_beginning() {
    let told = accounted(
        Accountant::new(id(1), [id(2)]),
        vec![
            record(Action::ToldPatient, &[id(1)]),
            record(Action::ToldPatient, &[id(2)]),
            record(Action::ToldPatient, &[id(3)]),
            record(Action::ToldFound, &[id(3), id(2), id(4)]),
        ],
    );
    assert_eq!(places(&told), [(1, vec![]), (2, vec![]), (4, vec![])]);
    assert_eq!(told[2].record.patient_ids, [id(2).to_string()]);
}

#[test]
fn whoever_was_one_person_with_the_patient_for_a_while_is_accounted_for_in_that_while() {
    let told = accounted(
        Accountant::new(id(1), []),
        vec![
            record(Action::ToldPatient, &[id(3)]),
            joined("merged", 10, id(2), id(1)),
            joined("merged", 11, id(3), id(2)),
            record(Action::ToldImage, &[id(3)]),
            joined("unmerged", 12, id(2), id(1)),
            record(Action::ToldPatient, &[id(3)]),
            record(Action::ToldPatient, &[id(1)]),
        ],
    );
    assert_eq!(places(&told), [(4, vec![]), (7, vec![])]);
}

#[test]
fn a_merge_that_a_vendor_is_told_of_before_the_audit_says_whose_it_is_is_accounted_for() {
    let merged = |sequence| brought(1, &[(sequence, id(2), EventKind::PatientMerged)]);
    let told = accounted(
        Accountant::new(id(1), []),
        vec![
            merged(10),
            merged(20),
            joined("merged", 10, id(2), id(1)),
            joined("merged", 20, id(2), id(7)),
            joined("unmerged", 30, id(2), id(1)),
            joined("unmerged", 40, id(2), id(7)),
        ],
    );
    // The second merge was of somebody who was one person with the patient by then.
    assert_eq!(places(&told), [(1, vec![10]), (2, vec![20])]);
}

#[test]
fn a_merge_that_a_vendor_is_told_of_after_they_were_parted_again_is_accounted_for() {
    let history = |sequence| AuditRecord {
        action: Action::ToldEvents.as_str().to_owned(),
        stream: 0,
        ..brought(
            0,
            &[
                (sequence, id(2), EventKind::PatientMerged),
                (9, id(2), EventKind::PatientUpdated),
            ],
        )
    };
    let told = accounted(
        Accountant::new(id(1), []),
        vec![
            joined("merged", 10, id(2), id(1)),
            joined("unmerged", 11, id(2), id(1)),
            history(10),
            history(12),
        ],
    );
    assert_eq!(places(&told), [(3, vec![10])]);
}

proptest! {
    #[test]
    fn nothing_of_anybody_else_is_told(events in vec((1_u64..50, 1_u128..5), 1..40)) {
        let all: Vec<_> = events.iter().map(|(sequence, who)| (*sequence, id(*who), EventKind::PatientUpdated)).collect();
        let told = accounted(Accountant::new(id(1), []), vec![brought(1, &all)]);
        let theirs: Vec<_> = events.iter().filter(|(_, who)| *who == 1).map(|(sequence, _)| *sequence).collect();
        match told.as_slice() {
            [] => prop_assert!(theirs.is_empty()),
            [told] => {
                prop_assert_eq!(&told.record.patient_ids, &[id(1).to_string()]);
                let found: Vec<_> = told.record.events.iter().map(|event| (event.sequence, event.patient)).collect();
                let wanted: Vec<_> = theirs.into_iter().map(|sequence| (sequence, 0)).collect();
                prop_assert_eq!(found, wanted);
            }
            _ => prop_assert!(false, "one record gives one"),
        }
    }
}
