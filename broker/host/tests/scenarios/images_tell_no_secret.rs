//! Images stay as they are, and still no secret comes out in one.

use crate::support::{Gallery, Logs, SECRET};
use archwire_core::{Cursor, Digest};
use archwire_host::{CallError, Connector, MemoryImages};

async fn take(connector: &Connector, id: &str) -> Result<Digest, CallError> {
    let answer = connector.poll(Some(&Cursor(format!("take {id}")))).await?;
    Ok(answer.page.images[0].digest.unwrap())
}

#[tokio::test]
async fn an_image_that_says_the_credential_back_breaks_off_before_it() {
    let logs = Logs::collect();
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let polled = take(&connector, "echo").await.unwrap_err();
    let fetched = connector
        .fetch_image(&"echo".parse().unwrap(), None)
        .await
        .unwrap_err();
    for error in [polled, fetched] {
        let CallError::Disposition(disposition) = error else {
            panic!("{error}")
        };
        assert_eq!(disposition.reason().code.as_str(), "connection-closed");
    }
    assert!(images.is_empty());
    assert_eq!(
        logs.lines_with("event=\"secret-in-answer\" error_code=\"secret_in_answer\" count=1"),
        2,
        "{}",
        logs.text()
    );
    assert!(!logs.text().contains(SECRET));
}

#[tokio::test]
async fn an_image_without_the_credential_arrives_byte_for_byte() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let nearly = format!("Bearer {}", &SECRET[..SECRET.len() - 1]);
    for content_type in ["image/jpeg", "application/octet-stream", "multipart/related"] {
        for text in [&nearly, "Bearer topsecret", "a"] {
            let bytes = [&[7; 100_000], text.as_bytes(), b"\0", text.as_bytes()].concat();
            gallery.keep("7", content_type, bytes.clone());
            let digest = take(&connector, "7").await.unwrap();
            assert_eq!(digest, Digest::of(&bytes), "{content_type} {text}");
            assert!(images.get(&digest).unwrap() == bytes);
        }
    }
}

#[tokio::test]
async fn what_is_no_image_is_masked_in_these_calls_too() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let digest = take(&connector, "echo-in-words").await.unwrap();
    let masked = format!("image {} image", "*".repeat("Bearer ".len() + SECRET.len()));
    assert_eq!(images.get(&digest).unwrap(), masked);
}
