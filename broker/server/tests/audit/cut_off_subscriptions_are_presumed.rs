//! What a vendor may have been told before a kill is in the audit after the next start.

use crate::{
    office::{connect, everything, until_there},
    support::*,
};
use archwire::audit::{Act, Audit, Disclosing, Disclosure, Terms, Told};
use archwire_core::{EventKind, PatientId, Subject};
use archwire_nats::{ByteSize, CloudEvent, Entry, Expected, Filter, Log, Stored};
use archwire_proto::admin::v1::AuditRecord;
use futures_util::TryStreamExt as _;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

async fn events(log: &Log, count: usize) -> Vec<Stored> {
    for _ in 0..count {
        let entry = Entry {
            subject: Subject::Patient(PatientId::generate()),
            attributes: CloudEvent {
                id: PatientId::generate().to_string(),
                kind: EventKind::PatientCreated.cloud_event_type(),
                source: "/systems/front-desk".to_owned(),
                time: SystemTime::now(),
                content_type: "application/protobuf",
                traceparent: None,
            },
            expected: Expected::Nothing,
            payload: "x".into(),
        };
        log.append(entry).await.unwrap();
    }
    log.replay(1, Filter::Events).try_collect().await.unwrap()
}

fn terms() -> Terms {
    Terms {
        groups: vec!["name".to_owned()],
        ..Terms::of(&everything("tracer"))
    }
}

/// Which events which kind of record names.
fn sent(records: &[(u64, AuditRecord)], action: &str) -> Vec<u64> {
    let of_it = records.iter().filter(|(_, record)| record.action == action);
    of_it
        .flat_map(|(_, record)| record.events.iter().map(|event| event.sequence))
        .collect()
}

async fn send(disclosing: &mut Disclosing, events: &[Stored]) {
    for event in events {
        disclosing.event(event).await.unwrap();
    }
}

#[tokio::test]
async fn a_subscription_that_ends_in_order_tells_exactly_what_was_sent() {
    let archive = Archive::open().await;
    let events = events(&archive.log, 6).await;
    let audit = Audit::open(&archive.log, SIZE).await.unwrap();
    let mut disclosing = audit.disclosing(&terms(), "main", 0).await.unwrap();
    // The terms are there before anything goes out.
    assert_eq!(records(&audit).await[0].1.purpose, "TREAT");
    send(&mut disclosing, &events[..4]).await;
    disclosing.close().await;
    audit.settle().await.unwrap();
    let told = records(&audit).await;
    assert_eq!(sent(&told, "disclosure.sent"), [1, 2, 3, 4]);
    assert_eq!(told.last().unwrap().1.action, "disclosure.closed");
    drop(audit);
    let again = Audit::open(&archive.log, SIZE).await.unwrap();
    assert_eq!(again.presume(&archive.log, |_, _| Some(true)).await.unwrap(), 0);
}

#[test]
fn what_may_have_gone_out_before_a_kill_is_presumed_and_only_that() {
    let outer = tokio::runtime::Runtime::new().unwrap();
    let archive = outer.block_on(Archive::open());
    let events = outer.block_on(events(&archive.log, 9));
    let broker = tokio::runtime::Runtime::new().unwrap();
    broker.block_on(async {
        let log = open_log(&connect(&archive.server).await).await;
        let audit = Audit::open(&log, SIZE).await.unwrap();
        let mut disclosing = audit.disclosing(&terms(), "main", 2).await.unwrap();
        send(&mut disclosing, &events[2..5]).await;
        audit.settle().await.unwrap();
        // This one is on its way, and in no block yet.
        send(&mut disclosing, &events[5..6]).await;
        std::mem::forget((disclosing, audit));
    });
    broker.shutdown_background();
    outer.block_on(async {
        let audit = Audit::open(&archive.log, SIZE).await.unwrap();
        // The last one of the log is not for this vendor.
        let sees = |opened: &AuditRecord, stored: &Stored| {
            Some(opened.vendor.as_deref() == Some("tracer") && stored.sequence < 9)
        };
        let presumed = audit.presume(&archive.log, sees).await.unwrap();
        audit.settle().await.unwrap();
        let told = records(&audit).await;
        let [sent, presumed_events] =
            ["disclosure.sent", "disclosure.presumed"].map(|action| sent(&told, action));
        assert_eq!([&sent[..], &presumed_events[..]].concat(), [3, 4, 5, 6, 7, 8]);
        assert_eq!(presumed, presumed_events.len() as u64);
        assert!(presumed_events.ends_with(&[7, 8]));
        let again = Audit::open(&archive.log, SIZE).await.unwrap();
        assert_eq!(
            again.presume(&archive.log, |_, _| Some(true)).await.unwrap(),
            0,
            "once"
        );
        assert_eq!(archive.verified(&again, false).await.findings, []);
    });
}

