//! A real archive whose disk is full says so by storing nothing, and takes the image when there is room again.

use crate::support::{Archive, jordan, jpeg, refusal, small_radiograph, told};
use archwire_core::{DeliveryAction, Digest};
use archwire_tests::Radiograph;

/// Its index has room in a file of that size, and the radiograph of 12.5 MB has not.
const ROOM: u64 = 8 * 1024 * 1024;

#[tokio::test]
async fn an_archive_without_room_is_tried_again_and_takes_it_once_there_is() {
    let archive = Archive::open("changes").await;
    let radiograph = Radiograph {
        size: (2_500, 2_500),
        ..small_radiograph()
    };
    let delivery = archive.radiograph(&radiograph, jordan());
    archive.orthanc.fills_up(ROOM).unwrap();
    for _ in 0..2 {
        let answer = refusal(archive.connector.deliver_image(&delivery).await);
        assert_eq!(told(&answer), ("retry", "archive-stored-nothing"));
        assert_eq!(
            archive.orthanc.count().await.unwrap(),
            0,
            "nothing is half stored"
        );
        let uid = delivery.image.uids.instance.as_str().parse().unwrap();
        assert_eq!(archive.connector.fetch_image(&uid, None).await.unwrap(), None);
    }
    // What is small enough still goes in.
    let small = archive.delivery("image/jpeg", jpeg());
    archive.connector.deliver_image(&small).await.unwrap();
    archive.orthanc.has_room().unwrap();
    let delivered = archive.connector.deliver_image(&delivery).await.unwrap();
    assert_eq!(delivered.action, DeliveryAction::Created);
    let stored = archive
        .orthanc
        .file(delivered.local_id.as_str())
        .await
        .unwrap()
        .unwrap();
    assert!(stored == radiograph.bytes(), "every byte of it");
    let (_, images) = archive.reader().until(2).await;
    let digests = images.iter().map(|image| image.digest);
    assert!(
        digests
            .into_iter()
            .any(|digest| digest == Some(Digest::of(&stored)))
    );
}
