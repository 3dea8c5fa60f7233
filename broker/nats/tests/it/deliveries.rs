//! Every event is handed out until it is settled.

use crate::support::*;
use archwire_core::{PatientId, Subject, SystemName};
use archwire_nats::{Deliveries, DeliveriesConfig, Expected, HandedOut, Queue, Work};
use async_nats::jetstream::consumer::{self, FromConsumer as _, pull};
use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

fn slow() -> DeliveriesConfig {
    DeliveriesConfig {
        ack_wait: Duration::from_secs(120),
        max_ack_pending: NonZeroU32::new(100).unwrap(),
    }
}

fn archive() -> SystemName {
    "archive".parse().unwrap()
}

async fn next(deliveries: &mut Deliveries) -> Work {
    tokio::time::timeout(PATIENCE, deliveries.next())
        .await
        .expect("an event comes")
        .unwrap()
}

#[tokio::test]
async fn events_come_in_order_from_the_beginning_and_sightings_do_not() {
    let office = Office::open().await;
    let patient = PatientId::generate();
    let sighting = Subject::Sighting(archive(), patient);
    append_all(&office.log, patient, &["one", "two"]).await;
    office
        .log
        .append(entry(sighting, Expected::Anything, "seen"))
        .await
        .unwrap();
    append_all(&office.log, PatientId::generate(), &["three"]).await;
    let mut deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    for sequence in [1, 2, 4] {
        let work = next(&mut deliveries).await;
        assert_eq!((work.stored.sequence, work.delivered), (sequence, 1));
        assert!(work.stored.payload.is_empty(), "what it says stays in the log");
        work.ack().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_settled_does_not_come_again_after_a_restart_and_what_is_not_does() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["one", "two", "three"]).await;
    let mut deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    next(&mut deliveries).await.ack().await.unwrap();
    next(&mut deliveries).await.nak(Duration::ZERO).await.unwrap();
    next(&mut deliveries).await.ack().await.unwrap();
    drop(deliveries);
    let office = office.start_again().await;
    append_all(&office.log, PatientId::generate(), &["four"]).await;
    let mut deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        let work = next(&mut deliveries).await;
        seen.insert(work.stored.sequence);
        work.ack().await.unwrap();
    }
    assert_eq!(seen, BTreeSet::from([2, 4]));
}

#[tokio::test]
async fn an_event_that_is_given_back_comes_again_with_its_count_and_not_before_its_time() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["one"]).await;
    let mut deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    let delay = Duration::from_millis(300);
    next(&mut deliveries).await.nak(delay).await.unwrap();
    let given_back = std::time::Instant::now();
    let again = next(&mut deliveries).await;
    assert_eq!((again.stored.sequence, again.delivered), (1, 2));
    // The delay counts from when the server took it, which is a moment before we heard of it.
    assert!(
        given_back.elapsed() >= delay - Duration::from_millis(100),
        "{:?}",
        given_back.elapsed()
    );
}

#[tokio::test]
async fn an_event_that_is_not_settled_comes_again_unless_it_is_in_progress() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["worked on", "forgotten"]).await;
    let brief = DeliveriesConfig {
        ack_wait: Duration::from_secs(1),
        ..slow()
    };
    let mut deliveries = office.log.deliveries(&archive(), brief).await.unwrap();
    let worked_on = next(&mut deliveries).await;
    assert_eq!(next(&mut deliveries).await.stored.sequence, 2);
    let mut ticks = tokio::time::interval(brief.ack_wait / 5);
    let again = loop {
        tokio::select! {
            work = next(&mut deliveries) => break work,
            _ = ticks.tick() => worked_on.in_progress().await.unwrap(),
        }
    };
    assert_eq!((again.stored.sequence, again.delivered), (2, 2));
    worked_on.ack().await.unwrap();
}

#[tokio::test]
async fn a_queue_goes_on_over_killed_servers_and_every_event_can_be_settled() {
    let office = Office::open().await;
    // What the server had on the wire when it was killed comes again after this.
    let brief = DeliveriesConfig {
        ack_wait: Duration::from_secs(3),
        ..slow()
    };
    let mut deliveries = office.log.deliveries(&archive(), brief).await.unwrap();
    let mut settled = BTreeSet::new();
    for round in 1..=3 {
        for _ in 0..20 {
            append_all(&office.log, PatientId::generate(), &["x"]).await;
        }
        settle_until(&mut deliveries, &mut settled, round * 20 - 10).await;
        office.kill_server().await;
        settle_until(&mut deliveries, &mut settled, round * 20).await;
    }
    assert!(settled.into_iter().eq(1..=60));
}

/// Settles events until so many are; one whose settlement is not confirmed has to come again.
async fn settle_until(deliveries: &mut Deliveries, settled: &mut BTreeSet<u64>, count: usize) {
    while settled.len() < count {
        let work = next(deliveries).await;
        let sequence = work.stored.sequence;
        if work.ack().await.is_ok() {
            settled.insert(sequence);
        }
    }
}

