//! What is taken away, and what is left to a person, against an archive that is played. What really goes is seen with a real one.

use super::*;
use crate::config::Config;
use crate::deliver::deliver;
use crate::encapsulate;
use crate::host::double::Double;
use archwire_connector::http::Error;
use archwire_connector::{Image, Patient};

const FORMER: &str = "GET /qido/instances?limit=100&offset=0&includefield=00100021&SOPInstanceUID=1.2.1.9";
const ITSELF: &str = "GET /qido/instances?limit=100&offset=0&includefield=00100021&SOPInstanceUID=1.2.1.1";
const LOOKUP: &str = "POST /tools/lookup";
const FILE: &str = "GET /instances/";
const REMOVE: &str = "DELETE /instances/";
const DIGEST: &str = "abababababababababababababababababababababababababababababababab";
const ID: &str = "1b2c3d4e-1b2c3d4e-1b2c3d4e-1b2c3d4e-1b2c3d4e";

/// An image whose identifiers are others since it is another patient's. The double's digests are sizes.
fn moved(host: &Double) -> ImageDelivery {
    host.images.borrow_mut().insert("8".into(), b"%PDF-1.7".to_vec());
    ImageDelivery {
        event_id: "e".into(),
        patient_id: "p".into(),
        image_id: "p/1".into(),
        revision: 1,
        image: Image {
            study_uid: Some("1.2".into()),
            series_uid: Some("1.2.1".into()),
            instance_uid: Some("1.2.1.1".into()),
            size: 8,
            sha256: Some("8".into()),
            ..Image::default()
        },
        retracted: false,
        record: None,
        local_id: Some("1.2.1.9".into()),
        patient: Patient::default(),
        in_doubt_since_ms: None,
    }
}

