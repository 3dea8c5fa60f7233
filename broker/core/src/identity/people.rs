//! The index over all current patients.
//!
//! Holds no data of a person, only 32-bit blocking keys and, for each, which patients have it: 200 to 300 bytes for a
//! usual patient. Whatever is found is compared in full with what the caller knows of it, so an entry that is out of
//! date costs a comparison and nothing else.
//!
//! Bounds: a key that more than [`People::MOST_PER_KEY`] patients share (a placeholder, the office's own number) finds
//! nobody, and nothing is linked silently on its account; at most [`People::MOST_COMPARED`] patients are compared, and
//! where there would be more nothing is linked silently at all, since it cannot be told whether there is only one.

use super::{
    Known, Profile, Trust, Verdict,
    decide::Question,
    holders::{Holders, Number},
    key,
    key::Key,
};
use crate::PatientId;
use std::{collections::BTreeMap, fmt};

/// A compact index over all current patients.
#[derive(Default)]
pub struct People {
    trust: Trust,
    /// By number; the numbers in `free` are not in use.
    patients: Vec<Entry>,
    free: Vec<Number>,
    holders: Holders,
    /// The keys of all patients, one after the other.
    keys: Vec<Key>,
    /// How many of them are nobody's any more.
    dead_keys: usize,
}

/// A patient, and where its keys are.
struct Entry {
    id: PatientId,
    first_key: u32,
    key_count: u32,
}

/// Whom a profile's keys find.
pub(super) struct Found {
    pub(super) patients: Vec<PatientId>,
    /// There would be more.
    pub(super) is_cut: bool,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People")
            .field("patients", &self.len())
            .finish_non_exhaustive()
    }
}

impl People {
    /// Patients that one key finds.
    pub const MOST_PER_KEY: usize = 64;

    /// Patients that one profile is compared with.
    pub const MOST_COMPARED: usize = 256;

    /// Keys of a usual patient: its own, three of the name, two phones, a mail address, two identifiers.
    const USUAL_KEYS: usize = 9;

    /// Keys that are nobody's, before the others are moved together: 256 KiB.
    const MOST_DEAD_KEYS: usize = 65_536;

    /// An empty index.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            ..Self::default()
        }
    }

    /// An empty index with room for so many patients, so that filling it leaves no holes in memory. It may hold more.
    #[must_use]
    pub fn with_room_for(trust: Trust, patients: usize) -> Self {
        Self {
            trust,
            patients: Vec::with_capacity(patients),
            holders: Holders::with_room_for(patients),
            keys: Vec::with_capacity(patients.saturating_mul(Self::USUAL_KEYS)),
            ..Self::default()
        }
    }

    /// Inserts or replaces a patient. Past two thousand million patients, more are not found: that costs duplicates and
    /// no false link.
    pub fn put(&mut self, id: PatientId, profile: &Profile) {
        self.remove(id);
        let mut keys = key::all(profile);
        keys.push(key::own(id));
        let next = u32::try_from(self.patients.len())
            .ok()
            .filter(|next| *next < Holders::MOST);
        let (Ok(first_key), Some(number)) = (u32::try_from(self.keys.len()), self.free.pop().or(next)) else {
            return;
        };
        let entry = Entry {
            id,
            first_key,
            key_count: keys.len().try_into().unwrap_or(u32::MAX),
        };
        for key in &keys {
            self.holders.add(*key, number);
        }
        self.keys.extend(keys);
        match self.patients.get_mut(number as usize) {
            Some(place) => *place = entry,
            None => self.patients.push(entry),
        }
    }

    /// Removes a patient. Nothing happens when it is not there.
    pub fn remove(&mut self, id: PatientId) {
        let is_own = |number: &Number| {
            self.patients
                .get(*number as usize)
                .is_some_and(|entry| entry.id == id)
        };
        let Some(number) = self.holders.of(key::own(id)).find(is_own) else {
            return;
        };
        if let Some(entry) = self.patients.get_mut(number as usize) {
            for key in keys_of(&self.keys, entry) {
                self.holders.remove(*key, number);
            }
            self.dead_keys += entry.key_count as usize;
            entry.key_count = 0;
        }
        self.free.push(number);
        if self.dead_keys > Self::MOST_DEAD_KEYS.max(self.keys.len() / 2) {
            self.move_keys_together();
        }
    }

    /// How many patients are in the index.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patients.len() - self.free.len()
    }

    /// Whether there is nobody in the index.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who the person of `profile` is, by the patients in the index and what `known` says of them. A patient of whom it
    /// says nothing is as if it were not in the index.
    ///
    /// Asks `known` at most [`People::MOST_COMPARED`] times, once a patient. The answer does not depend on the order in
    /// which patients were put in.
    #[must_use]
    pub fn identify(&self, profile: &Profile, known: &dyn Fn(PatientId) -> Option<Known>) -> Verdict {
        Question::new(self, profile, known).answer()
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Whether so many have the key that it says nothing.
    pub(super) fn is_crowded(&self, key: Key) -> bool {
        self.holders.of(key).nth(Self::MOST_PER_KEY).is_some()
    }

    /// Whom the keys of a profile find: those that share most keys first.
    pub(super) fn find(&self, profile: &Profile) -> Found {
        let mut shared: BTreeMap<Number, usize> = BTreeMap::new();
        for key in key::all(profile).into_iter().filter(|key| !self.is_crowded(*key)) {
            for number in self.holders.of(key) {
                *shared.entry(number).or_default() += 1;
            }
        }
        let id = |number: Number| self.patients.get(number as usize).map(|entry| entry.id);
        let mut patients: Vec<(usize, PatientId)> = shared
            .into_iter()
            .filter_map(|(number, keys)| Some((keys, id(number)?)))
            .collect();
        patients.sort_unstable_by(|(keys, id), (other_keys, other)| other_keys.cmp(keys).then(id.cmp(other)));
        let is_cut = patients.len() > Self::MOST_COMPARED;
        patients.truncate(Self::MOST_COMPARED);
        Found {
            patients: patients.into_iter().map(|(_, id)| id).collect(),
            is_cut,
        }
    }

    fn move_keys_together(&mut self) {
        let mut keys = Vec::with_capacity(self.keys.len() - self.dead_keys);
        for entry in &mut self.patients {
            let own = keys_of(&self.keys, entry);
            // No more than before, which fitted.
            entry.first_key = keys.len().try_into().unwrap_or(u32::MAX);
            keys.extend_from_slice(own);
        }
        self.keys = keys;
        self.dead_keys = 0;
    }
}

fn keys_of<'a>(keys: &'a [Key], entry: &Entry) -> &'a [Key] {
    let first = entry.first_key as usize;
    keys.get(first..first + entry.key_count as usize)
        .unwrap_or_default()
}
