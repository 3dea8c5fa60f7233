//! A snapshot saves a start the reading of the log, and nothing else depends on it: one that is missing, damaged, half
//! written or of another version is as good as none.

use crate::support::*;
use archwire_nats::{Bucket, ByteSize};

const MANIFEST: &str = "manifest";

/// An office with a snapshot in its bucket, and what the registry knows.
async fn office() -> (Office, Bucket, String) {
    let office = Office::open().await;
    for number in 0..20 {
        office
            .see(says("front-desk", &number.to_string(), stranger(number)))
            .await;
    }
    office.registry.snapshot().await.unwrap();
    let log = office.registry.log();
    let bucket = log
        .bucket_of(&system("index"), ByteSize::mebibytes(512))
        .await
        .unwrap();
    let known = digest(&office.registry);
    (office, bucket, known)
}

/// The key of the first piece of the snapshot that the manifest names.
async fn piece(bucket: &Bucket) -> String {
    let keys = bucket.keys().await.unwrap();
    let pieces: Vec<_> = keys.into_iter().filter(|key| key != MANIFEST).collect();
    assert_eq!(pieces.len(), 1, "so little fits into one piece");
    pieces[0].clone()
}

async fn knows(office: &Office, known: &str) {
    let again = office.reopened().await;
    assert_eq!(digest(&again), known);
    assert_eq!(again.patients(), 20);
}

#[tokio::test]
async fn whole_it_is_used() {
    let (office, bucket, known) = office().await;
    // What is not in the log tells that the snapshot was used: a start does not read it again.
    let records = records(&office.registry).await;
    knows(&office, &known).await;
    let manifest = String::from_utf8(bucket.get(MANIFEST).await.unwrap().unwrap().to_vec()).unwrap();
    let sequence = records.last().unwrap().sequence;
    assert!(
        manifest.contains(&format!("\"sequence\":{sequence}")),
        "{manifest}"
    );
}

#[tokio::test]
async fn without_a_manifest() {
    let (office, bucket, known) = office().await;
    bucket.delete(MANIFEST).await.unwrap();
    knows(&office, &known).await;
}

#[tokio::test]
async fn with_a_manifest_that_is_none_or_of_another_version() {
    let (office, bucket, known) = office().await;
    let manifest = String::from_utf8(bucket.get(MANIFEST).await.unwrap().unwrap().to_vec()).unwrap();
    let other = manifest.replace("\"version\":", "\"version\":1");
    assert_ne!(manifest, other);
    for bad in ["", "{", "{}", other.as_str()] {
        bucket.put(MANIFEST, bad.to_owned().into()).await.unwrap();
        knows(&office, &known).await;
    }
}

#[tokio::test]
async fn with_a_piece_that_is_missing_or_damaged() {
    let (office, bucket, known) = office().await;
    let piece = piece(&bucket).await;
    let whole = bucket.get(&piece).await.unwrap().unwrap().to_vec();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let cut = whole[..whole.len() - 3].to_vec();
    for damaged in [flipped, cut, Vec::new(), vec![0xff; 64]] {
        bucket.put(&piece, damaged.into()).await.unwrap();
        knows(&office, &known).await;
    }
    bucket.delete(&piece).await.unwrap();
    knows(&office, &known).await;
}

#[tokio::test]
async fn with_a_new_one_half_written_beside_it() {
    let (office, bucket, known) = office().await;
    let piece = piece(&bucket).await;
    let other = if piece == "0.0" { "1.0" } else { "0.0" };
    bucket.put(other, vec![1, 2, 3].into()).await.unwrap();
    knows(&office, &known).await;
}

#[tokio::test]
async fn and_the_next_one_is_whole_again() {
    let (mut office, bucket, _) = office().await;
    for round in 0..3 {
        bucket.put(MANIFEST, "{".to_owned().into()).await.unwrap();
        office.restart().await;
        office
            .see(says("imaging", &format!("new-{round}"), stranger(30 + round)))
            .await;
        office.registry.snapshot().await.unwrap();
        let known = digest(&office.registry);
        let again = office.reopened().await;
        assert_eq!(digest(&again), known);
        assert_eq!(again.patients(), 21 + round);
    }
}
