//! The format is the Object Store's: what others read it with reads it.

use super::*;
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn another_client_library_finds_and_reads_the_images_and_checks_their_digest() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let bytes = content(1, 4 * CHUNK + 99);
    let small = content(2, 100);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    upload(&store, no_promise("imaging"), &small).await.unwrap();
    let theirs = server.client().await.get_object_store(BUCKET).await.unwrap();
    let mut listed: Vec<String> = Vec::new();
    let mut list = theirs.list().await.unwrap();
    while let Some(object) = list.try_next().await.unwrap() {
        listed.push(object.name);
    }
    listed.sort();
    let mut expected = vec![Digest::of(&bytes).to_string(), Digest::of(&small).to_string()];
    expected.sort();
    assert_eq!(listed, expected);
    for bytes in [bytes, small] {
        let mut object = theirs.get(Digest::of(&bytes).to_string()).await.unwrap();
        assert_eq!(object.info().size, bytes.len());
        let mut read = Vec::new();
        object.read_to_end(&mut read).await.unwrap();
        assert!(read == bytes);
    }
}

#[tokio::test]
async fn an_image_that_another_tool_deleted_is_gone_and_can_be_stored_again() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let bytes = content(1, 2 * CHUNK);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    let theirs = server.client().await.get_object_store(BUCKET).await.unwrap();
    theirs.delete(Digest::of(&bytes).to_string()).await.unwrap();
    assert_eq!(code(whole(&store, &bytes).await), "image_unknown");
    assert!(
        upload(&store, promise("imaging", &bytes), &bytes)
            .await
            .unwrap()
            .is_new
    );
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn what_another_tool_put_there_is_no_image_and_is_left_alone() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let theirs = server.client().await.get_object_store(BUCKET).await.unwrap();
    let bytes = content(1, 300_000);
    theirs.put("notes", &mut bytes.as_ref()).await.unwrap();
    assert_eq!(store.contains(&Digest::of(&bytes)).await.unwrap(), None);
    let collected = store.collect(std::time::Duration::ZERO, |_| false).await.unwrap();
    assert_eq!(collected, archwire_nats::Collected::default());
    let mut read = Vec::new();
    theirs
        .get("notes")
        .await
        .unwrap()
        .read_to_end(&mut read)
        .await
        .unwrap();
    assert!(read == bytes);
}
