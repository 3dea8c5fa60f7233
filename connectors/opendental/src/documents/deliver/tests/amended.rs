//! Other bytes, and other words, of an image that the office has.

use super::*;

/// The image has other bytes now, and the office has the former ones as document 12.
fn amended() -> ImageDelivery {
    let mut amended = pano();
    amended.image.sha256 = Some("cd".into());
    amended.local_id = Some("12".into());
    amended
}

#[test]
fn other_bytes_are_another_document_and_the_former_one_is_marked() {
    let host = Double::new()
        .answer(200, &list(&ours()))
        .answer(200, &row(12, &ours()))
        .answer(201, &row(13, "Pano"))
        .answer(200, &row(12, "REPLACED"));
    assert_eq!(
        delivered(&host, &amended()),
        Ok(("13".into(), DeliveryAction::Updated))
    );
    let put = format!(
        r#"PUT /documents/12 {{"Description":"REPLACED: Pano {}"}}"#,
        mark()
    );
    assert_eq!(host.asked().last(), Some(&put));
}

#[test]
fn a_former_document_that_could_not_be_marked_is_marked_the_next_time_without_a_second_upload() {
    let new = Mark::of(IMAGE, "cd");
    let both = format!("[{},{}]", row(12, &ours()), row(13, &format!("Pano {new}")));
    let host = Double::new()
        .answer(200, &list(&ours()))
        .answer(200, &row(12, &ours()))
        .answer(201, &row(13, "Pano"))
        .answer(500, "");
    assert_eq!(code(&host, &amended()), "office-failed");
    let host = host
        .answer(200, &both)
        .answer(200, &row(12, &ours()))
        .answer(200, &row(12, "REPLACED"));
    assert_eq!(
        delivered(&host, &amended()),
        Ok(("13".into(), DeliveryAction::Updated))
    );
    assert_eq!(requests(&host).iter().filter(|line| *line == POST).count(), 1);
}

#[test]
fn other_bytes_that_may_be_on_their_way_are_waited_for_although_the_image_is_known() {
    let host = Double::new().answer(200, "[]");
    let killed = ImageDelivery {
        in_doubt_since_ms: Some(NOW_MS - 2_000),
        ..amended()
    };
    assert_eq!(code(&host, &killed), "upload-in-doubt");
    assert_eq!(requests(&host), [SEARCH]);
}

#[test]
fn a_key_that_may_not_change_documents_leaves_the_former_one_unmarked_and_says_so() {
    for denied in [401, 400] {
        let host = Double::new()
            .answer(200, "[]")
            .answer(200, &row(12, &ours()))
            .answer(201, &row(13, "Pano"))
            .answer(denied, "\"no\"");
        assert_eq!(
            delivered(&host, &amended()),
            Ok(("13".into(), DeliveryAction::Updated))
        );
        assert_eq!(host.events(), ["replaced-unmarked"]);
    }
}

#[test]
fn an_amendment_of_a_document_that_staff_changed_or_deleted_goes_to_a_person() {
    let host = Double::new()
        .answer(200, "[]")
        .answer(200, &row(12, "Renamed by staff"));
    assert_eq!(code(&host, &amended()), "amendment-unclear");
    let host = Double::new()
        .answer(200, "[]")
        .answer(404, "\"Document not found\"");
    assert_eq!(code(&host, &amended()), "document-gone");
}

#[test]
fn what_is_said_of_an_image_is_written_anew_unless_staff_took_the_line_over() {
    let described = ImageDelivery {
        local_id: Some("12".into()),
        ..pano()
    };
    let before = format!("Photo {}", mark());
    let host = Double::new()
        .answer(200, &list(&before))
        .answer(200, &row(12, &ours()));
    assert_eq!(
        delivered(&host, &described),
        Ok(("12".into(), DeliveryAction::Updated))
    );
    assert_eq!(
        host.asked()[1],
        format!(r#"PUT /documents/12 {{"Description":"{}"}}"#, ours())
    );
    let host = Double::new().answer(200, &list(&before)).answer(401, "\"no\"");
    assert_eq!(
        delivered(&host, &described),
        Ok(("12".into(), DeliveryAction::Unchanged))
    );
    assert_eq!(host.events(), ["description-unwritten"]);
}
