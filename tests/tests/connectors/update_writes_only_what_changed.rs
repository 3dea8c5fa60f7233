//! Writing to a record that exists: the touched fields and no others, so that what the staff changed since stays.

use crate::support::{Office, Plan, jordan, jordan_at_the_desk, mobile, refusal, text, told, update};
use archwire_core::{ContactPoint, ContactSystem, DeliveryAction, Patient};
use archwire_opendental_simulator::{Change, Field};

/// An office with Jordan on file.
async fn with_jordan() -> Office {
    let office = Plan::service().open().await;
    office
        .desk()
        .create(&jordan_at_the_desk().with(Field::City, "Portland"));
    office
}

/// The fields of a change, with their new values.
fn fields(change: &Change) -> Vec<(Field, &str)> {
    change
        .fields
        .iter()
        .map(|change| (change.field, change.to.as_str()))
        .collect()
}

#[tokio::test]
async fn a_changed_phone_is_all_that_is_written() {
    let office = with_jordan().await;
    let patient = Patient {
        telecom: vec![mobile("503-555-0111")],
        ..jordan()
    };
    let delivered = office
        .connector
        .deliver(&update(1, patient, &["telecom/phone-mobile/value"]))
        .await
        .unwrap();
    assert_eq!(
        (delivered.local_id.as_str(), delivered.action),
        ("1", DeliveryAction::Updated)
    );
    let [change] = &office.written()[..] else {
        panic!("one write")
    };
    assert_eq!(fields(change), [(Field::WirelessPhone, "503-555-0111")]);
    assert_eq!(
        office.shows(1, Field::City),
        "Portland",
        "the bus's Salem was not news"
    );
}

#[tokio::test]
async fn what_is_no_longer_stated_is_cleared() {
    let office = with_jordan().await;
    let patient = Patient {
        telecom: Vec::new(),
        birth_date: None,
        ..jordan()
    };
    let changed = ["telecom/phone-mobile/value", "birth_date"];
    office
        .connector
        .deliver(&update(1, patient, &changed))
        .await
        .unwrap();
    let [change] = &office.written()[..] else {
        panic!("one write")
    };
    assert_eq!(
        fields(change),
        [(Field::Birthdate, "0001-01-01"), (Field::WirelessPhone, "")]
    );
}

#[tokio::test]
async fn what_the_office_has_no_place_for_costs_no_request() {
    let office = with_jordan().await;
    let patient = Patient {
        pronouns: text("they/them"),
        ..jordan()
    };
    let delivered = office
        .connector
        .deliver(&update(1, patient, &["pronouns"]))
        .await
        .unwrap();
    assert_eq!(delivered.action, DeliveryAction::Unchanged);
    assert_eq!(office.simulator.requests().len(), 0);
}

#[tokio::test]
async fn a_field_that_the_office_refuses_does_not_keep_the_others_from_it() {
    let office = with_jordan().await;
    let patient = Patient {
        preferred_language: text("Klingon of the north"),
        telecom: vec![mobile("503-555-0111")],
        ..jordan()
    };
    let changed = ["preferred_language", "telecom/phone-mobile/value"];
    let delivered = office
        .connector
        .deliver(&update(1, patient, &changed))
        .await
        .unwrap();
    assert_eq!(delivered.action, DeliveryAction::Updated);
    assert_eq!(office.requests("PUT").len(), 2, "with the language, and without");
    assert_eq!(office.shows(1, Field::WirelessPhone), "503-555-0111");
    assert_eq!(office.shows(1, Field::Language), "");
}

#[tokio::test]
async fn a_refusal_is_rejected_with_the_offices_words() {
    let office = with_jordan().await;
    let email = ContactPoint {
        system: ContactSystem::Email,
        r#use: None,
        ..mobile("jordan@example.com")
    };
    office.desk().delete(1).unwrap();
    let patient = Patient {
        telecom: vec![email],
        ..jordan()
    };
    let rejected = refusal(
        office
            .connector
            .deliver(&update(1, patient, &["telecom/email-any/value"]))
            .await,
    );
    assert_eq!(told(&rejected), ("rejected", "refused"));
    assert_eq!(rejected.reason().status, Some(400));
    assert_eq!(
        rejected.reason().detail.as_deref(),
        Some("Patient is deleted and cannot be modified")
    );
}

#[tokio::test]
async fn a_record_that_is_gone_is_told_as_that() {
    let office = with_jordan().await;
    let rejected = refusal(
        office
            .connector
            .deliver(&update(99, jordan(), &["birth_date"]))
            .await,
    );
    assert_eq!(told(&rejected), ("rejected", "record-gone"));
}
