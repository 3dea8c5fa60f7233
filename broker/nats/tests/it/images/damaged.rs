//! What the store does not give back as it was put there is not handed out for it, and is replaced by the next upload.

use super::*;
use async_nats::HeaderMap;
use std::{fs, path::Path};
use tempfile::TempDir;

const LAST_ALTERED: &str = "only an altered one is left";

/// Spoils the chunks of the only upload there is, as no server should.
pub(super) async fn spoil(client: &Context, how: &str) {
    let stream = client.get_stream(STREAM).await.unwrap();
    let mut subjects = subjects(client).await.into_iter();
    let is_chunks = |subject: &str| subject.contains(".C.") && !subject.ends_with(".claim");
    let (subject, count) = subjects.find(|(subject, _)| is_chunks(subject)).unwrap();
    let first = stream
        .direct_get_first_for_subject(subject.clone())
        .await
        .unwrap();
    let last = stream.direct_get_last_for_subject(subject.clone()).await.unwrap();
    let (keep, payload) = match how {
        "the first one goes" => (count as u64 - 1, None),
        "one is altered" | LAST_ALTERED => {
            let mut payload = last.payload.to_vec();
            payload[0] ^= 1;
            let mut headers = HeaderMap::new();
            for name in ["Archwire-Offset", "Archwire-BLAKE3"] {
                headers.insert(name, last.headers.get(name).unwrap().as_str());
            }
            (
                if how == LAST_ALTERED { 1 } else { count as u64 },
                Some((headers, payload)),
            )
        }
        "one is foreign" => (count as u64, Some((HeaderMap::new(), first.payload.to_vec()))),
        _ => panic!("{how}"),
    };
    if let Some((mut headers, payload)) = payload {
        headers.insert("Archwire-Note", "put here by a test");
        let sent = client
            .publish_with_headers(subject.clone(), headers, payload.into())
            .await
            .unwrap();
        sent.await.unwrap();
    }
    // Of what there is now so many of the last ones.
    stream.purge().filter(&subject).keep(keep).await.unwrap();
}

#[tokio::test]
async fn a_damaged_image_is_an_error_and_the_next_upload_of_it_replaces_it() {
    for how in ["the first one goes", "one is altered", "one is foreign"] {
        // A few chunks come with a request, many by a consumer.
        for (owner, chunks) in [("imaging", 3), ("archive", 3), ("imaging", 20)] {
            let server = ForeignServer::with_jetstream().await;
            let store = images(&server.log().await).await;
            let bytes = content(1, chunks * CHUNK + 5);
            let digest = Digest::of(&bytes);
            upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
            spoil(&server.client().await, how).await;
            let mut reader = store.read(&digest, ImageRange::WHOLE).await.unwrap();
            let mut got = 0;
            let error = loop {
                match reader.try_next().await {
                    Ok(Some(part)) => got += part.len(),
                    Ok(None) => panic!("{how}: it ended as if it were whole"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.code(), "image_damaged", "{how}: {}", told(&error));
            assert!(got < bytes.len(), "{how}: all of it was handed out");
            assert!(reader.try_next().await.unwrap().is_none());
            assert_eq!(store.contains(&digest).await.unwrap(), None, "{how}");
            assert!(
                upload(&store, promise(owner, &bytes), &bytes)
                    .await
                    .unwrap()
                    .is_new
            );
            assert!(whole(&store, &bytes).await.unwrap() == bytes, "{how}");
            assert_eq!(store.contains(&digest).await.unwrap(), Some(bytes.len() as u64));
            assert_eq!(
                messages(&server.client().await).await,
                chunks + 2,
                "{how} {owner}: one copy and its name"
            );
        }
    }
}

/// A server whose store outlives it.
async fn server_in(folder: &Path) -> ForeignServer {
    let store = folder.display();
    ForeignServer::start(&format!(
        "jetstream {{\n  store_dir: \"{store}\"\n  max_file_store: 1073741824\n}}"
    ))
    .await
}

/// Changes a byte in the one file below `folder` that holds `words`.
fn flip(folder: &Path, words: &[u8]) {
    let mut changed = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = fs::read(&path).unwrap();
            let found = bytes.windows(words.len()).position(|part| part == words);
            if let Some(at) = found {
                bytes[at] ^= 1;
                fs::write(&path, bytes).unwrap();
                changed += 1;
            }
        }
    }
    assert_eq!(changed, 1);
}

