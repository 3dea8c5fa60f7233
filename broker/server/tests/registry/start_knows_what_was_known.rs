//! What a registry knows follows from the log alone: whatever happened, a start knows the same, with a snapshot or
//! without one.

use crate::support::*;
use archwire::registry::{Observed, Registry, Settlement};
use archwire_core::{
    FieldGroup, Observation, OnDisagreement, Owner, Ownership, Patient, PatientId, PatientStatus, Revision,
    SystemName, Verdict,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use std::{collections::BTreeSet, sync::Arc, time::Instant};

const SYSTEMS: [&str; 3] = ["front-desk", "imaging", "archive"];
const IDS: [&str; 4] = ["1", "2", "3", "4"];
/// How many sequences are tried, and of how many steps.
const RUNS: usize = 4;
const STEPS: usize = 90;
/// What people decide, whether or not it fits.
const VERDICTS: [Verdict; 4] = [Verdict::Link, Verdict::NotSame, Verdict::Accept, Verdict::Reject];

/// One sequence of operations, told again by its seed.
struct Run<'a> {
    office: &'a Office,
    random: StdRng,
    patients: Vec<PatientId>,
    done: Done,
}

/// How often something came about.
#[derive(Debug, Default)]
struct Done {
    taken: usize,
    merged: usize,
    parted: usize,
    decided: usize,
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
        let phone = format!("503 555 010{}", self.random.random_range(0..4));
        match self.random.random_range(0..7) {
            0 => named("Smith"),
            1 => with_phone(&phone),
            2 => with_phone_and_email(&phone, "ann@example.org"),
            3 => ann_alone().mobile(&phone),
            4 => ann_alone().mobile(&phone).chart("100"),
            5 => bob().chart("100").guarantor(self.system(), self.local_id()),
            _ => Patient {
                status: Some(PatientStatus::Archived),
                ..ann_alone().mobile(&phone)
            },
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
        if self.random.random_bool(0.1) {
            observation.view.merged_into = Some(id(self.local_id()));
        }
        observation
    }

    /// Takes one of the steps that the broker takes. Refusals are answers too.
    async fn step(&mut self) {
        let registry = &self.office.registry;
        let (name, step) = (self.system(), self.random.random_range(0..17));
        let (desk, patient) = (system(name), self.patient());
        match (step, patient) {
            (5, Some(patient)) => {
                // Refused where there is a record already.
                drop(registry.begin_creation(&desk, patient, Revision::new(1)).await);
            }
            (6, Some(patient)) => {
                _ = registry
                    .link(&desk, patient, id(self.local_id()), Revision::NONE, None)
                    .await
            }
            (7, Some(patient)) => {
                _ = registry
                    .begin_writing(
                        &desk,
                        patient,
                        BTreeSet::from(["telecom/phone-mobile/value".into()]),
                    )
                    .await
                    .unwrap()
            }
            (8, Some(patient)) => registry.abandon(&desk, patient).await.unwrap(),
            (9, Some(patient)) => self.settle(&desk, patient).await,
            (10, Some(patient)) => self.merge(patient).await,
            (11, Some(_)) => self.unmerge().await,
            (12 | 13, _) => self.decide().await,
            (14, _) => registry
                .unreadable(&desk, Some(id(self.local_id())), None, "broken")
                .await
                .unwrap(),
            (15, Some(patient)) => give_up(registry, &desk, patient, revision(registry, patient)).await,
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
        self.done.taken += usize::from(is_news(observed));
        if !self.patients.contains(&whom(observed)) {
            self.patients.push(whom(observed));
        }
    }

    async fn merge(&mut self, survivor: PatientId) {
        let Some(retired) = self.patient() else { return };
        let although = self.random.random_bool(0.5);
        let registry = &self.office.registry;
        let merge = registry.merge(survivor, retired, decision(Verdict::Merge), although, false);
        self.done.merged += usize::from(merge.await.is_ok());
    }

    async fn unmerge(&mut self) {
        let registry = &self.office.registry;
        let merged: Vec<_> = {
            let index = registry.index();
            let patients = self.patients.iter().copied();
            patients
                .filter(|patient| index.retired_into(*patient).is_some())
                .collect()
        };
        let Some(retired) = merged.choose(&mut self.random).copied() else {
            return;
        };
        let parted = registry.unmerge(retired, decision(Verdict::Unmerge), false).await;
        self.done.parted += usize::from(parted.is_ok());
    }

    async fn decide(&mut self) {
        let registry = &self.office.registry;
        // A record that is separated from its patient would wait for creations, which nobody ends here.
        let is_creating = SYSTEMS
            .iter()
            .any(|name| registry.index().is_creating_any(&system(name)));
        let open = open_items(registry);
        let Some(number) = open.choose(&mut self.random).copied().filter(|_| !is_creating) else {
            return;
        };
        let verdict = *VERDICTS.choose(&mut self.random).unwrap();
        let with = self.patient().filter(|_| self.random.random_bool(0.2));
        let decided = registry.decide_item(number, decision(verdict), with).await;
        self.done.decided += usize::from(decided.is_ok());
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
            shown: view(record.local_id.as_str(), self.shown()),
            begun: Instant::now(),
            told: None,
            created: None,
        };
        if let Ok(observed) = registry.settle(desk, settlement).await {
            self.take(observed);
        }
    }
}

/// An office in which one system owns what another one shows, too.
async fn office() -> Office {
    let mut ownership = Ownership::default();
    let owner = Owner {
        system: system(SYSTEMS[0]),
        on_disagreement: OnDisagreement::Restore,
    };
    ownership.assign(FieldGroup::Contact, owner);
    Office::owned(ownership).await
}

async fn rebuilt(registry: &Arc<Registry>) -> String {
    let rebuilt = registry.rebuild(|_, _| {}).await.unwrap();
    assert_eq!(
        rebuilt.digest_before, rebuilt.digest_after,
        "a rebuild finds the same"
    );
    rebuilt.digest_after
}

#[tokio::test]
async fn whatever_happened_a_start_knows_the_same() {
    let mut all = Done::default();
    for _ in 0..RUNS {
        let office = office().await;
        let seed = rand::random();
        let mut run = Run {
            office: &office,
            random: StdRng::seed_from_u64(seed),
            patients: Vec::new(),
            done: Done::default(),
        };
        for step in 0..STEPS {
            in_time(run.step()).await;
            if step == STEPS / 2 {
                office.registry.snapshot().await.unwrap();
            }
        }
        // A merge that waited for its survivor may still be under way.
        office.registry.drain().await;
        assert!(run.done.taken > 0, "nothing happened, run {seed}");
        let half_way = office.reopened().await;
        assert_same(&office.registry, &half_way, &run.patients, &SYSTEMS, &IDS, seed);
        let known = digest(&office.registry);
        assert_eq!(
            digest(&half_way),
            known,
            "with a snapshot of half the way, run {seed}"
        );
        office.registry.snapshot().await.unwrap();
        assert_eq!(
            digest(&*office.reopened().await),
            known,
            "with a snapshot, run {seed}"
        );
        assert_eq!(rebuilt(&office.registry).await, known, "rebuilt, run {seed}");
        assert_eq!(
            rebuilt(&half_way).await,
            known,
            "rebuilt from the log alone, run {seed}"
        );
        all.merged += run.done.merged;
        all.parted += run.done.parted;
        all.decided += run.done.decided;
    }
    assert!(
        all.merged > 0 && all.parted > 0 && all.decided > 0,
        "too little happened: {all:?}"
    );
}
