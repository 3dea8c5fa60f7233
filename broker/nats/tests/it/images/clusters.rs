//! In a cluster of three.

use super::*;
use crate::clusters::{cluster, log};
use std::time::Duration;

#[tokio::test]
async fn a_cluster_keeps_images_and_uploads_replace_each_other_there_too() {
    let servers = cluster().await;
    let (one, other) = (log(&servers[0]).await, log(&servers[1]).await);
    let (one, other) = (images(&one).await, images(&other).await);
    let bytes = content(1, 9 * CHUNK + 1);
    let key = promise("imaging", &bytes);
    let mut first = one.upload(key.clone()).await.unwrap();
    first.write(bytes.slice(..4 * CHUNK)).await.unwrap();
    let mut second = other.upload(key).await.unwrap();
    assert!(second.offset() >= 2 * CHUNK as u64, "{}", second.offset());
    let refused = match first.write(bytes.slice(4 * CHUNK..)).await {
        Ok(()) => first.finish().await.map(|_| ()),
        Err(error) => Err(error),
    };
    // A cluster that is busy may leave the question unanswered; what counts is that the first one does not go on.
    let told = code(refused);
    assert!(
        matches!(told, "image_upload_replaced" | "images_unavailable"),
        "{told}"
    );
    let offset = usize::try_from(second.offset()).unwrap();
    second.write(bytes.slice(offset..)).await.unwrap();
    second.finish().await.unwrap();
    assert!(whole(&one, &bytes).await.unwrap() == bytes);
    let small = content(2, 1000);
    upload(&one, promise("imaging", &small), &small).await.unwrap();
    assert!(whole(&other, &small).await.unwrap() == small);
    let kept = Digest::of(&bytes);
    let collected = one
        .collect(Duration::ZERO, |digest| *digest == kept)
        .await
        .unwrap();
    assert_eq!(collected.images, 1);
    assert!(whole(&other, &bytes).await.unwrap() == bytes);
    assert_eq!(code(whole(&other, &small).await), "image_unknown");
}
