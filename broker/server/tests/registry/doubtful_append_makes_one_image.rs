//! An image of which nobody knows whether it was told is told once, however often its system tries again.

use crate::support::*;
use archwire::registry::ImageTaken;
use archwire_core::ImageObservation;
use tempfile::TempDir;

#[tokio::test]
async fn an_image_in_doubt_is_told_once() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path(), "-1").await;
    let connection = connect(&server).await;
    let registry = hasty(&connection).await;
    let seen = registry.observe(says("desk", "1", ann()), None).await;
    let ann_is = whom(seen.unwrap());
    let said = |bytes: &str| -> ImageObservation { puts("camera", ann_is, photo(ann_is, bytes)) };
    let take = |bytes: &str| registry.take_image(said(bytes));

    server.freeze().await;
    assert_eq!(refused(take("smile").await), "append_outcome_unknown");
    server.signal("-CONT");
    // The first of many tries finds it, and so does whatever else is told of her.
    let again = in_time(async {
        loop {
            match take("smile").await {
                Ok(taken) => return taken,
                Err(error) => assert!(error.is_retryable(), "{}", error.code()),
            }
        }
    })
    .await;
    assert!(
        matches!(again, ImageTaken::Unchanged { .. } | ImageTaken::Recorded { .. }),
        "{again:?}"
    );
    let other = in_time(take("profile")).await.unwrap();
    assert_eq!(other.name(), "recorded");
    let told = image_events(&registry, ann_is).await;
    assert_eq!(told.len(), 2, "one event for each");
    let anew = hasty(&connect(&server).await).await;
    assert_eq!(anew.images_of(ann_is), registry.images_of(ann_is));
}
