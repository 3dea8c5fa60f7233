//! Images that the office's program fetches.

use super::*;
use archwire_connector::images::OfferError;

const POST_SFTP: &str = "POST /documents/UploadSftp";

fn cone_beam() -> ImageDelivery {
    let mut large = pano();
    large.image.size = MOST_BYTES + 1;
    large.image.content_type = Some("application/dicom".into());
    large
}

#[test]
fn a_large_image_is_fetched_by_the_office_and_handed_out_no_longer_than_that() {
    let host = Double::new()
        .handing_out(Ok(&[MOST_BYTES + 1]))
        .answer(200, "[]")
        .answer(201, &uploaded());
    assert_eq!(
        delivered(&host, &cone_beam()),
        Ok(("12".into(), DeliveryAction::Created))
    );
    let body = format!(
        "{POST_SFTP} {{\"Description\":\"Pano {}\",\"ImgType\":\"File\",\"PatNum\":7,\
         \"SftpAddress\":\"broker.example/f0lder/f1le.dcm\",\"SftpPassword\":\"pa55word\",\"SftpUsername\":\"u5er\"}}",
        mark()
    );
    assert_eq!(host.asked(), [SEARCH, &body]);
    assert!(!host.is_handed_out.get());
}

#[test]
fn what_is_not_handed_out_is_refused_with_what_would_let_it_through() {
    for (error, settings) in [
        (OfferError::NotConfigured, ["[images.sftp]", "hand-out-images"]),
        (OfferError::NotGranted, ["hand-out-images", "12500000"]),
    ] {
        let host = Double::new().handing_out(Err(error)).answer(200, "[]");
        let refused = delivered(&host, &cone_beam()).unwrap_err();
        assert_eq!(refused.reason().code, "document-too-large");
        let detail = refused.reason().detail.clone().unwrap();
        assert!(
            settings.iter().all(|setting| detail.contains(setting)),
            "{detail}"
        );
    }
    let host = Double::new()
        .handing_out(Err(OfferError::TooMany))
        .answer(200, "[]");
    assert!(matches!(
        delivered(&host, &cone_beam()),
        Err(Disposition::Retry(_))
    ));
}

#[test]
fn it_stays_handed_out_while_the_office_fetches_and_is_then_looked_for() {
    let host = Double::new()
        .handing_out(Ok(&[1_000, 2_000, 2_000, 3_000, 3_000, 3_000]))
        .answer(200, "[]")
        .answer(504, "\"timed out\"")
        .answer(200, &list(&ours()));
    assert!(delivered(&host, &cone_beam()).is_ok());
    assert_eq!(requests(&host), [SEARCH, POST_SFTP, SEARCH]);
    assert_eq!(host.later_ms.get(), 30_000, "it was asked until nothing moved");
    assert!(!host.is_handed_out.get());
}

#[test]
fn it_stays_handed_out_for_as_long_as_bytes_move_also_when_all_were_read() {
    let all = MOST_BYTES + 1;
    let host = Double::new()
        .handing_out(Ok(&[all, all + 500, all + 500, all + 500]))
        .answer(200, "[]")
        .answer(504, "\"timed out\"")
        .answer(200, &list(&ours()));
    assert!(delivered(&host, &cone_beam()).is_ok());
    assert_eq!(host.later_ms.get(), 20_000, "the last bytes had time to arrive");
}

#[test]
fn after_a_crash_what_may_have_been_fetched_until_then_is_waited_for_from_then_on() {
    for retracted in [false, true] {
        let host = Double::new().answer(200, "[]");
        let killed = ImageDelivery {
            in_doubt_since_ms: Some(NOW_MS - 20 * 60_000),
            retracted,
            ..cone_beam()
        };
        assert_eq!(code(&host, &killed), "upload-in-doubt");
        host.later_ms.set(64_000);
        let host = host.answer(200, "[]");
        assert_eq!(code(&host, &killed), "upload-in-doubt");
        // The first look counts, not the last one.
        host.later_ms.set(66_000);
        let host = match retracted {
            true => host.answer(200, "[]"),
            false => host
                .handing_out(Ok(&[MOST_BYTES + 1]))
                .answer(200, "[]")
                .answer(201, &uploaded()),
        };
        assert!(delivered(&host, &killed).is_ok());
    }
}

