//! The index over all current patients.
//!
//! Holds no data of a person, only 32-bit blocking keys and, for each, which patients have it: about 200 bytes for a
//! usual patient. Whatever is found is compared in full with what the caller knows of it, so an entry that is out of
//! date costs a comparison and nothing else.
//!
//! Bounds: a key that more than [`People::MOST_PER_KEY`] patients share (a placeholder, the office's own number) finds
//! nobody, and nothing is linked silently on its account; at most [`People::MOST_COMPARED`] patients are compared, and
//! where there would be more nothing is linked silently at all, since it cannot be told whether there is only one.

use super::{Known, Profile, Trust, Verdict, decide::Question, key, key::Key};
use crate::PatientId;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

/// A compact index over all current patients.
#[derive(Default)]
pub struct People {
    trust: Trust,
    /// By number; the numbers in `free` are not in use.
    patients: Vec<Entry>,
    free: Vec<u32>,
    holders: HashMap<Key, Holders>,
    /// The holders of keys that several have.
    lists: Vec<Vec<u32>>,
    free_lists: Vec<u32>,
}

struct Entry {
    id: PatientId,
    keys: Box<[Key]>,
}

/// Who has a key: one patient's number, or with the highest bit set the number of a list, to stay within four bytes.
#[derive(Clone, Copy)]
struct Holders(u32);

/// Set in [`Holders`] that are a list.
const IS_LIST: u32 = 1 << 31;

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

    /// An empty index.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            ..Self::default()
        }
    }

    /// Inserts or replaces a patient.
    pub fn put(&mut self, id: PatientId, profile: &Profile) {
        self.remove(id);
        let mut keys = key::all(profile);
        keys.push(key::own(id));
        let entry = Entry {
            id,
            keys: keys.into_boxed_slice(),
        };
        let number = self.free.pop().unwrap_or_else(|| number_of(self.patients.len()));
        for key in &entry.keys {
            self.add(*key, number);
        }
        match self.patients.get_mut(number as usize) {
            Some(place) => *place = entry,
            None => self.patients.push(entry),
        }
    }

    /// Removes a patient. Nothing happens when it is not there.
    pub fn remove(&mut self, id: PatientId) {
        let own = |number: &u32| {
            self.patients
                .get(*number as usize)
                .is_some_and(|entry| entry.id == id)
        };
        let Some(number) = self.holders_of(key::own(id)).iter().copied().find(own) else {
            return;
        };
        let keys = self
            .patients
            .get_mut(number as usize)
            .map(|entry| std::mem::take(&mut entry.keys));
        for key in keys.unwrap_or_default() {
            self.drop_holder(key, number);
        }
        self.free.push(number);
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
        self.holders_of(key).len() > Self::MOST_PER_KEY
    }

    /// Whom the keys of a profile find: those that share most keys first.
    pub(super) fn find(&self, profile: &Profile) -> Found {
        let mut shared: BTreeMap<u32, usize> = BTreeMap::new();
        for key in key::all(profile).into_iter().filter(|key| !self.is_crowded(*key)) {
            for number in self.holders_of(key) {
                *shared.entry(*number).or_default() += 1;
            }
        }
        let id = |number: u32| self.patients.get(number as usize).map(|entry| entry.id);
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

    fn holders_of(&self, key: Key) -> &[u32] {
        match self.holders.get(&key) {
            None => &[],
            Some(Holders(list)) if list & IS_LIST != 0 => self
                .lists
                .get((list ^ IS_LIST) as usize)
                .map_or(&[], Vec::as_slice),
            Some(Holders(one)) => std::slice::from_ref(one),
        }
    }

    fn add(&mut self, key: Key, number: u32) {
        let Some(holders) = self.holders.get_mut(&key) else {
            self.holders.insert(key, Holders(number));
            return;
        };
        if holders.0 & IS_LIST != 0 {
            if let Some(list) = self.lists.get_mut((holders.0 ^ IS_LIST) as usize) {
                list.push(number);
            }
            return;
        }
        let pair = vec![holders.0, number];
        let place = self
            .free_lists
            .pop()
            .unwrap_or_else(|| number_of(self.lists.len()));
        match self.lists.get_mut(place as usize) {
            Some(list) => *list = pair,
            None => self.lists.push(pair),
        }
        *holders = Holders(place | IS_LIST);
    }

    fn drop_holder(&mut self, key: Key, number: u32) {
        let Some(holders) = self.holders.get_mut(&key) else {
            return;
        };
        if holders.0 & IS_LIST == 0 {
            if holders.0 == number {
                self.holders.remove(&key);
            }
            return;
        }
        let place = holders.0 ^ IS_LIST;
        let Some(list) = self.lists.get_mut(place as usize) else {
            return;
        };
        list.retain(|holder| *holder != number);
        if let [last] = list.as_slice() {
            *holders = Holders(*last);
            *list = Vec::new();
            self.free_lists.push(place);
        }
    }
}

/// The number of the next entry. A log holds far fewer than two thousand million patients; past them entries are not
/// found, which costs duplicates and no false link.
fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX) & !IS_LIST
}
