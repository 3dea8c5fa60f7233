//! The index is made anew from the log while the office goes on working, and comes out the same.

use crate::support::*;
use archwire_core::Verdict;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

#[tokio::test]
async fn and_says_that_it_found_the_same() {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", ann())).await);
    let number = office.the_item().await.number;
    office.decide(number, Verdict::NotSame).await;
    office.see(says("front-desk", "2", bob())).await;
    let known = digest(&office.registry);
    let mut told = Vec::new();
    let rebuilt = office
        .registry
        .rebuild(|done, of| told.push((done, of)))
        .await
        .unwrap();
    assert_eq!((rebuilt.patients, rebuilt.links, rebuilt.open_items), (2, 2, 1));
    assert_eq!((&rebuilt.digest_before, &rebuilt.digest_after), (&known, &known));
    let (done, of) = *told.last().expect("it tells how far it is");
    assert_eq!(done, of);
    assert_eq!(digest(&office.registry), known);
    assert_eq!(
        will_not(office.try_to_merge(one, other).await),
        "merge_declared_not_same"
    );
    assert_eq!(digest(&*office.reopened().await), known);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_everybody_speaks() {
    let mut office = Office::open().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (registry, stopped) = (Arc::clone(&office.registry), Arc::clone(&stop));
    let speaker = tokio::spawn(async move {
        let mut said = 0;
        while !stopped.load(Ordering::Relaxed) {
            for program in ["front-desk", "imaging"] {
                let observation = says(program, &said.to_string(), stranger(said));
                registry.observe(observation, None).await.unwrap();
            }
            said += 1;
        }
        said
    });
    let speaking = Arc::clone(&office.registry);
    until("somebody speaks", || speaking.patients() > 5).await;
    for _ in 0..5 {
        let rebuilt = in_time(office.registry.rebuild(|_, _| {})).await.unwrap();
        assert_eq!(rebuilt.digest_before, rebuilt.digest_after);
        let patients = office.registry.patients();
        until("they go on", || speaking.patients() > patients).await;
    }
    stop.store(true, Ordering::Relaxed);
    let said = in_time(speaker).await.unwrap();
    assert_eq!(office.registry.patients(), said);
    let known = digest(&office.registry);
    office.restart().await;
    assert_eq!(digest(&office.registry), known);
}

#[tokio::test]
async fn and_finds_what_the_index_in_use_does_not_know() {
    let office = Office::open().await;
    office.see(says("front-desk", "1", ann())).await;
    let other = office.reopened().await;
    let observed = in_time(other.observe(says("front-desk", "2", bob()), None)).await;
    let patient = whom(observed.unwrap());
    let rebuilt = office.registry.rebuild(|_, _| {}).await.unwrap();
    assert_ne!(rebuilt.digest_before, rebuilt.digest_after);
    assert_eq!(rebuilt.digest_after, digest(&other));
    let linked = office.registry.index().linked(&system("front-desk"), &id("2"));
    assert_eq!(linked, Some(patient), "and uses it from then on");
}
