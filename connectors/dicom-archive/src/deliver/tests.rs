//! Bringing an image to an archive, against one that is played.

use super::*;
use crate::config::Config;
use crate::host::double::Double;
use archwire_connector::http::Error;
use archwire_connector::{Identifier, Image, Patient};

const FOUND: &str = "GET /qido/instances?";
const KNOWN: &str = "GET /qido/studies?";
const STORE: &str = "POST /stow/studies";

/// A PDF that the bus delivers. The double's digests are sizes.
fn delivery(host: &Double) -> ImageDelivery {
    let bytes = b"%PDF-1.7".to_vec();
    let image = Image {
        study_uid: Some("1.2".into()),
        series_uid: Some("1.2.1".into()),
        instance_uid: Some("1.2.1.1".into()),
        size: 8,
        sha256: Some("8".into()),
        ..Image::default()
    };
    host.images.borrow_mut().insert("8".into(), bytes);
    ImageDelivery {
        event_id: "e".into(),
        patient_id: "p".into(),
        image_id: "p/1".into(),
        revision: 1,
        image,
        retracted: false,
        record: None,
        local_id: None,
        patient: person::person("Doe^Ann", "20120304"),
        in_doubt_since_ms: None,
    }
}

fn refused(host: &Double, delivery: &ImageDelivery) -> Disposition {
    let config = Config::for_tests();
    deliver(&Archive::new(host, &config), delivery).err().unwrap()
}

fn empty() -> Double {
    let host = Double::default();
    host.answer(FOUND, 204, "");
    host.answer(KNOWN, 200, "[]");
    host
}

#[test]
fn an_answer_that_is_lost_leaves_a_doubt() {
    let host = empty();
    let delivery = delivery(&host);
    for error in [Error::Closed, Error::TimedOut] {
        host.fail(STORE, error);
        let told = refused(&host, &delivery);
        assert!(matches!(&told, Disposition::Retry(_)));
        assert_eq!(told.reason().code, "stored-or-not");
    }
    host.fail(STORE, Error::Unreachable);
    assert!(matches!(refused(&host, &delivery), Disposition::Unavailable(_)));
}

#[test]
fn nothing_is_sent_when_the_archive_cannot_say_whether_it_has_the_image() {
    let host = empty();
    let mut delivery = delivery(&host);
    delivery.record = Some("B|8".into());
    host.answer(FOUND, 500, "");
    assert!(matches!(refused(&host, &delivery), Disposition::Retry(_)));
    host.answer(FOUND, 204, "");
    host.answer(KNOWN, 500, "");
    assert!(matches!(refused(&host, &delivery), Disposition::Retry(_)));
    assert_eq!(host.asked(STORE), 0);
}

#[test]
fn what_the_archive_says_of_a_file_decides_what_follows() {
    let host = empty();
    let delivery = delivery(&host);
    let failed = |code: u32| format!(r#"{{"00081198":{{"Value":[{{"00081197":{{"Value":[{code}]}}}}]}}}}"#);
    for (status, body, code) in [
        (409, failed(0xA700), "archive-full"),
        (409, failed(0x0122), "sop-class-not-supported"),
        (503, String::new(), "system-failed"),
        (401, String::new(), "credentials-refused"),
    ] {
        host.answer(STORE, status, &body);
        assert_eq!(refused(&host, &delivery).reason().code, code);
    }
}

#[test]
fn machines_numbers_are_used_for_whom_the_archive_has_not_seen() {
    let host = empty();
    host.answer(STORE, 200, "{}");
    let mut delivery = delivery(&host);
    let config = Config {
        numbers: Some(crate::config::Numbers {
            namespace: "urn:chart".into(),
            issuer: String::new(),
        }),
        ..Config::for_tests()
    };
    let under = |delivery: &ImageDelivery| {
        let delivered = deliver(&Archive::new(&host, &config), delivery).ok().unwrap();
        delivered.record.unwrap()
    };
    assert_eq!(under(&delivery), "ARCHWIRE|p");
    delivery.patient.identifiers.push(Identifier {
        system: "urn:chart".into(),
        value: "C7".into(),
        ..Identifier::default()
    });
    assert_eq!(under(&delivery), "|C7");
    delivery.record = Some("B|8".into());
    assert_eq!(under(&delivery), "B|8");
    // A study without a number is no number to put something else under.
    delivery.record = Some("||1.2.3".into());
    assert_eq!(under(&delivery), "|C7");
}

#[test]
fn a_delivery_without_what_it_needs_is_refused() {
    let host = empty();
    let complete = delivery(&host);
    for take in [0, 1, 2] {
        let mut delivery = complete.clone();
        match take {
            0 => delivery.image.sha256 = None,
            1 => delivery.image.instance_uid = None,
            _ => delivery.image.study_uid = Some("1..2".into()),
        }
        assert_eq!(refused(&host, &delivery).reason().code, "delivery-incomplete");
    }
    let nobody = ImageDelivery {
        patient: Patient::default(),
        ..complete
    };
    host.answer(STORE, 200, "{}");
    assert!(deliver(&Archive::new(&host, &Config::for_tests()), &nobody).is_ok());
}

#[test]
fn a_file_whose_patient_cannot_be_read_here_is_not_sent() {
    let host = empty();
    host.answer(STORE, 200, "{}");
    let delivery = delivery(&host);
    let mut big_endian = vec![0; 128];
    big_endian.extend(b"DICM\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.2\0");
    big_endian.extend(b"\0\x10\0\x20LO\0\x02P1");
    let mut cyrillic = vec![0; 128];
    cyrillic.extend(b"DICM\x08\0\x05\0CS\x0a\0ISO_IR 144\x10\0\x20\0LO\x02\0\xC4\xC4");
    for file in [big_endian, cyrillic] {
        host.images.borrow_mut().insert("8".into(), file);
        let told = refused(&host, &delivery);
        assert!(matches!(&told, Disposition::Rejected(_)));
        assert_eq!(told.reason().code, "patient-id-unreadable");
    }
    assert_eq!(host.asked(STORE), 0);
}

/// A PDF in a DICOM file as this connector makes one, of which so much is missing at the end.
fn cut_short(by: usize) -> Vec<u8> {
    let uid = |text| Uid::parse(text).unwrap();
    let payload = b"%PDF-1.7";
    let image = Image {
        size: 8,
        ..Image::default()
    };
    let subject = Subject {
        study: &uid("1.2"),
        series: &uid("1.2.1"),
        instance: &uid("1.2.1.1"),
        patient_id: "P1",
        issuer: "",
        patient: &person::person("Doe^Ann", "20120304"),
        image: &image,
        sha256: &"0".repeat(64),
    };
    let content = look(payload, 8).ok().unwrap();
    let wrapping = encapsulate::around(content, &subject).unwrap();
    let mut file = [wrapping.head, payload.to_vec(), wrapping.tail].concat();
    file.truncate(file.len() - by);
    file
}

#[test]
fn a_file_within_that_is_not_what_was_put_in_is_none() {
    let host = empty();
    let delivery = delivery(&host);
    let row =
        r#"[{"0020000D":{"Value":["1.2"]},"0020000E":{"Value":["1.2.1"]},"00080018":{"Value":["1.2.1.1"]}}]"#;
    host.answer(FOUND, 200, row);
    for by in [0, 3] {
        host.file("GET /wado/", &cut_short(by));
        let told = refused(&host, &delivery);
        assert!(matches!(&told, Disposition::Retry(_)));
        assert_eq!(told.reason().code, "archive-broke-off", "{by} bytes are missing");
    }
    assert_eq!(host.asked(STORE), 0);
}
