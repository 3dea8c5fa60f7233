//! Bringing an image to an office, against one that is played.

mod amended;
mod large;
mod withdrawn;

use super::*;
use crate::host::double::{Double, NOW_MS};
use archwire_connector::http::Error as HttpError;
use archwire_connector::{Image, Patient};

const IMAGE: &str = "0199a1b2-c3d4-7000-8000-000000000001/3";

fn pano() -> ImageDelivery {
    ImageDelivery {
        event_id: "e".into(),
        patient_id: "0199a1b2-c3d4-7000-8000-000000000001".into(),
        image_id: IMAGE.into(),
        revision: 3,
        image: Image {
            view_label: Some("Pano".into()),
            content_type: Some("image/jpeg".into()),
            sha256: Some("ab".into()),
            size: 3,
            ..Image::default()
        },
        retracted: false,
        record: Some("7".into()),
        local_id: None,
        patient: Patient::default(),
        in_doubt_since_ms: None,
    }
}

fn mark() -> Mark {
    Mark::of(IMAGE, "ab")
}

fn list(description: &str) -> String {
    format!(r#"[{{"DocNum":12,"PatNum":"7","Description":"{description}"}}]"#)
}

fn row(number: u64, description: &str) -> String {
    format!(r#"{{"DocNum":{number},"PatNum":7,"Description":"{description}","ToothNumbers":""}}"#)
}

fn uploaded() -> String {
    row(12, "Pano")
}

fn ours() -> String {
    format!("Pano {}", mark())
}

fn delivered(host: &Double, delivery: &ImageDelivery) -> Result<(String, DeliveryAction), Disposition> {
    let delivered = deliver(host, &Office::for_tests(), delivery)?;
    assert_eq!(delivered.record.as_deref(), Some("7"));
    Ok((delivered.local_id, delivered.action))
}

fn code(host: &Double, delivery: &ImageDelivery) -> String {
    delivered(host, delivery).unwrap_err().reason().code.clone()
}

/// What was asked, without the words of the image.
fn requests(host: &Double) -> Vec<String> {
    let first_two = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    host.asked().iter().map(first_two).collect()
}

const SEARCH: &str = "GET /documents?PatNum=7&Offset=0&Limit=10";
const POST: &str = "POST /documents/Upload";

#[test]
fn an_image_is_searched_for_and_then_uploaded_with_its_mark() {
    let host = Double::new().answer(200, "[]").answer(201, &uploaded());
    assert_eq!(
        delivered(&host, &pano()),
        Ok(("12".into(), DeliveryAction::Created))
    );
    let body = format!(
        r#"POST /documents/Upload {{"Description":"Pano {}","ImgType":"Photo","PatNum":7,"extension":".jpg","rawBase64":"<base64 ab>"}}"#,
        mark()
    );
    assert_eq!(host.asked(), [SEARCH, &body]);
    assert!(host.kept.borrow().is_empty());
}

#[test]
fn the_category_that_is_set_goes_along_by_its_number() {
    let office = Office {
        image_category: "Xrays".into(),
        ..Office::for_tests()
    };
    let host = Double::new()
        .answer(200, "[]")
        .answer(200, r#"[{"DefNum":131,"ItemName":"Xrays"}]"#)
        .answer(201, &uploaded());
    deliver(&host, &office, &pano()).unwrap();
    assert!(host.asked()[2].contains(r#""DocCategory":131"#));
}

#[test]
fn an_image_that_is_there_is_not_uploaded_again() {
    let host = Double::new().answer(200, &list(&ours()));
    assert_eq!(
        delivered(&host, &pano()),
        Ok(("12".into(), DeliveryAction::Created))
    );
    let known = ImageDelivery {
        local_id: Some("12".into()),
        ..pano()
    };
    let host = Double::new().answer(200, &list(&ours()));
    assert_eq!(
        delivered(&host, &known),
        Ok(("12".into(), DeliveryAction::Unchanged))
    );
    assert_eq!(requests(&host), [SEARCH]);
}

#[test]
fn an_upload_whose_answer_is_lost_is_looked_for_and_not_sent_again_before_it_is_settled() {
    for lost in [HttpError::TimedOut, HttpError::Closed] {
        let host = Double::new()
            .answer(200, "[]")
            .fail(lost)
            .answer(200, &list(&ours()));
        assert_eq!(
            delivered(&host, &pano()),
            Ok(("12".into(), DeliveryAction::Created))
        );
        assert!(host.kept.borrow().is_empty());

        let host = Double::new()
            .answer(200, "[]")
            .fail(lost)
            .answer(200, "[]")
            .answer(200, "[]");
        assert_eq!(code(&host, &pano()), "upload-in-doubt");
        host.later_ms.set(64_000);
        assert_eq!(code(&host, &pano()), "upload-in-doubt");
        assert_eq!(requests(&host), [SEARCH, POST, SEARCH, SEARCH]);
        host.later_ms.set(66_000);
        let host = host.answer(200, "[]").answer(201, &uploaded());
        assert_eq!(
            delivered(&host, &pano()),
            Ok(("12".into(), DeliveryAction::Created))
        );
    }
}

#[test]
fn every_trouble_of_the_office_after_a_post_is_a_doubt() {
    for (status, body) in [
        (500, ""),
        (504, "\"time\""),
        (201, "<html>"),
        (201, "{}"),
        (400, "\"timed out\""),
    ] {
        let host = Double::new()
            .answer(200, "[]")
            .answer(status, body)
            .answer(200, "[]");
        assert_eq!(code(&host, &pano()), "upload-in-doubt", "{status}");
    }
    let host = Double::new().answer(200, "[]").answer(500, "").answer(500, "");
    assert_eq!(code(&host, &pano()), "office-failed");
    assert_eq!(
        host.kept.borrow().len(),
        1,
        "the doubt is kept whatever the search ran into"
    );
}

#[test]
fn after_a_crash_it_is_only_looked_for_until_the_office_must_have_ended() {
    // The sending itself may have taken most of that time, over a slow line.
    for minutes in [0, 2, 29] {
        let killed = ImageDelivery {
            in_doubt_since_ms: Some(NOW_MS - minutes * 60_000),
            ..pano()
        };
        let host = Double::new().answer(200, "[]");
        assert_eq!(code(&host, &killed), "upload-in-doubt");
        host.later_ms.set(64_000);
        let host = host.answer(200, "[]");
        assert_eq!(code(&host, &killed), "upload-in-doubt", "{minutes}");
        host.later_ms.set(66_000);
        let host = host.answer(200, "[]").answer(201, &uploaded());
        assert!(delivered(&host, &killed).is_ok(), "{minutes}");
    }
    let long_ago = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS - 32 * 60_000),
        ..pano()
    };
    let host = Double::new().answer(200, "[]").answer(201, &uploaded());
    assert!(delivered(&host, &long_ago).is_ok());
}

#[test]
fn an_attempt_that_was_killed_after_a_lost_answer_is_waited_for_as_well() {
    // The first POST's answer was lost, and by then it is settled that it made nothing.
    let host = Double::new().answer(200, "[]").answer(500, "").answer(200, "[]");
    assert_eq!(code(&host, &pano()), "upload-in-doubt");
    // The second attempt sent it again 66 s later, and was killed with the bus: it kept nothing.
    host.later_ms.set(70_000);
    let third = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS + 66_000),
        ..pano()
    };
    let host = host.answer(200, "[]");
    assert_eq!(code(&host, &third), "upload-in-doubt");
    // What the second one sent is there by then, and not sent a third time.
    host.later_ms.set(90_000);
    let fourth = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS + 70_000),
        ..pano()
    };
    let host = host.answer(200, &list(&ours()));
    assert!(delivered(&host, &fourth).is_ok());
    let posts = requests(&host).iter().filter(|line| *line == POST).count();
    assert_eq!(posts, 1);
}

