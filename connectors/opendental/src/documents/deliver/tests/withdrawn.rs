//! Images that are the patient's no more.

use super::*;

fn retracted(local_id: Option<&str>) -> ImageDelivery {
    ImageDelivery {
        retracted: true,
        local_id: local_id.map(Into::into),
        ..pano()
    }
}

#[test]
fn a_withdrawn_image_is_marked_and_never_deleted() {
    let host = Double::new()
        .answer(200, &row(12, &ours()))
        .answer(200, &row(12, "WITHDRAWN"));
    assert_eq!(
        delivered(&host, &retracted(Some("12"))),
        Ok(("12".into(), DeliveryAction::Updated))
    );
    let put = format!(
        r#"PUT /documents/12 {{"Description":"WITHDRAWN: Pano {}"}}"#,
        mark()
    );
    assert_eq!(host.asked(), ["GET /documents/12", &put]);
    let host = Double::new().answer(200, &row(12, &format!("WITHDRAWN: {}", ours())));
    assert_eq!(
        delivered(&host, &retracted(Some("12"))),
        Ok(("12".into(), DeliveryAction::Unchanged))
    );
    let host = Double::new().answer(404, "\"Document not found\"");
    assert_eq!(
        delivered(&host, &retracted(Some("12"))),
        Ok(("12".into(), DeliveryAction::Unchanged))
    );
}

#[test]
fn a_withdrawal_that_the_office_does_not_take_goes_to_a_person() {
    for host in [
        Double::new().answer(200, &row(12, "Pano")).answer(401, "\"no\""),
        Double::new()
            .answer(200, &row(12, "Pano"))
            .fail(HttpError::Denied),
    ] {
        assert_eq!(code(&host, &retracted(Some("12"))), "retraction-by-hand");
    }
    let host = Double::new().answer(200, &row(12, "Pano")).answer(500, "");
    assert_eq!(code(&host, &retracted(Some("12"))), "office-failed");
}

#[test]
fn a_withdrawn_image_that_never_came_is_looked_for_first() {
    let host = Double::new().answer(200, "[]");
    let (never, action) = delivered(&host, &retracted(None)).unwrap();
    assert!(never.starts_with("not-uploaded-"), "{never}");
    assert_eq!((action, host.asked().len()), (DeliveryAction::Unchanged, 1));
    // Told once more after all, it is uploaded like any other.
    let host = Double::new().answer(200, "[]").answer(201, &row(12, &ours()));
    let again = ImageDelivery {
        local_id: Some(never),
        ..pano()
    };
    assert_eq!(
        delivered(&host, &again),
        Ok(("12".into(), DeliveryAction::Created))
    );
    let settled = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS - 32 * 60_000),
        ..retracted(None)
    };
    let host = Double::new().answer(200, "[]");
    assert!(delivered(&host, &settled).is_ok());
    let doubtful = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS - 1_000),
        ..retracted(None)
    };
    let host = Double::new().answer(200, "[]");
    assert_eq!(code(&host, &doubtful), "upload-in-doubt");
}

#[test]
fn a_copy_that_cannot_be_marked_in_another_patients_chart_goes_to_a_person_until_it_is_gone() {
    let elsewhere = row(12, &ours()).replace(r#""PatNum":7"#, r#""PatNum":8"#);
    let moved = ImageDelivery {
        local_id: Some("12".into()),
        ..pano()
    };
    for refusal in [401, 403, 400] {
        let host = Double::new()
            .answer(200, "[]")
            .answer(200, &elsewhere)
            .answer(200, r#"{"PatNum":7,"PatStatus":"Patient"}"#)
            .answer(201, &row(13, &ours()))
            .answer(refusal, "\"no\"");
        assert_eq!(code(&host, &moved), "retraction-by-hand", "{refusal}");
        // The new one is found by its mark, and the former one is still there.
        let now = format!("[{}]", row(13, &ours()));
        let host = host
            .answer(200, &now)
            .answer(200, &elsewhere)
            .answer(refusal, "\"no\"");
        assert_eq!(code(&host, &moved), "retraction-by-hand", "{refusal}");
        // Somebody removed it.
        let host = host.answer(200, &now).answer(404, "\"Document not found\"");
        assert_eq!(
            delivered(&host, &moved),
            Ok(("13".into(), DeliveryAction::Updated))
        );
        assert_eq!(requests(&host).iter().filter(|line| *line == POST).count(), 1);
        assert!(host.events().is_empty());
    }
}

#[test]
fn an_office_that_does_not_tell_where_the_former_document_lies_does_not_pass_for_having_none() {
    let known = |retracted| ImageDelivery {
        local_id: Some("12".into()),
        retracted,
        ..pano()
    };
    let theirs = format!("[{}]", row(13, &ours()));
    for (listed, retracted) in [(&*theirs, false), ("[]", false), (&*theirs, true)] {
        let host = Double::new();
        let host = if retracted { host } else { host.answer(200, listed) };
        let host = host
            .answer(400, "\"requires Open Dental version 24.2.32 or greater\"")
            .answer(200, listed)
            .answer(401, "\"no\"");
        assert_eq!(code(&host, &known(retracted)), "retraction-by-hand");
    }
}

#[test]
fn an_image_that_lies_with_another_patient_is_uploaded_for_the_right_one_and_withdrawn_there() {
    let elsewhere = row(12, &ours()).replace(r#""PatNum":7"#, r#""PatNum":8"#);
    let moved = ImageDelivery {
        local_id: Some("12".into()),
        ..pano()
    };
    let host = Double::new()
        .answer(200, "[]")
        .answer(200, &elsewhere)
        .answer(200, r#"{"PatNum":7,"PatStatus":"Patient"}"#)
        .answer(201, &row(13, "Pano"))
        .answer(200, &row(12, "WITHDRAWN"));
    assert_eq!(
        delivered(&host, &moved),
        Ok(("13".into(), DeliveryAction::Updated))
    );
    assert!(host.asked()[4].starts_with(r#"PUT /documents/12 {"Description":"WITHDRAWN: Pano"#));
    let host = Double::new()
        .answer(200, "[]")
        .answer(200, &elsewhere)
        .answer(200, r#"{"PatNum":7,"PatStatus":"Archived"}"#);
    assert_eq!(code(&host, &moved), "record-put-away");
}
