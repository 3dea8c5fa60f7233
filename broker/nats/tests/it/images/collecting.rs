//! What nobody needs goes, after a while, and nothing else.

use super::*;
use archwire_nats::Collected;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(3600);

struct Kept {
    server: ForeignServer,
    store: ImageStore,
}

impl Kept {
    async fn open() -> Self {
        let server = ForeignServer::with_jetstream().await;
        let store = images(&server.log().await).await;
        Self { server, store }
    }

    async fn stored(&self, seed: u64, size: usize) -> Bytes {
        let bytes = content(seed, size);
        upload(&self.store, promise("imaging", &bytes), &bytes)
            .await
            .unwrap();
        bytes
    }

    async fn messages(&self) -> usize {
        messages(&self.server.client().await).await
    }
}

#[tokio::test]
async fn images_that_nobody_uses_go_and_the_others_stay() {
    let kept = Kept::open().await;
    let store = &kept.store;
    let (used, unused) = (kept.stored(1, 3 * CHUNK).await, kept.stored(2, 2 * CHUNK).await);
    let digest = Digest::of(&used);
    let in_use = |asked: &Digest| *asked == digest;
    assert_eq!(store.collect(LONG, in_use).await.unwrap(), Collected::default());
    let expected = Collected {
        images: 1,
        uploads: 0,
        bytes: unused.len() as u64,
    };
    assert_eq!(store.collectable(Duration::ZERO, in_use).await.unwrap(), expected);
    assert!(
        whole(store, &unused).await.unwrap() == unused,
        "it was only counted"
    );
    assert_eq!(store.collect(Duration::ZERO, in_use).await.unwrap(), expected);
    assert_eq!(code(whole(store, &unused).await), "image_unknown");
    assert!(whole(store, &used).await.unwrap() == used);
    assert_eq!(kept.messages().await, 4);
    assert_eq!(
        store.collect(Duration::ZERO, in_use).await.unwrap(),
        Collected::default()
    );
    assert!(
        upload(store, promise("imaging", &unused), &unused)
            .await
            .unwrap()
            .is_new
    );
    assert!(whole(store, &unused).await.unwrap() == unused);
}

#[tokio::test]
async fn what_is_left_of_uploads_goes_and_an_upload_under_way_stays() {
    let kept = Kept::open().await;
    let store = &kept.store;
    let (left, going) = (content(1, 6 * CHUNK), content(2, 6 * CHUNK));
    let mut cut_off = store.upload(promise("imaging", &left)).await.unwrap();
    cut_off.write(left.slice(..5 * CHUNK + 1)).await.unwrap();
    drop(cut_off);
    // One without a promise, of a process that has ended in the middle of it.
    let chunks = format!("$O.{BUCKET}.C.a00112233445566778899aabbccddeeff");
    let client = kept.server.client().await;
    client
        .publish(chunks, left.slice(..CHUNK))
        .await
        .unwrap()
        .await
        .unwrap();
    // One that ended before it had stored anything.
    drop(store.upload(promise("archive", &left)).await.unwrap());
    let mut under_way = store.upload(promise("imaging", &going)).await.unwrap();
    under_way.write(going.slice(..5 * CHUNK + 1)).await.unwrap();
    until_done(async || match kept.messages().await {
        11 => Ok(()),
        messages => Err(format!("{messages} messages")),
    })
    .await;
    assert_eq!(
        store.collect(LONG, |_| false).await.unwrap(),
        Collected::default()
    );
    let expected = Collected {
        images: 0,
        uploads: 3,
        bytes: 5 * CHUNK as u64,
    };
    assert_eq!(
        store.collectable(Duration::ZERO, |_| false).await.unwrap(),
        expected
    );
    assert_eq!(store.collect(Duration::ZERO, |_| false).await.unwrap(), expected);
    under_way.write(going.slice(5 * CHUNK + 1..)).await.unwrap();
    under_way.finish().await.unwrap();
    assert!(whole(store, &going).await.unwrap() == going);
    assert_eq!(kept.messages().await, 7);
}

#[tokio::test]
async fn an_image_that_somebody_reads_or_uploads_again_stays() {
    let kept = Kept::open().await;
    let store = &kept.store;
    let bytes = kept.stored(1, 30 * CHUNK).await;
    let mut reader = store.read(&Digest::of(&bytes), ImageRange::WHOLE).await.unwrap();
    let mut got = vec![reader.try_next().await.unwrap().unwrap()];
    assert_eq!(
        store.collect(Duration::ZERO, |_| false).await.unwrap(),
        Collected::default()
    );
    got.extend(reader.try_collect::<Vec<_>>().await.unwrap());
    assert!(got.concat() == bytes);
    let again = store.upload(promise("archive", &bytes)).await.unwrap();
    assert_eq!(
        store.collect(Duration::ZERO, |_| false).await.unwrap(),
        Collected::default()
    );
    assert!(!again.finish().await.unwrap().is_new);
    assert!(whole(store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn an_image_that_was_uploaded_again_counts_as_young() {
    let kept = Kept::open().await;
    let store = &kept.store;
    let bytes = kept.stored(1, 2 * CHUNK).await;
    let stored = std::time::Instant::now();
    until("a while has gone by", || {
        stored.elapsed() > Duration::from_millis(1500)
    })
    .await;
    upload(store, promise("archive", &bytes), &bytes).await.unwrap();
    let collected = store
        .collect(Duration::from_millis(1200), |_| false)
        .await
        .unwrap();
    assert_eq!(collected, Collected::default());
    assert!(whole(store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn collecting_while_others_store_and_read_takes_nothing_from_them() {
    let kept = Kept::open().await;
    let store = kept.store.clone();
    let collector = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut collected = 0;
            loop {
                collected += store.collect(Duration::ZERO, |_| false).await.unwrap().images;
                if collected >= 20 {
                    return;
                }
            }
        })
    };
    let mut seed = 0;
    while !collector.is_finished() {
        seed += 1;
        let bytes = content(seed % 5, 2 * CHUNK + 1);
        let digest = Digest::of(&bytes);
        match upload(&store, promise("imaging", &bytes), &bytes).await {
            Ok(_) => {}
            Err(error) => panic!("{}", told(&error)),
        }
        match store.read(&digest, ImageRange::WHOLE).await {
            // Nobody uses it, so that it may have gone before it was begun to be read.
            Err(error) => assert_eq!(error.code(), "image_unknown"),
            Ok(reader) => {
                let parts: Vec<Bytes> = reader.try_collect().await.unwrap();
                assert!(parts.concat() == bytes);
            }
        }
    }
    collector.await.unwrap();
}
