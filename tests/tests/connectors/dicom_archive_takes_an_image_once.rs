//! Images go into a real archive as they are, once, and never under the number of somebody else.

use crate::support::{Archive, jordan, refusal, small_radiograph, told};
use archwire_core::{DeliveryAction, Digest};
use archwire_tests::Radiograph;
use std::time::SystemTime;

#[tokio::test]
async fn a_radiograph_is_stored_byte_for_byte() {
    let archive = Archive::open("changes").await;
    let radiograph = small_radiograph();
    let delivery = archive.radiograph(&radiograph, jordan());
    let delivered = archive.connector.deliver_image(&delivery).await.unwrap();
    assert_eq!(delivered.action, DeliveryAction::Created);
    assert_eq!(delivered.local_id.as_str(), radiograph.instance);
    assert_eq!(delivered.record.unwrap().as_str(), "Imaging Center|XR-1001");
    let stored = archive.only_file().await;
    assert!(stored == radiograph.bytes(), "no byte of it was changed");
    let dump = archive.orthanc.dump(&stored).unwrap();
    assert!(dump.contains("(0010,0020) LO [XR-1001]"), "{dump}");
    let shown = archive
        .connector
        .fetch_image(&delivered.local_id, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.digest, Some(delivery.image.file.digest));
}

#[tokio::test]
async fn an_image_that_comes_twice_is_there_once() {
    let archive = Archive::open("changes").await;
    for mut delivery in [
        archive.radiograph(&small_radiograph(), jordan()),
        archive.delivery("image/jpeg", crate::support::jpeg()),
    ] {
        archive.orthanc.clear().await.unwrap();
        let first = archive.connector.deliver_image(&delivery).await.unwrap();
        delivery.in_doubt_since = Some(SystemTime::now());
        let again = archive.connector.deliver_image(&delivery).await.unwrap();
        assert_eq!(
            (first.action, again.action),
            (DeliveryAction::Created, DeliveryAction::Unchanged)
        );
        assert_eq!((first.local_id, first.record), (again.local_id, again.record));
        assert_eq!(archive.orthanc.count().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn another_file_under_the_same_identifier_is_refused() {
    let archive = Archive::open("changes").await;
    let radiograph = small_radiograph();
    archive.orthanc.send(&[&radiograph.bytes()]).unwrap();
    let other = Radiograph {
        size: (32, 32),
        ..radiograph
    };
    let answer = archive
        .connector
        .deliver_image(&archive.radiograph(&other, jordan()))
        .await;
    assert_eq!(told(&refusal(answer)), ("rejected", "archive-has-another"));
    assert_eq!(archive.orthanc.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_number_that_is_somebody_elses_in_the_archive_is_refused() {
    let archive = Archive::open("changes").await;
    let somebody = Radiograph {
        name: "Roe^Robin".to_owned(),
        birth_date: "20011224".to_owned(),
        ..small_radiograph()
    };
    archive.orthanc.send(&[&somebody.bytes()]).unwrap();
    let answer = archive
        .connector
        .deliver_image(&archive.radiograph(&small_radiograph(), jordan()))
        .await;
    assert_eq!(told(&refusal(answer)), ("rejected", "patient-id-of-another"));
    assert_eq!(archive.orthanc.count().await.unwrap(), 1, "nothing was sent");
    // The archive files by the number alone, whoever issued it.
    let elsewhere = Radiograph {
        patient_id: ("XR-1001".to_owned(), "Elsewhere".to_owned()),
        ..small_radiograph()
    };
    let answer = archive
        .connector
        .deliver_image(&archive.radiograph(&elsewhere, jordan()))
        .await;
    assert_eq!(told(&refusal(answer)), ("rejected", "patient-id-of-another"));
    assert_eq!(archive.orthanc.count().await.unwrap(), 1, "nothing was sent");
    let another = Radiograph {
        patient_id: ("XR-1002".to_owned(), "Elsewhere".to_owned()),
        ..small_radiograph()
    };
    archive
        .connector
        .deliver_image(&archive.radiograph(&another, jordan()))
        .await
        .unwrap();
    assert_eq!(archive.orthanc.count().await.unwrap(), 2);
}

#[tokio::test]
async fn a_retracted_image_is_not_the_buss_to_remove() {
    let archive = Archive::open("changes").await;
    let mut delivery = archive.radiograph(&small_radiograph(), jordan());
    archive.connector.deliver_image(&delivery).await.unwrap();
    delivery.retracted = true;
    let answer = archive.connector.deliver_image(&delivery).await;
    assert_eq!(told(&refusal(answer)), ("rejected", "archive-keeps-images"));
    assert_eq!(archive.orthanc.count().await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_delivered_is_told_by_the_archive_with_the_same_bytes() {
    for feed in ["changes", "qido"] {
        let archive = Archive::open(feed).await;
        let mut reader = archive.reader();
        reader.pass().await;
        let delivery = archive.radiograph(&small_radiograph(), jordan());
        let delivered = archive.connector.deliver_image(&delivery).await.unwrap();
        let (_, images) = reader.until(1).await;
        assert_eq!(images[0].digest, Some(delivery.image.file.digest));
        assert_eq!(images[0].local_id, delivered.local_id);
        assert_eq!(Some(&images[0].record), delivered.record.as_ref());
    }
}

#[tokio::test]
async fn a_large_file_passes_through_a_small_memory() {
    let archive = Archive::open("changes").await;
    let radiograph = Radiograph {
        // 250 MB; the sandbox has 64 MiB.
        size: (12_000, 10_417),
        ..small_radiograph()
    };
    let delivery = archive.radiograph(&radiograph, jordan());
    archive.connector.deliver_image(&delivery).await.unwrap();
    assert_eq!(Digest::of(&archive.only_file().await), delivery.image.file.digest);
    let (_, images) = archive.reader().until(1).await;
    assert_eq!(images[0].digest, Some(delivery.image.file.digest));
}
