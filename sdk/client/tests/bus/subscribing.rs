//! Subscribing.

use crate::{
    fake::{Breakage, FakeBus, Memory},
    support::{client, soon, until},
};
use archwire_client::{Delivery, SubscribeOptions, Subscription};
use std::{collections::HashMap, time::Duration};
use tokio::time::timeout;

fn named(name: &str, window: u32) -> SubscribeOptions {
    SubscribeOptions {
        window,
        ..SubscribeOptions::new(name)
    }
}

/// Takes this many events.
async fn deliveries(subscription: &mut Subscription, count: usize) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    while deliveries.len() < count {
        deliveries.push(soon(subscription.next()).await.unwrap().unwrap());
    }
    deliveries
}

/// Takes this many events and returns their sequences.
async fn take(subscription: &mut Subscription, count: usize) -> Vec<u64> {
    let deliveries = deliveries(subscription, count).await;
    deliveries.iter().map(|delivery| delivery.sequence).collect()
}

/// Takes this many events, acknowledges the one at this place, from 1, and returns the sequences.
async fn take_and_ack(subscription: &mut Subscription, count: usize, acked: usize) -> Vec<u64> {
    let deliveries = deliveries(subscription, count).await;
    subscription.ack(&deliveries[acked - 1]);
    deliveries.iter().map(|delivery| delivery.sequence).collect()
}

fn sequences(revisions: impl IntoIterator<Item = u64>) -> Vec<u64> {
    revisions.into_iter().map(|revision| 2 * revision).collect()
}

#[tokio::test]
async fn events_come_in_the_order_of_the_log_with_their_bytes_as_they_are() {
    let bus = FakeBus::start(Memory::with_events(300));
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("all"));
    for revision in 1..=300 {
        let delivery = soon(subscription.next()).await.unwrap().unwrap();
        assert_eq!(
            (delivery.sequence, delivery.event.revision),
            (2 * revision, revision)
        );
        let (_, stored) = &bus.memory().log[usize::try_from(revision).unwrap() - 1];
        assert_eq!(delivery.raw, stored);
    }
}

#[tokio::test]
async fn a_program_that_looks_here_only_for_moments_has_a_stream_opened_all_the_same() {
    let mut memory = Memory::with_events(1);
    memory.opens_after = Duration::from_millis(300);
    let bus = FakeBus::start(memory);
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("busy"));
    let delivery = soon(async {
        loop {
            if let Ok(delivery) = timeout(Duration::from_millis(5), subscription.next()).await {
                return delivery.unwrap().unwrap();
            }
        }
    });
    assert_eq!(delivery.await.sequence, 2);
    assert_eq!(bus.memory().subscribe_streams, 1);
}

#[tokio::test]
async fn the_bus_is_never_allowed_more_than_the_window_ahead_of_the_reader() {
    let bus = FakeBus::start(Memory::with_events(100));
    let mut subscription = client(&bus).await.subscribe(named("slow", 8));
    take(&mut subscription, 1).await;
    until("the window is used up", || bus.memory().sent == 8).await;
    assert_eq!(bus.memory().allowed, 8);
    take(&mut subscription, 3).await;
    until("half a window more is used up", || bus.memory().sent == 12).await;
    assert_eq!(bus.memory().allowed, 12);
    for read in 5..=100 {
        take(&mut subscription, 1).await;
        let allowed = bus.memory().allowed;
        assert!(allowed <= read + 8, "{allowed} allowed after {read} were read");
    }
}

#[tokio::test]
async fn a_window_of_nothing_is_taken_as_one_event() {
    let bus = FakeBus::start(Memory::with_events(3));
    let mut subscription = client(&bus).await.subscribe(named("none", 0));
    assert_eq!(take(&mut subscription, 3).await, sequences(1..=3));
}

#[tokio::test]
async fn a_window_beyond_the_limit_allows_ten_thousand_events() {
    let bus = FakeBus::start(Memory::with_events(3));
    let mut subscription = client(&bus).await.subscribe(named("all", u32::MAX));
    assert_eq!(take(&mut subscription, 3).await, sequences(1..=3));
    assert_eq!(bus.memory().allowed, 10_000);
}

#[tokio::test]
async fn after_a_broken_stream_exactly_what_was_not_acknowledged_comes_again() {
    let breakage = Breakage {
        after_events: 6,
        after_ack: 8,
        ..Breakage::default()
    };
    let bus = FakeBus::start(Memory {
        breakages: [breakage].into(),
        ..Memory::with_events(10)
    });
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("resumes"));
    assert_eq!(take_and_ack(&mut subscription, 6, 4).await, sequences(1..=6));
    assert_eq!(take(&mut subscription, 6).await, sequences(5..=10));
}

