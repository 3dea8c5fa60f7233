//! Publishing.

use crate::{
    fake::{FakeBus, Memory, Reaction},
    support::{client, observation, soon},
};
use archwire_client::{MAX_OBSERVATION, PublishError, Receipt, v1};
use prost::Message as _;
use std::{collections::BTreeSet, time::Duration};
use tokio::task::JoinSet;

#[tokio::test]
async fn a_new_record_is_recorded_and_the_same_again_is_unchanged() {
    let bus = FakeBus::start(Memory::default());
    let publisher = client(&bus).await.publisher();
    let first = soon(publisher.publish(observation(1))).await.unwrap();
    assert_eq!(
        first,
        Receipt::Recorded {
            patient_id: "p1".into(),
            revision: 1,
            sequence: 1
        }
    );
    let second = soon(publisher.publish(observation(1))).await.unwrap();
    assert_eq!(
        second,
        Receipt::Unchanged {
            patient_id: "p1".into(),
            revision: 1
        }
    );
}

#[tokio::test]
async fn at_most_256_are_unanswered_and_each_of_512_callers_gets_its_own_answer_though_they_come_reversed() {
    let bus = FakeBus::start(Memory {
        hold_until: 256,
        ..Memory::default()
    });
    let publisher = client(&bus).await.publisher();
    let mut callers = JoinSet::new();
    for n in 0..512 {
        let publisher = publisher.clone();
        callers.spawn(async move { (n, publisher.publish(observation(n)).await.unwrap()) });
    }
    for (n, receipt) in soon(callers.join_all()).await {
        assert_eq!(receipt.patient_id(), format!("p{n}"));
    }
    assert_eq!(bus.memory().most_unanswered, 256);
    assert_eq!(bus.memory().publish_streams, 1);
}

#[tokio::test]
async fn what_was_unanswered_when_the_stream_broke_is_sent_again_and_stored_once() {
    let reactions = [
        Reaction::Answer,
        Reaction::StoreAndBreak,
        Reaction::Answer,
        Reaction::StoreAndBreak,
    ];
    let bus = FakeBus::start(Memory {
        reactions: reactions.into(),
        ..Memory::default()
    });
    let publisher = client(&bus).await.publisher();
    let mut callers = JoinSet::new();
    for n in 0..50 {
        let publisher = publisher.clone();
        callers.spawn(async move { publisher.publish(observation(n)).await });
    }
    for receipt in soon(callers.join_all()).await {
        receipt.unwrap();
    }
    let memory = bus.memory();
    assert_eq!(memory.publish_streams, 3);
    assert!(memory.received.len() > 50, "nothing was sent twice");
    let keys: BTreeSet<_> = memory.received.iter().zip(&memory.keys).collect();
    assert_eq!(keys.len(), 50, "what is sent again keeps its key");
    let keys: BTreeSet<_> = memory.keys.iter().collect();
    assert_eq!(keys.len(), 50, "each has one of its own");
    assert_eq!(memory.stored.len(), 50);
    assert_eq!(memory.stored.iter().collect::<BTreeSet<_>>().len(), 50);
}

#[tokio::test]
async fn a_publisher_outlives_the_death_of_the_bus() {
    let bus = FakeBus::start(Memory::default());
    let publisher = client(&bus).await.publisher();
    soon(publisher.publish(observation("before"))).await.unwrap();
    let bus = soon(bus.restart(|_| ())).await;
    soon(publisher.publish(observation("after"))).await.unwrap();
    assert_eq!(bus.memory().stored, ["before", "after"]);
}

#[tokio::test]
async fn a_refusal_that_may_pass_is_tried_again() {
    let reactions = [Reaction::RefuseForNow, Reaction::RefuseForNow];
    let bus = FakeBus::start(Memory {
        reactions: reactions.into(),
        ..Memory::default()
    });
    let receipt = soon(client(&bus).await.publisher().publish(observation(1)))
        .await
        .unwrap();
    assert!(matches!(receipt, Receipt::Recorded { .. }));
    assert_eq!(bus.memory().received.len(), 3);
}

#[tokio::test]
async fn a_record_that_a_person_has_to_look_at_is_no_error_and_is_not_sent_again() {
    let bus = FakeBus::start(Memory {
        reactions: [Reaction::Review].into(),
        ..Memory::default()
    });
    let publisher = client(&bus).await.publisher();
    let receipt = soon(publisher.publish(observation(1))).await.unwrap();
    let expected = Receipt::InReview {
        item: 7,
        patient_id: "p1".into(),
    };
    assert_eq!(receipt, expected);
    assert_eq!((receipt.patient_id(), receipt.revision()), ("p1", None));
    assert_eq!(
        soon(publisher.publish(observation(2))).await.unwrap().revision(),
        Some(1)
    );
    assert_eq!(bus.memory().received, ["1", "2"]);
}

