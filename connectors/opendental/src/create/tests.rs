//! Creating records: once, whatever happens to the answers.

use super::*;
use crate::host::double::{Double, NOW_MS};
use archwire_connector::http::Error as HttpError;
use archwire_connector::{ContactPoint, ContactSystem, ContactUse, EventKind, HumanName, Patient};

/// Half an hour before the double's now.
const PATIENT_ID: &str = "01a19656-4a80-7000-8000-000000000000";

fn delivery() -> Delivery {
    let name = HumanName {
        family: Some("Pratt".into()),
        given: vec!["Jordan".into()],
        ..HumanName::default()
    };
    Delivery {
        event_id: "01a19656-4a80-7000-8000-000000000001".into(),
        kind: EventKind::PatientCreated,
        patient_id: PATIENT_ID.into(),
        revision: 1,
        local_id: None,
        patient: Patient {
            names: vec![name],
            birth_date: Some("1990-02-01".into()),
            telecom: vec![ContactPoint::new(
                ContactSystem::Phone,
                Some(ContactUse::Home),
                "503-555-0100",
            )],
            ..Patient::default()
        },
        changed: Vec::new(),
        in_doubt_since_ms: None,
    }
}

fn in_doubt() -> Delivery {
    Delivery {
        in_doubt_since_ms: Some(NOW_MS),
        ..delivery()
    }
}

fn run(host: &Double, delivery: &Delivery) -> Result<Delivered, Disposition> {
    create(host, &Office::for_tests(), delivery)
}

const POST: &str =
    r#"POST /patients {"Birthdate":"1990-02-01","FName":"Jordan","HmPhone":"503-555-0100","LName":"Pratt"}"#;
const SEARCH: &str = "GET /patients/Simple?LName=Pratt&FName=Jordan&Birthdate=1990-02-01&Offset=0&Limit=10";

/// The office's record of the delivered patient, entered on a day.
fn record(pat_num: u64, entered: &str, phone: &str) -> String {
    format!(
        r#"{{"PatNum":{pat_num},"LName":"Pratt","FName":"Jordan","Birthdate":"1990-02-01","HmPhone":"{phone}",
        "PatStatus":"Patient","SecDateEntry":"{entered}"}}"#
    )
}

fn list(records: &[String]) -> String {
    format!("[{}]", records.join(","))
}

fn mark(host: &Double) -> Option<String> {
    host.load(&format!("posted-{PATIENT_ID}"))
}

const TODAY: &str = "2026-11-01";
const DUPLICATE: &str = r#""A patient with the same name already exists.""#;

