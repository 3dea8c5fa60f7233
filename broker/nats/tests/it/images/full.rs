//! A full store refuses loudly, leaves nothing of what it refused, and removes nothing to make room.

use super::*;

fn small() -> ImageStoreConfig {
    ImageStoreConfig {
        max_bytes: ByteSize::mebibytes(4),
        largest: ByteSize::mebibytes(24),
    }
}

#[tokio::test]
async fn an_image_that_does_not_fit_is_refused_and_nothing_of_it_is_left() {
    let server = ForeignServer::with_jetstream().await;
    let log = server.log().await;
    let store = log.images(&small()).await.unwrap();
    let client = server.client().await;
    let kept = content(1, CHUNK + 1);
    upload(&store, promise("imaging", &kept), &kept).await.unwrap();
    let before = messages(&client).await;
    let large = content(2, 5 << 20);
    for key in [promise("imaging", &large), no_promise("imaging")] {
        let error = upload(&store, key, &large).await.unwrap_err();
        assert_eq!(error.code(), "images_full", "{}", told(&error));
        assert!(error.to_string().contains("max-size"), "{error}");
        assert_eq!(messages(&client).await, before);
    }
    assert!(whole(&store, &kept).await.unwrap() == kept);
    let fits = content(3, 2 << 20);
    upload(&store, promise("imaging", &fits), &fits).await.unwrap();
    let larger = log.images(&images_config()).await.unwrap();
    upload(&larger, promise("imaging", &large), &large).await.unwrap();
    assert_eq!(larger.usage().await.unwrap().max, images_config().max_bytes);
}

#[tokio::test]
async fn of_many_uploads_at_once_into_too_little_room_each_is_stored_or_refused() {
    let server = ForeignServer::with_jetstream().await;
    let store = server.log().await.images(&small()).await.unwrap();
    let uploads = (0..8).map(|seed| {
        let store = store.clone();
        tokio::spawn(async move {
            let bytes = content(seed, 2 * CHUNK + 7);
            let outcome = upload(&store, promise("imaging", &bytes), &bytes).await;
            (bytes, outcome)
        })
    });
    let mut kept = 0;
    for task in uploads.collect::<Vec<_>>() {
        let (bytes, outcome) = task.await.unwrap();
        match outcome {
            Ok(_) => {
                assert!(whole(&store, &bytes).await.unwrap() == bytes);
                kept += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), "images_full", "{}", told(&error));
                assert_eq!(code(whole(&store, &bytes).await), "image_unknown");
            }
        }
    }
    assert_eq!(messages(&server.client().await).await, kept * 4);
}