#[test]
fn a_checkpoint_says_what_is_open_so_that_a_start_need_not_read_further_back() {
    let outer = tokio::runtime::Runtime::new().unwrap();
    let archive = outer.block_on(Archive::open());
    let events = outer.block_on(events(&archive.log, 4));
    let broker = tokio::runtime::Runtime::new().unwrap();
    broker.block_on(async {
        let audit = archive.audit(8).await;
        let mut disclosing = audit.disclosing(&terms(), "main", 0).await.unwrap();
        send(&mut disclosing, &events[..2]).await;
        audit.settle().await.unwrap();
        fill(&audit, 12).await;
        std::mem::forget((disclosing, audit));
    });
    broker.shutdown_background();
    outer.block_on(async {
        let audit = Audit::open(&archive.log, SIZE).await.unwrap();
        let stored = stored(&audit).await;
        let resume_from = block(stored.last().unwrap()).resume_from;
        assert!(resume_from > 3, "{resume_from}");
        assert_eq!(audit.presume(&archive.log, |_, _| Some(true)).await.unwrap(), 2);
        let told = records(&audit).await;
        assert_eq!(sent(&told, "disclosure.presumed"), [3, 4]);
    });
}

#[tokio::test]
async fn what_a_call_tells_is_stored_before_it_is_told() {
    let archive = Archive::open().await;
    let audit = Audit::open(&archive.log, SIZE).await.unwrap();
    let patient = PatientId::generate();
    let terms = &terms();
    for told in [Told::Patient(patient), Told::Found(vec![patient; 300])] {
        audit.disclosed(Disclosure { terms, told }).await.unwrap();
    }
    let told = records(&audit).await;
    let sizes: Vec<_> = told.iter().map(|(_, record)| record.patient_ids.len()).collect();
    assert_eq!(sizes, [1, 256, 44]);
    assert_eq!(told[0].1.vendor.as_deref(), Some("tracer"));
    assert_eq!(told[0].1.groups, ["name"]);
    // Where nothing can be stored, nothing may be told.
    audit.close().await;
    let told = Told::Patient(patient);
    assert!(audit.disclosed(Disclosure { terms, told }).await.is_err());
    assert!(audit.disclosing(terms, "main", 0).await.is_err());
}

#[test]
fn of_a_subscription_that_nothing_was_sent_to_nothing_is_presumed_and_of_others_no_more_than_may_have_been() {
    let outer = tokio::runtime::Runtime::new().unwrap();
    let archive = outer.block_on(Archive::open());
    let events = outer.block_on(events(&archive.log, 60));
    let broker = tokio::runtime::Runtime::new().unwrap();
    broker.block_on(async {
        let log = open_log(&connect(&archive.server).await).await;
        let audit = Audit::open(&log, SIZE).await.unwrap();
        let idle = audit.disclosing(&terms(), "idle", 0).await.unwrap();
        let mut slow = audit.disclosing(&terms(), "slow", 0).await.unwrap();
        send(&mut slow, &events[..2]).await;
        audit.settle().await.unwrap();
        std::mem::forget((idle, slow, audit));
    });
    broker.shutdown_background();
    outer.block_on(async {
        let audit = Audit::open(&archive.log, SIZE).await.unwrap();
        assert_eq!(audit.presume(&archive.log, |_, _| Some(true)).await.unwrap(), 14);
        let told = records(&audit).await;
        let presumed = told
            .iter()
            .filter(|(_, record)| record.action == "disclosure.presumed");
        let whose: Vec<_> = presumed.map(|(_, record)| record.subscription.as_str()).collect();
        assert_eq!(whose, ["slow"]);
        assert_eq!(sent(&told, "disclosure.presumed"), (3..=16).collect::<Vec<_>>());
    });
}

#[tokio::test]
async fn whoever_gives_up_opening_leaves_nothing_open() {
    let archive = Archive::open().await;
    let audit = Audit::open(&archive.log, SIZE).await.unwrap();
    for _ in 0..20 {
        // Given up at whatever place it has come to.
        let terms = terms();
        let mut opening = Box::pin(audit.disclosing(&terms, "main", 0));
        assert!(futures_util::poll!(&mut opening).is_pending());
        tokio::task::yield_now().await;
        drop(opening);
    }
    until_there(Duration::from_secs(15), async || {
        audit.settle().await.unwrap();
        let told = records(&audit).await;
        let count = |action: &str| told.iter().filter(|(_, record)| record.action == action).count();
        let (opened, closed) = (count("disclosure.opened"), count("disclosure.closed"));
        match opened > 0 && opened == closed {
            true => Ok(()),
            false => Err(format!("{opened} opened, {closed} closed")),
        }
    })
    .await;
}

