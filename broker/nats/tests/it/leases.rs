//! One broker at a time is the writer, and there is soon another one when it dies.

use crate::{proxy::Proxy, support::*};
use archwire_core::{PatientId, Subject};
use archwire_nats::{ByteSize, Expected, Lease, LeaseConfig, Log, Supervisor};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SHORT: LeaseConfig = LeaseConfig {
    ttl: Duration::from_secs(1),
    renew_every: Duration::from_millis(300),
};

async fn lease(log: &Log, holder: &str, config: LeaseConfig) -> Lease {
    tokio::time::timeout(PATIENCE, log.lease(holder, config))
        .await
        .unwrap()
        .unwrap()
}

async fn appends(log: &Log, lease: &Lease) {
    let subject = Subject::Sighting("front-desk".parse().unwrap(), PatientId::generate());
    log.append(entry(subject, Expected::Writer(lease.fence()), "x"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_holder_that_dies_is_succeeded_within_ten_seconds_and_not_before() {
    let office = Office::open().await;
    let other = office.supervisor.connect().await.unwrap();
    let other = Log::open(&other, &practice(), &log_config()).await.unwrap();
    let config = LeaseConfig::default();
    let mut first = lease(&office.log, "first", config).await;
    let waiting = tokio::spawn(async move { lease(&other, "second", config).await });
    // It is renewed past its time, and then nobody renews it any more.
    let standing = first.standing();
    let kept = tokio::time::timeout(config.ttl * 2, first.keep()).await;
    assert!(kept.is_err() && !waiting.is_finished());
    assert!(standing.is_held(), "it was renewed in time");
    let died = Instant::now();
    drop(first);
    assert!(!standing.is_held(), "nobody keeps it");
    let second = waiting.await.unwrap();
    let took = died.elapsed();
    println!("taken over {took:?} after the death of the holder");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(took > config.ttl - config.renew_every * 2, "{took:?}");
    appends(&office.log, &second).await;
}

#[tokio::test]
async fn one_that_is_released_is_taken_over_at_once() {
    let office = Office::open().await;
    let config = LeaseConfig {
        ttl: Duration::from_secs(60),
        ..LeaseConfig::default()
    };
    let first = lease(&office.log, "first", config).await;
    let log = office.log.clone();
    let waiting = tokio::spawn(async move { lease(&log, "second", config).await });
    let renewing = Instant::now();
    first.release().await;
    waiting.await.unwrap();
    assert!(
        renewing.elapsed() < Duration::from_secs(5),
        "{:?}",
        renewing.elapsed()
    );
}

#[tokio::test]
async fn one_that_comes_back_under_its_own_name_has_it_at_once_and_is_another_writer() {
    let office = Office::open().await;
    let config = LeaseConfig {
        ttl: Duration::from_secs(60),
        ..LeaseConfig::default()
    };
    let dead = lease(&office.log, "first", config).await;
    let fence = dead.fence();
    drop(dead);
    let begun = Instant::now();
    let back = lease(&office.log, "first", config).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(back.fence() > fence);
    appends(&office.log, &back).await;
}

#[tokio::test]
async fn of_many_that_wait_exactly_one_holds_it_at_a_time() {
    let office = Office::open().await;
    let (sender, mut taken) = tokio::sync::mpsc::channel(1);
    let waiting = (0..8).map(|number| {
        let (log, sender) = (office.log.clone(), sender.clone());
        tokio::spawn(async move {
            let lease = lease(&log, &format!("broker-{number}"), SHORT).await;
            sender.send(lease).await.unwrap();
        })
    });
    let waiting: Vec<_> = waiting.collect();
    let mut last = None;
    for _ in 0..8 {
        let mut lease: Lease = tokio::time::timeout(PATIENCE, taken.recv())
            .await
            .unwrap()
            .unwrap();
        assert!(last < Some(lease.fence()));
        last = Some(lease.fence());
        let kept = tokio::time::timeout(SHORT.ttl / 2, lease.keep()).await;
        assert!(kept.is_err() && taken.try_recv().is_err(), "two hold it at once");
        appends(&office.log, &lease).await;
        lease.release().await;
    }
    for waiter in waiting {
        waiter.await.unwrap();
    }
}

#[tokio::test]
async fn a_lone_holder_stays_the_writer_over_an_outage_much_longer_than_its_lease() {
    let folder = TempDir::new().unwrap();
    let binary = folder.path().join("nats-server");
    std::os::unix::fs::symlink(nats_server(), &binary).unwrap();
    let mut settings = config(&folder.path().join("data"));
    settings.binary = binary.clone();
    settings.most_deaths = std::num::NonZeroU32::new(1000).unwrap();
    let supervisor = Supervisor::start(settings).await.unwrap();
    let connection = supervisor.connect().await.unwrap();
    let log = Log::open(&connection, &practice(), &log_config()).await.unwrap();
    let config = LeaseConfig {
        ttl: Duration::from_secs(2),
        renew_every: Duration::from_millis(600),
    };
    let mut lease = lease(&log, "alone", config).await;
    let fence = lease.fence();

    let outage = async {
        std::fs::remove_file(&binary).unwrap();
        kill_9(supervisor.pid().unwrap());
        let down = Instant::now();
        until("the outage is long enough", || {
            supervisor.pid().is_none() && down.elapsed() > Duration::from_secs(12)
        })
        .await;
        std::os::unix::fs::symlink(nats_server(), &binary).unwrap();
        until("the server is back", || log.status().connected).await;
        // Nobody else gets it now, because it is held again.
        let waited = tokio::time::timeout(config.ttl * 2, log.lease("other", config)).await;
        assert!(waited.is_err(), "the lease was free");
    };
    tokio::select! {
        lost = lease.keep() => panic!("{lost}"),
        () = outage => {}
    }
    assert_eq!(lease.fence(), fence);
    appends(&log, &lease).await;
}

#[tokio::test]
async fn a_holder_that_was_succeeded_learns_by_whom() {
    let office = Office::open().await;
    let mut first = lease(&office.log, "first", SHORT).await;
    // It does not renew, as one that is frozen.
    let second = lease(&office.log, "second", SHORT).await;
    let lost = tokio::time::timeout(PATIENCE, first.keep()).await.unwrap();
    assert_eq!((lost.holder.as_str(), lost.code()), ("second", "lease_lost"));
    // Giving back what is no longer held takes nothing from the successor.
    first.release().await;
    appends(&office.log, &second).await;
}

#[tokio::test]
async fn a_lease_that_cannot_work_is_refused() {
    let office = Office::open().await;
    for holder in ["", "a b", "ä", &"x".repeat(65)] {
        let error = office.log.lease(holder, SHORT).await.err().unwrap();
        assert_eq!(error.code(), "lease_holder_invalid", "{holder}");
    }
    let rarely = LeaseConfig {
        renew_every: SHORT.ttl,
        ..SHORT
    };
    let error = office.log.lease("first", rarely).await.err().unwrap();
    assert_eq!(error.code(), "lease_config_invalid");
    // All brokers of a practice have to agree on how long it lasts.
    lease(&office.log, "first", SHORT).await.release().await;
    let error = office
        .log
        .lease("first", LeaseConfig::default())
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "lease_bucket");
    assert!(
        told(&error).contains("max_age is 1s, wanted 5s"),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn a_server_that_does_not_know_the_fence_is_refused_and_nothing_is_left_of_trying() {
    let server = ForeignServer::with_jetstream().await;
    let header = "Nats-Expected-Last-Subject-Sequence-Subject";
    let old = Proxy::blind_to(&server.url, Some(header)).await;
    let log = server.log_at(&old.url).await;
    let error = log.lease("first", SHORT).await.err().unwrap();
    assert_eq!(error.code(), "lease_no_guard");
    assert!(error.to_string().contains("2.12.4"), "{error}");
    let writer_record = 1;
    assert_eq!(log.last_sequence().await.unwrap(), writer_record);
}

#[tokio::test]
async fn a_log_that_is_full_has_no_writer() {
    let office = Office::open().await;
    let full = archwire_nats::LogConfig {
        max_bytes: ByteSize::bytes(100),
        ..log_config()
    };
    let log = Log::open(&office.connection, &"elm-street".parse().unwrap(), &full)
        .await
        .unwrap();
    let error = log.lease("first", SHORT).await.err().unwrap();
    assert_eq!(error.code(), "lease_append", "{}", told(&error));
}
