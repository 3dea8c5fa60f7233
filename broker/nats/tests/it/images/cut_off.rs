//! An upload that is cut off is not to be seen, and can be gone on with.

use super::*;

/// Writes `length` bytes from where the upload is.
async fn write_some(store: &ImageStore, key: &UploadKey, bytes: &Bytes, length: usize) {
    let mut upload = store.upload(key.clone()).await.unwrap();
    let begin = usize::try_from(upload.offset()).unwrap();
    upload.write(bytes.slice(begin..begin + length)).await.unwrap();
}

/// Waits until the server has stored so many bytes of an upload that nobody is at work on any more.
async fn until_stored(store: &ImageStore, key: &UploadKey, bytes: u64) {
    until_done(async || match store.offset(key).await {
        Ok(offset) if offset == bytes => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_cut_off() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 10 * CHUNK + 1);
    let key = promise("imaging", &bytes);
    assert_eq!(store.offset(&key).await.unwrap(), 0);
    write_some(&store, &key, &bytes, 3 * CHUNK + 10).await;
    until_stored(&store, &key, 3 * CHUNK as u64).await;
    assert_eq!(store.contains(&Digest::of(&bytes)).await.unwrap(), None);
    assert_eq!(code(whole(&store, &bytes).await), "image_unknown");
    // What waits for more when the upload is dropped is lost, even if it would fill a chunk.
    write_some(&store, &key, &bytes, 4 * CHUNK).await;
    until_stored(&store, &key, 6 * CHUNK as u64).await;
    let stored = upload(&store, key, &bytes).await.unwrap();
    assert!(stored.is_new);
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn an_upload_goes_on_after_the_broker_and_its_server_were_started_again() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 6 * CHUNK + 1);
    let key = promise("imaging", &bytes);
    write_some(&store, &key, &bytes, 4 * CHUNK + 10).await;
    until_stored(&store, &key, 4 * CHUNK as u64).await;
    drop(store);
    let office = office.start_again().await;
    let store = images(&office.log).await;
    let begun = store.upload(key.clone()).await.unwrap();
    assert_eq!(begun.offset(), 4 * CHUNK as u64);
    drop(begun);
    upload(&store, key, &bytes).await.unwrap();
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_server_that_is_killed_in_the_middle_ends_the_upload_with_an_error_and_it_goes_on_then() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 40 * CHUNK);
    let key = promise("imaging", &bytes);
    let (mut cut_off, mut before) = (0, 0);
    for _ in 0..4 {
        let mut upload = store.upload(key.clone()).await.unwrap();
        let begin = usize::try_from(upload.offset()).unwrap();
        assert!(begin >= before, "what was there is there");
        before = begin;
        for _ in 0..3 {
            let next = usize::try_from(upload.offset()).unwrap();
            upload.write(bytes.slice(next..next + CHUNK)).await.unwrap();
        }
        kill_9(office.supervisor.pid().unwrap());
        let next = usize::try_from(upload.offset()).unwrap();
        match upload.write(bytes.slice(next..next + 8 * CHUNK)).await {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error.code(), "images_unavailable", "{}", told(&error));
                assert_eq!(code(upload.write(bytes.slice(..1)).await), "images_unavailable");
                cut_off += 1;
            }
        }
        until_done(async || store.usage().await.map_err(|error| told(&error))).await;
    }
    assert!(cut_off > 0);
    assert_eq!(store.contains(&Digest::of(&bytes)).await.unwrap(), None);
    upload(&store, key, &bytes).await.unwrap();
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_server_that_is_away_for_good_is_a_clear_error() {
    let server = ForeignServer::with_jetstream().await;
    let config = archwire_nats::LogConfig {
        append_timeout: std::time::Duration::from_millis(300),
        ..log_config()
    };
    let connection = server.connect(&server.url).await;
    let log = Log::open(&connection, &practice(), &config).await.unwrap();
    let store = images(&log).await;
    let bytes = content(1, 8 * CHUNK);
    let mut upload = store.upload(promise("imaging", &bytes)).await.unwrap();
    drop(server);
    assert_eq!(code(upload.write(bytes).await), "images_unavailable");
    assert_eq!(code(upload.finish().await), "images_unavailable");
}

#[tokio::test]
async fn an_upload_whose_last_step_was_missing_needs_only_that() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 2 * CHUNK);
    let key = promise("imaging", &bytes);
    // The last chunk is sent when another byte comes: one that is one too many.
    let mut whole_but_unnamed = store.upload(key.clone()).await.unwrap();
    whole_but_unnamed.write(bytes.clone()).await.unwrap();
    let finishing = whole_but_unnamed.finish();
    // Given up at its first wait, with the last chunk on its way.
    let given_up = tokio::time::timeout(std::time::Duration::ZERO, finishing).await;
    assert!(given_up.is_err());
    until_stored(&store, &key, 2 * CHUNK as u64).await;
    let again = store.upload(key).await.unwrap();
    assert_eq!(again.offset(), bytes.len() as u64);
    again.finish().await.unwrap();
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn what_is_stored_of_an_upload_and_is_not_what_was_put_there_is_sent_again() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let client = server.client().await;
    let bytes = content(1, 5 * CHUNK);
    let key = promise("imaging", &bytes);
    for spoil in ["the first one goes", "one is altered", "one is foreign"] {
        write_some(&store, &key, &bytes, 3 * CHUNK + 1).await;
        until_stored(&store, &key, 3 * CHUNK as u64).await;
        damaged::spoil(&client, spoil).await;
        let again = store.upload(key.clone()).await.unwrap();
        assert_eq!(again.offset(), 0, "{spoil}");
        again.abandon().await.unwrap();
    }
    upload(&store, key, &bytes).await.unwrap();
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn uploads_that_cannot_be_gone_on_with_leave_nothing_when_they_break_off() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    // Together more than the store takes.
    for number in 0..8 {
        let mut upload = store.upload(no_promise("archive")).await.unwrap();
        upload.write(content(number, 20 * CHUNK)).await.unwrap();
        drop(upload);
        let client = server.client().await;
        until_done(async || match messages(&client).await {
            0 => Ok(()),
            left => Err(format!("{left} messages stay")),
        })
        .await;
    }
    let bytes = content(99, 20 * CHUNK);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    let stored = upload(&store, no_promise("archive"), &content(5, CHUNK))
        .await
        .unwrap();
    assert!(stored.is_new);
    assert!(
        whole(&store, &content(5, CHUNK)).await.is_ok(),
        "what was finished stays"
    );
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
}
