//! Images that the office's staff made: read from the A-to-Z folder where it is granted, and not at all where it is not.

use crate::support::{Office, Plan, jordan_at_the_desk, photograph, picture};
use archwire_core::{Digest, ImageView};
use archwire_opendental_simulator::DocumentFields;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// An office whose files lie in a real folder, with Jordan as its patient 1.
async fn open(folder: &Path, granted: bool) -> Office {
    let mut plan = Plan::service();
    plan.options.images_folder = Some(folder.to_owned());
    plan.images_folder = granted.then(|| folder.to_owned());
    let office = plan.open().await;
    assert_eq!(office.desk().create(&jordan_at_the_desk()), 1);
    office
}

fn as_(img_type: &'static str) -> DocumentFields {
    DocumentFields {
        img_type: Some(img_type),
        description: Some(format!("A {img_type}")),
        tooth_numbers: Some("1,2".to_owned()),
        ..DocumentFields::default()
    }
}

/// Everything that is to be had now.
async fn read(office: &Office, cursor: &mut Option<archwire_core::Cursor>) -> Vec<ImageView> {
    let mut images = Vec::new();
    loop {
        let answer = office.connector.poll(cursor.as_ref()).await.unwrap();
        assert_eq!(answer.unreadable_images.len(), 0);
        images.extend(answer.page.images);
        *cursor = Some(answer.page.cursor);
        if !answer.page.more {
            return images;
        }
    }
}

async fn fact(office: &Office) -> String {
    let report = office.connector.check().await.unwrap();
    let found = report.facts.into_iter().find(|(name, _)| name == "documents");
    found.unwrap().1
}

#[tokio::test]
async fn radiographs_and_photographs_are_taken_from_the_granted_folder_once_and_letters_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let office = open(folder.path(), true).await;
    let desk = office.desk();
    desk.scan(1, "PrattJordan1.jpg", picture(200_000), &as_("Radiograph"))
        .unwrap();
    desk.scan(1, "PrattJordan2.pdf", picture(10), &as_("Document"))
        .unwrap();
    desk.scan(1, "PrattJordan3.jpg", picture(500), &as_("Photo"))
        .unwrap();
    let mut cursor = None;
    let images = read(&office, &mut cursor).await;
    let told: Vec<_> = images
        .iter()
        .map(|image| (image.local_id.as_str(), image.record.as_str()))
        .collect();
    assert_eq!(told, [("1", "1"), ("3", "1")]);
    let digest = images[0].digest.unwrap();
    assert_eq!(digest, Digest::of(&picture(200_000)));
    assert_eq!(office.images.get(&digest).unwrap(), picture(200_000));
    assert_eq!(images[0].image.about.view_label, Some("A Radiograph".into()));
    assert_eq!(images[0].image.about.teeth.len(), 2);
    assert!(read(&office, &mut cursor).await.is_empty());
    assert_eq!(fact(&office).await, "images are taken from the A-to-Z folder");

    desk.scan(1, "PrattJordan4.jpg", picture(600), &as_("Photo"))
        .unwrap();
    let images = read(&office, &mut cursor).await;
    assert_eq!(images.len(), 1, "only what is new");
}

#[tokio::test]
async fn what_the_bus_brought_is_not_told_back_and_is_compared_as_a_file_once_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let office = open(folder.path(), true).await;
    let delivery = photograph(&office, picture(5_000));
    let delivered = office.connector.deliver_image(&delivery).await.unwrap();
    let mut cursor = None;
    assert!(read(&office, &mut cursor).await.is_empty());
    office.desk().open_document(1).unwrap();
    assert!(read(&office, &mut cursor).await.is_empty());
    let shown = || async {
        office
            .connector
            .fetch_image(&delivered.local_id, None)
            .await
            .unwrap()
            .unwrap()
            .digest
    };
    assert_eq!(shown().await, Some(delivery.image.file.digest));
    let file = folder.path().join("P/PrattJordan1/PrattJordan1.jpg");
    std::fs::write(&file, b"edited").unwrap();
    // What was changed just now is left alone, because it may not be whole.
    let error = office
        .connector
        .fetch_image(&delivered.local_id, None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "connector_retry");
    let edited = std::fs::File::options().append(true).open(&file).unwrap();
    edited
        .set_modified(SystemTime::now() - Duration::from_secs(60))
        .unwrap();
    assert_eq!(shown().await, Some(Digest::of(b"edited")));
}

#[tokio::test]
async fn without_the_folder_nothing_is_asked_for_and_the_check_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let office = open(folder.path(), false).await;
    office
        .desk()
        .scan(1, "PrattJordan1.jpg", picture(10), &as_("Photo"))
        .unwrap();
    assert!(read(&office, &mut None).await.is_empty());
    assert!(
        fact(&office)
            .await
            .starts_with("the API gives no bytes; grant the A-to-Z folder read-only")
    );
    let shown = office
        .connector
        .fetch_image(&"1".parse().unwrap(), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.digest, None);
}

#[tokio::test]
async fn a_document_that_is_gone_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let office = open(folder.path(), true).await;
    office
        .desk()
        .scan(1, "PrattJordan1.jpg", picture(10), &as_("Photo"))
        .unwrap();
    office.desk().delete_document(1).unwrap();
    assert_eq!(
        office
            .connector
            .fetch_image(&"1".parse().unwrap(), None)
            .await
            .unwrap(),
        None
    );
}
