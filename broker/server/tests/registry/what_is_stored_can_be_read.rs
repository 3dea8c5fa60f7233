//! Nothing gets into the log that a start could not read: a broker that cannot start is worse than a refused record.

use crate::support::*;
use archwire_core::{ContactSystem, ContactUse, Identifier, Patient};

fn with_20_phones(r#use: ContactUse) -> Patient {
    let phones = (0..20).map(|number| contact(ContactSystem::Phone, r#use, &format!("555-01{number:02}")));
    Patient {
        telecom: phones.collect(),
        ..named("Smith")
    }
}

#[tokio::test]
async fn phones_of_two_systems_that_are_too_many_together_are_refused() {
    let office = Office::open().await;
    let first = office
        .see(says("archive", "1", with_20_phones(ContactUse::Mobile)))
        .await;
    let second = binds("imaging", "1", with_20_phones(ContactUse::Home), whom(first));
    assert_eq!(refused(office.observe(second).await), "observation_invalid");
    assert_eq!(phones(&office.state(whom(first))).len(), 20);
    let again = office.reopened().await;
    assert_eq!(revision(&again, whom(first)), 1);
}

#[tokio::test]
async fn phones_that_an_edit_adds_to_too_many_are_refused() {
    let office = Office::open().await;
    let first = whom(
        office
            .see(says("archive", "1", with_20_phones(ContactUse::Mobile)))
            .await,
    );
    office.see(binds("imaging", "1", named("Smith"), first)).await;
    let edited = says("imaging", "1", with_20_phones(ContactUse::Home));
    assert_eq!(refused(office.observe(edited).await), "observation_invalid");
    office.reopened().await;
    let taken = office.see(says("archive", "1", with_phone("555-0199"))).await;
    assert!(is_news(taken), "the patient goes on after the refusal");
}

/// What a connector's view may hold and the contract does not take.
fn unreadable() -> Vec<Patient> {
    let control_character = Patient {
        pronouns: Some("they\u{1}".into()),
        ..named("Smith")
    };
    let empty_phone = with_phone("");
    let namespace_missing = Patient {
        identifiers: vec![Identifier {
            value: "1".into(),
            ..Identifier::default()
        }],
        ..named("Smith")
    };
    vec![control_character, empty_phone, namespace_missing]
}

#[tokio::test]
async fn values_that_cannot_be_read_back_are_refused_as_new_patients() {
    let office = Office::open().await;
    for patient in unreadable() {
        let observation = says("front-desk", "1", patient);
        assert_eq!(refused(office.observe(observation).await), "observation_invalid");
    }
    assert_eq!(office.reopened().await.patients(), 0);
}

#[tokio::test]
async fn values_that_cannot_be_read_back_are_refused_as_sightings() {
    let office = Office::open().await;
    let known = Patient {
        pronouns: Some("they".into()),
        telecom: with_phone("555-0100").telecom,
        identifiers: vec![Identifier {
            system: "urn:chart".into(),
            value: "1".into(),
            ..Identifier::default()
        }],
        ..named("Smith")
    };
    let patient = whom(office.see(says("archive", "1", known)).await);
    // A first sight of what differs is no event: what is refused here is the note about the record.
    let mut differing = unreadable();
    differing.truncate(2);
    for (number, shown) in differing.into_iter().enumerate() {
        let observation = binds(&format!("imaging-{number}"), "1", shown, patient);
        assert_eq!(refused(office.observe(observation).await), "observation_invalid");
    }
    let again = office.reopened().await;
    assert_eq!(revision(&again, patient), 1);
}
