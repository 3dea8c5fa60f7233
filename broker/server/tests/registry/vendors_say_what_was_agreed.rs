//! What a contract does not let a vendor say changes nothing, removes nothing, and tells the vendor nothing.

use crate::support::*;
use archwire::registry::{Decided, ObserveError, Observed};
use archwire_core::{
    EventKind, FieldGroup, Patient, PatientId, ReviewKind, Verdict,
    contract::{Contract, PatientScope},
};

const VENDOR: &str = "reminders";
const NEW: &str = "503 555 0199";

/// A contract that reads and writes these fields, and lets the vendor do what it wants with them.
fn agreed(reads: &[FieldGroup], writes: &[FieldGroup]) -> Contract {
    let mut contract = everything(VENDOR);
    contract.read.fields = reads.iter().copied().collect();
    contract.write.fields = writes.iter().copied().collect();
    contract
}

/// Reads names, reads and writes contacts.
fn of_contacts() -> Contract {
    agreed(&[FieldGroup::Name, FieldGroup::Contact], &[FieldGroup::Contact])
}

/// Of patients of whom somebody keeps a record.
fn linked_with(system: &str) -> Contract {
    Contract {
        patients: PatientScope::LinkedWith(system.parse().unwrap()),
        ..everything(VENDOR)
    }
}

/// An office in which the desk has Ann, by whom the vendor's contract says what it does.
async fn office(contract: Contract) -> (Office, PatientId) {
    let office = Office::agreed([contract]).await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    (office, patient)
}

/// What the vendor can say of Ann: her name and a phone.
fn with(phone: &str) -> Patient {
    Patient {
        birth_date: None,
        administrative_sex: None,
        ..ann_alone().mobile(phone)
    }
}

/// Nothing but a phone.
fn only(phone: &str) -> Patient {
    Patient {
        names: Vec::new(),
        ..with(phone)
    }
}

fn denied(result: Result<Observed, ObserveError>) -> String {
    match result {
        Err(ObserveError::FieldDenied { path }) => path.to_string(),
        Err(error) => panic!("another refusal: {}", error.code()),
        Ok(observed) => panic!("it was taken: {}", observed.name()),
    }
}

#[tokio::test]
async fn a_vendor_of_contacts_changes_a_phone_and_neither_removes_nor_changes_anything_else() {
    let (office, patient) = office(of_contacts()).await;
    let bound = based_on(1, binds(VENDOR, "v", with(PHONE), patient));
    assert!(!is_news(office.see(bound).await));
    assert!(is_news(office.see(says(VENDOR, "v", with(NEW))).await));
    let before = office.state(patient);
    assert_eq!(phones(&before), [NEW]);
    assert!(before.birth_date.is_some() && before.names == ann().names);
    // Without the name, the record is no wiped one.
    let observed = office.see(says(VENDOR, "v", only(PHONE))).await;
    assert!(is_news(observed));
    office.asks_nothing();
    let after = office.state(patient);
    assert_eq!(phones(&after), [PHONE]);
    assert!(after.birth_date == before.birth_date && after.names == before.names);
}

#[tokio::test]
async fn a_value_that_is_hidden_is_refused_also_where_it_is_right() {
    let (office, patient) = office(of_contacts()).await;
    let right = Patient {
        birth_date: ann().birth_date,
        ..with(PHONE)
    };
    assert_eq!(
        denied(office.observe(binds(VENDOR, "v", right.clone(), patient)).await),
        "birth_date"
    );
    // Of nobody in particular, too: what is refused does not depend on who there is.
    assert_eq!(
        denied(office.observe(says(VENDOR, "w", right)).await),
        "birth_date"
    );
    assert!(
        office
            .registry
            .index()
            .linked(&system(VENDOR), &id("v"))
            .is_none()
    );
}

#[tokio::test]
async fn a_value_that_is_shown_may_be_said_again_and_no_other() {
    let (office, patient) = office(of_contacts()).await;
    let mut other = with(NEW);
    other.names[0].given = vec!["Anne".into()];
    let denied = denied(office.observe(binds(VENDOR, "v", other, patient)).await);
    assert_eq!(denied, "names/official/given");
    assert_eq!(phones(&office.state(patient)), [PHONE], "nothing of it was taken");
    let more = with(PHONE).email("ann@example.org");
    assert!(is_news(office.see(binds(VENDOR, "v", more, patient)).await));
}

