//! Observations, decisions, merges and partings at the same time: whatever comes of it holds together, and a start knows
//! the same.

use crate::support::*;
use archwire::registry::{ObserveError, Observed, Registry};
use archwire_core::{LocalId, Patient, PatientId, Subject, SystemName, Verdict};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tokio::task::JoinSet;

const SYSTEMS: [&str; 3] = ["front-desk", "imaging", "archive"];
const IDS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
const ACTORS: u64 = 6;
const STEPS: usize = 25;
const ROUNDS: usize = 3;

type Patients = Arc<Mutex<BTreeSet<PatientId>>>;

/// One of those who act.
struct Actor {
    registry: Arc<Registry>,
    random: StdRng,
    patients: Patients,
}

impl Actor {
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        *all.choose(&mut self.random).unwrap()
    }

    fn patient(&mut self) -> Option<PatientId> {
        let known: Vec<_> = self.patients.lock().unwrap().iter().copied().collect();
        known.choose(&mut self.random).copied()
    }

    fn shown(&mut self) -> Patient {
        let phone = format!("503 555 010{}", self.random.random_range(0..3));
        match self.random.random_range(0..4) {
            0 => ann_alone().mobile(&phone),
            1 => ann_alone().mobile(&phone).chart("100"),
            2 => bob().chart("100"),
            _ => person("Ann", "Taylor", "1987-06-30").mobile(&phone),
        }
    }

    async fn act(mut self) {
        for _ in 0..STEPS {
            match self.random.random_range(0..8) {
                0 => self.merge().await,
                1 => self.unmerge().await,
                2 | 3 => self.decide().await,
                _ => self.observe().await,
            }
        }
    }

    async fn observe(&mut self) {
        let mut observation = says(self.one_of(&SYSTEMS), self.one_of(&IDS), self.shown());
        if self.random.random_bool(0.15) {
            observation.patient_id = self.patient();
        }
        if self.random.random_bool(0.15) {
            observation.view.merged_into = Some(id(self.one_of(&IDS)));
        }
        match self.registry.observe(observation, None).await {
            Ok(
                Observed::Recorded { patient, .. }
                | Observed::Unchanged { patient, .. }
                | Observed::InReview { patient, .. },
            ) => _ = self.patients.lock().unwrap().insert(patient),
            Ok(Observed::Waits { item }) => panic!("item {item} asks whose it is"),
            Err(ObserveError::LinkConflict) => {}
            // What was true when it was looked at may not be when it is done, a few times over.
            Err(error) => assert!(error.is_retryable(), "{}", error.code()),
        }
    }

    async fn merge(&mut self) {
        let (Some(survivor), Some(retired)) = (self.patient(), self.patient()) else {
            return;
        };
        let although = self.random.random_bool(0.5);
        let merge = self
            .registry
            .merge(survivor, retired, decision(Verdict::Merge), although, false);
        _ = merge.await;
    }

    async fn unmerge(&mut self) {
        let merged: Vec<_> = {
            let index = self.registry.index();
            let known = self.patients.lock().unwrap();
            let is_merged = |patient: &&PatientId| index.retired_into(**patient).is_some();
            known.iter().filter(is_merged).copied().collect()
        };
        let Some(retired) = merged.choose(&mut self.random).copied() else {
            return;
        };
        _ = self
            .registry
            .unmerge(retired, decision(Verdict::Unmerge), false)
            .await;
    }

    async fn decide(&mut self) {
        let Some(number) = open_items(&self.registry).choose(&mut self.random).copied() else {
            return;
        };
        let verdict = self.one_of(&[Verdict::Link, Verdict::NotSame, Verdict::Accept, Verdict::Reject]);
        _ = self.registry.decide_item(number, decision(verdict), None).await;
    }
}

/// Everybody of whom the log tells.
async fn everybody(registry: &Registry) -> BTreeSet<PatientId> {
    let records = records(registry).await;
    let patients = records.iter().filter_map(|record| match record.subject {
        Subject::Patient(patient) => Some(patient),
        _ => None,
    });
    patients.collect()
}

/// Asserts what holds whatever happened.
fn holds_together(registry: &Registry, patients: &BTreeSet<PatientId>, run: u64) {
    let index = registry.index();
    let mut owners: BTreeMap<(SystemName, LocalId), PatientId> = BTreeMap::new();
    for patient in patients {
        let entry = index.entry(*patient).expect("a patient is never forgotten");
        if index.current(*patient) != *patient {
            assert!(
                entry.records.is_empty(),
                "who was merged has no records, run {run}"
            );
        }
        for record in &entry.records {
            let key = (record.system.clone(), record.local_id.clone());
            assert_eq!(
                index.linked(&record.system, &record.local_id),
                Some(*patient),
                "run {run}"
            );
            assert_eq!(
                owners.insert(key, *patient),
                None,
                "a record is one patient's, run {run}"
            );
            let kept = entry
                .records
                .iter()
                .filter(|other| other.system == record.system && !other.superseded);
            assert_eq!(
                kept.count(),
                1,
                "one record of a system is kept up to date, run {run}"
            );
        }
    }
    for system in SYSTEMS.map(system) {
        for local_id in IDS.map(id) {
            let owner = owners.get(&(system.clone(), local_id.clone())).copied();
            assert_eq!(index.linked(&system, &local_id), owner, "run {run}");
        }
    }
    assert_eq!(index.halves().len(), 0, "no merge is half done, run {run}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn and_it_holds_together() {
    for _ in 0..ROUNDS {
        let office = Office::open().await;
        let run: u64 = rand::random();
        let patients = Patients::default();
        let mut actors = JoinSet::new();
        for number in 0..ACTORS {
            let actor = Actor {
                registry: Arc::clone(&office.registry),
                random: StdRng::seed_from_u64(run.wrapping_add(number)),
                patients: Arc::clone(&patients),
            };
            actors.spawn(actor.act());
        }
        in_time(actors.join_all()).await;
        office.registry.drain().await;
        // A decision makes patients, too.
        let patients = everybody(&office.registry).await;
        assert!(patients.len() > 3, "too little happened, run {run}");
        holds_together(&office.registry, &patients, run);
        let again = office.reopened().await;
        holds_together(&again, &patients, run);
        assert_eq!(digest(&again), digest(&office.registry), "run {run}");
        for patient in &patients {
            events(&again, *patient).await;
        }
    }
}
