//! The format is the Object Store's: what others read it with reads it.

use super::*;
use async_nats::HeaderMap;
use base64::{Engine, engine::general_purpose::URL_SAFE};
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

/// Stores an image as a broker would that writes chunks of `size` bytes.
async fn store_in_chunks(client: &Context, bytes: &Bytes, size: usize) {
    let nuid = "p00000000000000000000000000000001";
    let mut seal = blake3::hash(b"archwire image");
    let mut sequences = Vec::new();
    for (number, chunk) in bytes.chunks(size).enumerate() {
        let hash = blake3::hash(chunk);
        seal = blake3::hash(&[*seal.as_bytes(), *hash.as_bytes()].concat());
        let mut headers = HeaderMap::new();
        headers.insert("Archwire-Offset", (number * size).to_string());
        headers.insert("Archwire-BLAKE3", hash.to_hex().as_str());
        let subject = format!("$O.{BUCKET}.C.{nuid}");
        let sent = client.publish_with_headers(subject, headers, bytes.slice_ref(chunk));
        sequences.push(sent.await.unwrap().await.unwrap().sequence);
    }
    let name = Digest::of(bytes);
    let info = serde_json::json!({
        "name": name.to_string(),
        "metadata": {
            "archwire-first": sequences.first().unwrap().to_string(),
            "archwire-last": sequences.last().unwrap().to_string(),
            "archwire-seal": seal.to_hex().as_str(),
        },
        "options": { "max_chunk_size": size },
        "bucket": BUCKET,
        "nuid": nuid,
        "size": bytes.len(),
        "chunks": sequences.len(),
        "digest": format!("SHA-256={}", URL_SAFE.encode(name.as_bytes())),
    });
    let subject = format!("$O.{BUCKET}.M.{}", URL_SAFE.encode(name.to_string()));
    let sent = client.publish(subject, serde_json::to_vec(&info).unwrap().into());
    sent.await.unwrap().await.unwrap();
}

#[tokio::test]
async fn an_image_in_chunks_of_another_size_is_read_and_so_is_each_part_of_it() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let bytes = content(1, 20 * 524_288 + 99);
    store_in_chunks(&server.client().await, &bytes, 524_288).await;
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
    for offset in [1, 524_287, 524_288, 9 * 524_288 + 5, 20 * 524_288 + 98] {
        let range = ImageRange {
            offset: offset as u64,
            length: Some(700_000),
        };
        let part = read(&store, &Digest::of(&bytes), range).await.unwrap();
        assert!(
            part == bytes[offset..bytes.len().min(offset + 700_000)],
            "{offset}"
        );
    }
    let again = upload(&store, promise("archive", &bytes), &bytes).await.unwrap();
    assert!(!again.is_new, "it was stored a second time");
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
