//! Photographs, documents and surfaces go into a real archive inside DICOM files that others can read, and come out as they were.

use crate::support::{Archive, jordan, jpeg, pdf, refusal, stl, told};
use archwire_core::{Code, DeliveryAction, Digest, PartialDate};
use archwire_tests::Radiograph;

#[tokio::test]
async fn others_read_the_patient_and_the_picture() {
    let archive = Archive::open("changes").await;
    let mut delivery = archive.delivery("image/jpeg", jpeg());
    delivery.image.about.views = vec![Code {
        scheme: "99ADA1100".to_owned(),
        value: "EV19".to_owned(),
        meaning: Some("Extraoral, full face, full smile".into()),
    }];
    let delivered = archive.connector.deliver_image(&delivery).await.unwrap();
    assert_eq!(delivered.action, DeliveryAction::Created);
    let stored = archive.only_file().await;
    let dump = archive.orthanc.dump(&stored).unwrap();
    for line in [
        "(0008,0016) UI =VLPhotographicImageStorage",
        "(0010,0010) PN [Pratt^Jordan^K]",
        "(0010,0030) DA [19900201]",
        "(0010,0040) CS [F]",
        "(0028,0010) US 24",
        "(0028,0011) US 32",
        "(0008,0100) SH [EV19]",
    ] {
        assert!(dump.contains(line), "{line} is not in {dump}");
    }
    let id = format!("(0010,0020) LO [{}]", delivery.patient_id);
    assert!(
        dump.contains(&id) && dump.contains("(0010,0021) LO [ARCHWIRE]"),
        "{dump}"
    );
    let frame = archive.orthanc.frame(&stored).unwrap();
    assert_eq!(frame.len(), jpeg().len().next_multiple_of(2));
    assert!(
        frame.starts_with(&jpeg()),
        "the picture is the JPEG, byte for byte"
    );
}

#[tokio::test]
async fn what_went_in_comes_out_as_it_was() {
    let archive = Archive::open("changes").await;
    let mut reader = archive.reader();
    for (content_type, bytes) in [
        ("image/jpeg", jpeg()),
        ("application/pdf", pdf()),
        ("model/stl", stl()),
        // One byte more, so that one of two is padded.
        ("image/jpeg", [jpeg(), vec![0x0A]].concat()),
        ("application/pdf", [pdf(), vec![0x0A]].concat()),
    ] {
        let delivery = archive.delivery(content_type, bytes.clone());
        let delivered = archive.connector.deliver_image(&delivery).await.unwrap();
        let shown = archive
            .connector
            .fetch_image(&delivered.local_id, delivered.record.as_ref())
            .await;
        assert_eq!(
            shown.unwrap().unwrap().digest,
            Some(Digest::of(&bytes)),
            "{content_type}"
        );
        let (_, images) = reader.until(1).await;
        assert_eq!(images[0].digest, Some(Digest::of(&bytes)));
        assert_eq!(images[0].image.content_type.as_deref(), Some(content_type));
        assert_eq!(
            images[0].image.instance.as_ref(),
            Some(&delivery.image.uids.instance)
        );
    }
    for file in archive.orthanc.files().await.unwrap() {
        archive.orthanc.dump(&file).unwrap();
    }
}

#[tokio::test]
async fn others_read_the_documents() {
    let archive = Archive::open("changes").await;
    for (content_type, class, bytes, shown) in [
        ("application/pdf", "EncapsulatedPDFStorage", pdf(), PDF_IN_BASE64),
        ("model/stl", "1.2.840.10008.5.1.4.1.1.104.3", stl(), STL_IN_BASE64),
    ] {
        archive.orthanc.clear().await.unwrap();
        let delivery = archive.delivery(content_type, bytes);
        archive.connector.deliver_image(&delivery).await.unwrap();
        let stored = archive.only_file().await;
        let dump = archive.orthanc.dump(&stored).unwrap();
        assert!(
            dump.contains(class) || dump.contains("EncapsulatedSTLStorage"),
            "{dump}"
        );
        assert!(dump.contains(content_type), "{dump}");
        assert!(archive.orthanc.document(&stored).unwrap().starts_with(shown));
    }
}

/// The beginnings of the documents.
const PDF_IN_BASE64: &str = "JVBERi0xLjQK";
const STL_IN_BASE64: &str = "AAAAAAAAAAAAAAAA";

#[tokio::test]
async fn a_patient_whom_the_archive_knows_keeps_the_number() {
    let archive = Archive::open("changes").await;
    archive
        .orthanc
        .send(&[&crate::support::small_radiograph().bytes()])
        .unwrap();
    let mut delivery = archive.delivery("image/jpeg", jpeg());
    delivery.record = Some("Imaging Center|XR-1001".parse().unwrap());
    let delivered = archive.connector.deliver_image(&delivery).await.unwrap();
    assert_eq!(delivered.record, delivery.record);
    let records = archive.connector.survey(None).await.unwrap();
    assert_eq!(records.entries.len(), 1, "one patient, two studies");
    // Whoever the bus says it is may have another name by now.
    let mut delivery = archive.delivery("application/pdf", pdf());
    delivery.record = Some("Imaging Center|XR-1001".parse().unwrap());
    delivery.patient.names[0].family = Some("Roe".into());
    archive.connector.deliver_image(&delivery).await.unwrap();
    // The number was given to somebody else meanwhile.
    let mut delivery = archive.delivery("model/stl", stl());
    delivery.record = Some("Imaging Center|XR-1001".parse().unwrap());
    delivery.patient.birth_date = Some(PartialDate::parse("2001-12-24").unwrap());
    let answer = archive.connector.deliver_image(&delivery).await;
    assert_eq!(told(&refusal(answer)), ("rejected", "patient-id-of-another"));
}

#[tokio::test]
async fn a_number_of_somebody_who_only_looks_alike_waits_for_the_bus() {
    let archive = Archive::open("changes").await;
    let known = crate::support::small_radiograph();
    archive.orthanc.send(&[&known.bytes()]).unwrap();
    let capitals = Radiograph {
        name: known.name.to_uppercase(),
        ..crate::support::small_radiograph()
    };
    let alike = Radiograph {
        name: "Pratt^J".to_owned(),
        ..crate::support::small_radiograph()
    };
    let same = archive.radiograph(&capitals, jordan());
    archive.connector.deliver_image(&same).await.unwrap();
    let mut alike = archive.radiograph(&alike, jordan());
    let answer = archive.connector.deliver_image(&alike).await;
    assert_eq!(told(&refusal(answer)), ("retry", "patient-not-linked"));
    assert_eq!(archive.orthanc.count().await.unwrap(), 2, "nothing was sent");
    alike.record = Some("Imaging Center|XR-1001".parse().unwrap());
    archive.connector.deliver_image(&alike).await.unwrap();
}

#[tokio::test]
async fn what_dicom_has_no_form_for_is_refused() {
    let archive = Archive::open("changes").await;
    let png = b"\x89PNG\r\n\x1a\n0000".to_vec();
    let mut progressive = jpeg();
    let frame = progressive
        .windows(2)
        .position(|bytes| bytes == [0xFF, 0xC0])
        .unwrap();
    progressive[frame + 1] = 0xC2;
    for bytes in [png, progressive, b"solid\nfacet".to_vec(), jpeg()[..20].to_vec()] {
        let mut delivery = archive.delivery("image/jpeg", bytes);
        delivery.patient = jordan();
        let answer = archive.connector.deliver_image(&delivery).await;
        assert_eq!(told(&refusal(answer)), ("rejected", "no-dicom-form"));
    }
    assert_eq!(archive.orthanc.count().await.unwrap(), 0);
}
