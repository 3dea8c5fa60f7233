//! Whatever somebody does to the stream past the broker is found, and where.

use crate::support::*;
use archwire::audit::{
    Audit,
    chain::{self, Link},
    verify::{BLOCK_KIND, Fault, RECORD_KIND, Verified},
};
use archwire_nats::AuditStored;
use archwire_proto::admin::v1::AuditRecord;
use prost::Message as _;
use std::collections::BTreeSet;

/// An audit with twelve acts and a checkpoint after every five records, and what it holds.
async fn filled(archive: &Archive) -> (Audit, Vec<AuditStored>) {
    let audit = archive.audit(5).await;
    fill(&audit, 12).await;
    audit.settle().await.unwrap();
    let verified = archive.verified(&audit, true).await;
    assert_eq!(verified.findings, []);
    assert!(verified.checkpoints >= 2, "{verified:?}");
    let stored = stored(&audit).await;
    (audit, stored)
}

fn only(verified: &Verified) -> (Fault, u64, u64) {
    assert_eq!(verified.found, 1, "{verified:?}");
    let finding = &verified.findings[0];
    (finding.fault, finding.first, finding.last)
}

/// The place of the first act of a person in a block.
fn place_of(stored: &[AuditStored], person: &str) -> (usize, usize, u64) {
    for (number, message) in stored.iter().enumerate() {
        let block = block(message);
        for (place, record) in block.records.iter().enumerate() {
            if AuditRecord::decode(record.clone()).unwrap().person == person {
                return (number, place, block.first + place as u64);
            }
        }
    }
    panic!("{person} did nothing");
}

/// The record of another act.
fn forged(record: &bytes::Bytes) -> bytes::Bytes {
    let mut record = AuditRecord::decode(record.clone()).unwrap();
    record.person = "Nobody".to_owned();
    record.encode_to_vec().into()
}

#[tokio::test]
async fn a_changed_record_is_named() {
    let archive = Archive::open().await;
    let (audit, stored) = filled(&archive).await;
    let (number, place, index) = place_of(&stored, "Kim 3");
    let mut block = block(&stored[number]);
    block.records[place] = forged(&block.records[place]);
    let mut messages = as_it_was(&stored);
    messages[number].1 = block.encode_to_vec().into();
    Intruder::at(&archive.server).replace(&messages);
    let verified = archive.verified(&audit, false).await;
    let finding = &verified.findings[0];
    assert_eq!(
        (finding.fault, finding.first, finding.last),
        (Fault::Changed, index, index)
    );
    assert_eq!(finding.sequence, Some(number as u64 + 1));
}