/// An archive that takes what it is sent and has the former one.
fn archive() -> Double {
    let host = Double::default();
    host.answer("GET /qido/", 204, "");
    host.answer("POST /stow/studies", 200, "{}");
    let row = |uid: &str| {
        format!(
            r#"[{{"0020000D":{{"Value":["1.2"]}},"0020000E":{{"Value":["1.2.1"]}},"00080018":{{"Value":["{uid}"]}}}}]"#
        )
    };
    host.answer(FORMER, 200, &row("1.2.1.9"));
    host.answer(ITSELF, 200, &row("1.2.1.1"));
    host.answer(
        LOOKUP,
        200,
        &format!(r#"[{{"Type":"Instance","ID":"{ID}","Path":"/instances/{ID}"}}]"#),
    );
    host
}

/// A file of 8 bytes more than its beginning, with nothing of ours in it.
fn file_of_somebody() -> String {
    format!("{}DICM\u{8}\0\u{18}\0UI\u{8}\x001.2.1.9\0", "\0".repeat(128))
}

fn told(host: &Double, delivery: &ImageDelivery) -> Disposition {
    let config = Config::for_tests();
    deliver(&Archive::new(host, &config), delivery).err().unwrap()
}

#[test]
fn nothing_is_taken_away_before_the_archive_shows_the_image() {
    let host = archive();
    host.answer(ITSELF, 204, "");
    let told = told(&host, &moved(&host));
    assert!(matches!(&told, Disposition::Retry(_)));
    assert_eq!(told.reason().code, "not-shown-yet");
    assert_eq!((host.asked("POST /stow"), host.asked(LOOKUP)), (1, 0));
}

#[test]
fn what_does_not_bear_the_buss_mark_is_left_to_a_person() {
    let host = archive();
    let mut delivery = moved(&host);
    host.answer(FILE, 200, &file_of_somebody());
    delivery.retracted = true;
    let told = told(&host, &delivery);
    assert!(matches!(&told, Disposition::Rejected(_)));
    assert_eq!(told.reason().code, "archive-keeps-images");
    let detail = told.reason().detail.clone().unwrap_or_default();
    assert!(detail.contains("1.2.1.9") && detail.contains("mark"), "{detail}");
    assert_eq!(host.asked(REMOVE), 0);
}

#[test]
fn where_nobody_may_look_it_up_a_person_is_told_what_is_left() {
    let host = archive();
    let mut delivery = moved(&host);
    delivery.retracted = true;
    for forbidden in [401, 403, 404, 405] {
        host.answer(LOOKUP, forbidden, "");
        assert_eq!(told(&host, &delivery).reason().code, "archive-keeps-images");
    }
    host.fail(LOOKUP, Error::Denied);
    assert_eq!(told(&host, &delivery).reason().code, "archive-keeps-images");
    // Of what is not there nothing is left.
    host.answer(FORMER, 204, "");
    let config = Config::for_tests();
    let withdrawn = deliver(&Archive::new(&host, &config), &delivery).ok().unwrap();
    assert_eq!(withdrawn.action, DeliveryAction::Unchanged);
}

#[test]
fn an_archive_that_does_not_answer_is_asked_again() {
    let host = archive();
    let mut delivery = moved(&host);
    delivery.retracted = true;
    host.fail(LOOKUP, Error::TimedOut);
    assert!(!matches!(told(&host, &delivery), Disposition::Rejected(_)));
    host.answer(LOOKUP, 500, "");
    assert!(matches!(told(&host, &delivery), Disposition::Retry(_)));
    host.answer(LOOKUP, 200, r#"[{"Type":"Instance","ID":"../changes"}]"#);
    assert_eq!(told(&host, &delivery).reason().code, "unreadable-answer");
    assert_eq!(host.asked(REMOVE), 0);
}

/// What the connector once sent, as it is in the archive; with another PatientID of as many letters where staff gave it one.
fn sent(delivery: &ImageDelivery, patient_id: &[u8; 2]) -> Vec<u8> {
    let uid = |text| Uid::parse(text).ok().unwrap();
    let subject = encapsulate::Subject {
        study: &uid("1.2"),
        series: &uid("1.2.1"),
        instance: &uid("1.2.1.9"),
        patient_id: "P1",
        issuer: "A",
        patient: &delivery.patient,
        image: &delivery.image,
        sha256: DIGEST,
    };
    let content = crate::picture::look(b"%PDF-1.7", 8).ok().unwrap();
    let wrapping = encapsulate::around(content, &subject).unwrap();
    let mut file = [wrapping.head, b"%PDF-1.7".to_vec(), wrapping.tail].concat();
    let number = b"\x10\0\x20\0LO\x02\0";
    let at = file
        .windows(number.len())
        .position(|part| part == number)
        .unwrap()
        + number.len();
    file[at..at + 2].copy_from_slice(patient_id);
    file
}

#[test]
fn what_staff_gave_to_somebody_else_is_left_to_a_person() {
    let host = archive();
    let mut delivery = moved(&host);
    *host.digest.borrow_mut() = Some(DIGEST.to_owned());
    delivery.image.sha256 = Some(DIGEST.to_owned());
    delivery.retracted = true;
    host.answer(REMOVE, 200, "{}");
    host.bytes(FILE, &sent(&delivery, b"P2"));
    let told = told(&host, &delivery);
    assert_eq!(told.reason().code, "archive-keeps-images");
    let detail = told.reason().detail.clone().unwrap_or_default();
    assert!(
        detail.contains("1.2.1.9") && detail.contains("any more"),
        "{detail}"
    );
    assert_eq!(host.asked(REMOVE), 0);
    // As it was put there it goes.
    host.bytes(FILE, &sent(&delivery, b"P1"));
    host.once(LOOKUP, &format!(r#"[{{"Type":"Instance","ID":"{ID}"}}]"#), "[]");
    let config = Config::for_tests();
    let withdrawn = deliver(&Archive::new(&host, &config), &delivery).ok().unwrap();
    assert_eq!(
        (withdrawn.action, host.asked(REMOVE)),
        (DeliveryAction::Updated, 1)
    );
}

#[test]
fn what_goes_between_two_questions_is_gone() {
    let host = archive();
    host.answer(FILE, 404, "");
    let mut delivery = moved(&host);
    delivery.retracted = true;
    // It is looked up still: that is somebody between us and the archive who lets only some questions through.
    assert_eq!(told(&host, &delivery).reason().code, "archive-keeps-images");
    host.once(LOOKUP, &format!(r#"[{{"Type":"Instance","ID":"{ID}"}}]"#), "[]");
    let config = Config::for_tests();
    let withdrawn = deliver(&Archive::new(&host, &config), &delivery).ok().unwrap();
    assert_eq!(withdrawn.action, DeliveryAction::Unchanged);
    assert_eq!(host.asked(REMOVE), 0);
}
