//! However many systems speak of a patient at the same time, the patient's revisions are 1, 2, 3 and so on.

use crate::support::*;
use archwire::wire::decode_event;
use futures_util::TryStreamExt as _;
use std::sync::Arc;
use tokio::task::JoinSet;

const PATIENTS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
const SYSTEMS: [&str; 3] = ["front-desk", "imaging", "archive"];
/// How often each system changes each patient.
const CHANGES: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revisions_have_no_gaps_after_everybody_spoke_at_once() {
    let office = Office::open().await;
    let mut patients = Vec::new();
    for local_id in PATIENTS {
        let patient = whom(office.see(says(SYSTEMS[0], local_id, with_phone("0"))).await);
        for system in &SYSTEMS[1..] {
            office
                .see(binds(system, local_id, with_phone("0"), patient))
                .await;
        }
        patients.push(patient);
    }
    let mut speakers = JoinSet::new();
    for local_id in PATIENTS {
        for system in SYSTEMS {
            for change in 0..CHANGES {
                let registry = Arc::clone(&office.registry);
                let shown = with_phone(&format!("{system} {change}"));
                speakers.spawn(async move { registry.observe(says(system, local_id, shown), None).await });
            }
        }
    }
    let answers = in_time(speakers.join_all()).await;
    assert!(answers.into_iter().all(|answer| is_news(answer.unwrap())));

    let expected: Vec<u64> = (1..=1 + CHANGES * 3).collect();
    for patient in &patients {
        let history = office.registry.log().history(*patient, 0);
        let stored: Vec<_> = history.try_collect().await.unwrap();
        let revisions = stored
            .into_iter()
            .map(|stored| decode_event(stored.payload).unwrap().revision.get());
        assert_eq!(revisions.collect::<Vec<_>>(), expected);
        assert_eq!(revision(&office.registry, *patient), 1 + CHANGES * 3);
    }
    let again = office.reopened().await;
    assert_same(&office.registry, &again, &patients, &SYSTEMS, &PATIENTS, 0);
}
