//! What a vendor cannot take now comes again, in the order of its patient, and holds nobody else up.

use crate::{
    bus::{Bus, DESK, TRACER, after, code, named, refusals},
    office::{With as _, ann, ann_alone, says},
};
use archwire_proto::v1::subscribe_response::Response as Answer;
use std::time::Duration;
use tokio::time::Instant;
use tonic::Code;

/// For how long an event is put off: the first is long enough, but on a machine that is busy.
const DELAYS: [Duration; 3] = [
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(40),
];

#[tokio::test]
async fn a_refused_event_comes_again_after_its_delay_and_before_later_ones_of_its_patient() {
    for delay in DELAYS {
        let bus = Bus::open().await;
        let was_in_time = comes_again(&bus, delay).await;
        bus.close().await;
        if was_in_time {
            return;
        }
    }
    panic!("nothing happens within {DELAYS:?}");
}

/// Tells whether there was time for what has to happen before the event comes again.
async fn comes_again(bus: &Bus, delay: Duration) -> bool {
    let mut reader = bus.read(TRACER, named("patients")).await;
    let [ann_id, bob_id] = bus.ann_and_bob().await;
    let (created, _) = reader.event().await;
    let (bobs, _) = reader.event().await;
    let refused_at = Instant::now();
    reader.nack(created.sequence, delay).await;
    reader.ack(bobs.sequence).await;
    // By the next answer both were heard.
    if !matches!(reader.next().await.unwrap(), Answer::Heartbeat(_)) {
        assert!(refused_at.elapsed() >= delay);
        return false;
    }
    // The next one of hers waits behind it; somebody else's does not.
    bus.says("1", ann().email("ann@example.com")).await;
    let [other] = bus.strangers(0..1).await[..] else {
        panic!("one was registered")
    };
    let (others, event) = reader.event().await;
    if others.sequence == created.sequence {
        assert!(refused_at.elapsed() >= delay);
        return false;
    }
    assert_eq!(event.patient_id, other.to_string());
    assert_eq!(after(&others), Some(bobs.sequence), "the chain has no hole");
    let (again, event) = reader.event().await;
    assert!(refused_at.elapsed() >= delay);
    assert_eq!((event.patient_id, event.revision), (ann_id.to_string(), 1));
    assert_eq!((again.sequence, refusals(&again)), (created.sequence, Some(1)));
    let (later, event) = reader.event().await;
    assert_eq!((event.patient_id, event.revision), (ann_id.to_string(), 2));
    assert_eq!(refusals(&later), Some(0));
    // Both have to be acknowledged by themselves: until then the position stays before them.
    reader.ack(others.sequence).await;
    reader.ack_only(later.sequence).await;
    drop(reader);
    let mut reader = bus.read(TRACER, named("patients")).await;
    assert_eq!(reader.opened.after, created.sequence - 1);
    let all = reader.events(4).await;
    assert_eq!(all, [(ann_id, 1), (bob_id, 1), (ann_id, 2), (other, 1)]);
    true
}

#[tokio::test]
async fn later_events_that_were_sent_already_come_again_behind_a_refused_one() {
    let bus = Bus::open().await;
    let mut reader = bus.read(TRACER, named("patients")).await;
    let ann_id = bus.says("1", ann_alone()).await;
    bus.says("1", ann()).await;
    let (first, _) = reader.event().await;
    let (second, _) = reader.event().await;
    reader.nack(first.sequence, Duration::ZERO).await;
    assert_eq!(reader.events(2).await, [(ann_id, 1), (ann_id, 2)]);
    // Refused once more, and then taken.
    reader.nack(first.sequence, Duration::ZERO).await;
    let (again, _) = reader.event().await;
    assert_eq!(refusals(&again), Some(2));
    reader.event().await;
    // What came again is done by itself alone.
    reader.ack(second.sequence).await;
    reader.ack_only(first.sequence).await;
    reader.ack_only(second.sequence).await;
    let heartbeat = reader.heartbeat().await;
    assert_eq!(heartbeat.through, second.sequence);
    drop(reader);
    let reader = bus.read(TRACER, named("patients")).await;
    assert_eq!(reader.opened.after, second.sequence);
    bus.close().await;
}

#[tokio::test]
async fn what_was_not_sent_is_not_refused_and_a_delay_has_an_end() {
    let bus = Bus::open().await;
    bus.office.see(says(DESK, "1", ann())).await;
    let cases: [(u64, Duration, &str); 2] = [
        (1_000_000, Duration::ZERO, "nack_ahead"),
        (1, Duration::from_secs(3_601), "argument_invalid"),
    ];
    for (sequence, delay, own) in cases {
        let mut reader = bus.read(TRACER, named("patients")).await;
        reader.event().await;
        reader.nack(sequence, delay).await;
        let refusal = reader.refusal().await;
        assert_eq!((refusal.code(), code(&refusal)), (Code::InvalidArgument, own));
    }
    // What is done is not refused any more, which is no fault.
    let mut reader = bus.read(TRACER, named("patients")).await;
    let (delivery, _) = reader.event().await;
    reader.ack(delivery.sequence).await;
    reader.nack(delivery.sequence, Duration::ZERO).await;
    reader.allow(1).await;
    assert_eq!(reader.heartbeat().await.through, delivery.sequence);
    bus.close().await;
}
