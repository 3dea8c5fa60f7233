//! An X-ray machine sends to a real archive, and the connector tells whose image it is, with the bytes as they are stored.

use crate::support::{Archive, small_radiograph};
use archwire_core::{Digest, Text};
use archwire_tests::{OrthancPlan, Radiograph, fresh_uid};
use std::time::Duration;

#[tokio::test]
async fn a_radiograph_is_told_with_its_patient_and_its_bytes() {
    for feed in ["changes", "qido"] {
        let archive = Archive::open(feed).await;
        let mut reader = archive.reader();
        assert_eq!(reader.pass().await.1, [], "an empty archive has nothing to tell");
        let radiograph = small_radiograph();
        archive.orthanc.send(&[&radiograph.bytes()]).unwrap();
        let (views, images) = reader.until(1).await;
        assert_eq!((views.len(), images.len()), (1, 1));
        let (view, image) = (&views[0], &images[0]);
        assert_eq!(view.local_id.as_str(), "Imaging Center|XR-1001");
        assert_eq!(image.record, view.local_id);
        assert_eq!(image.local_id.as_str(), radiograph.instance);
        let name = &view.patient.names[0];
        assert_eq!(name.family, Some("Pratt".into()));
        assert_eq!(name.given, [Text::from("Jordan")]);
        let identifier = &view.patient.identifiers[0];
        assert_eq!(identifier.value, "XR-1001".into());
        assert_eq!(identifier.assigner, Some("Imaging Center".into()));
        let stored = archive.only_file().await;
        assert_eq!(image.digest, Some(Digest::of(&stored)));
        assert!(
            archive.images.get(&Digest::of(&stored)).unwrap() == stored,
            "every byte of it"
        );
        assert_eq!(reader.pass().await.1, [], "it is told once");
    }
}

#[tokio::test]
async fn of_a_study_that_grows_only_what_is_new_is_told() {
    for feed in ["changes", "qido"] {
        let archive = Archive::open(feed).await;
        let mut reader = archive.reader();
        let first = small_radiograph();
        archive.orthanc.send(&[&first.bytes()]).unwrap();
        assert_eq!(reader.until(1).await.1[0].local_id.as_str(), first.instance);
        let second = Radiograph {
            instance: fresh_uid(),
            ..first.clone()
        };
        archive.orthanc.send(&[&second.bytes()]).unwrap();
        let (_, images) = reader.until(1).await;
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].local_id.as_str(), second.instance);
    }
}

#[tokio::test]
async fn a_study_is_not_told_before_it_rests() {
    let plan = OrthancPlan {
        stable_after: Duration::from_secs(3_600),
        ..OrthancPlan::default()
    };
    let archive = Archive::open_as(&plan, &[("feed", "changes")]).await;
    let mut reader = archive.reader();
    archive.orthanc.send(&[&small_radiograph().bytes()]).unwrap();
    assert_eq!(archive.orthanc.count().await.unwrap(), 1);
    assert_eq!(reader.pass().await.1, [], "in the first pass");
    archive.orthanc.send(&[&small_radiograph().bytes()]).unwrap();
    assert_eq!(reader.pass().await.1, [], "nor after it");
}

#[tokio::test]
async fn an_archive_that_was_there_before_is_read_whole() {
    for feed in ["changes", "qido"] {
        let archive = Archive::open(feed).await;
        let radiographs: Vec<_> = (0..130)
            .map(|number| {
                let radiograph = small_radiograph();
                Radiograph {
                    patient_id: (format!("P{}", number % 20), String::new()),
                    size: (8, 8),
                    ..radiograph
                }
            })
            .collect();
        let files: Vec<_> = radiographs.iter().map(Radiograph::bytes).collect();
        let files: Vec<_> = files.iter().map(Vec::as_slice).collect();
        archive.orthanc.send(&files).unwrap();
        archive.rests().await;
        let (views, images) = archive.reader().until(130).await;
        let mut told: Vec<_> = images.iter().map(|image| image.local_id.as_str()).collect();
        let mut sent: Vec<_> = radiographs
            .iter()
            .map(|radiograph| &*radiograph.instance)
            .collect();
        told.sort_unstable();
        sent.sort_unstable();
        assert_eq!(told, sent);
        let mut records: Vec<_> = views.iter().map(|view| view.local_id.as_str()).collect();
        records.sort_unstable();
        records.dedup();
        assert_eq!(records.len(), 20);
    }
}

