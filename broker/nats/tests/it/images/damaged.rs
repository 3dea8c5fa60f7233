//! What the store does not give back as it was put there is not handed out for it, and is replaced by the next upload.

use super::*;
use async_nats::HeaderMap;

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
        for owner in ["imaging", "archive"] {
            let server = ForeignServer::with_jetstream().await;
            let store = images(&server.log().await).await;
            let bytes = content(1, 3 * CHUNK + 5);
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
                5,
                "{how} {owner}: one copy and its name"
            );
        }
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
