//! A registry without a log: links, patients and review items in memory, with the bus's own rules and its judge.

use archwire_core::{
    Fields, LocalId, Ownership, Patient, PatientId, Situation, SystemName,
    identity::{Known, People, Profile, Trust, is_another_person},
    judge,
};
use archwire_tests::families::Sighting;
use std::collections::{BTreeMap, BTreeSet};

/// A record: a program and the id there.
pub(crate) type Record = (SystemName, LocalId);

/// What is known of a linked record.
struct Link {
    patient: PatientId,
    shadow: Fields,
}

/// Two patients who may be one person, and whether they conflict.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReviewItem {
    pub(crate) patients: [PatientId; 2],
    pub(crate) hard_conflict: bool,
}

/// Links, patients and what is in review.
pub(crate) struct Registry {
    people: People,
    links: BTreeMap<Record, Link>,
    patients: BTreeMap<PatientId, (Fields, Profile)>,
    records: BTreeMap<PatientId, BTreeSet<SystemName>>,
    /// Every sighting's patient, in order.
    pub(crate) assigned: Vec<PatientId>,
    pub(crate) review: BTreeSet<ReviewItem>,
    /// Links that were made without asking.
    pub(crate) links_made: usize,
    /// Records that turned out to be about another person.
    pub(crate) recycled: usize,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            people: People::new(Trust::by_kind()),
            links: BTreeMap::new(),
            patients: BTreeMap::new(),
            records: BTreeMap::new(),
            assigned: Vec::new(),
            review: BTreeSet::new(),
            links_made: 0,
            recycled: 0,
        }
    }
}

impl Registry {
    /// Takes a sighting as the bus would.
    pub(crate) fn observe(&mut self, sighting: &Sighting) {
        let record = (sighting.system.clone(), sighting.local_id.clone());
        let observed = fields(&sighting.patient);
        let profile = Profile::of(&sighting.patient);
        let same_record = self.links.get(&record).filter(|link| {
            let before = Profile::of(&link.shadow.to_patient().expect("fields of a patient"));
            !is_another_person(&before, &profile)
        });
        let patient = match same_record {
            Some(link) => {
                let (patient, shadow) = (link.patient, link.shadow.clone());
                self.change(patient, &sighting.system, Some(&shadow), &observed);
                patient
            }
            None => {
                self.recycled += usize::from(self.links.contains_key(&record));
                self.identify(&sighting.system, &profile, &observed)
            }
        };
        self.records
            .entry(patient)
            .or_default()
            .insert(sighting.system.clone());
        self.links.insert(
            record,
            Link {
                patient,
                shadow: observed,
            },
        );
        self.assigned.push(patient);
    }

    fn identify(&mut self, system: &SystemName, profile: &Profile, observed: &Fields) -> PatientId {
        let known = |id: PatientId| {
            Some(Known {
                profile: self.patients.get(&id)?.1.clone().into(),
                has_record_in_system: self
                    .records
                    .get(&id)
                    .is_some_and(|systems| systems.contains(system)),
                ruled_out: false,
            })
        };
        let verdict = self.people.identify(profile, &known);
        let patient = match verdict.same {
            Some((patient, _)) => {
                self.links_made += 1;
                self.change(patient, system, None, observed);
                patient
            }
            None => {
                let patient = PatientId::generate();
                self.keep(patient, observed.clone());
                patient
            }
        };
        for candidate in verdict.review {
            let mut patients = [patient, candidate.patient];
            patients.sort();
            self.review.insert(ReviewItem {
                patients,
                hard_conflict: candidate.hard_conflict,
            });
        }
        patient
    }

    fn change(
        &mut self,
        patient: PatientId,
        system: &SystemName,
        shadow: Option<&Fields>,
        observed: &Fields,
    ) {
        let judgement = judge(&Situation {
            system,
            current: self.patients.get(&patient).map(|(fields, _)| fields),
            shadow,
            observed,
            ownership: &Ownership::default(),
            holds: &|_| false,
            is_given_up: false,
        });
        self.keep(patient, judgement.change.fields);
    }

    fn keep(&mut self, patient: PatientId, fields: Fields) {
        let profile = Profile::of(&fields.to_patient().expect("fields of a patient"));
        self.people.put(patient, &profile);
        self.patients.insert(patient, (fields, profile));
    }
}

fn fields(patient: &Patient) -> Fields {
    Fields::of(patient).expect("a patient has fields")
}