#[test]
fn attempts_that_only_search_do_not_put_the_end_of_a_doubt_off() {
    let host = Double::new();
    let mut host = host.answer(200, "[]");
    let mut delivery = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS),
        ..pano()
    };
    assert_eq!(code(&host, &delivery), "upload-in-doubt");
    for (before, seconds) in [(0, 5), (5, 30), (30, 60)] {
        // The bus says when the attempt before began, which is later each time.
        delivery.in_doubt_since_ms = Some(NOW_MS + before * 1_000);
        host.later_ms.set(seconds * 1_000);
        host = host.answer(200, "[]");
        assert_eq!(code(&host, &delivery), "upload-in-doubt");
    }
    delivery.in_doubt_since_ms = Some(NOW_MS + 60_000);
    host.later_ms.set(66_000);
    host = host.answer(200, "[]").answer(201, &uploaded());
    assert!(delivered(&host, &delivery).is_ok());
}

#[test]
fn an_attempt_that_broke_off_after_the_former_doubt_was_settled_is_a_doubt_of_its_own() {
    let host = Double::new().answer(200, "[]").answer(500, "").answer(200, "[]");
    assert_eq!(code(&host, &pano()), "upload-in-doubt");
    host.later_ms.set(80_000);
    let host = host.answer(200, "[]");
    let killed = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS + 70_000),
        ..pano()
    };
    assert_eq!(code(&host, &killed), "upload-in-doubt");
}