#[tokio::test]
async fn a_deleted_message_is_told_by_the_records_that_are_gone() {
    let archive = Archive::open().await;
    let (audit, stored) = filled(&archive).await;
    let (number, _, _) = place_of(&stored, "Kim 4");
    let gone = block(&stored[number]);
    let mut intruder = Intruder::at(&archive.server);
    intruder.replace(&as_it_was(&stored));
    assert_eq!(archive.verified(&audit, true).await.findings, []);
    intruder.delete(number as u64 + 1);
    let last = gone.first + gone.records.len() as u64 - 1;
    let verified = archive.verified(&audit, false).await;
    assert_eq!(only(&verified), (Fault::Removed, gone.first, last));
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_told_by_what_was_signed_and_kept_elsewhere() {
    let archive = Archive::open().await;
    let (audit, stored) = filled(&archive).await;
    let (number, _, _) = place_of(&stored, "Kim 2");
    Intruder::at(&archive.server).replace(&as_it_was(&stored[..number]));
    assert_eq!(archive.verified(&audit, false).await.findings, []);
    let verified = archive.verified(&audit, true).await;
    let (fault, first, _) = only(&verified);
    assert_eq!((fault, first), (Fault::Truncated, block(&stored[number]).first));
}

#[tokio::test]
async fn an_audit_that_was_written_anew_is_told_by_what_was_kept_elsewhere_only() {
    let archive = Archive::open().await;
    let (audit, stored) = filled(&archive).await;
    let (_, _, index) = place_of(&stored, "Kim 1");
    let mut link = Link::genesis(audit.practice());
    let mut messages = Vec::new();
    for message in &stored {
        let old = block(message);
        let records = old.records.iter().map(|bytes| {
            let record = AuditRecord::decode(bytes.clone()).unwrap();
            match record.person.as_str() {
                "Kim 1" => forged(bytes),
                // Whoever has no key cannot sign another history, and takes the checkpoints for something else.
                "" if record.checkpoint.is_some() => forged(
                    &AuditRecord {
                        checkpoint: None,
                        ..record
                    }
                    .encode_to_vec()
                    .into(),
                ),
                _ => bytes.clone(),
            }
        });
        let (made, behind) = chain::block(&link, records.collect(), old.log_sequence, old.resume_from);
        messages.push((BLOCK_KIND.to_owned(), made.encode_to_vec().into()));
        link = behind;
    }
    Intruder::at(&archive.server).replace(&messages);
    assert_eq!(archive.verified(&audit, false).await.findings, []);
    let verified = archive.verified(&audit, true).await;
    let finding = &verified.findings[0];
    assert_eq!(finding.fault, Fault::CheckpointDiffers);
    assert!((finding.first..=finding.last).contains(&index), "{finding:?}");
}

#[tokio::test]
async fn a_broker_whose_audit_was_cut_off_goes_on_so_that_it_shows() {
    let archive = Archive::open().await;
    let (audit, stored) = filled(&archive).await;
    Intruder::at(&archive.server).replace(&as_it_was(&stored[..4]));
    fill(&audit, 1).await;
    let next = block(&stored[4]).first;
    let verified = archive.verified(&audit, false).await;
    let finding = &verified.findings[0];
    assert_eq!((finding.fault, finding.first), (Fault::Removed, next));
}

#[tokio::test]
async fn a_message_that_is_no_block_neither_stops_the_audit_nor_goes_unseen() {
    for kind in [BLOCK_KIND, RECORD_KIND, "nothing"] {
        let archive = Archive::open().await;
        let (audit, _) = filled(&archive).await;
        let mut intruder = Intruder::at(&archive.server);
        // Behind one that runs, and where one starts; as many that the last block is not found at once.
        intruder.append(kind, b"no block");
        fill(&audit, 1).await;
        audit.close().await;
        for _ in 0..100 {
            intruder.append(kind, b"no block");
        }
        let again = archive.audit(1_000).await;
        fill(&again, 1).await;
        again.close().await;
        let verified = archive.verified(&again, true).await;
        let faults: BTreeSet<_> = verified.findings.iter().map(|finding| finding.fault).collect();
        assert_eq!(faults, [Fault::NotABlock].into(), "{kind}: {verified:?}");
        assert_eq!(verified.found, 101);
        let told = records(&again).await;
        let places: Vec<_> = told.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, (1..=verified.last).collect::<Vec<_>>(), "{kind}");
    }
}

#[tokio::test]
async fn an_audit_that_knows_more_of_the_log_than_there_is_follows_it_all_the_same() {
    let archive = Archive::open().await;
    let audit = archive.audit(1_000).await;
    fill(&audit, 1).await;
    audit.close().await;
    let walked = chain::walk(&block(stored(&audit).await.last().unwrap())).unwrap();
    let (made, _) = chain::block(&walked.link, vec!["".into()], 1_000_000, 1);
    Intruder::at(&archive.server).append(BLOCK_KIND, &made.encode_to_vec());
    let again = archive.audit(1_000).await;
    assert_eq!(again.passed(), 0, "the log is empty");
    again.settle().await.unwrap();
    let told = records(&again).await;
    assert!(
        told.iter()
            .any(|(_, record)| record.action == "audit.ahead-of-log")
    );
    assert_eq!(block(stored(&again).await.last().unwrap()).log_sequence, 0);
}
