//! A system says otherwise than the bus: a person says which is right, or the two come to agree.

use crate::support::*;
use archwire::registry::{Decided, Settlement};
use archwire_core::{EventKind, Leaf, PatientId, ReviewKind, Revision, Verdict};
use std::{collections::BTreeSet, time::Instant};

const PATH: &str = "telecom/phone-mobile/value";
const OTHER: &str = "541 555 0188";

/// An office in which `imaging` shows another phone than the desk, at first sight.
async fn office() -> (Office, PatientId, u64) {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    let shown = ann_alone().mobile(OTHER);
    let observed = office.see(binds("imaging", "9", shown, patient)).await;
    assert!(!is_news(observed));
    let item = office.the(ReviewKind::Disagreement).await;
    assert_eq!(item.disagreements.len(), 1);
    let disagreement = &item.disagreements[0];
    assert_eq!(disagreement.path, PATH.into());
    let leaf = |value: &str| Leaf::from_json(&format!("{value:?}")).ok();
    assert!(disagreement.bus == leaf(PHONE) && disagreement.shown == leaf(OTHER));
    assert_eq!(
        (item.system, item.local_id),
        (Some(system("imaging")), Some(id("9")))
    );
    (office, patient, item.number)
}

fn owed(office: &Office, program: &str, patient: PatientId) -> BTreeSet<archwire_core::Path> {
    let record = office.registry.record(&system(program), patient).unwrap();
    record.owed().clone()
}

#[tokio::test]
async fn accept_takes_the_systems_value() {
    let (mut office, patient, number) = office().await;
    assert_eq!(
        office.decide(number, Verdict::Accept).await,
        Decided::Taken { patient }
    );
    office.asks_nothing();
    office.restart().await;
    assert_eq!(phones(&office.state(patient)), [OTHER]);
    let event = last_event(&office.registry, patient).await;
    assert_eq!(
        (event.kind, event.revision),
        (EventKind::PatientUpdated, Revision::new(2))
    );
    assert_eq!(event.changed, BTreeSet::from([PATH.into()]));
    assert_eq!(event.decision.and_then(|decision| decision.item), Some(number));
    let due = office
        .registry
        .due(&system("front-desk"), patient, Revision::new(1), &BTreeSet::new())
        .await
        .unwrap()
        .expect("the desk does not have it yet");
    assert_eq!(due.changed, BTreeSet::from([PATH.into()]));
}

#[tokio::test]
async fn reject_owes_the_record_the_buss_value() {
    let (mut office, patient, number) = office().await;
    let imaging = system("imaging");
    assert_eq!(
        office.decide(number, Verdict::Reject).await,
        Decided::Kept { patient }
    );
    assert_eq!(
        in_time(office.registry.woken(&imaging)).await,
        BTreeSet::from([patient])
    );
    office.restart().await;
    assert_eq!(revision(&office.registry, patient), 1);
    assert_eq!(owed(&office, "imaging", patient), BTreeSet::from([PATH.into()]));
    assert_eq!(office.registry.index().owed(&imaging), [patient]);
    let still = ann_alone().mobile(OTHER);
    office.see(says("imaging", "9", still)).await;
    office.asks_nothing();
    assert_eq!(phones(&office.state(patient)), [PHONE]);

    let settlement = Settlement {
        patient,
        delivered: Revision::new(1),
        paths: BTreeSet::from([PATH.into()]),
        shown: view("9", ann()),
        begun: Instant::now(),
        told: None,
        created: None,
    };
    office.registry.settle(&imaging, settlement).await.unwrap();
    assert_eq!(owed(&office, "imaging", patient), BTreeSet::new(), "it is paid");
    assert_eq!(phones(&office.state(patient)), [PHONE]);
}

#[tokio::test]
async fn it_closes_by_itself_when_the_system_agrees() {
    let (mut office, patient, number) = office().await;
    office.restart().await;
    assert!(!is_news(office.see(says("imaging", "9", ann())).await));
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    assert_eq!(revision(&office.registry, patient), 1);
}

#[tokio::test]
async fn and_when_the_bus_comes_to_agree() {
    let (office, _, number) = office().await;
    let moved = ann_alone().mobile(OTHER);
    assert!(is_news(office.see(says("front-desk", "1", moved.clone())).await));
    office.see(says("imaging", "9", moved)).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
}

#[tokio::test]
async fn an_edit_of_what_is_disputed_is_an_edit() {
    let (office, patient, number) = office().await;
    let edited = ann_alone().mobile("541 555 0199");
    assert!(is_news(office.see(says("imaging", "9", edited)).await));
    assert_eq!(phones(&office.state(patient)), ["541 555 0199"]);
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
}

#[tokio::test]
async fn what_is_only_written_differently_is_none() {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    let shouted = person("ANN", "SMITH", "1987-06-30").mobile("+1 (503) 555-0142");
    assert!(!is_news(
        office.see(binds("imaging", "9", shouted, patient)).await
    ));
    office.asks_nothing();
}