#[test]
fn a_doubt_that_becomes_settled_during_an_attempt_lets_only_the_next_one_send() {
    let host = Double::new().answer(200, "[]").answer(500, "").answer(200, "[]");
    assert_eq!(code(&host, &pano()), "upload-in-doubt");
    host.later_ms.set(63_000);
    host.slow_ms.set(3_000);
    let looked = |seconds: u64| ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS + seconds * 1_000),
        ..pano()
    };
    let host = host.answer(200, "[]");
    assert_eq!(
        code(&host, &looked(0)),
        "upload-in-doubt",
        "not settled when it began"
    );
    host.slow_ms.set(0);
    host.later_ms.set(70_000);
    // The next one sends, and is killed: what it kept is lost with it.
    let kept = host.kept.borrow().clone();
    let host = host.answer(200, "[]").answer(201, &uploaded());
    assert!(delivered(&host, &looked(63)).is_ok());
    host.kept.replace(kept);
    host.later_ms.set(71_000);
    let host = host.answer(200, "[]");
    assert_eq!(code(&host, &looked(70)), "upload-in-doubt");
    let posts = requests(&host).iter().filter(|line| *line == POST).count();
    assert_eq!(posts, 2);
}

#[test]
fn what_is_of_no_known_kind_is_refused_before_anything_is_sent() {
    let mut odd = pano();
    odd.image.content_type = Some("application/octet-stream".into());
    assert_eq!(code(&Double::new().answer(200, "[]"), &odd), "no-document-form");
    let mut empty = pano();
    empty.image.sha256 = None;
    assert_eq!(code(&Double::new(), &empty), "image-without-bytes");
    let nobody = ImageDelivery {
        record: None,
        ..pano()
    };
    assert_eq!(code(&Double::new(), &nobody), "record-missing");
}

#[test]
fn a_field_that_the_office_refuses_by_name_is_left_out() {
    let mut molar = pano();
    molar.image.teeth = vec![18];
    let host = Double::new()
        .answer(200, "[]")
        .answer(
            400,
            "\"ToothNumbers requires Open Dental version 23.1.35 or greater\"",
        )
        .answer(201, &uploaded());
    assert!(delivered(&host, &molar).is_ok());
    let asked = host.asked();
    assert!(asked[1].contains("ToothNumbers") && !asked[2].contains("ToothNumbers"));
    let host = Double::new()
        .answer(200, "[]")
        .answer(400, "\"extension is invalid\"");
    assert_eq!(code(&host, &pano()), "refused");
}

#[test]
fn a_key_that_may_not_upload_is_told_apart_from_one_that_is_not_accepted() {
    let host = Double::new().answer(200, "[]").answer(401, "\"permission\"");
    assert!(
        matches!(delivered(&host, &pano()), Err(Disposition::Rejected(reason)) if reason.code == "documents-not-permitted")
    );
    let host = Double::new().answer(401, "\"key\"");
    assert!(matches!(
        delivered(&host, &pano()),
        Err(Disposition::Unauthorized(_))
    ));
}
