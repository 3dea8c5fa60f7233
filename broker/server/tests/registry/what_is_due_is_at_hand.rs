//! What a system still needs is told from memory where the registry has it at hand, and never otherwise than from the log.

use crate::support::*;
use archwire::registry::{Due, Observed, Registry};
use archwire_core::{EventKind, Path, PatientId, Revision, SystemName};
use std::collections::BTreeSet;

type Told = Option<(String, EventKind, Revision, BTreeSet<Path>)>;

fn told(due: Option<Due>) -> Told {
    due.map(|due| (due.event_id, due.kind, due.revision, due.changed))
}

/// What is due at each revision that a system may have come to, with something owed and without.
async fn all_that_is_due(registry: &Registry, patient: PatientId, at_hand: Option<u64>) -> Vec<Told> {
    let mut all = Vec::new();
    let systems = ["front-desk", "imaging", "archive"].map(system);
    for system in &systems {
        for fence in 0..=revision(registry, patient) {
            for owed in [BTreeSet::new(), BTreeSet::from(["birth_date".into()])] {
                let fence = Revision::new(fence);
                let due = match at_hand {
                    Some(event) => registry.due_at(system, patient, fence, &owed, event).await,
                    None => registry.due(system, patient, fence, &owed).await,
                };
                all.push(told(due.unwrap()));
            }
        }
    }
    all
}

async fn assert_alike(registry: &Registry, patient: PatientId) {
    let in_log = all_that_is_due(registry, patient, None).await;
    let last = registry.index().entry(patient).unwrap().sequence;
    for event in [0, last] {
        assert_eq!(all_that_is_due(registry, patient, Some(event)).await, in_log);
    }
}

#[tokio::test]
async fn it_is_the_same_from_memory_and_from_the_log() {
    let mut office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    assert_alike(&office.registry, patient).await;
    office.see(says("imaging", "9", ann())).await;
    assert_alike(&office.registry, patient).await;
    for (program, local_id, number) in [
        ("imaging", "9", "541 555 0110"),
        ("front-desk", "1", "541 555 0111"),
        ("front-desk", "1", "541 555 0112"),
    ] {
        let edited = ann_alone().mobile(number);
        assert!(is_news(office.see(says(program, local_id, edited)).await));
        assert_alike(&office.registry, patient).await;
    }
    office.restart().await;
    assert_alike(&office.registry, patient).await;
}

#[tokio::test]
async fn what_another_writer_appended_is_read_when_its_event_comes() {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    let successor = office.successor().await;
    let edited = says("front-desk", "1", ann_alone().mobile("541 555 0110"));
    let observed = in_time(successor.observe(edited, None)).await.unwrap();
    let Observed::Recorded { sequence, .. } = observed else {
        panic!("it is news");
    };
    let (archive, first): (SystemName, _) = (system("archive"), Revision::new(1));
    let due = |event| {
        let (registry, archive) = (&office.registry, &archive);
        async move {
            let nothing = BTreeSet::new();
            let due = registry.due_at(archive, patient, first, &nothing, event);
            told(due.await.unwrap())
        }
    };
    assert_eq!(due(0).await, None, "the registry has not heard of it");
    let (_, _, revision, changed) = due(sequence).await.expect("its event was handed out");
    assert_eq!(revision, Revision::new(2));
    assert_eq!(changed, BTreeSet::from(["telecom/phone-mobile/value".into()]));
    assert!(due(0).await.is_some(), "now it has");
}