#[tokio::test]
async fn a_byte_that_changed_on_the_disk_is_damage_wherever_it_is_and_not_an_outage() {
    // A server hands out nothing that lies behind such a byte in a block: the name of the image is in a later one.
    for number in [0, 11] {
        let folder = TempDir::new().unwrap();
        let bytes = content(1, 30 * CHUNK);
        let digest = Digest::of(&bytes);
        let server = server_in(folder.path()).await;
        let store = images(&server.log().await).await;
        upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
        // The server cuts off what is damaged of the block that it wrote last.
        let other = content(2, 20 * CHUNK);
        upload(&store, promise("imaging", &other), &other).await.unwrap();
        drop((store, server));
        let begin = number * CHUNK + 1000;
        flip(folder.path(), &bytes[begin..begin + 100]);
        let server = server_in(folder.path()).await;
        let store = images(&server.log().await).await;
        assert_eq!(code(whole(&store, &bytes).await), "image_damaged", "{number}");
        assert_eq!(store.contains(&digest).await.unwrap(), None, "{number}");
        let again = upload(&store, promise("archive", &bytes), &bytes).await.unwrap();
        assert!(again.is_new, "{number}");
        assert!(whole(&store, &bytes).await.unwrap() == bytes, "{number}");
        assert!(whole(&store, &other).await.unwrap() == other, "{number}");
    }
}

#[tokio::test]
async fn a_part_of_an_image_is_verified_too() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let bytes = content(1, 3 * CHUNK);
    let digest = Digest::of(&bytes);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    spoil(&server.client().await, LAST_ALTERED).await;
    assert_eq!(code(store.tail(&digest, 100).await), "image_damaged");
    assert_eq!(code(store.head(&digest, 100).await), "image_damaged");
}

#[tokio::test]
async fn damage_that_nobody_noticed_is_found_when_the_bytes_come_again() {
    for how in ["the first one goes", "one is altered"] {
        for is_promised in [true, false] {
            let server = ForeignServer::with_jetstream().await;
            let store = images(&server.log().await).await;
            let bytes = content(1, 3 * CHUNK + 5);
            let digest = Digest::of(&bytes);
            upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
            assert!(store.is_sound(&digest).await.unwrap());
            spoil(&server.client().await, how).await;
            // Another process has noticed nothing.
            let store = images(&server.log().await).await;
            assert_eq!(store.contains(&digest).await.unwrap(), Some(bytes.len() as u64));
            let key = match is_promised {
                true => promise("archive", &bytes),
                false => no_promise("archive"),
            };
            if is_promised {
                assert!(!store.is_sound(&digest).await.unwrap(), "{how}");
            }
            assert!(upload(&store, key, &bytes).await.unwrap().is_new, "{how}");
            assert!(whole(&store, &bytes).await.unwrap() == bytes, "{how}");
            assert!(store.is_sound(&digest).await.unwrap());
        }
    }
}

#[tokio::test]
async fn an_image_is_there_by_whoever_sent_all_of_it() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let bytes = content(1, CHUNK + 5);
    assert!(!store.is_by(&promise("imaging", &bytes)).await.unwrap());
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    assert!(store.is_by(&promise("imaging", &bytes)).await.unwrap());
    assert!(!store.is_by(&promise("archive", &bytes)).await.unwrap());
    assert!(!store.is_by(&no_promise("imaging")).await.unwrap());
}