#[tokio::test]
async fn what_a_vendor_repeats_of_long_ago_changes_nothing() {
    let (office, patient) = office(of_contacts()).await;
    office
        .see(based_on(1, binds(VENDOR, "v", with(PHONE), patient)))
        .await;
    let married = Patient {
        names: named("Miller").names,
        ..ann()
    };
    office.see(says("front-desk", "1", married)).await;
    // It has not heard of that yet.
    assert!(is_news(
        office.see(based_on(1, says(VENDOR, "v", with(NEW)))).await
    ));
    assert_eq!(family(&office.state(patient)), "Miller");
    // It has, and still shows the old name.
    office.see(based_on(2, says(VENDOR, "v", with(PHONE)))).await;
    assert_eq!(family(&office.state(patient)), "Miller");
    assert_eq!(phones(&office.state(patient)), [PHONE]);
    office.asks_nothing();
}

#[tokio::test]
async fn of_what_is_hidden_a_vendor_has_taken_nothing_over() {
    let contract = agreed(&[FieldGroup::Name], &[FieldGroup::Contact]);
    let (office, patient) = office(contract).await;
    office
        .see(based_on(1, binds(VENDOR, "v", only(PHONE), patient)))
        .await;
    let moved = ann_alone().mobile(NEW).email("ann@example.org");
    office.see(says("front-desk", "1", moved)).await;
    // It says that it knows of the newest revision, in which it saw neither phone nor address.
    let again = office.see(based_on(2, says(VENDOR, "v", only(PHONE)))).await;
    assert!(!is_news(again));
    assert_eq!(phones(&office.state(patient)), [NEW]);
    assert_eq!(emails(&office.state(patient)), ["ann@example.org"]);
}

#[tokio::test]
async fn kinds_that_were_not_agreed_are_refused_and_leave_nothing_behind() {
    let without = |kind| {
        let mut contract = everything(VENDOR);
        contract.write.kinds.remove(&kind);
        contract
    };
    let (office, patient) = office(without(EventKind::PatientCreated)).await;
    assert_eq!(
        refused(office.observe(says(VENDOR, "b", bob())).await),
        "kind_denied"
    );
    assert_eq!(office.registry.patients(), 1);
    // Who is known is no new patient.
    assert_eq!(whom(office.see(says(VENDOR, "a", ann())).await), patient);
    let put = |contract: Contract| office.books.put_vendors([vendor(contract, "token")]);

    put(without(EventKind::PatientUpdated));
    let changed = office.observe(says(VENDOR, "a", ann_alone().mobile(NEW))).await;
    assert_eq!(refused(changed), "kind_denied");
    assert_eq!(phones(&office.state(patient)), [PHONE]);
    assert!(is_news(office.see(says(VENDOR, "b", bob())).await));

    put(without(EventKind::PatientMerged));
    let mut merged = says(VENDOR, "b", bob());
    merged.view.merged_into = Some(id("a"));
    assert_eq!(refused(office.observe(merged).await), "kind_denied");
    assert_eq!(office.registry.patients(), 2);

    let mut nothing = everything(VENDOR);
    nothing.write.kinds.clear();
    put(nothing);
    for known in [ann(), bob(), stranger(1)] {
        assert_eq!(
            refused(office.observe(says(VENDOR, "c", known)).await),
            "kind_denied"
        );
    }
}

#[tokio::test]
async fn an_id_opens_nobody_whom_the_contract_is_not_about() {
    for scope in ["archive", VENDOR] {
        let (office, patient) = office(linked_with(scope)).await;
        let named = office.observe(binds(VENDOR, "v", ann(), patient)).await;
        assert_eq!(refused(named), "patient_unknown", "linked with {scope}");
        let nobody = office
            .observe(binds(VENDOR, "v", ann(), PatientId::generate()))
            .await;
        assert_eq!(refused(nobody), "patient_unknown");
        assert!(!office.registry.keeps_record(&system(VENDOR), patient));
    }
}

#[tokio::test]
async fn who_knows_the_person_is_linked_where_its_own_records_count_and_nowhere_else() {
    let (office, patient) = office(linked_with(VENDOR)).await;
    assert_eq!(whom(office.see(says(VENDOR, "v", ann())).await), patient);
    office
        .books
        .put_vendors([vendor(linked_with("archive"), "token")]);
    assert_eq!(
        refused(office.observe(says(VENDOR, "v", ann())).await),
        "patient_denied"
    );
    office.see(says("archive", "7", ann())).await;
    let again = says(VENDOR, "v", ann_alone().mobile(NEW));
    assert!(is_news(office.see(again).await));
}

