//! What came of it: how many pairs of records were linked, rightly and wrongly, and what is in review.

use super::{oracle::Oracle, registry::Registry};
use archwire_core::{PatientId, SystemName};
use archwire_tests::families::{Families, Sighting};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Counts over one population. A pair is two records of different programs.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) records: usize,
    pub(crate) patients: usize,
    pub(crate) links: usize,
    pub(crate) recycled: usize,
    /// Patients who are several people.
    pub(crate) false_merges: usize,
    pub(crate) pairs_linked: usize,
    pub(crate) pairs_linked_rightly: usize,
    pub(crate) pairs_of_one_person: usize,
    pub(crate) decidable: usize,
    pub(crate) decidable_and_linked: usize,
    /// Two patients who are one person.
    pub(crate) duplicates: usize,
    pub(crate) duplicates_in_review: usize,
    pub(crate) review_items: usize,
    pub(crate) review_items_of_two_people: usize,
    pub(crate) conflicts: usize,
    pub(crate) conflicts_of_two_people: usize,
}

impl Figures {
    pub(crate) fn of(families: &Families, registry: &Registry) -> Self {
        let mut whose: BTreeMap<PatientId, BTreeSet<usize>> = BTreeMap::new();
        // A record is one while it is about one person; what it said first is what could be decided by.
        let mut records: BTreeMap<(&SystemName, &str, usize), (&Sighting, PatientId)> = BTreeMap::new();
        for (sighting, patient) in families.sightings.iter().zip(&registry.assigned) {
            whose.entry(*patient).or_default().insert(sighting.person);
            let record = (&sighting.system, sighting.local_id.as_str(), sighting.person);
            records.entry(record).or_insert((sighting, *patient));
        }
        let mut figures = Self {
            records: records.len(),
            patients: whose.len(),
            links: registry.links_made,
            recycled: registry.recycled,
            false_merges: whose.values().filter(|people| people.len() > 1).count(),
            ..Self::default()
        };
        figures.count_pairs(families, records.into_values());
        figures.count_review(registry, &whose);
        figures
    }

    fn count_pairs<'a>(
        &mut self,
        families: &Families,
        records: impl Iterator<Item = (&'a Sighting, PatientId)>,
    ) {
        let oracle = Oracle::of(&families.sightings);
        let mut by_person: BTreeMap<usize, Vec<(&Sighting, PatientId)>> = BTreeMap::new();
        let mut by_patient: BTreeMap<PatientId, Vec<usize>> = BTreeMap::new();
        for (sighting, patient) in records {
            by_person
                .entry(sighting.person)
                .or_default()
                .push((sighting, patient));
            by_patient.entry(patient).or_default().push(sighting.person);
        }
        for (one, two) in by_patient.values().flat_map(|people| pairs(people)) {
            self.pairs_linked += 1;
            self.pairs_linked_rightly += usize::from(one == two);
        }
        for ((one, patient), (two, other)) in by_person.values().flat_map(|records| pairs(records)) {
            self.pairs_of_one_person += 1;
            if one.system != two.system && oracle.can_decide(one, two) {
                self.decidable += 1;
                self.decidable_and_linked += usize::from(patient == other);
            }
        }
    }

    fn count_review(&mut self, registry: &Registry, whose: &BTreeMap<PatientId, BTreeSet<usize>>) {
        let mut of_person: BTreeMap<usize, Vec<PatientId>> = BTreeMap::new();
        for (patient, people) in whose {
            for person in people {
                of_person.entry(*person).or_default().push(*patient);
            }
        }
        let listed: BTreeSet<[PatientId; 2]> = registry.review.iter().map(|item| item.patients).collect();
        for (one, two) in of_person.values().flat_map(|patients| pairs(patients)) {
            self.duplicates += 1;
            self.duplicates_in_review += usize::from(listed.contains(&[*one, *two]));
        }
        for item in &registry.review {
            let [one, two] = item.patients.map(|patient| &whose[&patient]);
            let of_two_people = usize::from(one.is_disjoint(two));
            self.review_items += 1;
            self.review_items_of_two_people += of_two_people;
            if item.hard_conflict {
                self.conflicts += 1;
                self.conflicts_of_two_people += of_two_people;
            }
        }
    }
}

fn pairs<T>(items: &[T]) -> impl Iterator<Item = (&T, &T)> {
    items
        .iter()
        .enumerate()
        .flat_map(|(place, one)| items[place + 1..].iter().map(move |two| (one, two)))
}

fn share(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |part, whole| format!("{part} of {whole} ({:.2} %)", share(part, whole));
        write!(
            f,
            "{} records, {} patients, {} links, {} recycled ids noticed; false merges {}; precision {}; recall {}; recall of what \
             rule (c) can decide {}; duplicates in review {}; review items that are noise {} (of which conflicts {})",
            self.records,
            self.patients,
            self.links,
            self.recycled,
            self.false_merges,
            of(self.pairs_linked_rightly, self.pairs_linked),
            of(self.pairs_linked_rightly, self.pairs_of_one_person),
            of(self.decidable_and_linked, self.decidable),
            of(self.duplicates_in_review, self.duplicates),
            of(self.review_items_of_two_people, self.review_items),
            of(self.conflicts_of_two_people, self.conflicts),
        )
    }
}
