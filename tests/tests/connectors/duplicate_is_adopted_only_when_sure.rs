//! Registering a patient in the office: one POST. Where the office refuses it as a duplicate, its record is taken for the
//! patient's only when it surely is the same person; a twin never.

use crate::support::{Office, Plan, creation, jordan, jordan_at_the_desk, mobile, refusal, told};
use archwire_core::{Delivered, DeliveryAction, Patient};
use archwire_opendental_simulator::{DuplicateRule, Field, PatientFields};

/// An office that has these people on file and refuses whoever has the same name and birth date.
async fn strict(on_file: &[PatientFields]) -> Office {
    let mut plan = Plan::service();
    plan.options.unknowns.duplicate_rule = DuplicateRule::NameBirthdate;
    let office = plan.open().await;
    for person in on_file {
        office.desk().create(person);
    }
    office
}

fn answer(delivered: &Delivered) -> (&str, DeliveryAction) {
    (delivered.local_id.as_str(), delivered.action)
}

/// Delivers Jordan, who is refused as a duplicate and rejected because nobody on file surely is her.
async fn is_left_to_a_person(office: &Office, patient: Patient) {
    let before = office.simulator.patients();
    let rejected = refusal(office.connector.deliver(&creation(patient)).await);
    assert_eq!(told(&rejected), ("rejected", "duplicate-refused"));
    let detail = rejected.reason().detail.as_deref().unwrap();
    assert!(
        detail.contains("same name, birthdate"),
        "the office's own words are passed on"
    );
    assert_eq!(rejected.reason().status, Some(400));
    assert!(office.simulator.patients() == before, "nothing was written");
    assert_eq!(office.requests("POST").len(), 1);
}

#[tokio::test]
async fn a_new_patient_is_created_with_one_request() {
    let office = Plan::service().open().await;
    let delivered = office.connector.deliver(&creation(jordan())).await.unwrap();
    assert_eq!(answer(&delivered), ("1", DeliveryAction::Created));
    assert_eq!(office.created(), [1]);
    assert_eq!(office.simulator.requests().len(), 1);
    for (field, value) in [
        (Field::LName, "Pratt"),
        (Field::FName, "Jordan"),
        (Field::MiddleI, "K"),
        (Field::Birthdate, "1990-02-01"),
        (Field::Gender, "Female"),
        (Field::WirelessPhone, "503-555-0100"),
        (Field::Address, "1 Main St"),
        (Field::City, "Salem"),
        (Field::State, "OR"),
        (Field::Zip, "97301"),
    ] {
        assert_eq!(office.shows(1, field), value, "{field:?}");
    }
}

#[tokio::test]
async fn the_record_of_the_same_person_is_adopted_and_left_as_it_is() {
    let office = Plan::service().open().await;
    office.desk().create(&jordan_at_the_desk());
    let before = office.simulator.patients();
    let delivered = office.connector.deliver(&creation(jordan())).await.unwrap();
    assert_eq!(answer(&delivered), ("1", DeliveryAction::Adopted));
    assert!(office.simulator.patients() == before);
    assert_eq!(office.requests("POST").len(), 1);
}

#[tokio::test]
async fn a_sibling_with_the_same_phone_gets_a_record_of_her_own() {
    let office = strict(&[
        jordan_at_the_desk().with(Field::FName, "Jamie"),
        jordan_at_the_desk().with(Field::Birthdate, "1992-07-15"),
    ])
    .await;
    let delivered = office.connector.deliver(&creation(jordan())).await.unwrap();
    assert_eq!(answer(&delivered), ("3", DeliveryAction::Created));
}

#[tokio::test]
async fn a_twin_of_the_same_name_is_never_adopted() {
    for twin in [
        jordan_at_the_desk().with(Field::Gender, "Male"),
        jordan_at_the_desk().with(Field::MiddleI, "Lee"),
    ] {
        is_left_to_a_person(&strict(&[twin]).await, jordan()).await;
    }
}

#[tokio::test]
async fn a_namesake_without_anything_else_in_common_is_not_adopted() {
    let namesake = jordan_at_the_desk().with(Field::WirelessPhone, "(971)555-0190");
    is_left_to_a_person(&strict(&[namesake]).await, jordan()).await;
}

#[tokio::test]
async fn of_two_records_that_both_fit_none_is_adopted() {
    is_left_to_a_person(
        &strict(&[jordan_at_the_desk(), jordan_at_the_desk()]).await,
        jordan(),
    )
    .await;
}

#[tokio::test]
async fn a_patient_without_contact_is_not_taken_for_the_namesake_on_file() {
    let unreachable = Patient {
        telecom: Vec::new(),
        ..jordan()
    };
    is_left_to_a_person(&strict(&[jordan_at_the_desk()]).await, unreachable).await;
    let office = Plan::service().open().await;
    office.desk().create(&jordan_at_the_desk());
    let other = Patient {
        telecom: vec![mobile("971-555-0190")],
        ..jordan()
    };
    let delivered = office.connector.deliver(&creation(other)).await.unwrap();
    assert_eq!(
        answer(&delivered),
        ("2", DeliveryAction::Created),
        "the office itself does not mind"
    );
}
