//! However many systems show a new person at the same time, the person becomes one patient.

use crate::support::*;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How often the same race is run.
const ROUNDS: usize = 50;
const SYSTEMS: [&str; 3] = ["front-desk", "imaging", "archive"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn by_three_systems_at_once() {
    let mut office = Office::open().await;
    let mut patients = Vec::new();
    for round in 0..ROUNDS {
        let mut racers = JoinSet::new();
        for program in SYSTEMS {
            let registry = Arc::clone(&office.registry);
            let observation = says(program, &format!("{program}-{round}"), stranger(round));
            racers.spawn(async move { registry.observe(observation, None).await });
        }
        let seen = in_time(racers.join_all()).await;
        let seen: Vec<_> = seen.into_iter().map(|observed| whom(observed.unwrap())).collect();
        assert!(seen.iter().all(|patient| *patient == seen[0]), "round {round}");
        assert_eq!(standing(&office.registry, seen[0]).records.len(), SYSTEMS.len());
        patients.push(seen[0]);
    }
    assert_eq!(office.registry.patients(), ROUNDS);
    office.asks_nothing();
    let known = digest(&office.registry);
    office.restart().await;
    assert_eq!(digest(&office.registry), known);
    assert_eq!(office.registry.patients(), ROUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn and_all_rounds_at_once() {
    let office = Office::open().await;
    let mut racers = JoinSet::new();
    for round in 0..ROUNDS {
        for program in SYSTEMS {
            let registry = Arc::clone(&office.registry);
            let observation = says(program, &format!("{program}-{round}"), stranger(round));
            racers.spawn(async move { registry.observe(observation, None).await });
        }
    }
    let seen = in_time(racers.join_all()).await;
    assert!(seen.into_iter().all(|observed| observed.is_ok()));
    assert_eq!(office.registry.patients(), ROUNDS);
}