#[tokio::test]
async fn an_acknowledgement_that_was_lost_is_repeated_and_what_it_covers_is_not_delivered_again() {
    let breakage = Breakage {
        after_events: 6,
        after_ack: 8,
        loses_acks: true,
        ..Breakage::default()
    };
    let bus = FakeBus::start(Memory {
        breakages: [breakage].into(),
        ..Memory::with_events(10)
    });
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("resumes"));
    assert_eq!(take_and_ack(&mut subscription, 6, 4).await, sequences(1..=6));
    assert_eq!(take(&mut subscription, 6).await, sequences(5..=10));
    until("the acknowledgement is known", || {
        bus.memory().positions["resumes"] == 8
    })
    .await;
}

#[tokio::test]
async fn a_subscription_outlives_the_death_of_the_bus() {
    let bus = FakeBus::start(Memory::with_events(2));
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("patient"));
    assert_eq!(take_and_ack(&mut subscription, 2, 2).await, sequences(1..=2));
    until("the acknowledgement is known", || {
        bus.memory().positions["patient"] == 4
    })
    .await;
    let bus = soon(bus.restart(|memory| memory.log = Memory::with_events(4).log)).await;
    assert_eq!(take(&mut subscription, 2).await, sequences(3..=4));
    drop(bus);
}

#[tokio::test]
async fn closing_tells_the_bus_the_last_acknowledgement_before_it_ends() {
    let bus = FakeBus::start(Memory::with_events(3));
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("closes"));
    take_and_ack(&mut subscription, 3, 3).await;
    soon(subscription.close()).await;
    assert_eq!(bus.memory().positions["closes"], 6);
    assert!(soon(subscription.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_an_error_and_the_next_one_comes_all_the_same() {
    let mut memory = Memory::with_events(3);
    memory.log[1].1 = vec![0xff; 3].into();
    let bus = FakeBus::start(memory);
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("damaged"));
    take(&mut subscription, 1).await;
    assert_eq!(
        soon(subscription.next()).await.unwrap_err().code(),
        "event_unreadable"
    );
    assert_eq!(take(&mut subscription, 1).await, [6]);
}

#[tokio::test]
async fn a_log_that_ends_before_what_was_acknowledged_is_told_and_not_followed() {
    let bus = FakeBus::start(Memory::with_events(5));
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("restored"));
    take_and_ack(&mut subscription, 5, 5).await;
    let older_copy = |memory: &mut Memory| {
        memory.log.truncate(2);
        memory.positions = HashMap::new();
    };
    let bus = soon(bus.restart(older_copy)).await;
    assert_eq!(soon(subscription.next()).await.unwrap_err().code(), "log_behind");
    drop(bus);
}

#[tokio::test]
async fn an_event_that_is_lost_on_the_way_shows_and_is_fetched_in_another_stream() {
    let breakage = Breakage {
        after_events: 3,
        loses_event: true,
        ..Breakage::default()
    };
    let bus = FakeBus::start(Memory {
        breakages: [breakage].into(),
        ..Memory::with_events(6)
    });
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("lossy"));
    assert_eq!(take_and_ack(&mut subscription, 3, 3).await, sequences(1..=3));
    assert_eq!(take(&mut subscription, 3).await, sequences(4..=6));
    assert_eq!(bus.memory().subscribe_streams, 2);
}

#[tokio::test]
async fn a_bus_that_misses_three_heartbeats_is_asked_again() {
    let bus = FakeBus::start(Memory::default());
    let options = SubscribeOptions {
        heartbeat: Duration::from_secs(1),
        ..SubscribeOptions::new("silent")
    };
    let mut subscription = client(&bus).await.subscribe(options);
    let waiting = tokio::spawn(async move { subscription.next().await });
    until("another stream is opened", || bus.memory().subscribe_streams == 2).await;
    waiting.abort();
}

#[tokio::test]
async fn what_the_bus_kept_back_behind_a_refused_event_is_not_taken_for_done_in_the_next_stream() {
    let breakage = Breakage {
        keeps_back: true,
        ..Breakage::default()
    };
    let bus = FakeBus::start(Memory {
        breakages: [breakage].into(),
        ..Memory::with_events(3)
    });
    let mut subscription = client(&bus).await.subscribe(SubscribeOptions::new("refuses"));
    let first = soon(subscription.next()).await.unwrap().unwrap();
    assert_eq!(first.sequence, 2);
    subscription.nack(&first, Duration::from_secs(1_000_000));
    let third = soon(subscription.next()).await.unwrap().unwrap();
    assert_eq!(third.sequence, 6, "4 waits behind 2");
    subscription.ack(&third);
    let again = soon(subscription.next()).await.unwrap().unwrap();
    assert_eq!((again.sequence, again.redeliveries), (2, 1));
    subscription.ack(&again);
    let second = soon(subscription.next()).await.unwrap().unwrap();
    assert_eq!(second.sequence, 4);
    // Those of the stream before, in which 4 was kept back, say nothing in this one, in which they come again.
    subscription.ack(&third);
    subscription.nack(&first, Duration::ZERO);
    assert_eq!(take_and_ack(&mut subscription, 1, 1).await, [6]);
    soon(subscription.close()).await;
    assert_eq!(bus.memory().positions["refuses"], 6);
}