#[test]
fn a_new_patient_costs_one_request() {
    let host = Double::new().answer(201, r#"{"PatNum":41}"#);
    assert_eq!(
        run(&host, &delivery()),
        Ok(Delivered::new("41", DeliveryAction::Created))
    );
    assert_eq!(host.asked(), [POST]);
    assert_eq!(mark(&host), None);
}

#[test]
fn a_patient_without_a_name_cannot_be_created() {
    let nameless = Delivery {
        patient: Patient::default(),
        ..delivery()
    };
    assert_eq!(
        run(&Double::new(), &nameless),
        Err(Disposition::rejected("name-incomplete"))
    );
    let mut long = delivery();
    long.patient.names[0].family = Some("x".repeat(101));
    assert_eq!(
        run(&Double::new(), &long),
        Err(Disposition::rejected("name-too-long"))
    );
}

#[test]
fn the_existing_record_is_adopted_when_the_duplicate_check_refuses() {
    let host = Double::new()
        .answer(400, DUPLICATE)
        .answer(200, &list(&[record(7, "2020-01-01", "(503) 555 0100")]));
    assert_eq!(
        run(&host, &delivery()),
        Ok(Delivered::new("7", DeliveryAction::Adopted))
    );
    assert_eq!(host.asked(), [POST, SEARCH]);
}

#[test]
fn a_refused_duplicate_that_is_not_surely_the_same_person_is_rejected() {
    let others = [
        list(&[record(7, "2020-01-01", "555-0199-000")]),
        list(&[
            record(7, "2020-01-01", "503-555-0100"),
            record(8, "2020-01-01", "503-555-0100"),
        ]),
    ];
    for records in others {
        let host = Double::new().answer(400, DUPLICATE).answer(200, &records);
        let disposition = run(&host, &delivery()).unwrap_err();
        assert_eq!(disposition.reason().code, "duplicate-refused");
        assert_eq!(disposition.reason().status, Some(400));
    }
}

#[test]
fn a_refusal_without_a_namesake_is_rejected_in_the_offices_words() {
    let host = Double::new()
        .answer(400, r#""Something is invalid""#)
        .answer(200, "[]");
    let disposition = run(&host, &delivery()).unwrap_err();
    assert_eq!(
        disposition,
        Disposition::rejected("refused")
            .with_status(400)
            .with_detail("Something is invalid")
    );
}

#[test]
fn a_lost_answer_is_followed_by_a_search_that_finds_the_record() {
    for error in [HttpError::TimedOut, HttpError::Closed] {
        let host = Double::new()
            .fail(error)
            .answer(200, &list(&[record(41, TODAY, "503-555-0100")]));
        assert_eq!(
            run(&host, &delivery()),
            Ok(Delivered::new("41", DeliveryAction::Created))
        );
        assert_eq!(host.asked(), [POST, SEARCH]);
        assert_eq!(mark(&host), None);
    }
}

#[test]
fn an_error_on_the_offices_side_leaves_the_post_in_doubt_too() {
    let host = Double::new()
        .answer(504, "")
        .answer(200, &list(&[record(41, TODAY, "503-555-0100")]));
    assert_eq!(
        run(&host, &delivery()),
        Ok(Delivered::new("41", DeliveryAction::Created))
    );
}

#[test]
fn no_second_post_is_sent_before_the_first_is_settled() {
    let host = Double::new()
        .fail(HttpError::TimedOut)
        .answer(200, "[]")
        .answer(200, "[]")
        .answer(200, "[]")
        .answer(201, r#"{"PatNum":42}"#);
    let disposition = run(&host, &delivery()).unwrap_err();
    assert_eq!(disposition, Disposition::retry("create-in-doubt", SEARCH_AGAIN));
    assert!(mark(&host).is_some());
    host.later_ms.set(10_000);
    assert_eq!(
        run(&host, &delivery()),
        Err(Disposition::retry("create-in-doubt", SEARCH_AGAIN))
    );
    host.later_ms.set(66_000);
    assert_eq!(
        run(&host, &delivery()),
        Ok(Delivered::new("42", DeliveryAction::Created))
    );
    assert_eq!(host.asked(), [POST, SEARCH, SEARCH, SEARCH, POST]);
    assert_eq!(mark(&host), None);
}

#[test]
fn a_record_that_appears_late_is_found_by_the_next_call() {
    let host = Double::new()
        .fail(HttpError::TimedOut)
        .answer(200, "[]")
        .answer(200, &list(&[record(41, TODAY, "503-555-0100")]));
    assert!(matches!(run(&host, &delivery()), Err(Disposition::Retry(_))));
    host.later_ms.set(20_000);
    assert_eq!(
        run(&host, &in_doubt()),
        Ok(Delivered::new("41", DeliveryAction::Created))
    );
}

#[test]
fn the_doubt_outlives_a_search_that_fails() {
    let offline = r#""The office's eConnector is not running.""#;
    let host = Double::new()
        .fail(HttpError::TimedOut)
        .answer(400, offline)
        .answer(400, offline)
        .answer(200, &list(&[record(41, TODAY, "503-555-0100")]));
    assert!(
        matches!(run(&host, &delivery()), Err(Disposition::Retry(_))),
        "right after the POST the doubt comes first"
    );
    assert!(matches!(
        run(&host, &in_doubt()),
        Err(Disposition::Unavailable(_))
    ));
    assert!(mark(&host).is_some());
    assert_eq!(
        run(&host, &delivery()),
        Ok(Delivered::new("41", DeliveryAction::Created))
    );
}

#[test]
fn when_the_bus_was_killed_the_record_is_searched_for_before_it_is_made() {
    let host = Double::new().answer(200, &list(&[record(41, TODAY, "503-555-0100")]));
    assert_eq!(
        run(&host, &in_doubt()),
        Ok(Delivered::new("41", DeliveryAction::Created))
    );
    let host = Double::new()
        .answer(200, "[]")
        .answer(200, "[]")
        .answer(201, r#"{"PatNum":42}"#);
    assert_eq!(
        run(&host, &in_doubt()),
        Err(Disposition::retry("create-in-doubt", SEARCH_AGAIN)),
        "the office may still be at it"
    );
    host.later_ms.set(11_000);
    assert_eq!(
        run(&host, &in_doubt()),
        Ok(Delivered::new("42", DeliveryAction::Created))
    );
    assert_eq!(host.asked(), [SEARCH, SEARCH, POST]);
}

#[test]
fn an_attempt_that_was_killed_after_a_lost_answer_is_looked_for_as_well() {
    let host = Double::new().fail(HttpError::TimedOut).answer(200, "[]");
    assert!(matches!(run(&host, &delivery()), Err(Disposition::Retry(_))));
    // The first POST made nothing; the second was killed with the bus, and the office is still at it.
    let killed = Delivery {
        in_doubt_since_ms: Some(NOW_MS + 66_000),
        ..delivery()
    };
    host.later_ms.set(68_000);
    let host = host.answer(200, "[]");
    assert_eq!(
        run(&host, &killed),
        Err(Disposition::retry("create-in-doubt", SEARCH_AGAIN))
    );
    host.later_ms.set(73_000);
    let host = host.answer(200, &list(&[record(41, TODAY, "503-555-0100")]));
    let looked = Delivery {
        in_doubt_since_ms: Some(NOW_MS + 68_000),
        ..delivery()
    };
    assert_eq!(
        run(&host, &looked),
        Ok(Delivered::new("41", DeliveryAction::Created))
    );
    assert_eq!(host.asked(), [POST, SEARCH, SEARCH, SEARCH]);
}

#[test]
fn attempts_that_only_search_do_not_put_the_end_of_a_doubt_off() {
    let host = Double::new().answer(200, "[]").answer(200, "[]");
    assert!(run(&host, &in_doubt()).is_err());
    host.later_ms.set(9_000);
    assert!(run(&host, &in_doubt()).is_err());
    host.later_ms.set(11_000);
    let host = host.answer(200, "[]").answer(201, r#"{"PatNum":42}"#);
    // The bus says when the attempt before began.
    let looked = Delivery {
        in_doubt_since_ms: Some(NOW_MS + 9_000),
        ..delivery()
    };
    assert_eq!(
        run(&host, &looked),
        Ok(Delivered::new("42", DeliveryAction::Created))
    );
}

#[test]
fn without_room_for_a_mark_the_next_attempt_comes_when_the_last_is_settled() {
    let lost = Double::new().fail(HttpError::TimedOut).answer(200, "[]");
    let killed = Double::new().answer(200, "[]");
    for (host, delivery) in [(lost, delivery()), (killed, in_doubt())] {
        host.full.set(true);
        let again = run(&host, &delivery);
        assert_eq!(
            again,
            Err(Disposition::retry("create-in-doubt", PATIENCE.unkept()))
        );
    }
    assert!(PATIENCE.unkept() > crate::doubt::SETTLED_AFTER);
}

#[test]
fn what_a_killed_attempt_sent_late_is_waited_for_from_the_first_look() {
    // The attempt waited for its turn, or reposted without a field, before it was killed.
    let killed = Delivery {
        in_doubt_since_ms: Some(NOW_MS - 40_000),
        ..delivery()
    };
    let host = Double::new().answer(200, "[]");
    assert_eq!(
        run(&host, &killed),
        Err(Disposition::retry("create-in-doubt", SEARCH_AGAIN))
    );
    let long_ago = Delivery {
        in_doubt_since_ms: Some(NOW_MS - 71_000),
        ..delivery()
    };
    let host = Double::new().answer(200, "[]").answer(201, r#"{"PatNum":42}"#);
    assert!(run(&host, &long_ago).is_ok());
}

#[test]
fn a_mark_that_becomes_settled_during_an_attempt_lets_only_the_next_one_send() {
    let host = Double::new().fail(HttpError::TimedOut).answer(200, "[]");
    assert!(run(&host, &delivery()).is_err());
    host.later_ms.set(63_000);
    host.slow_ms.set(3_000);
    let host = host.answer(200, "[]");
    let looked = |seconds: u64| Delivery {
        in_doubt_since_ms: Some(NOW_MS + seconds * 1_000),
        ..delivery()
    };
    assert!(
        run(&host, &looked(0)).is_err(),
        "it was not settled when it began"
    );
    host.slow_ms.set(0);
    host.later_ms.set(70_000);
    // The next one sends, and is killed: what it kept is lost with it.
    let kept = host.kept.borrow().clone();
    let host = host.answer(200, "[]").answer(201, r#"{"PatNum":42}"#);
    assert!(run(&host, &looked(63)).is_ok());
    host.kept.replace(kept);
    host.later_ms.set(71_000);
    let host = host.answer(200, "[]");
    assert!(run(&host, &looked(70)).is_err(), "the office may be at it");
    let posts = host.asked().iter().filter(|line| *line == POST).count();
    assert_eq!(posts, 2);
}

#[test]
fn a_doubt_about_an_unreachable_office_is_kept_even_without_room_for_a_mark() {
    let host = Double::new().fail(HttpError::Unreachable);
    host.full.set(true);
    assert_eq!(
        run(&host, &in_doubt()),
        Err(Disposition::retry("unreachable", RETRY_AFTER))
    );
}

#[test]
fn a_new_namesake_in_doubt_is_left_to_a_person() {
    let host = Double::new().answer(200, &list(&[record(41, TODAY, "555-0199-000")]));
    assert_eq!(
        run(&host, &in_doubt()),
        Err(Disposition::rejected("create-unclear"))
    );
}

#[test]
fn what_was_never_sent_is_not_in_doubt() {
    for (host, unavailable) in [
        (Double::new().fail(HttpError::Unreachable), true),
        (
            Double::new().answer(400, r#""The office's eConnector is not running.""#),
            true,
        ),
        (Double::new().answer_with(429, &[("retry-after", "9")], ""), false),
    ] {
        let disposition = run(&host, &delivery()).unwrap_err();
        assert_eq!(matches!(disposition, Disposition::Unavailable(_)), unavailable);
        assert_eq!(mark(&host), None);
        assert_eq!(host.asked(), [POST]);
    }
}

#[test]
fn a_field_that_an_older_office_does_not_know_does_not_cost_the_patient() {
    let mut delivery = delivery();
    delivery.patient.preferred_language = Some("en".into());
    let host = Double::new()
        .answer(400, r#""Language is not a valid field""#)
        .answer(201, r#"{"PatNum":41}"#);
    assert_eq!(
        run(&host, &delivery),
        Ok(Delivered::new("41", DeliveryAction::Created))
    );
    assert_eq!(host.asked()[1], POST);
    assert_eq!(host.events(), ["fields-refused"]);
}

#[test]
fn a_name_that_fills_every_page_is_left_to_a_person() {
    let mut host = Double::new().answer(400, DUPLICATE);
    let full = list(
        &(1..=10)
            .map(|number| record(number, "2020-01-01", ""))
            .collect::<Vec<_>>(),
    );
    for _ in 0..MOST_PAGES {
        host = host.answer(200, &full);
    }
    assert_eq!(
        run(&host, &delivery()),
        Err(Disposition::rejected("too-many-namesakes"))
    );
}

#[test]
fn the_time_in_a_uuid_of_version_7_is_read() {
    assert_eq!(
        uuid_v7_ms("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"),
        Some(0x017f_22e2_79b0)
    );
    assert_eq!(uuid_v7_ms("017f22e2-79b0-4cc3-98c4-dc0c0c07398f"), None);
    assert_eq!(uuid_v7_ms("patient"), None);
}
