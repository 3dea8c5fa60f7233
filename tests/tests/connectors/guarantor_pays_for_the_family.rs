//! Guarantors: a child's is a responsible party on the bus, and goes back to the office where the office allows it. Open
//! Dental lets only a family's guarantor hand that over within the family; others can move to another family's.

use crate::support::{Office, Plan, SYSTEM, creation, jordan, jordan_at_the_desk, mobile, update};
use archwire_core::{DeliveryAction, Patient, PersonReference, ResponsibleParty};
use archwire_opendental_simulator::{Field, PatientFields};

/// Where the payer stands in what changed.
const PAYER: &str = "responsible_parties/guarantor/person";

const MOTHER: i64 = 1;
const FATHER: i64 = 2;
const CHILD: i64 = 3;
const STRANGER: i64 = 4;

/// Mother, father and child, for whom the mother pays, and somebody of no relation.
async fn family() -> Office {
    let office = Plan::service().open().await;
    let member = |first| PatientFields::named("Pratt", first).with(Field::Guarantor, MOTHER.to_string());
    office.desk().create(&PatientFields::named("Pratt", "Morgan"));
    office.desk().create(&member("Robin"));
    office.desk().create(&member("Jordan"));
    office.desk().create(&PatientFields::named("Adams", "Sam"));
    office
}

/// Jordan, for whom this record of this system pays.
fn paid_by(system: &str, pat_num: i64) -> Patient {
    Patient {
        responsible_parties: vec![ResponsibleParty {
            person: Some(PersonReference {
                system: system.parse().unwrap(),
                local_id: pat_num.to_string().parse().unwrap(),
                patient_id: None,
            }),
            is_guarantor: true,
            ..ResponsibleParty::default()
        }],
        ..jordan()
    }
}

/// Who pays, by everybody's number.
fn payers(office: &Office) -> Vec<i64> {
    office
        .simulator
        .patients()
        .iter()
        .map(|patient| patient.number(Field::Guarantor))
        .collect()
}

#[tokio::test]
async fn a_childs_guarantor_is_a_responsible_party_and_ones_own_is_none() {
    let office = family().await;
    let views = office.reader().pass().await;
    for view in views {
        let payer = view
            .patient
            .responsible_parties
            .first()
            .and_then(|party| party.person.as_ref());
        let payer = payer.map(|person| (person.system.as_str(), person.local_id.as_str()));
        let expected = match view.local_id.as_str() {
            "2" | "3" => Some((SYSTEM, "1")),
            _ => None,
        };
        assert_eq!(payer, expected, "patient {}", view.local_id.as_str());
        assert!(
            view.patient
                .responsible_parties
                .iter()
                .all(|party| party.is_guarantor)
        );
    }
}

#[tokio::test]
async fn a_guarantor_hands_over_to_another_of_the_family_and_all_follow() {
    let office = family().await;
    let handed = update(MOTHER, paid_by(SYSTEM, FATHER), &[PAYER]);
    assert_eq!(
        office.connector.deliver(&handed).await.unwrap().action,
        DeliveryAction::Updated
    );
    assert_eq!(payers(&office), [FATHER, FATHER, FATHER, STRANGER]);
}

#[tokio::test]
async fn somebody_who_is_not_the_guarantor_moves_to_another_family() {
    let office = family().await;
    let moved = update(CHILD, paid_by(SYSTEM, STRANGER), &[PAYER]);
    assert_eq!(
        office.connector.deliver(&moved).await.unwrap().action,
        DeliveryAction::Updated
    );
    assert_eq!(payers(&office), [MOTHER, MOTHER, STRANGER, STRANGER]);
}

#[tokio::test]
async fn where_the_office_does_not_allow_it_the_other_changes_are_written_all_the_same() {
    let office = family().await;
    let patient = Patient {
        telecom: vec![mobile("503-555-0111")],
        ..paid_by(SYSTEM, FATHER)
    };
    let wished = update(CHILD, patient, &[PAYER, "telecom/phone-mobile/value"]);
    assert_eq!(
        office.connector.deliver(&wished).await.unwrap().action,
        DeliveryAction::Updated
    );
    assert_eq!(
        payers(&office),
        [MOTHER, MOTHER, MOTHER, STRANGER],
        "the child does not decide that"
    );
    assert_eq!(office.shows(CHILD, Field::WirelessPhone), "503-555-0111");
}

#[tokio::test]
async fn a_payer_whom_another_system_has_on_file_is_not_written() {
    let office = family().await;
    let elsewhere = update(CHILD, paid_by("archive", STRANGER), &[PAYER]);
    assert_eq!(
        office.connector.deliver(&elsewhere).await.unwrap().action,
        DeliveryAction::Unchanged
    );
    assert_eq!(office.simulator.requests().len(), 0);
}

#[tokio::test]
async fn a_new_patient_joins_the_family_of_the_payer() {
    let office = Plan::service().open().await;
    office
        .desk()
        .create(&jordan_at_the_desk().with(Field::FName, "Morgan"));
    let delivered = office
        .connector
        .deliver(&creation(paid_by(SYSTEM, MOTHER)))
        .await
        .unwrap();
    assert_eq!(
        (delivered.local_id.as_str(), delivered.action),
        ("2", DeliveryAction::Created)
    );
    assert_eq!(payers(&office), [MOTHER, MOTHER]);
}