#[tokio::test]
async fn who_may_make_no_patients_does_not_learn_that_there_is_one() {
    let mut contract = linked_with("archive");
    let (office, _) = office(contract.clone()).await;
    let known = office.observe(says(VENDOR, "w", ann())).await;
    assert_eq!(refused(known), "patient_denied");
    contract.write.kinds.remove(&EventKind::PatientCreated);
    office.books.put_vendors([vendor(contract, "token")]);
    for known in [ann(), bob()] {
        assert_eq!(
            refused(office.observe(says(VENDOR, "w", known)).await),
            "kind_denied"
        );
    }
}

#[tokio::test]
async fn a_patient_whom_a_vendor_brought_stays_its_own_until_somebody_else_has_a_record() {
    let (office, _) = office(linked_with("archive")).await;
    let brought = whom(office.see(says(VENDOR, "b", bob())).await);
    let changed = bob().email("bob@example.org");
    assert!(is_news(office.see(says(VENDOR, "b", changed.clone())).await));
    office.see(says("front-desk", "2", changed.clone())).await;
    assert_eq!(
        refused(office.observe(says(VENDOR, "b", changed.clone())).await),
        "patient_denied"
    );
    office.see(says("archive", "2", changed.clone())).await;
    assert_eq!(whom(office.see(says(VENDOR, "b", changed)).await), brought);
}

#[tokio::test]
async fn what_a_person_takes_removes_nothing_that_the_vendor_could_not_say() {
    let reads = [FieldGroup::Name, FieldGroup::Demographics, FieldGroup::Contact];
    let mut contract = agreed(
        &reads,
        &[FieldGroup::Name, FieldGroup::Contact, FieldGroup::Demographics],
    );
    let (office, patient) = office(contract.clone()).await;
    office.see(binds(VENDOR, "v", ann(), patient)).await;
    contract.write.fields.remove(&FieldGroup::Demographics);
    office.books.put_vendors([vendor(contract, "token")]);
    // Somebody else's name, and no birth date any more.
    let another = Patient {
        names: person("Zoe", "Quill", "1987-06-30").names,
        ..with(NEW)
    };
    assert!(!is_news(office.see(says(VENDOR, "v", another)).await));
    let number = office.the(ReviewKind::RecordConflict).await.number;
    assert_eq!(
        office.decide(number, Verdict::Link).await,
        Decided::Taken { patient }
    );
    let state = office.state(patient);
    assert_eq!(family(&state), "Quill");
    assert!(state.birth_date == ann().birth_date && state.administrative_sex.is_some());
}

#[tokio::test]
async fn no_answer_tells_somebody_hidden_from_nobody() {
    let mut contract = linked_with("archive");
    contract.write.kinds.remove(&EventKind::PatientCreated);
    let (office, _) = office(contract).await;
    for revision in [None, Some(0), Some(1), Some(2), Some(1 << 60)] {
        let answers = [("w", ann()), ("x", bob())].map(|(record, patient)| {
            let said = says(VENDOR, record, patient);
            match revision {
                Some(revision) => based_on(revision, said),
                None => said,
            }
        });
        for said in answers {
            assert_eq!(refused(office.observe(said).await), "kind_denied", "{revision:?}");
        }
    }
}

#[tokio::test]
async fn who_was_removed_says_nothing_any_more() {
    let (office, patient) = office(everything(VENDOR)).await;
    office.see(binds(VENDOR, "v", ann(), patient)).await;
    office.books.put_vendors([]);
    let changed = ann_alone().mobile(NEW);
    assert_eq!(
        refused(office.observe(says(VENDOR, "v", changed)).await),
        "vendor_gone"
    );
    assert_eq!(
        refused(office.observe(says(VENDOR, "b", bob())).await),
        "vendor_gone"
    );
    assert_eq!(phones(&office.state(patient)), [PHONE]);
    assert_eq!(office.registry.patients(), 1);
    // Connectors go on.
    assert!(is_news(
        office.see(says("front-desk", "1", ann_alone().mobile(NEW))).await
    ));
}

#[tokio::test]
async fn a_merge_that_waits_is_not_made_when_it_was_agreed_no_more() {
    let (office, patient) = office(everything(VENDOR)).await;
    office.see(binds(VENDOR, "v", ann(), patient)).await;
    let mut merged = says(VENDOR, "v", ann());
    merged.view.merged_into = Some(id("b"));
    office.see(merged).await;
    let mut contract = everything(VENDOR);
    contract.write.kinds.remove(&EventKind::PatientMerged);
    office.books.put_vendors([vendor(contract, "token")]);
    let other = whom(office.see(says(VENDOR, "b", bob())).await);
    office.registry.drain().await;
    let index = office.registry.index();
    assert!(index.current(patient) == patient && index.current(other) == other);
    assert_eq!(index.open_items(), 1, "a person decides");
}