#[tokio::test]
async fn a_compressed_picture_comes_out_compressed() {
    let archive = Archive::open("changes").await;
    let delivery = archive.delivery("image/jpeg", crate::support::jpeg());
    archive.connector.deliver_image(&delivery).await.unwrap();
    // As another machine would have sent it: without the marks by which ours is known.
    let ours = archive.only_file().await;
    let creator = b"LO\x08\0ARCHWIRE";
    let mark = ours
        .windows(creator.len())
        .position(|bytes| bytes == creator)
        .unwrap();
    let mut others = ours.clone();
    others[mark + 4..mark + creator.len()].copy_from_slice(b"SOMEBODY");
    archive.orthanc.clear().await.unwrap();
    archive.orthanc.send(&[&others]).unwrap();
    let (_, images) = archive.reader().until(1).await;
    let stored = archive.only_file().await;
    assert_eq!(images[0].digest, Some(Digest::of(&stored)));
    assert_eq!(images[0].image.content_type.as_deref(), Some("application/dicom"));
    let frame = archive.orthanc.frame(&stored).unwrap();
    assert!(frame.starts_with(&crate::support::jpeg()), "no pixel was touched");
}

#[tokio::test]
async fn numbers_without_an_issuer_and_images_without_a_number_are_told_apart() {
    let archive = Archive::open("changes").await;
    let of = |id: &str, issuer: &str| Radiograph {
        patient_id: (id.to_owned(), issuer.to_owned()),
        ..small_radiograph()
    };
    let nameless = of("", "");
    let radiographs = [of("7", ""), of("7", "A"), nameless.clone()];
    for radiograph in &radiographs {
        archive.orthanc.send(&[&radiograph.bytes()]).unwrap();
    }
    let (views, images) = archive.reader().until(3).await;
    let mut records: Vec<_> = views
        .iter()
        .map(|view| view.local_id.as_str().to_owned())
        .collect();
    records.sort();
    records.dedup();
    assert_eq!(
        records,
        ["A|7".to_owned(), "|7".to_owned(), format!("||{}", nameless.study)]
    );
    for (image, record) in images
        .iter()
        .map(|image| (&image.local_id, image.record.as_str()))
    {
        let radiograph = radiographs
            .iter()
            .find(|radiograph| radiograph.instance == image.as_str())
            .unwrap();
        let expected = match (&*radiograph.patient_id.0, &*radiograph.patient_id.1) {
            ("", _) => format!("||{}", radiograph.study),
            (id, issuer) => format!("{issuer}|{id}"),
        };
        assert_eq!(record, expected);
    }
    for record in &records {
        let view = archive
            .connector
            .fetch(&record.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(view.local_id.as_str(), record);
    }
}

#[tokio::test]
async fn a_file_that_takes_anothers_place_is_told_again() {
    let plan = OrthancPlan {
        overwrites: true,
        ..OrthancPlan::default()
    };
    let archive = Archive::open_as(&plan, &[]).await;
    let mut reader = archive.reader();
    let radiograph = small_radiograph();
    archive.orthanc.send(&[&radiograph.bytes()]).unwrap();
    let before = reader.until(1).await.1[0].digest;
    let other = Radiograph {
        size: (32, 32),
        ..radiograph
    };
    archive.orthanc.send(&[&other.bytes()]).unwrap();
    let (_, images) = reader.until(1).await;
    assert_ne!(images[0].digest, before);
    assert_eq!(images[0].digest, Some(Digest::of(&archive.only_file().await)));
}