#[test]
fn without_room_for_the_doubt_the_next_attempt_comes_when_the_longest_call_has_settled_it() {
    let host = Double::new().answer(200, "[]");
    host.full.set(true);
    let mut killed = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS),
        ..cone_beam()
    };
    let Err(Disposition::Retry(later)) = deliver(&host, &Office::for_tests(), &killed) else {
        panic!("it is in doubt");
    };
    assert_eq!(later.reason.code, "upload-in-doubt");
    // Somebody has it tried sooner: that is one more attempt that the bus takes to be in doubt.
    host.later_ms.set(31 * 60_000);
    let host = host.answer(200, "[]");
    killed.in_doubt_since_ms = Some(NOW_MS + 60_000);
    assert_eq!(code(&host, &killed), "upload-in-doubt");
    killed.in_doubt_since_ms = Some(NOW_MS + 31 * 60_000);
    host.later_ms.set(31 * 60_000 + later.after_ms);
    let host = host
        .handing_out(Ok(&[MOST_BYTES + 1]))
        .answer(200, "[]")
        .answer(201, &uploaded());
    assert!(delivered(&host, &killed).is_ok());
}

#[test]
fn an_office_that_could_not_fetch_it_all_is_let_to_try_again() {
    let refused = |taken: u64, status| {
        let host = Double::new()
            .handing_out(Ok(&[taken]))
            .answer(200, "[]")
            .answer(status, "\"could not connect to the SFTP server\"");
        delivered(&host, &cone_beam()).unwrap_err()
    };
    for taken in [0, MOST_BYTES] {
        let again = refused(taken, 400);
        assert!(matches!(again, Disposition::Retry(_)));
        assert_eq!(again.reason().code, "document-not-fetched");
        assert_eq!(again.reason().status, Some(400));
    }
    for (taken, status) in [(MOST_BYTES + 1, 400), (0, 403)] {
        assert!(matches!(refused(taken, status), Disposition::Rejected(reason) if reason.code == "refused"));
    }
}

#[test]
fn a_lost_answer_is_in_doubt_and_nothing_is_sent_again_until_it_is_settled() {
    let host = Double::new()
        .handing_out(Ok(&[0]))
        .answer(200, "[]")
        .fail(HttpError::Closed)
        .answer(200, "[]");
    assert_eq!(code(&host, &cone_beam()), "upload-in-doubt");
    let host = host.answer(200, "[]");
    assert_eq!(code(&host, &cone_beam()), "upload-in-doubt");
    host.later_ms.set(host.later_ms.get() + 66_000);
    let host = host.answer(200, "[]").answer(201, &uploaded());
    assert!(delivered(&host, &cone_beam()).is_ok());
    assert_eq!(
        requests(&host),
        [SEARCH, POST_SFTP, SEARCH, SEARCH, SEARCH, POST_SFTP]
    );
}

#[test]
fn an_office_that_quotes_the_password_does_not_get_it_into_the_reason() {
    for (taken, code) in [(0, "document-not-fetched"), (MOST_BYTES + 1, "refused")] {
        let host = Double::new()
            .handing_out(Ok(&[taken]))
            .answer(200, "[]")
            .answer(400, "\"cannot log in with u5er and pa55word\"");
        let refused = delivered(&host, &cone_beam()).unwrap_err();
        assert_eq!(refused.reason().code, code);
        let detail = refused.reason().detail.clone().unwrap();
        assert!(
            detail.contains("cannot log in") && !detail.contains("pa55word"),
            "{detail}"
        );
    }
}
