//! Passes over an office that answers as prepared.

mod office_clock;

use super::*;
use crate::host::double::Double;
use archwire_connector::http::Error;

/// What the office's clock shows at the double's now: US Pacific, an hour before daylight saving ended.
const SHOWN: &str = "2026-11-01 01:30:00";

fn row(pat_num: u64, stamp: &str, server_time: &str) -> String {
    format!(
        r#"{{"PatNum":{pat_num},"LName":"Pratt","DateTStamp":"{stamp}","serverDateTime":"{server_time}"}}"#
    )
}

fn list(rows: &[String]) -> String {
    format!("[{}]", rows.join(","))
}

/// The rows first..=last, all changed long ago.
fn old_rows(first: u64, last: u64, server_time: &str) -> String {
    list(
        &(first..=last)
            .map(|number| row(number, "2020-01-01 08:00:00", server_time))
            .collect::<Vec<_>>(),
    )
}

fn ids(page: &Page) -> Vec<&str> {
    page.observations
        .iter()
        .map(|observation| observation.local_id.as_str())
        .collect()
}

fn read(host: &Double, cursor: Option<&Page>) -> Page {
    poll(
        host,
        &Office::for_tests(),
        cursor.map(|page| page.cursor.as_str()),
    )
    .unwrap()
}

#[test]
fn the_first_pass_reads_everything_and_the_next_one_what_changed_since() {
    let host = Double::new().answer(200, &old_rows(1, 3, SHOWN)).answer(
        200,
        &list(&[row(2, "2026-11-01 01:30:30", "2026-11-01 01:31:00")]),
    );
    let first = read(&host, None);
    assert_eq!((ids(&first), first.more), (vec!["1", "2", "3"], false));
    let second = read(&host, Some(&first));
    assert_eq!((ids(&second), second.more), (vec!["2"], false));
    assert_eq!(
        host.asked(),
        [
            "GET /patients/Simple?Offset=0&Limit=10",
            "GET /patients/Simple?DateTStamp=2026-11-01%2001%3A25%3A00&Offset=0&Limit=10"
        ]
    );
}

#[test]
fn the_bytes_of_a_row_come_out_as_they_came_in() {
    let verbatim = r#"{"PatNum" : 5,"LName":"O\u0027Neil","EstBalance":1.10 }"#;
    let host = Double::new().answer(200, &format!("[ {verbatim} ]"));
    let page = read(&host, None);
    let source = &page.observations[0].source;
    assert_eq!(source.data, verbatim.as_bytes());
    assert_eq!(
        (source.media_type.as_str(), source.format.as_str()),
        ("application/json", "opendental/patients/v1")
    );
}

#[test]
fn a_row_within_the_overlap_is_sent_once_until_it_changes() {
    let at = |stamp: &str| list(&[row(7, stamp, SHOWN)]);
    let host = Double::new()
        .answer(200, &at("2026-11-01 01:28:00"))
        .answer(200, &at("2026-11-01 01:28:00"))
        .answer(200, &at("2026-11-01 01:29:00"));
    let first = read(&host, None);
    let second = read(&host, Some(&first));
    let third = read(&host, Some(&second));
    assert_eq!(
        [ids(&first), ids(&second), ids(&third)],
        [vec!["7"], vec![], vec!["7"]]
    );
}

#[test]
fn a_record_that_is_changed_read_and_changed_again_within_one_second_is_sent_again() {
    let at = |name: &str| list(&[row(7, SHOWN, SHOWN).replace("Pratt", name)]);
    let host = Double::new()
        .answer(200, &at("Pratt"))
        .answer(200, &at("Prattler"));
    let first = read(&host, None);
    let second = read(&host, Some(&first));
    assert_eq!([ids(&first), ids(&second)], [vec!["7"], vec!["7"]]);
}

#[test]
fn the_watermark_moves_when_the_pass_is_complete_and_is_the_now_of_its_first_page() {
    let host = Double::new()
        .answer(200, &old_rows(1, 10, SHOWN))
        .answer(200, &old_rows(6, 12, "2026-11-01 01:45:00"))
        .answer(200, "[]");
    let first = read(&host, None);
    assert!(first.more);
    let second = read(&host, Some(&first));
    assert_eq!((ids(&second), second.more), (vec!["11", "12"], false));
    read(&host, Some(&second));
    assert_eq!(
        host.asked()[1..],
        [
            "GET /patients/Simple?Offset=5&Limit=10",
            "GET /patients/Simple?DateTStamp=2026-11-01%2001%3A25%3A00&Offset=0&Limit=10"
        ]
    );
}

#[test]
fn a_row_that_changed_while_two_pages_were_read_is_sent_again() {
    let moved = list(&[
        row(10, "2026-11-01 01:30:05", SHOWN),
        row(11, "2020-01-01 08:00:00", SHOWN),
    ]);
    let host = Double::new()
        .answer(200, &old_rows(1, 10, SHOWN))
        .answer(200, &moved);
    let first = read(&host, None);
    let second = read(&host, Some(&first));
    assert_eq!(ids(&second), ["10", "11"]);
}

