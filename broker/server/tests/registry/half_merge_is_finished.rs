//! A broker that is killed between the two events of a merge or a parting finishes it at its start, once; killed
//! anywhere else, it knows what the log says.

use crate::support::*;
use archwire_core::{EventKind, PatientId, Subject, Verdict};
use archwire_nats::Stored;

/// What the log held before a patient's last event.
async fn before_last_of(office: &Office, patient: PatientId) -> Vec<Stored> {
    let mut records = records(&office.registry).await;
    let is_of = |stored: &Stored| stored.subject == Subject::Patient(patient);
    let place = records.iter().rposition(is_of).unwrap();
    records.truncate(place);
    records
}

/// An office with two patients with a record at the desk each and one more of the second.
async fn office() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(
        office
            .see(says("front-desk", "2", stranger(1).email("q@example.org")))
            .await,
    );
    office
        .see(binds("imaging", "9", stranger(1).email("q@example.org"), other))
        .await;
    (office, one, other)
}

async fn is_finished_as(half: &[Stored], whole: &Office, patients: [PatientId; 2], kind: EventKind) {
    let mut office = office_of(half).await;
    for _ in 0..2 {
        assert_eq!(events_of(&office.registry, kind).await, 2, "once, on both");
        assert_eq!(office.registry.index().halves().len(), 0);
        for patient in patients {
            let (here, there) = (
                standing(&office.registry, patient),
                standing(&whole.registry, patient),
            );
            assert!(here == there, "as if nobody had been killed");
            events(&office.registry, patient).await;
            let last = last_event(&office.registry, patient).await;
            assert!(last.merge == last_event(&whole.registry, patient).await.merge);
        }
        office.restart().await;
    }
}

#[tokio::test]
async fn of_a_merge() {
    let (office, one, other) = office().await;
    office.merge(one, other).await;
    let half = before_last_of(&office, one).await;
    assert_eq!(
        half.last().unwrap().subject,
        Subject::Patient(other),
        "the retired one is told first"
    );
    is_finished_as(&half, &office, [one, other], EventKind::PatientMerged).await;
}

#[tokio::test]
async fn of_a_parting() {
    let (office, one, other) = office().await;
    office.merge(one, other).await;
    office.unmerge(other).await;
    let half = before_last_of(&office, one).await;
    is_finished_as(&half, &office, [one, other], EventKind::PatientUnmerged).await;
}

#[tokio::test]
async fn and_goes_on_as_if_it_had_been_whole() {
    let (office, one, other) = office().await;
    office.merge(one, other).await;
    let half = before_last_of(&office, one).await;
    let again = office_of(&half).await;
    let edited = again
        .see(says("imaging", "9", stranger(1).email("new@example.org")))
        .await;
    assert!(is_news(edited) && whom(edited) == one);
    again.unmerge(other).await;
    assert_eq!(emails(&again.state(other)), ["new@example.org"]);
    assert_eq!(emails(&again.state(one)), [""; 0]);
}

#[tokio::test]
async fn wherever_it_was_killed() {
    let (office, one, other) = office().await;
    let third = whom(office.see(says("front-desk", "3", ann())).await);
    let number = office.the_item().await.number;
    office.merge(one, other).await;
    office.decide(number, Verdict::Link).await;
    office.unmerge(other).await;
    let whole = records(&office.registry).await;
    for place in 1..=whole.len() {
        let mut killed = office_of(&whole[..place]).await;
        let known = digest(&killed.registry);
        killed.restart().await;
        assert_eq!(digest(&killed.registry), known, "after record {place}");
        assert_eq!(killed.registry.index().halves().len(), 0);
        for patient in [one, other, third] {
            if killed.registry.standing(patient).unwrap().is_some() {
                events(&killed.registry, patient).await;
            }
        }
        for local_id in ["1", "2", "3"] {
            let linked = killed
                .registry
                .index()
                .linked(&system("front-desk"), &id(local_id));
            let Some(patient) = linked else { continue };
            let records = standing(&killed.registry, patient).records;
            assert!(
                records.iter().any(|link| link.local_id == id(local_id)),
                "after record {place}"
            );
        }
    }
}
