//! A follower sees every record once and in order, whatever happens to the server.

use crate::support::*;
use archwire_core::{PatientId, Subject};
use archwire_nats::{Expected, Filter, Stored};
use futures_util::{Stream, StreamExt, future::join_all};
use std::pin::{Pin, pin};

async fn next(stream: Pin<&mut impl Stream<Item = Stored>>) -> u64 {
    let mut stream = stream;
    tokio::time::timeout(PATIENCE, stream.next())
        .await
        .expect("a record comes")
        .expect("it never ends")
        .sequence
}

#[tokio::test]
async fn a_follower_sees_what_is_there_and_what_comes() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["one", "two", "three"]).await;
    let mut follower = pin!(office.log.follow(1, Filter::Events));
    assert_eq!(next(follower.as_mut()).await, 2);
    assert_eq!(next(follower.as_mut()).await, 3);
    let coming = next(follower.as_mut());
    let appending = append_all(&office.log, PatientId::generate(), &["four"]);
    let (seen, appended) = tokio::join!(coming, appending);
    assert_eq!((seen, appended[0]), (4, 4));
}

#[tokio::test]
async fn more_than_a_thousand_follow_at_the_same_time() {
    let office = Office::open().await;
    append_all(&office.log, PatientId::generate(), &["one"]).await;
    let mut followers: Vec<_> = (0..1_100)
        .map(|_| Box::pin(office.log.follow(0, Filter::Events)))
        .collect();
    let all = followers.iter_mut().map(|follower| next(follower.as_mut()));
    assert!(join_all(all).await.into_iter().all(|sequence| sequence == 1));
}

#[tokio::test]
async fn a_follower_of_events_passes_over_sightings() {
    let office = Office::open().await;
    let patient = PatientId::generate();
    let sighting = Subject::Sighting("front-desk".parse().unwrap(), patient);
    office
        .log
        .append(entry(sighting, Expected::Anything, "seen"))
        .await
        .unwrap();
    office
        .log
        .append(event(patient, Expected::Nothing, "one"))
        .await
        .unwrap();
    let mut events = pin!(office.log.follow(0, Filter::Events));
    let mut everything = pin!(office.log.follow(0, Filter::Everything));
    assert_eq!(next(events.as_mut()).await, 2);
    assert_eq!(next(everything.as_mut()).await, 1);
}

#[tokio::test]
async fn a_follower_sees_each_record_once_and_in_order_over_killed_servers() {
    let office = Office::open().await;
    let log = office.log.clone();
    let following = tokio::spawn(async move {
        let mut follower = pin!(log.follow(0, Filter::Everything));
        let mut seen = Vec::new();
        while seen.last() != Some(&600) {
            seen.push(next(follower.as_mut()).await);
        }
        seen
    });
    for round in 0..3 {
        let appends = (0..200).map(|_| {
            let (log, entry) = (
                office.log.clone(),
                event(PatientId::generate(), Expected::Nothing, "x"),
            );
            tokio::spawn(async move { log.append(entry).await.unwrap() })
        });
        let appends: Vec<_> = appends.collect();
        if round < 2 {
            office.kill_server().await;
        }
        for append in appends {
            append.await.unwrap();
        }
    }
    let seen = following.await.unwrap();
    assert!(seen.iter().copied().eq(1..=600), "{} records seen", seen.len());
    assert!(office.connection.status().reconnects >= 2);
}
