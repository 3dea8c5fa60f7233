//! A connector that wants more of images than it may have.

use crate::support::{Gallery, config, delivery, hostile, poll, refusal, tell};
use archwire_core::{Cursor, Digest};
use archwire_host::{CallError, MemoryImages};
use std::time::Duration;

const MEBIBYTE: u64 = 1024 * 1024;

#[tokio::test]
async fn only_the_image_of_the_delivery_is_read() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let (mine, other) = (images.insert("mine"), images.insert("other"));
    assert_eq!(refusal(&connector, mine, "open-another").await, "image-denied");
    for digest in [mine, other] {
        assert_eq!(poll(&connector, &format!("open {digest}")).await, "image-denied");
    }
    assert_eq!(refusal(&connector, mine, "create").await, "image-denied");
    assert_eq!(refusal(&connector, mine, "take-file").await, "image-denied");
}

#[tokio::test]
async fn no_more_than_eight_are_open_at_the_same_time() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let digest = images.insert("mine");
    assert_eq!(
        refusal(&connector, digest, "open-many").await,
        "8-too-many-images"
    );
    assert_eq!(poll(&connector, "create-many").await, "8 and too-many-images");
}

#[tokio::test]
async fn a_connector_that_writes_for_ever_comes_to_the_bound_of_one_image() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let small = |config: &mut archwire_host::SystemConfig| config.limits.image_bytes = MEBIBYTE;
    let connector = gallery.connector_with(&images, small).await;
    for command in ["write-for-ever", "measure-for-ever"] {
        assert_eq!(
            poll(&connector, command).await,
            "the image is too large after 1048576"
        );
    }
    assert!(images.is_empty());
}

#[tokio::test]
async fn what_is_not_finished_is_not_stored() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    assert_eq!(poll(&connector, "never-finish").await, "not finished");
    assert_eq!(poll(&connector, "nothing").await, "image-empty");
    assert!(images.is_empty());
    let said = poll(&connector, "write-after-the-end").await;
    assert_eq!(
        said,
        format!("Some(TooMany), {}, refused true", Digest::of(b"bytes"))
    );
    assert_eq!(images.len(), 1);
}

#[tokio::test]
async fn bodies_are_as_large_as_an_image_only_in_calls_about_images() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let small = |config: &mut archwire_host::SystemConfig| {
        (config.limits.request_bytes, config.limits.response_bytes) = (1_000, 1_000);
        config.limits.image_bytes = MEBIBYTE;
    };
    let connector = gallery.connector_with(&images, small).await;
    let largest = usize::try_from(MEBIBYTE).unwrap() + 1_000;
    let digest = images.insert(vec![7; largest]);
    let whole = delivery(digest, MEBIBYTE + 1_000);
    let delivered = connector.deliver_image(&whole).await.unwrap();
    assert_eq!(
        gallery.kept(delivered.local_id.as_str()).unwrap().1.len(),
        largest
    );
    let digest = images.insert(vec![7; largest + 1]);
    let error = connector
        .deliver_image(&delivery(digest, MEBIBYTE + 1_001))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "connector_rejected");
    gallery.keep("large", "image/jpeg", vec![7; largest + 1]);
    let polled = connector
        .poll(Some(&Cursor("take large".to_owned())))
        .await
        .unwrap_err();
    let fetched = connector
        .fetch_image(&"large".parse().unwrap(), None)
        .await
        .unwrap_err();
    for error in [polled, fetched] {
        let CallError::Disposition(disposition) = error else {
            panic!("{error}")
        };
        assert_eq!(disposition.reason().code.as_str(), "answer-too-large");
    }
    assert_eq!(images.len(), 2);
}

#[tokio::test]
async fn a_call_in_which_nothing_moves_is_ended_and_one_that_takes_too_long() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let impatient = |config: &mut archwire_host::SystemConfig| {
        config.limits.image_idle = Duration::from_millis(300);
    };
    let connector = gallery.connector_with(&images, impatient).await;
    let error = tell(&connector, "stand-still").await.unwrap_err();
    assert_eq!((error.code(), error.may_have_acted()), ("connector_idle", true));
    let short = |config: &mut archwire_host::SystemConfig| {
        config.limits.image_deadline = Duration::from_millis(300);
        config.limits.image_bytes = u64::MAX;
    };
    let connector = gallery.connector_with(&images, short).await;
    let error = tell(&connector, "measure-for-ever").await.unwrap_err();
    assert_eq!(error.code(), "connector_deadline");
    assert!(images.is_empty());
}

#[tokio::test]
async fn who_does_no_images_gets_none() {
    let images = MemoryImages::default();
    let mut config = config();
    config.images = Some(std::sync::Arc::new(images.clone()));
    let connector = hostile(config).await;
    let denied = r#"Some("denied") Some("denied")"#;
    assert_eq!(tell(&connector, "images").await.unwrap(), denied);
    let gallery = Gallery::open().await;
    let without = gallery
        .connector_with(&images, |config| config.images = None)
        .await;
    assert_eq!(poll(&without, "store abc").await, "image-denied");
    let error = connector
        .deliver_image(&delivery(Digest::of(b"abc"), 3))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "connector_not_offered");
}
