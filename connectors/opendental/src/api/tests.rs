//! An office that answers as prepared, well or not.

use super::*;
use crate::host::double::Double;

const URL: &str = "http://localhost:30223/api/v1";

fn outcome(status: u16, body: &str) -> Disposition {
    let host = Double::new().answer(status, body);
    Api::new(&host, URL).simple(&[]).unwrap_err().into()
}

#[test]
fn an_office_that_is_offline_is_told_from_a_bad_request() {
    let text =
        r#""The office's eConnector is not running. Please contact the office to start their eConnector.""#;
    assert_eq!(
        outcome(400, text),
        Disposition::unavailable("econnector-down").with_status(400)
    );
    let refused = outcome(400, r#""'updatedSince' is not a valid parameter""#);
    let expected = Disposition::rejected("refused").with_status(400);
    assert_eq!(
        refused,
        expected.with_detail("'updatedSince' is not a valid parameter")
    );
}

#[test]
fn the_offices_words_are_not_printed() {
    let host = Double::new().answer(400, r#""Pratt is invalid""#);
    let error = Api::new(&host, URL).simple(&[]).unwrap_err();
    assert!(!format!("{error:?} {error}").contains("Pratt"));
}

#[test]
fn keys_that_are_not_accepted_are_unauthorized_whatever_the_status() {
    for (status, body) in [
        (401, ""),
        (400, r#""API key has not been assigned.""#),
        (400, "API key has not been assigned."),
    ] {
        assert!(
            matches!(outcome(status, body), Disposition::Unauthorized(_)),
            "{status} {body}"
        );
    }
}

#[test]
fn throttling_waits_as_long_as_the_api_says_or_five_seconds() {
    let host = Double::new()
        .answer_with(429, &[("retry-after", "12")], "")
        .answer(429, "\"anything\"");
    let api = Api::new(&host, URL);
    for seconds in [12, 5] {
        let disposition = Disposition::from(api.simple(&[]).unwrap_err());
        assert_eq!(
            disposition,
            Disposition::throttled("throttled", Duration::from_secs(seconds)).with_status(429)
        );
    }
}

#[test]
fn a_failing_office_is_tried_again() {
    for (status, body) in [
        (500, ""),
        (502, "<html>"),
        (503, ""),
        (504, ""),
        (400, r#""The office network request timed out.""#),
    ] {
        assert!(matches!(outcome(status, body), Disposition::Retry(_)), "{status}");
    }
}

#[test]
fn what_was_never_sent_is_told_from_what_may_have_been_done() {
    for (error, arrived) in [
        (Error::Http(HttpError::Unreachable), false),
        (Error::Http(HttpError::TimedOut), true),
        (Error::Failed(504), true),
        (Error::OfficeOffline(400), false),
        (Error::Throttled(TIMEOUT), false),
        (Error::Unreadable, true),
    ] {
        assert_eq!(error.may_have_arrived(), arrived, "{error:?}");
    }
}

#[test]
fn a_patient_who_is_not_there_is_none() {
    let host = Double::new()
        .answer(404, r#""Patient not found""#)
        .answer(200, r#"{"PatNum":7}"#);
    let api = Api::new(&host, URL);
    let pat_num = PatNum::parse("7").unwrap();
    assert_eq!(api.patient(pat_num).unwrap(), None);
    assert_eq!(api.patient(pat_num).unwrap(), Some(br#"{"PatNum":7}"#.to_vec()));
    assert_eq!(host.asked(), ["GET /patients/7", "GET /patients/7"]);
}

#[test]
fn the_new_key_is_read_from_the_object_or_from_the_location() {
    let host = Double::new()
        .answer(201, r#"{"PatNum":41,"LName":"A"}"#)
        .answer_with(
            201,
            &[("location", "https://api.opendental.com/api/v1/patients/42")],
            "",
        )
        .answer(201, "");
    let api = Api::new(&host, URL);
    let fields = FieldSet::default();
    assert_eq!(api.create(&fields).unwrap().get(), 41);
    assert_eq!(api.create(&fields).unwrap().get(), 42);
    assert!(matches!(api.create(&fields), Err(Error::Unreadable)));
}

#[test]
fn a_change_counts_when_the_record_is_shown_and_not_when_something_else_is() {
    let pat_num = PatNum::parse("41").unwrap();
    let answers = [
        ("<html>Welcome</html>", false),
        ("", false),
        ("[]", false),
        ("null", false),
        (r#""Patient not found""#, false),
        (r#"{"LName":"A"}"#, false),
        (r#"{"PatNum":42,"LName":"A"}"#, false),
        (r#"{"PatNum":41,"LName":"A"}"#, true),
        (r#"{"PatNum":"41"}"#, true),
    ];
    for (body, counts) in answers {
        let host = Double::new().answer(200, body);
        match Api::new(&host, URL).update(pat_num, &FieldSet::default()) {
            Ok(()) => assert!(counts, "{body}"),
            Err(error) => {
                assert!(!counts, "{body}");
                assert!(
                    matches!(Disposition::from(error), Disposition::Retry(_)),
                    "{body}"
                );
            }
        }
    }
}

#[test]
fn filters_are_percent_encoded() {
    let host = Double::new().answer(200, "[]");
    Api::new(&host, URL)
        .simple(&[("DateTStamp", "2026-11-01 01:30:00".into())])
        .unwrap();
    assert_eq!(
        host.asked(),
        ["GET /patients/Simple?DateTStamp=2026-11-01%2001%3A30%3A00"]
    );
}
