//! What a registry knows follows from the log alone: whatever happened, a start knows the same.

use crate::support::*;
use archwire::registry::{Observed, Settlement};
use archwire_core::{Observation, Patient, PatientId, Revision, SystemName};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use std::{collections::BTreeSet, time::Instant};

const SYSTEMS: [&str; 3] = ["front-desk", "imaging", "archive"];
const IDS: [&str; 4] = ["1", "2", "3", "4"];
/// How many sequences are tried, and of how many steps.
const RUNS: usize = 4;
const STEPS: usize = 60;

/// One sequence of operations, told again by its seed.
struct Run<'a> {
    office: &'a Office,
    random: StdRng,
    patients: Vec<PatientId>,
    taken: usize,
}

impl Run<'_> {
    fn system(&mut self) -> &'static str {
        SYSTEMS.choose(&mut self.random).unwrap()
    }

    fn local_id(&mut self) -> &'static str {
        IDS.choose(&mut self.random).unwrap()
    }

    fn patient(&mut self) -> Option<PatientId> {
        self.patients.choose(&mut self.random).copied()
    }

    fn shown(&mut self) -> Patient {
        let phone = format!("555-010{}", self.random.random_range(0..4));
        match self.random.random_range(0..3) {
            0 => named("Smith"),
            1 => with_phone(&phone),
            _ => with_phone_and_email(&phone, "ann@example.org"),
        }
    }

    fn observation(&mut self) -> Observation {
        let (system, local_id) = (self.system(), self.local_id());
        let mut observation = says(system, local_id, self.shown());
        if self.random.random_bool(0.3) {
            observation.patient_id = self.patient();
        }
        if self.random.random_bool(0.2) {
            observation.based_on = Some(Revision::new(self.random.random_range(0..4)));
        }
        observation
    }

    /// Takes one of the steps that the broker takes. Refusals are answers too.
    async fn step(&mut self) {
        let registry = &self.office.registry;
        let (name, step) = (self.system(), self.random.random_range(0..10));
        let (desk, patient) = (system(name), self.patient());
        match (step, patient) {
            (5, Some(patient)) => {
                // Refused where there is a record already.
                drop(registry.begin_creation(&desk, patient, Revision::new(1)).await);
            }
            (6, Some(patient)) => {
                _ = registry
                    .link(&desk, patient, id(self.local_id()), Revision::NONE)
                    .await
            }
            (7, Some(patient)) => registry
                .begin_writing(
                    &desk,
                    patient,
                    BTreeSet::from(["telecom/phone-mobile/value".into()]),
                )
                .await
                .unwrap(),
            (8, Some(patient)) => registry.abandon(&desk, patient).await.unwrap(),
            (9, Some(patient)) => self.settle(&desk, patient).await,
            _ => self.observe().await,
        }
    }

    async fn observe(&mut self) {
        let observation = self.observation();
        let registry = &self.office.registry;
        let is_unknown = {
            let index = registry.index();
            let linked = index.linked(&observation.system, &observation.view.local_id);
            linked.is_none() && index.is_creating_any(&observation.system)
        };
        // That would wait until the creation is settled, which nobody else does here.
        if is_unknown && observation.patient_id.is_none() {
            return;
        }
        if let Ok(observed) = registry.observe(observation, Some(Instant::now())).await {
            self.take(observed);
        }
    }

    fn take(&mut self, observed: Observed) {
        self.taken += usize::from(is_news(observed));
        if !self.patients.contains(&whom(observed)) {
            self.patients.push(whom(observed));
        }
    }

    async fn settle(&mut self, desk: &SystemName, patient: PatientId) {
        let registry = &self.office.registry;
        let Some(record) = registry.record(desk, patient) else {
            return;
        };
        let due = registry
            .due(desk, patient, record.delivered, &BTreeSet::new())
            .await
            .unwrap();
        let Some(due) = due else { return };
        let settlement = Settlement {
            patient,
            delivered: due.revision,
            paths: due.changed,
            owed: BTreeSet::new(),
            shown: view(record.local_id.as_str(), self.shown()),
            begun: Instant::now(),
        };
        if let Ok(observed) = registry.settle(desk, settlement).await {
            self.take(observed);
        }
    }
}

#[tokio::test]
async fn whatever_happened_a_start_knows_the_same() {
    for _ in 0..RUNS {
        let office = Office::open().await;
        let seed = rand::random();
        let mut run = Run {
            office: &office,
            random: StdRng::seed_from_u64(seed),
            patients: Vec::new(),
            taken: 0,
        };
        for _ in 0..STEPS {
            in_time(run.step()).await;
        }
        assert!(run.taken > 0, "nothing happened, run {seed}");
        let again = office.reopened().await;
        assert_same(&office.registry, &again, &run.patients, &SYSTEMS, &IDS, seed);
    }
}