#[test]
fn pages_that_drifted_apart_begin_again_without_moving_the_watermark() {
    let host = Double::new()
        .answer(200, &old_rows(1, 10, SHOWN))
        .answer(200, &old_rows(12, 15, SHOWN))
        .answer(200, &old_rows(3, 9, SHOWN));
    let first = read(&host, None);
    let second = read(&host, Some(&first));
    assert_eq!((ids(&second).len(), second.more), (4, true));
    let third = read(&host, Some(&second));
    assert!(!third.more);
    assert_eq!(host.asked()[2], "GET /patients/Simple?Offset=0&Limit=10");
    assert!(host.events().contains(&"pages-drifted"));
}

#[test]
fn a_list_that_never_holds_still_is_left_until_the_next_interval() {
    let mut host = Double::new();
    for round in 0..8 {
        host = host.answer(200, &old_rows(round * 100 + 1, round * 100 + 10, SHOWN));
    }
    let mut page = read(&host, None);
    for _ in 1..8 {
        assert!(page.more);
        page = read(&host, Some(&page));
    }
    assert!(!page.more);
    assert!(host.events().contains(&"pages-drift-too-much"));
}

#[test]
fn a_row_that_cannot_be_read_is_counted_with_its_place_and_nothing_else() {
    let host = Double::new().answer(
        200,
        &format!("[{},\"Pratt\",{{}}]", row(1, "2026-11-01 01:00:00", SHOWN)),
    );
    assert_eq!(ids(&read(&host, None)), ["1"]);
    let logged = host.logged.borrow();
    let places: Vec<_> = logged
        .iter()
        .filter(|(event, _)| *event == "row-unreadable")
        .map(|(_, n)| n.clone())
        .collect();
    assert_eq!(places, [[("position", 1)], [("position", 2)]]);
}

#[test]
fn an_answer_that_is_no_list_is_tried_again_and_an_error_leaves_the_cursor() {
    let host = Double::new().answer(200, "\"maintenance\"").fail(Error::TimedOut);
    for code in ["unreadable-answer", "timed-out"] {
        let disposition = poll(&host, &Office::for_tests(), None).unwrap_err();
        assert_eq!(disposition.reason().code, code);
        assert!(matches!(disposition, Disposition::Retry(_)));
    }
}

#[test]
fn an_empty_office_keeps_reading_everything() {
    let host = Double::new().answer(200, "[]").answer(200, "[]");
    let first = read(&host, None);
    let second = read(&host, Some(&first));
    assert!(!first.more && !second.more);
    assert_eq!(host.asked()[1], "GET /patients/Simple?Offset=0&Limit=10");
}

#[test]
fn a_cursor_of_another_kind_is_rejected() {
    let disposition = poll(&Double::new(), &Office::for_tests(), Some("yesterday")).unwrap_err();
    assert_eq!(disposition.reason().code, "cursor-unreadable");
}

#[test]
fn the_cursor_stays_within_its_bound_when_a_whole_office_changes_at_once() {
    let office = Office {
        page_size: 1_000,
        ..Office::for_tests()
    };
    let mut page: Option<Page> = None;
    for round in 0..20_u64 {
        let first = round * 990 + 10_000_000;
        let rows: Vec<_> = (first..first + 1_000)
            .map(|number| row(number, "2026-11-01 01:29:59", SHOWN))
            .collect();
        let host = Double::new().answer(200, &list(&rows));
        let next = poll(&host, &office, page.as_ref().map(|page| page.cursor.as_str())).unwrap();
        assert!(next.more);
        assert!(next.cursor.len() < 60 * 1024, "{} bytes", next.cursor.len());
        page = Some(next);
    }
}

#[test]
fn patients_are_read_between_the_pages_of_images() {
    let document = |number: usize| {
        let stamp = "2026-11-01T01:00:00";
        format!(r#"{{"DocNum":{number},"PatNum":1,"FileName":"f.jpg","ImgType":2,"DateTStamp":"{stamp}"}}"#)
    };
    let documents = list(&(1..=20).map(document).collect::<Vec<_>>());
    let folder = r#"[{"PatNum":1,"ImageFolder":"Pratt1"}]"#;
    let host = Double::new()
        .with_files(&[("P/Pratt1/f.jpg", "aa")])
        .answer(200, &old_rows(1, 3, SHOWN))
        .answer(200, &documents)
        .answer(200, folder)
        .answer(200, &list(&[row(4, SHOWN, SHOWN)]))
        .answer(200, "[]");
    let first = read(&host, None);
    assert_eq!((ids(&first).len(), first.images.len(), first.more), (3, 20, true));
    let second = read(&host, Some(&first));
    assert_eq!(
        (ids(&second), second.images.len(), second.more),
        (vec!["4"], 0, false)
    );
}
