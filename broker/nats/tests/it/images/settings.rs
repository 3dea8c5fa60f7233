//! A store that promises less than this one does is refused, and so is a server that does not take a chunk.

use super::*;
use archwire_nats::OpenError;
use async_nats::jetstream::object_store;

#[tokio::test]
async fn a_bucket_that_somebody_else_made_is_refused_with_what_is_weaker() {
    let server = ForeignServer::with_jetstream().await;
    let theirs = object_store::Config {
        bucket: BUCKET.to_owned(),
        max_age: std::time::Duration::from_secs(3600),
        max_bytes: 1 << 20,
        ..object_store::Config::default()
    };
    server.client().await.create_object_store(theirs).await.unwrap();
    let error = server.log().await.images(&images_config()).await.err().unwrap();
    let OpenError::Weaker { stream, differences } = &error else {
        panic!("{}", told(&error))
    };
    let settings: Vec<&str> = differences.iter().map(|difference| difference.setting).collect();
    assert_eq!(
        (stream.as_str(), settings),
        (STREAM, vec!["max_age", "deny_delete"])
    );
}

#[tokio::test]
async fn a_server_that_takes_only_small_messages_is_refused() {
    let lines = "max_payload: 262144\njetstream {\n  store_dir: \"STORE\"\n  max_file_store: 1073741824\n}";
    let server = ForeignServer::start(lines).await;
    let error = server.log().await.images(&images_config()).await.err().unwrap();
    assert!(told(&error).contains("max_payload"), "{}", told(&error));
}

#[tokio::test]
async fn a_store_that_is_open_opens_again_and_one_that_does_not_fit_the_server_is_refused() {
    let server = ForeignServer::with_jetstream().await;
    let log = server.log().await;
    images(&log).await;
    let again = images(&log).await;
    assert_eq!(again.usage().await.unwrap().images, 0);
    let large = ImageStoreConfig {
        max_bytes: ByteSize::gibibytes(200),
        ..images_config()
    };
    let error = log.images(&large).await.err().unwrap();
    assert!(matches!(error, OpenError::NoRoom { .. }), "{}", told(&error));
}