#[test]
fn a_full_audit_stops_whoever_is_sent_events_and_nothing_that_went_out_is_missing_after_a_kill() {
    const ROOM: ByteSize = ByteSize::mebibytes(1);
    let outer = tokio::runtime::Runtime::new().unwrap();
    let archive = outer.block_on(Archive::open());
    let events = outer.block_on(events(&archive.log, 1_500));
    let broker = tokio::runtime::Runtime::new().unwrap();
    let went_out = broker.block_on(async {
        let log = open_log(&connect(&archive.server).await).await;
        let audit = Audit::open(&log, ROOM).await.unwrap();
        let mut disclosing = audit.disclosing(&terms(), "main", 0).await.unwrap();
        let (before, behind) = events.split_at(500);
        send(&mut disclosing, before).await;
        audit.settle().await.unwrap();
        // At last with less than what would let more go out.
        for size in [16 * 1024, 64, 0] {
            let patients = Vec::new();
            let filling = || Act {
                patients: patients.clone(),
                ..act(&"x".repeat(size))
            };
            while audit.record(filling()).await.is_ok() {}
        }
        let mut went_out = before.len();
        for event in behind {
            match timeout(Duration::from_secs(3), disclosing.event(event)).await {
                Ok(Ok(())) => went_out += 1,
                _ => break,
            }
        }
        std::mem::forget((disclosing, audit));
        went_out
    });
    broker.shutdown_background();
    assert!((500..1_100).contains(&went_out), "{went_out} went out");
    outer.block_on(async {
        let audit = Audit::open(&archive.log, SIZE).await.unwrap();
        audit.presume(&archive.log, |_, _| Some(true)).await.unwrap();
        let told = records(&audit).await;
        let all = [sent(&told, "disclosure.sent"), sent(&told, "disclosure.presumed")].concat();
        let missing = (1..=went_out as u64).find(|sequence| !all.contains(sequence));
        assert_eq!(missing, None, "of {went_out}");
    });
}

/// What is presumed of one that was sent the last of these events and was killed before that was stored, where the vendor sees only
/// that one, as far as is known.
fn presumed_of(terms: &Terms, sees: fn(&Stored) -> Option<bool>) -> Vec<u64> {
    let outer = tokio::runtime::Runtime::new().unwrap();
    let archive = outer.block_on(Archive::open());
    let events = outer.block_on(events(&archive.log, 40));
    let broker = tokio::runtime::Runtime::new().unwrap();
    broker.block_on(async {
        let log = open_log(&connect(&archive.server).await).await;
        let audit = Audit::open(&log, SIZE).await.unwrap();
        let mut disclosing = audit.disclosing(terms, "main", 0).await.unwrap();
        send(&mut disclosing, &events[39..]).await;
        std::mem::forget((disclosing, audit));
    });
    broker.shutdown_background();
    outer.block_on(async {
        let audit = Audit::open(&archive.log, SIZE).await.unwrap();
        let presumed = audit.presume(&archive.log, |_, stored| sees(stored)).await;
        presumed.unwrap();
        let told = records(&audit).await;
        [sent(&told, "disclosure.sent"), sent(&told, "disclosure.presumed")].concat()
    })
}

#[test]
fn where_it_is_not_known_what_was_for_a_vendor_more_is_presumed_and_what_went_out_is_not_missed() {
    // As many may have gone out as are said to have been allowed at first: 16.
    assert_eq!(presumed_of(&terms(), |stored| Some(stored.sequence == 40)), [40]);
    let all: Vec<_> = (1..=40).collect();
    assert_eq!(
        presumed_of(&terms(), |_| None),
        all,
        "the contract is another one by now"
    );
    let filtered = Terms {
        filtered: true,
        ..terms()
    };
    assert_eq!(
        presumed_of(&filtered, |_| Some(true)),
        all,
        "it had asked for less"
    );
}

#[tokio::test]
async fn one_that_is_dropped_is_closed() {
    let archive = Archive::open().await;
    let audit = Audit::open(&archive.log, SIZE).await.unwrap();
    for _ in 0..3 {
        drop(audit.disclosing(&terms(), "main", 0).await.unwrap());
    }
    until_there(Duration::from_secs(15), async || {
        audit.settle().await.unwrap();
        let told = records(&audit).await;
        let closed = told
            .iter()
            .filter(|(_, record)| record.action == "disclosure.closed");
        match closed.count() {
            3 => Ok(()),
            closed => Err(format!("{closed} closed")),
        }
    })
    .await;
}
