//! Passes over an office in which patients are merged.

use super::*;
use crate::host::double::Double;
use crate::office::Office;
use crate::poll::poll;
use archwire_connector::http::Error as HttpError;
use archwire_connector::{Disposition, Page};

const THEN: &str = "2020-01-01 08:00:00";
const NOW: &str = "2026-11-01 01:30:00";

fn row(pat_num: u64, status: &str, stamp: &str) -> String {
    format!(
        r#"{{"PatNum":{pat_num},"PatStatus":"{status}","DateTStamp":"{stamp}","serverDateTime":"{NOW}"}}"#
    )
}

fn list(rows: &[String]) -> String {
    format!("[{}]", rows.join(","))
}

/// Links from, to, and when.
fn links(links: &[(u64, u64, &str)]) -> String {
    let rows = links
        .iter()
        .map(|(from, to, at)| format!(r#"{{"PatNumFrom":{from},"PatNumTo":{to},"DateTimeLink":"{at}"}}"#));
    list(&rows.collect::<Vec<_>>())
}

fn read(host: &Double, cursor: Option<&Page>) -> Page {
    let cursor = cursor.map(|page| page.cursor.as_str());
    poll(host, &Office::for_tests(), cursor).unwrap()
}

/// Whose rows, and into whom they were merged.
fn told(page: &Page) -> Vec<(&str, Option<&str>)> {
    page.observations
        .iter()
        .map(|one| (one.local_id.as_str(), one.merged_into.as_deref()))
        .collect()
}

/// An office with the active patients 1 and 2, read once.
fn known_office() -> Page {
    let rows = list(&[row(1, "Patient", THEN), row(2, "Patient", THEN)]);
    read(&Double::new().answer(200, &rows), None)
}

#[test]
fn an_archived_row_says_who_took_its_place_and_comes_last_in_its_page() {
    let rows = list(&[
        row(1, "Archived", THEN),
        row(2, "Patient", THEN),
        row(3, "Archived", THEN),
    ]);
    let host = Double::new()
        .answer(200, &rows)
        .links(200, &links(&[(1, 2, "2019-05-01T08:00:00")]));
    let page = read(&host, None);
    assert_eq!(told(&page), [("2", None), ("3", None), ("1", Some("2"))]);
    assert!(!page.more);
    assert_eq!(host.queried(), ["(PatNumFrom IN (1,3) OR PatNumTo IN (1,3))"]);
}

#[test]
fn a_page_without_new_archived_rows_asks_for_no_links() {
    let rows = list(&[row(1, "Archived", NOW), row(2, "Patient", NOW)]);
    let host = Double::new().answer(200, &rows).answer(200, &rows);
    let first = read(&host, None);
    read(&host, Some(&first));
    assert_eq!(
        host.queried(),
        [
            "(PatNumFrom IN (1) OR PatNumTo IN (1))",
            "DateTimeLink >= '2026-11-01 01:25:00'"
        ],
        "the second pass saw nothing new, and only asks for late links"
    );
}

#[test]
fn a_chain_is_told_link_by_link_and_every_later_view_says_it_again() {
    let merged = links(&[(1, 2, "2026-11-01T01:29:00"), (2, 3, "2026-11-01T01:29:30")]);
    let host = Double::new()
        .answer(200, &list(&[row(1, "Archived", THEN), row(2, "Archived", THEN)]))
        .links(200, &merged)
        .answer(200, &list(&[row(1, "Archived", NOW)]))
        .links(200, &merged)
        .links(200, &merged);
    let first = read(&host, None);
    assert_eq!(told(&first), [("1", Some("2")), ("2", Some("3"))]);
    assert_eq!(told(&read(&host, Some(&first))), [("1", Some("2"))]);
}

#[test]
fn what_the_last_pass_told_is_not_late_however_long_ago_that_was() {
    let link = links(&[(1, 2, "2026-11-01T01:29:00")]);
    let later = row(3, "Patient", "2026-11-01 01:40:00").replace(NOW, "2026-11-01 01:40:00");
    let host = Double::new()
        .answer(200, &list(&[row(1, "Archived", NOW)]))
        .links(200, &link)
        .answer(200, &list(&[later]))
        .links(200, &link);
    let first = read(&host, None);
    assert_eq!(told(&read(&host, Some(&first))), [("3", None)]);
}

#[test]
fn a_link_that_comes_after_its_row_is_told_once() {
    let link = links(&[(1, 2, "2026-11-01T01:30:05")]);
    let archived = row(1, "Archived", NOW);
    let host = Double::new()
        .answer(200, &list(std::slice::from_ref(&archived)))
        .links(200, "[]")
        .links(200, "[]")
        .answer(200, &list(std::slice::from_ref(&archived)))
        .links(200, &link)
        .answer(200, &archived)
        .links(200, &link)
        .answer(200, &list(&[archived]))
        .links(200, &link);
    let without = read(&host, Some(&known_office()));
    assert_eq!(told(&without), [("1", None)]);
    let late = read(&host, Some(&without));
    assert_eq!((told(&late), late.more), (vec![("1", Some("2"))], false));
    assert_eq!(told(&read(&host, Some(&late))), []);
    assert_eq!(host.asked()[2], "GET /patients/1");
}

#[test]
fn a_record_that_was_archived_long_before_does_not_change_when_it_is_merged_and_is_told_all_the_same() {
    let link = links(&[(1, 2, "2026-11-01T01:30:05")]);
    let host = Double::new()
        .answer(200, "[]")
        .links(200, &link)
        .answer(200, &row(1, "Archived", THEN))
        .links(200, &link);
    assert_eq!(told(&read(&host, Some(&known_office()))), [("1", Some("2"))]);
}

#[test]
fn a_link_that_comes_before_the_status_is_told_with_the_status() {
    let link = links(&[(1, 2, "2026-11-01T01:30:05")]);
    let host = Double::new()
        .answer(200, "[]")
        .links(200, &link)
        .answer(200, &row(1, "Patient", THEN))
        .answer(200, &list(&[row(1, "Archived", NOW)]))
        .links(200, &link)
        .links(200, &link);
    let early = read(&host, Some(&known_office()));
    assert_eq!(told(&early), []);
    assert_eq!(told(&read(&host, Some(&early))), [("1", Some("2"))]);
}

#[test]
fn a_record_that_is_merged_anew_is_told_anew_and_one_that_is_gone_is_left_alone() {
    let (first, second) = ((1, 2, "2026-11-01T01:30:05"), (1, 3, "2026-11-01T01:30:09"));
    let archived = row(1, "Archived", THEN);
    let host = Double::new()
        .answer(200, "[]")
        .links(200, &links(&[first, (9, 2, "2026-11-01T01:30:06")]))
        .answer(200, &archived)
        .answer(404, "\"Patient not found\"")
        .links(200, &links(&[first]))
        .answer(200, "[]")
        .links(200, &links(&[first, second]))
        .answer(200, &archived)
        .links(200, &links(&[first, second]));
    let once = read(&host, Some(&known_office()));
    assert_eq!(told(&once), [("1", Some("2"))]);
    assert_eq!(told(&read(&host, Some(&once))), [("1", Some("3"))]);
}

#[test]
fn many_late_links_are_read_ten_records_a_call() {
    let many: Vec<_> = (1..=112).map(|from| (from, 999, "2026-11-01T01:30:05")).collect();
    let mut host = Double::new().answer(200, "[]").links(200, &links(&many[..100]));
    for call in 0..12 {
        if call == 10 {
            host = host.links(200, &links(&many[100..]));
        }
        let left = if call < 11 { 10 } else { 2 };
        for _ in 0..left {
            host = host.answer(404, "");
        }
    }
    let mut page = known_office();
    for call in 0..12 {
        page = read(&host, Some(&page));
        assert_eq!(page.more, call < 11, "call {call}");
    }
    assert_eq!(
        host.queried(),
        [
            "DateTimeLink >= '2026-11-01 01:25:00'",
            "?Offset=100DateTimeLink >= '2026-11-01 01:25:00'"
        ]
    );
    assert_eq!(host.asked().len(), 1 + 112);
}

#[test]
fn a_page_with_more_links_than_one_answer_holds_is_asked_for_until_all_are_there() {
    let mut many: Vec<_> = (2..=101).map(|from| (from, 500, THEN)).collect();
    many.push((1, 7, THEN));
    let host = Double::new()
        .answer(200, &list(&[row(1, "Archived", THEN)]))
        .links(200, &links(&many[..100]))
        .links(200, &links(&many[100..]));
    assert_eq!(told(&read(&host, None)), [("1", Some("7"))]);
    assert!(host.queried()[1].starts_with("?Offset=100"));
}

#[test]
fn a_failure_that_may_pass_leaves_the_page_to_be_read_again() {
    let rows = list(&[row(1, "Archived", NOW)]);
    for (host, name, code) in [
        (Double::new().links(500, ""), "retry", "office-failed"),
        (Double::new().links(504, ""), "retry", "office-failed"),
        (Double::new().links(429, ""), "throttled", "throttled"),
        (Double::new().links(200, "[{\"PatN"), "retry", "unreadable-answer"),
        (
            Double::new().links(400, r#""The office's eConnector is not running.""#),
            "unavailable",
            "econnector-down",
        ),
        (
            Double::new().fail_links(HttpError::TimedOut),
            "retry",
            "timed-out",
        ),
    ] {
        let host = host.answer(200, &rows);
        let known = known_office();
        let failed = poll(&host, &Office::for_tests(), Some(&known.cursor)).unwrap_err();
        let told = match failed {
            Disposition::Retry(_) => "retry",
            Disposition::Throttled(_) => "throttled",
            Disposition::Unavailable(_) => "unavailable",
            _ => "another",
        };
        assert_eq!((told, failed.reason().code.as_str()), (name, code));
    }
}

#[test]
fn a_failure_at_the_late_links_leaves_the_page_to_be_read_again_too() {
    let host = Double::new().answer(200, "[]").links(503, "");
    let known = known_office();
    assert!(poll(&host, &Office::for_tests(), Some(&known.cursor)).is_err());
}

#[test]
fn an_office_that_does_not_tell_is_read_without_merges_and_asked_again_later() {
    let rows = list(&[row(1, "Archived", NOW)]);
    for refusal in [
        Double::new().links(401, r#""API key does not have the permission.""#),
        Double::new().links(404, ""),
        Double::new().links(400, r#""ShortQuery requires a newer version""#),
        Double::new().links(200, "{}"),
        Double::new().fail_links(HttpError::Denied),
    ] {
        let host = refusal.answer(200, &rows).answer(200, "[]");
        let first = read(&host, Some(&known_office()));
        assert_eq!((told(&first), first.more), (vec![("1", None)], false));
        read(&host, Some(&first));
        assert_eq!(host.queried().len(), 1, "not asked again at once");
        assert_eq!(
            host.events()
                .iter()
                .filter(|event| **event == "merges-not-readable")
                .count(),
            1
        );
    }
}

#[test]
fn when_the_office_tells_at_last_everything_is_read_from_the_beginning() {
    let archived = list(&[row(1, "Archived", THEN), row(2, "Patient", THEN)]);
    let host = Double::new()
        .answer(200, &archived)
        .links(401, "")
        .answer(200, "[]")
        .links(200, "[]")
        .answer(200, &archived)
        .links(200, &links(&[(1, 2, THEN)]));
    let blind = read(&host, None);
    assert_eq!(told(&blind), [("1", None), ("2", None)]);
    host.later_ms.set(15 * 60 * 1_000);
    let seeing = read(&host, Some(&blind));
    assert!(seeing.more);
    let again = read(&host, Some(&seeing));
    assert_eq!(
        (told(&again), again.more),
        (vec![("2", None), ("1", Some("2"))], false)
    );
    assert_eq!(host.asked()[2], "GET /patients/Simple?Offset=0&Limit=10");
}

#[test]
fn a_cursor_from_before_merges_were_read_begins_again_once() {
    let known = known_office();
    let mut older: serde_json::Value = serde_json::from_str(&known.cursor).unwrap();
    older.as_object_mut().unwrap().remove("merges").unwrap();
    let older = Page {
        cursor: older.to_string(),
        ..known
    };
    let host = Double::new()
        .answer(200, "[]")
        .answer(200, &list(&[row(1, "Patient", THEN)]))
        .answer(200, "[]");
    let first = read(&host, Some(&older));
    assert!(first.more);
    let second = read(&host, Some(&first));
    assert_eq!((told(&second), second.more), (vec![("1", None)], false));
    assert!(!read(&host, Some(&second)).more);
}

#[test]
fn what_is_kept_of_links_fits_beside_the_rest_of_the_cursor() {
    let longest = |number: u64| PatNum::parse(&(u64::MAX - number).to_string()).unwrap();
    let mut merges = Merges {
        refused_ms: Some(u64::MAX),
        ..Merges::default()
    };
    for number in 0..1_000 {
        merges.told.add(&Link {
            from: longest(number),
            to: longest(0),
            at: OfficeTime::parse(NOW),
        });
    }
    merges.begin_late(OfficeTime::parse(NOW).unwrap());
    merges.late.as_mut().unwrap().unread = (0..PAGE as u64).map(longest).collect();
    let bytes = serde_json::to_string(&merges).unwrap().len();
    assert!(bytes < 14 * 1024, "{bytes} bytes");
}
