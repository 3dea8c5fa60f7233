//! Small values survive what the log survives, and practices do not see each other's.

use crate::support::*;
use archwire_nats::{BucketError, ByteSize, Log, OpenError};
use std::collections::BTreeSet;

#[tokio::test]
async fn the_last_value_of_a_key_is_there_after_the_server_was_killed() {
    let office = Office::open().await;
    let bucket = office.log.bucket(&"cursors".parse().unwrap()).await.unwrap();
    assert_eq!(bucket.get("front-desk").await.unwrap(), None);
    assert!(bucket.keys().await.unwrap().is_empty());
    bucket.put("front-desk", "one".into()).await.unwrap();
    bucket.put("front-desk", "two".into()).await.unwrap();
    bucket.put("archive", "three".into()).await.unwrap();
    office.kill_server().await;
    let again = office.log.bucket(&"cursors".parse().unwrap()).await.unwrap();
    for bucket in [&bucket, &again] {
        assert_eq!(bucket.get("front-desk").await.unwrap(), Some("two".into()));
        let keys: BTreeSet<String> = bucket.keys().await.unwrap().into_iter().collect();
        assert_eq!(
            keys,
            BTreeSet::from(["archive".to_owned(), "front-desk".to_owned()])
        );
    }
    bucket.delete("front-desk").await.unwrap();
    assert_eq!(again.get("front-desk").await.unwrap(), None);
    assert_eq!(again.keys().await.unwrap(), ["archive"]);
}

#[tokio::test]
async fn two_practices_on_one_server_have_buckets_of_their_own() {
    let office = Office::open().await;
    let other = Log::open(&office.connection, &"elm-street".parse().unwrap(), &log_config())
        .await
        .unwrap();
    let name = "cursors".parse().unwrap();
    let (ours, theirs) = (
        office.log.bucket(&name).await.unwrap(),
        other.bucket(&name).await.unwrap(),
    );
    ours.put("front-desk", "ours".into()).await.unwrap();
    assert_eq!(theirs.get("front-desk").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_too_large_or_no_key_is_refused() {
    let office = Office::open().await;
    let bucket = office.log.bucket(&"receipts".parse().unwrap()).await.unwrap();
    bucket.put("largest", vec![b'x'; 786_432].into()).await.unwrap();
    let error = bucket
        .put("larger", vec![b'x'; 786_433].into())
        .await
        .unwrap_err();
    assert!(matches!(error, BucketError::TooLarge(786_433)), "{error:?}");
    assert!(matches!(
        bucket.put("a.*", "x".into()).await.unwrap_err(),
        BucketError::Key
    ));
}

#[tokio::test]
async fn a_bucket_grows_to_what_is_asked_for_and_keeps_what_it_holds() {
    let office = Office::open().await;
    let name = "index".parse().unwrap();
    let small = office.log.bucket_of(&name, ByteSize::mebibytes(1)).await.unwrap();
    let value = |number: u8| bytes::Bytes::from(vec![number; 500_000]);
    small.put("part-0", value(0)).await.unwrap();
    small.put("part-1", value(1)).await.unwrap();
    let error = small.put("part-2", value(2)).await.unwrap_err();
    assert!(matches!(error, BucketError::Refused { .. }), "{}", told(&error));
    let large = office.log.bucket_of(&name, ByteSize::mebibytes(8)).await.unwrap();
    for number in 2..10 {
        large.put(&format!("part-{number}"), value(number)).await.unwrap();
    }
    for number in 0..10 {
        let found = large.get(&format!("part-{number}")).await.unwrap();
        assert_eq!(found, Some(value(number)));
    }
    // Smaller than what it holds it is not made.
    let error = office
        .log
        .bucket_of(&name, ByteSize::mebibytes(1))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, OpenError::Refused { .. }), "{}", told(&error));
}
