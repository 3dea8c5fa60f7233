//! The status at a glance: in order with exit code 0, and with 1 and a way out when something needs a person.

use crate::support::*;
use archwire::dispatch::Purpose;
use archwire_core::{Disposition, Reason};
use serde_json::Value;

#[tokio::test]
async fn a_practice_in_order_says_so() {
    let desk = Desk::open().await;
    doubtful_pair(&desk).await;
    let said = desk.run(&["status"]).await.well();
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
    for words in [
        "maple-street",
        "connected",
        "2 patients",
        "1 open",
        "front-desk",
        "closed",
        "not written to",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let json = desk.run(&["status", "--json"]).await.json();
    assert_eq!(json["in_order"], true);
    assert_eq!((&json["patients"], &json["open_reviews"]), (&2.into(), &1.into()));
    let systems = json["systems"].as_array().unwrap();
    let names: Vec<_> = systems
        .iter()
        .map(|system| system["system"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["archive", "front-desk", "imaging"]);
    assert_eq!(json["accounts"].as_array().unwrap().len(), 3);
    assert_eq!(json["accounts"][0]["spacing_ms"], 0);
}

#[tokio::test]
async fn what_is_parked_needs_a_person_until_it_is_tried_again() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    let answer = desk.run(&["status", "--json"]).await;
    assert_eq!(answer.code, Some(1));
    let json: Value = serde_json::from_str(&answer.said).unwrap();
    assert_eq!(
        (&json["in_order"], &json["systems"][2]["parked"]),
        (&false.into(), &1.into())
    );
    let way_out = json["attention"][0].as_str().unwrap();
    assert!(
        way_out.contains("archwire parked list --system imaging"),
        "{way_out}"
    );
    desk.run(&["parked", "redrive", "imaging", "--by", "Kim Doe"])
        .await
        .well();
    desk.run(&["status"]).await.well();
    desk.park("gone-system", patient, "refused").await;
    let answer = desk.run(&["status"]).await;
    assert_eq!(answer.code, Some(1));
    assert!(
        answer
            .said
            .contains("1 parked for systems that are not configured"),
        "{}",
        answer.said
    );
}

#[tokio::test]
async fn a_system_that_is_left_alone_is_named_with_the_reason() {
    let desk = Desk::open().await;
    let reason = Reason {
        code: "key-refused".parse().unwrap(),
        status: Some(401),
        detail: Some(DETAIL.to_owned()),
    };
    let pass = desk.breaker("archive").pass(Purpose::Reading).unwrap();
    pass.failed(&Disposition::Unauthorized(reason));
    let answer = desk.run(&["status"]).await;
    assert_eq!(answer.code, Some(1));
    assert!(
        answer.said.contains("archive is left alone since") && answer.said.contains("key-refused"),
        "{}",
        answer.said
    );
    assert!(
        answer.said.lines().all(|line| line.len() <= 100),
        "{}",
        answer.said
    );
    let json: Value = serde_json::from_str(&desk.run(&["status", "--json"]).await.said).unwrap();
    assert_eq!(json["systems"][0]["breaker"], "open");
    assert_eq!(json["systems"][0]["breaker_reason"], "key-refused");
}