#[tokio::test]
async fn a_program_may_give_keys_of_its_own_and_hears_that_the_bus_knew_one() {
    let bus = FakeBus::start(Memory {
        reactions: [Reaction::Duplicate].into(),
        ..Memory::default()
    });
    let publisher = client(&bus).await.publisher();
    let known = soon(publisher.publish_as("row-17", observation(1)))
        .await
        .unwrap();
    assert_eq!((known.receipt.revision(), known.is_duplicate), (Some(3), true));
    let new = soon(publisher.publish_as("row-18", observation(1)))
        .await
        .unwrap();
    assert!(!new.is_duplicate);
    assert_eq!(bus.memory().keys, ["row-17", "row-18"]);
    let error = soon(publisher.publish_as(&"x".repeat(65), observation(1)))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("idempotency_key_invalid", false)
    );
}

#[tokio::test]
async fn a_newer_state_of_a_record_waits_until_the_older_one_has_its_answer_and_other_records_do_not() {
    let bus = FakeBus::start(Memory {
        reactions: [Reaction::RefuseForNow].into(),
        ..Memory::default()
    });
    let publisher = client(&bus).await.publisher();
    let publish = |key, n| soon(publisher.publish_as(key, observation(n)));
    let (older, newer, other) = tokio::join!(publish("older", 1), publish("newer", 1), publish("other", 2));
    for answer in [older, newer, other] {
        answer.unwrap();
    }
    let memory = bus.memory();
    let of_one: Vec<_> = memory.keys.iter().filter(|key| *key != "other").collect();
    assert_eq!(of_one, ["older", "older", "newer"]);
    assert_eq!(memory.keys[1], "other", "it waited for another record");
}

#[tokio::test]
async fn a_refusal_for_good_reaches_only_the_caller_whom_it_concerns() {
    let reactions = [Reaction::RefuseForGood];
    let bus = FakeBus::start(Memory {
        reactions: reactions.into(),
        ..Memory::default()
    });
    let publisher = client(&bus).await.publisher();
    let error = soon(publisher.publish(observation(1))).await.unwrap_err();
    assert_eq!(error.code(), "observation_invalid");
    assert!(!error.is_retryable());
    soon(publisher.publish(observation(2))).await.unwrap();
    assert_eq!(bus.memory().received, ["1", "2"]);
    assert_eq!(bus.memory().publish_streams, 1);
}

/// Deadlines of a publisher: the first is long enough, but on a machine that is busy.
const DEADLINES: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_secs(2),
    Duration::from_secs(10),
];

#[tokio::test]
async fn a_refusal_that_does_not_pass_is_shown_at_the_deadline() {
    let mut ends = Vec::new();
    for deadline in DEADLINES {
        let bus = FakeBus::start(Memory {
            reactions: [Reaction::RefuseForNow; 1000].into(),
            ..Memory::default()
        });
        let publisher = client(&bus).await.publisher_with_deadline(deadline);
        let error = soon(publisher.publish(observation(1))).await.unwrap_err();
        let attempts = bus.memory().received.len();
        if matches!(&error, PublishError::Refused(refusal) if refusal.retryable) && attempts > 1 {
            return;
        }
        ends.push((attempts, error.code().to_owned()));
    }
    panic!("within {DEADLINES:?}: {ends:?}");
}

#[tokio::test]
async fn an_answer_that_never_comes_ends_at_the_deadline_and_the_next_caller_is_served() {
    for deadline in DEADLINES {
        let bus = FakeBus::start(Memory {
            reactions: [Reaction::Ignore].into(),
            ..Memory::default()
        });
        let publisher = client(&bus).await.publisher_with_deadline(deadline);
        let error = soon(publisher.publish(observation(1))).await.unwrap_err();
        assert_eq!(error.code(), "publish_deadline");
        assert!(error.is_retryable());
        if soon(publisher.publish(observation(2))).await.is_ok() {
            return;
        }
    }
    panic!("nobody is served within {DEADLINES:?}");
}

/// An observation of so many bytes, serialised.
fn sized(bytes: usize) -> v1::Observation {
    let source = |length| v1::SourceRecord {
        data: vec![0; length].into(),
        ..Default::default()
    };
    let frame = v1::Observation {
        source: Some(source(bytes)),
        ..observation(1)
    }
    .encoded_len()
        - bytes;
    let sized = v1::Observation {
        source: Some(source(bytes - frame)),
        ..observation(1)
    };
    assert_eq!(sized.encoded_len(), bytes);
    sized
}

#[tokio::test]
async fn the_largest_observation_is_taken_and_one_byte_more_is_refused_before_it_can_break_the_stream() {
    let bus = FakeBus::start(Memory::default());
    let publisher = client(&bus).await.publisher();
    let error = publisher.publish(sized(MAX_OBSERVATION + 1)).await.unwrap_err();
    assert_eq!(error.code(), "observation_too_large");
    assert!(bus.memory().received.is_empty());
    soon(publisher.publish(sized(MAX_OBSERVATION))).await.unwrap();
}
