//! Uploads of the same bytes at the same time: nothing is mixed, and one copy remains.

use super::*;
use crate::proxy::Proxy;

#[tokio::test]
async fn a_second_upload_of_the_same_key_ends_the_first() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    for size in [100, 6 * CHUNK] {
        let bytes = content(size as u64, size);
        let key = promise("imaging", &bytes);
        let mut first = store.upload(key.clone()).await.unwrap();
        let mut idle = store.upload(key.clone()).await.unwrap();
        assert_eq!(
            code(first.write(bytes.slice(..10)).await),
            "image_upload_replaced"
        );
        idle.write(bytes.slice(..10)).await.unwrap();
        let last = store.upload(key.clone()).await.unwrap();
        assert_eq!(code(idle.finish().await), "image_upload_replaced");
        drop(last);
        upload(&store, key, &bytes).await.unwrap();
        assert!(whole(&store, &bytes).await.unwrap() == bytes);
    }
}

#[tokio::test]
async fn an_upload_through_another_broker_ends_the_first_as_well() {
    let server = ForeignServer::with_jetstream().await;
    let (one, other) = (
        images(&server.log().await).await,
        images(&server.log().await).await,
    );
    let bytes = content(1, 8 * CHUNK);
    let key = promise("imaging", &bytes);
    let mut first = one.upload(key.clone()).await.unwrap();
    first.write(bytes.slice(..3 * CHUNK)).await.unwrap();
    let mut second = other.upload(key).await.unwrap();
    // Its chunks are refused one by one; it notices when it waits for one of them.
    let refused = match first.write(bytes.slice(3 * CHUNK..)).await {
        Ok(()) => first.finish().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert_eq!(code(refused), "image_upload_replaced");
    let offset = usize::try_from(second.offset()).unwrap();
    second.write(bytes.slice(offset..)).await.unwrap();
    second.finish().await.unwrap();
    assert!(whole(&one, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn bytes_of_an_upload_that_was_replaced_do_no_harm_when_they_arrive_late() {
    let server = ForeignServer::with_jetstream().await;
    let proxy = Proxy::before(&server.url).await;
    let slow = images(&server.log_at(&proxy.url).await).await;
    let fast = images(&server.log().await).await;
    let bytes = content(1, 4 * CHUNK);
    let key = promise("imaging", &bytes);
    let mut late = slow.upload(key.clone()).await.unwrap();
    proxy.hold();
    late.write(bytes.slice(..3 * CHUNK)).await.unwrap();
    proxy.until_held().await;
    let stored = upload(&fast, key, &bytes).await.unwrap();
    assert!(stored.is_new);
    proxy.let_go();
    let refused = match late.write(bytes.slice(3 * CHUNK..)).await {
        Ok(()) => late.finish().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert_eq!(code(refused), "image_upload_replaced");
    assert!(whole(&fast, &bytes).await.unwrap() == bytes);
    assert_eq!(messages(&server.client().await).await, 5);
}

#[tokio::test]
async fn of_many_uploads_of_the_same_bytes_one_copy_remains() {
    let server = ForeignServer::with_jetstream().await;
    let (one, other) = (
        images(&server.log().await).await,
        images(&server.log().await).await,
    );
    for size in [100, 4 * CHUNK + 3] {
        let bytes = content(size as u64, size);
        let before = messages(&server.client().await).await;
        let uploads = (0..12).map(|rival| {
            let (store, bytes) = ([&one, &other][rival % 2].clone(), bytes.clone());
            tokio::spawn(async move {
                let key = match rival {
                    0..4 => no_promise("imaging"),
                    _ => promise(&format!("system-{rival}"), &bytes),
                };
                upload(&store, key, &bytes).await.unwrap().is_new
            })
        });
        let mut new = 0;
        for task in uploads.collect::<Vec<_>>() {
            new += u32::from(task.await.unwrap());
        }
        assert_eq!(new, 1);
        assert!(whole(&one, &bytes).await.unwrap() == bytes);
        let copy = size.div_ceil(CHUNK) + 1;
        assert_eq!(messages(&server.client().await).await, before + copy);
    }
}
