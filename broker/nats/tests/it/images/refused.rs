//! What is not what was promised, or is too much or nothing at all, is refused and leaves nothing behind.

use super::*;

struct Desk {
    server: ForeignServer,
    store: ImageStore,
}

impl Desk {
    async fn open() -> Self {
        let server = ForeignServer::with_jetstream().await;
        let store = images(&server.log().await).await;
        Self { server, store }
    }

    async fn is_empty(&self) -> bool {
        subjects(&self.server.client().await).await.is_empty()
    }
}

fn key(digest: Digest, size: usize) -> UploadKey {
    UploadKey {
        owner: "imaging".parse().unwrap(),
        promised: Some((digest, size as u64)),
    }
}

#[tokio::test]
async fn other_bytes_than_promised_are_refused() {
    let desk = Desk::open().await;
    for size in [10, 3 * CHUNK] {
        let (promised, sent) = (content(1, size), content(2, size));
        let error = upload(&desk.store, key(Digest::of(&promised), size), &sent)
            .await
            .unwrap_err();
        let ImageStoreError::DigestDiffers { found } = &error else {
            panic!("{}", told(&error))
        };
        assert_eq!(*found, Digest::of(&sent));
        assert_eq!(error.code(), "image_digest_differs");
        assert_eq!(code(whole(&desk.store, &sent).await), "image_unknown");
        assert!(desk.is_empty().await);
    }
}

#[tokio::test]
async fn more_bytes_than_promised_are_refused() {
    let desk = Desk::open().await;
    for size in [10, 3 * CHUNK] {
        let sent = content(1, size + 1);
        let refused = upload(&desk.store, key(Digest::of(&sent), size), &sent).await;
        assert_eq!(code(refused), "image_size_differs");
        assert!(desk.is_empty().await);
    }
}

#[tokio::test]
async fn fewer_bytes_than_promised_are_no_image_and_the_rest_may_follow() {
    let desk = Desk::open().await;
    let bytes = content(1, 4 * CHUNK);
    let key = promise("imaging", &bytes);
    let mut short = desk.store.upload(key.clone()).await.unwrap();
    short.write(bytes.slice(..3 * CHUNK)).await.unwrap();
    let error = short.finish().await.unwrap_err();
    assert_eq!(error.to_string(), "2031616 bytes were promised, and 1523712 came");
    assert_eq!(code(whole(&desk.store, &bytes).await), "image_unknown");
    upload(&desk.store, key, &bytes).await.unwrap();
    assert!(whole(&desk.store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn no_bytes_are_no_image() {
    let desk = Desk::open().await;
    assert_eq!(
        code(desk.store.upload(promise("imaging", b"")).await),
        "image_empty"
    );
    let nothing = desk.store.upload(no_promise("imaging")).await.unwrap();
    assert_eq!(code(nothing.finish().await), "image_empty");
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn more_than_an_image_may_have_is_refused_at_once_or_when_it_shows() {
    let desk = Desk::open().await;
    let most = 24 << 20;
    let promised = desk.store.upload(key(Digest::of(b"x"), most + 1)).await;
    assert_eq!(code(promised), "image_too_large");
    let mut anonymous = desk.store.upload(no_promise("imaging")).await.unwrap();
    anonymous.write(content(1, most)).await.unwrap();
    assert_eq!(
        code(anonymous.write(Bytes::from_static(b"x")).await),
        "image_too_large"
    );
    assert!(desk.is_empty().await);
    assert_eq!(code(anonymous.finish().await), "images_unavailable");
}

#[tokio::test]
async fn there_are_at_most_16_uploads_at_a_time() {
    let desk = Desk::open().await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(desk.store.upload(no_promise("imaging")).await.unwrap());
    }
    assert_eq!(
        code(desk.store.upload(no_promise("imaging")).await),
        "image_uploads_full"
    );
    open.pop();
    desk.store.upload(no_promise("imaging")).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_abandoned_leaves_nothing() {
    let desk = Desk::open().await;
    let bytes = content(1, 4 * CHUNK);
    for key in [promise("imaging", &bytes), no_promise("imaging")] {
        let mut upload = desk.store.upload(key).await.unwrap();
        upload.write(bytes.slice(..3 * CHUNK)).await.unwrap();
        upload.abandon().await.unwrap();
        assert!(desk.is_empty().await);
    }
}
