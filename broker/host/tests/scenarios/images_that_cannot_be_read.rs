//! What a connector says of images, when the contract does not allow it.

use crate::support::Gallery;
use archwire_core::Cursor;
use archwire_host::MemoryImages;

#[tokio::test]
async fn images_of_which_nonsense_is_said_are_set_apart_with_the_reason() {
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery.connector(&images).await;
    let answer = connector
        .poll(Some(&Cursor("unreadable".to_owned())))
        .await
        .unwrap();
    let [good] = &answer.page.images[..] else {
        panic!("{} images", answer.page.images.len())
    };
    assert_eq!(good.local_id.as_str(), "7");
    let set_apart = answer.unreadable_images.iter();
    let set_apart: Vec<_> = set_apart.map(|image| (image.position, image.code)).collect();
    let expected = [
        (0, "local_id_invalid"),
        (1, "record_invalid"),
        (3, "digest_invalid"),
        (4, "uid_invalid"),
        (5, "tooth_invalid"),
        (6, "acquired_at_invalid"),
        (7, "image_too_large"),
        (8, "actor_too_long"),
        (9, "observed_at_invalid"),
    ];
    assert_eq!(set_apart, expected);
    assert!(answer.unreadable_images[0].local_id.is_none() && answer.unreadable_images[0].record.is_some());
    assert!(answer.unreadable_images[1].local_id.is_some() && answer.unreadable_images[1].record.is_none());
    assert!(answer.unreadable.is_empty());
}
