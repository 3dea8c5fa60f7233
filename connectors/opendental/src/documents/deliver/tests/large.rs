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
    let host = Double::new()
        .handing_out(Ok(&[0]))
        .answer(200, "[]")
        .answer(400, "\"cannot log in with u5er and pa55word\"");
    let refused = delivered(&host, &cone_beam()).unwrap_err();
    assert_eq!(refused.reason().code, "refused");
    let detail = refused.reason().detail.clone().unwrap();
    assert!(
        detail.contains("cannot log in") && !detail.contains("pa55word"),
        "{detail}"
    );
}