#[tokio::test]
async fn what_waits_in_a_queue_that_is_closed_comes_at_once_to_the_next_who_opens_it() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["one", "two", "three"]).await;
    let mut deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    next(&mut deliveries).await.ack().await.unwrap();
    deliveries.close().await;
    let mut deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    let sequences = [
        next(&mut deliveries).await.stored.sequence,
        next(&mut deliveries).await.stored.sequence,
    ];
    assert_eq!(BTreeSet::from(sequences), BTreeSet::from([2, 3]));
}

#[tokio::test]
async fn each_system_has_its_own_queue_and_its_times_follow_the_configuration() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["one"]).await;
    let other = "front-desk".parse().unwrap();
    for system in [&archive(), &other] {
        let mut deliveries = office.log.deliveries(system, slow()).await.unwrap();
        next(&mut deliveries).await.ack().await.unwrap();
    }
    append_all(&office.log, PatientId::generate(), &["two"]).await;
    let changed = DeliveriesConfig {
        ack_wait: Duration::from_secs(60),
        ..slow()
    };
    let mut deliveries = office.log.deliveries(&other, changed).await.unwrap();
    assert_eq!(next(&mut deliveries).await.stored.sequence, 2);
}

#[tokio::test]
async fn a_queue_tells_what_it_had_handed_out_before_it_was_opened() {
    let office = Office::open().await;
    append_all(
        &office.log,
        PatientId::generate(),
        &["one", "two", "three", "four"],
    )
    .await;
    let deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    assert_eq!(*deliveries.handed_out().borrow(), HandedOut::default());
    let mut deliveries = deliveries;
    next(&mut deliveries).await.ack().await.unwrap();
    // Not settled by a broker that is gone.
    next(&mut deliveries).await;
    drop(deliveries);
    let deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    let HandedOut { settled, up_to } = *deliveries.handed_out().borrow();
    assert_eq!(settled, 1);
    assert!((2..=4).contains(&up_to), "{up_to}");
}

#[tokio::test]
async fn a_queue_tells_it_again_after_its_server_was_killed() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["one", "two"]).await;
    // What was on the wire when the connection was made anew comes again after this.
    let brief = DeliveriesConfig {
        ack_wait: Duration::from_secs(3),
        ..slow()
    };
    let mut deliveries = office.log.deliveries(&archive(), brief).await.unwrap();
    let mut handed_out = deliveries.handed_out();
    next(&mut deliveries).await.ack().await.unwrap();
    let held = next(&mut deliveries).await;
    office.kill_server().await;
    append_all(&office.log, PatientId::generate(), &["three"]).await;
    while next(&mut deliveries).await.stored.sequence != 3 {}
    // It may have come over the connection made anew before the queue itself is opened anew.
    tokio::select! {
        told = tokio::time::timeout(PATIENCE, handed_out.changed()) => told.expect("it is told").unwrap(),
        never = async { loop { deliveries.next().await.unwrap(); } } => never,
    }
    let HandedOut { settled, up_to } = *handed_out.borrow_and_update();
    let sequence = held.stored.sequence;
    assert!(settled < sequence && sequence <= up_to, "{settled} and {up_to}");
}

#[tokio::test]
async fn a_queue_of_an_earlier_version_goes_on_without_payloads() {
    let server = ForeignServer::with_jetstream().await;
    let log = server.log().await;
    append_all(&log, PatientId::generate(), &["one", "two"]).await;
    let mut deliveries = log.deliveries(&archive(), slow()).await.unwrap();
    next(&mut deliveries).await.ack().await.unwrap();
    deliveries.close().await;
    let client = server.client().await;
    let stream = client.get_stream("ARCHWIRE_maple-street").await.unwrap();
    let mut queue: pull::Config = stream
        .get_consumer("deliver-archive")
        .await
        .map(config_of)
        .unwrap();
    assert!(queue.headers_only);
    queue.headers_only = false;
    stream.update_consumer(queue).await.unwrap();
    let mut deliveries = log.deliveries(&archive(), slow()).await.unwrap();
    let work = next(&mut deliveries).await;
    assert_eq!(work.stored.sequence, 2, "it goes on where it was");
    assert!(work.stored.payload.is_empty());
}

fn config_of(queue: consumer::PullConsumer) -> pull::Config {
    pull::Config::try_from_consumer_config(queue.cached_info().config.clone()).unwrap()
}

#[tokio::test]
async fn queues_of_systems_that_are_gone_are_still_listed() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["one", "two", "three"]).await;
    let mut deliveries = office.log.deliveries(&archive(), slow()).await.unwrap();
    next(&mut deliveries).await.ack().await.unwrap();
    drop(deliveries);
    let waiting = Queue {
        system: archive(),
        waiting: 2,
    };
    assert_eq!(office.log.queues().await.unwrap(), [waiting]);
}
