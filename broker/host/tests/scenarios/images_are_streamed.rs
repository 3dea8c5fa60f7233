//! Bytes of images, from the store to a system and back, and into the store.

use crate::support::{Gallery, Logs, delivery, poll};
use archwire_core::{Cursor, Digest, LocalId, SystemName};
use archwire_host::{
    CallError, ImageBytes, ImageContent, ImageContentError, ImageSink, MemoryImages, SystemConfig,
};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use std::sync::Arc;

/// No two pieces of it are the same, and no length of a piece divides it.
fn photograph(size: usize) -> Vec<u8> {
    (0..size)
        .map(|at| u8::try_from((at / 65_521 + at) % 251).unwrap())
        .collect()
}

fn id(text: &str) -> LocalId {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_delivered_image_arrives_byte_for_byte_and_is_measured_as_it_is_shown() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    for size in [1, 65_536, 20_000_000] {
        let bytes = photograph(size);
        let digest = images.insert(bytes.clone());
        let delivery = delivery(digest, u64::try_from(size).unwrap());
        let delivered = connector.deliver_image(&delivery).await.unwrap();
        assert_eq!(
            delivered.local_id.as_str(),
            delivery.image_id.to_string().replace('/', ".")
        );
        let (headers, kept) = gallery.kept(delivered.local_id.as_str()).unwrap();
        assert!(kept == bytes, "{size}");
        assert_eq!(headers["content-length"], size.to_string());
        assert_eq!(headers["content-type"], "image/jpeg");
        let shown = connector
            .fetch_image(&delivered.local_id, Some(&id("4711")))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((shown.digest, shown.record), (Some(digest), id("4711")));
    }
    assert_eq!(images.len(), 3, "reading back stores nothing");
}

#[tokio::test]
async fn an_image_is_sent_in_base64_and_among_other_parts() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    for size in [1, 2, 3, 49_152, 49_153, 100_000] {
        let bytes = photograph(size);
        let mut delivery = delivery(images.insert(bytes.clone()), u64::try_from(size).unwrap());
        delivery.local_id = Some(id("base64"));
        let delivered = connector.deliver_image(&delivery).await.unwrap();
        let (headers, kept) = gallery.kept(delivered.local_id.as_str()).unwrap();
        let text = format!("{{\"rawBase64\":\"{}\"}}", base64(&bytes));
        assert!(kept == text, "{size}");
        assert_eq!(headers["content-length"], text.len().to_string());
        delivery.local_id = Some(id("twice"));
        connector.deliver_image(&delivery).await.unwrap();
        let (_, kept) = gallery.kept(delivered.local_id.as_str()).unwrap();
        assert!(kept == [&bytes[..], b" and ", &bytes].concat(), "{size}");
    }
}

/// RFC 4648, bit by bit, so as not to share the SDK's encoder.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bit = |at: usize| group.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
        let letter = |at: usize| {
            (0..6).fold(0, |number, offset| {
                number << 1 | usize::from(bit(at * 6 + offset))
            })
        };
        let letters = (0..=group.len())
            .map(letter)
            .map(|number| char::from(LETTERS[number]));
        letters
            .chain("==".chars().take(3 - group.len()))
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[tokio::test]
async fn what_a_system_shows_is_stored_when_it_is_polled() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let bytes = photograph(20_000_000);
    gallery.keep("7", "image/jpeg", bytes.clone());
    let answer = connector.poll(Some(&Cursor("take 7".to_owned()))).await.unwrap();
    let [view] = &answer.page.images[..] else {
        panic!("{} images", answer.page.images.len())
    };
    assert_eq!((&view.local_id, &view.record), (&id("7"), &id("1")));
    assert_eq!(view.digest, Some(Digest::of(&bytes)));
    assert!(images.get(&Digest::of(&bytes)).unwrap() == bytes);
}

#[tokio::test]
async fn an_answer_that_breaks_off_stores_nothing() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let error = connector
        .poll(Some(&Cursor("take short".to_owned())))
        .await
        .unwrap_err();
    let CallError::Disposition(disposition) = error else {
        panic!("{error}")
    };
    assert_eq!(disposition.reason().code.as_str(), "connection-closed");
    let error = connector.fetch_image(&id("gone"), None).await.unwrap_err();
    let CallError::Disposition(disposition) = error else {
        panic!("{error}")
    };
    assert_eq!(disposition.reason().status, Some(404));
    assert!(images.is_empty());
}

#[tokio::test]
async fn an_image_that_is_not_there_is_not_half_sent() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let delivery = delivery(Digest::of(b"collected"), 9);
    let error = connector.deliver_image(&delivery).await.unwrap_err();
    let CallError::Disposition(disposition) = error else {
        panic!("{error}")
    };
    assert_eq!(disposition.reason().code.as_str(), "image-unavailable");
    assert!(
        gallery
            .kept(&delivery.image_id.to_string().replace('/', "."))
            .is_none()
    );
    assert_eq!(
        poll(&connector, "store abc").await,
        Digest::of(b"abc").to_string()
    );
}

/// Every image breaks off in the middle.
struct Damaged;

impl ImageContent for Damaged {
    fn open<'a>(
        &'a self,
        _: &'a SystemName,
        _: Digest,
    ) -> BoxFuture<'a, Result<ImageBytes, ImageContentError>> {
        let begun = Ok(Bytes::from(vec![7; 100_000]));
        let damaged = Err(ImageContentError::Unavailable(
            "the third chunk is another".into(),
        ));
        async move { Ok(stream::iter([begun, damaged]).boxed()) }.boxed()
    }

    fn create<'a>(
        &'a self,
        _: &'a SystemName,
    ) -> BoxFuture<'a, Result<Box<dyn ImageSink>, ImageContentError>> {
        async { Err(ImageContentError::Full) }.boxed()
    }
}

#[tokio::test]
async fn a_damaged_image_never_arrives_and_the_administrator_hears_of_it() {
    let logs = Logs::collect();
    let gallery = Gallery::open().await;
    let damaged = |config: &mut SystemConfig| config.images = Some(Arc::new(Damaged));
    let connector = gallery.connector_with(&MemoryImages::default(), damaged).await;
    let delivery = delivery(Digest::of(b"whole"), 200_000);
    let error = connector.deliver_image(&delivery).await.unwrap_err();
    let CallError::Disposition(disposition) = error else {
        panic!("{error}")
    };
    assert_eq!(disposition.reason().code.as_str(), "image-unavailable");
    assert!(
        gallery
            .kept(&delivery.image_id.to_string().replace('/', "."))
            .is_none()
    );
    assert_eq!(poll(&connector, "store abc").await, "image-store-full");
    assert_eq!(logs.lines_with("images_unavailable"), 1, "{}", logs.text());
    assert_eq!(logs.lines_with("the third chunk is another"), 1);
    assert_eq!(logs.lines_with("images_full"), 1);
}
