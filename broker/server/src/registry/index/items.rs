//! What waits for a person.

use super::{Index, ItemKey, which_image};
use archwire_core::{Digest, LocalId, Path, PatientId, ReviewItem, ReviewKind, SystemName, Verdict};
use std::{collections::BTreeSet, time::SystemTime};

/// The word of an image whose record is nobody's, or another patient's, or waits for a person itself.
pub(in crate::registry) const RECORD: &str = "record";

/// An open item, as far as it is needed at hand. The whole of it is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenItem {
    /// What it is about.
    pub key: ItemKey,
    /// What kind.
    pub kind: ReviewKind,
    /// When it was opened.
    pub opened_at: SystemTime,
    /// The system whose record led to it.
    pub system: Option<SystemName>,
    /// The patient to whom the record belongs.
    pub patient: Option<PatientId>,
    /// Whom the patient may be; those who are not are left out.
    pub candidates: Vec<PatientId>,
    /// Where the system disagrees.
    pub paths: BTreeSet<Path>,
    /// The best candidate's score in tenths of a bit.
    pub score_tenths: Option<i32>,
    /// The record that took this one's place, and of which the bus has not heard.
    pub awaits: Option<LocalId>,
    /// Of the bytes of the image that waits.
    pub image: Option<Digest>,
    /// That image's id in its system.
    pub image_id: Option<LocalId>,
    /// Where the item stands in the log.
    pub sequence: u64,
}

impl Index {
    /// The open items by their number.
    pub fn items(&self) -> impl Iterator<Item = (u64, &OpenItem)> {
        self.items.iter().map(|(number, item)| (*number, item))
    }

    /// How many items are open.
    #[must_use]
    pub fn open_items(&self) -> usize {
        self.items.len()
    }

    /// How many items are open about unknown records of a system and about images that wait for a record.
    #[must_use]
    pub fn unknown_items(&self, system: &SystemName) -> usize {
        self.unknown.get(system).copied().unwrap_or_default()
    }

    /// An open item.
    #[must_use]
    pub fn item(&self, number: u64) -> Option<&OpenItem> {
        self.items.get(&number)
    }

    /// The number of the open item about something.
    #[must_use]
    pub fn item_about(&self, key: &ItemKey) -> Option<u64> {
        self.by_key.get(key).copied()
    }

    /// A number for a new item. It is not given again, also when nobody knows whether the item was stored.
    pub fn number_item(&mut self) -> u64 {
        self.given_item = self.given_item.max(self.last_item) + 1;
        self.given_item
    }

    /// Items that wait for a record of which the bus has not heard: the one that took another's place.
    #[must_use]
    pub fn awaiting(&self, system: &SystemName, local_id: &LocalId) -> Vec<u64> {
        if self.awaited.is_empty() {
            return Vec::new();
        }
        let waiting = self.awaited.get(&(system.clone(), local_id.clone()));
        waiting.into_iter().flatten().copied().collect()
    }

    /// Items that ask whose an image is, whatever record its system showed it with: staff move images, and move them back.
    pub(in crate::registry) fn asking_of_image(&self, system: &SystemName, local_id: &LocalId) -> Vec<u64> {
        if self.held_images.is_empty() {
            return Vec::new();
        }
        let asking = self.held_images.get(&(system.clone(), local_id.clone()));
        asking.into_iter().flatten().copied().collect()
    }

    /// Whether an open item is about a record, or waits for it.
    #[must_use]
    pub fn is_asked_about(&self, system: &SystemName, local_id: &LocalId) -> bool {
        if self.items.is_empty() {
            return false;
        }
        let kinds = [
            ItemKey::Record,
            ItemKey::Disagreement,
            ItemKey::Unreadable,
            ItemKey::Awaiting,
            ItemKey::Unknown,
        ];
        let mut keys = kinds
            .into_iter()
            .map(|kind| kind(system.clone(), local_id.clone()));
        keys.any(|key| self.by_key.contains_key(&key)) || !self.awaiting(system, local_id).is_empty()
    }

    /// Items that ask whether two patients are one, whichever of the two each item is about. Looks at every open item.
    #[must_use]
    pub fn asking(&self, one: PatientId, other: PatientId) -> Vec<u64> {
        let (one, other) = (self.current(one), self.current(other));
        let asks = |item: &OpenItem| {
            let patient = item.patient.map(|patient| self.current(patient));
            let mut candidates = item.candidates.iter().map(|candidate| self.current(*candidate));
            match patient {
                Some(patient) if patient == one => candidates.any(|candidate| candidate == other),
                Some(patient) if patient == other => candidates.any(|candidate| candidate == one),
                _ => false,
            }
        };
        let items = self.items.iter().filter(|(_, item)| asks(item));
        items.map(|(number, _)| *number).collect()
    }

    /// Items that wait for a record, of which the bus has heard since.
    #[must_use]
    pub fn awaiting_in_vain(&self) -> Vec<u64> {
        let come = self
            .awaited
            .iter()
            .filter(|(record, _)| self.links.contains_key(*record));
        come.flat_map(|(_, waiting)| waiting).copied().collect()
    }

    pub(super) fn open(&mut self, number: u64, item: OpenItem) {
        if let ItemKey::Record(system, local_id) = &item.key {
            self.held.insert((system.clone(), local_id.clone()), number);
        }
        if let Some(awaited) = awaited(&item) {
            self.awaited.entry(awaited).or_default().insert(number);
        }
        if let Some(digest) = item.image {
            self.images.item_opened(digest);
        }
        if let Some(shown) = shown_as(&item) {
            self.held_images.entry(shown).or_default().insert(number);
        }
        if let Some(system) = unknown_of(&item) {
            *self.unknown.entry(system.clone()).or_default() += 1;
        }
        self.by_key.insert(item.key.clone(), number);
        self.items.insert(number, item);
    }

    /// Takes in an item.
    pub fn apply_review(&mut self, sequence: u64, item: &ReviewItem) {
        self.passed(sequence);
        self.last_item = self.last_item.max(item.number);
        for candidate in item.candidates.iter().filter(|candidate| candidate.not_same) {
            if let Some(patient) = item.patient {
                let other = candidate.patient;
                self.not_same.insert((patient.min(other), patient.max(other)));
            }
        }
        self.close(item.number);
        let Some(key) = ItemKey::of(item) else { return };
        if let Some(decision) = &item.decision {
            if let Some(held) = &item.held_image {
                let what = which_image(&held.observation, item.patient, true);
                self.images.decided(what, decision.verdict, item.number);
            }
            return;
        }
        let candidates = item.candidates.iter().filter(|candidate| !candidate.not_same);
        let open = OpenItem {
            key,
            kind: item.kind,
            opened_at: item.opened_at,
            system: item.system.clone(),
            patient: item.patient,
            candidates: candidates.clone().map(|candidate| candidate.patient).collect(),
            paths: item
                .disagreements
                .iter()
                .map(|disagreement| disagreement.path.clone())
                .collect(),
            score_tenths: candidates.map(|candidate| candidate.score_tenths).max(),
            awaits: awaits(item),
            image: item
                .held_image
                .as_ref()
                .map(|held| held.observation.image.file.digest),
            image_id: item
                .held_image
                .as_ref()
                .and_then(|held| held.observation.local_id.clone()),
            sequence,
        };
        self.open(item.number, open);
    }

    fn close(&mut self, number: u64) {
        let Some(item) = self.items.remove(&number) else {
            return;
        };
        self.by_key.remove(&item.key);
        if let Some(open) = unknown_of(&item).and_then(|system| self.unknown.get_mut(system)) {
            *open = open.saturating_sub(1);
        }
        if let Some(digest) = &item.image {
            self.images.item_closed(digest);
        }
        if let Some(awaited) = awaited(&item)
            && let Some(waiting) = self.awaited.get_mut(&awaited)
        {
            waiting.remove(&number);
            if waiting.is_empty() {
                self.awaited.remove(&awaited);
            }
        }
        if let Some(shown) = shown_as(&item)
            && let Some(waiting) = self.held_images.get_mut(&shown)
        {
            waiting.remove(&number);
            if waiting.is_empty() {
                self.held_images.remove(&shown);
            }
        }
        if let ItemKey::Record(system, local_id) = item.key {
            self.held.remove(&(system, local_id));
        }
    }

    /// Whether a verdict may end an item of a kind, and what may.
    #[must_use]
    pub fn verdicts(kind: ReviewKind) -> (&'static [Verdict], &'static str) {
        match kind {
            ReviewKind::PossibleDuplicate
            | ReviewKind::IdentifierConflict
            | ReviewKind::RecordConflict
            | ReviewKind::UnknownRecord
            | ReviewKind::WrongPatient => (&[Verdict::Link, Verdict::NotSame], "`link` or `not-same`"),
            ReviewKind::Disagreement | ReviewKind::Unreadable => {
                (&[Verdict::Accept, Verdict::Reject], "`accept` or `reject`")
            }
        }
    }
}

/// The record of which the bus has to hear before what an item holds can be taken: the one that took another's place, or the
/// one whose image it is.
fn awaits(item: &ReviewItem) -> Option<LocalId> {
    match (item.kind, &item.held, &item.held_image) {
        (ReviewKind::Unreadable, Some(held), _) => held.view.merged_into.clone(),
        (ReviewKind::WrongPatient, _, Some(held)) if held.differs.iter().any(|word| word == RECORD) => {
            held.observation.record.clone()
        }
        _ => None,
    }
}

/// Whether an item is about a record of which nobody knows whose it is, or about an image that waits for a record.
pub(in crate::registry) fn is_of_unknown(item: &ReviewItem) -> bool {
    is_unknown(item.kind, awaits(item).as_ref())
}

fn is_unknown(kind: ReviewKind, awaits: Option<&LocalId>) -> bool {
    match kind {
        ReviewKind::UnknownRecord => true,
        ReviewKind::WrongPatient => awaits.is_some(),
        _ => false,
    }
}

/// The system of such an item.
fn unknown_of(item: &OpenItem) -> Option<&SystemName> {
    let system = item.system.as_ref();
    system.filter(|_| is_unknown(item.kind, item.awaits.as_ref()))
}

/// The record that an item waits for.
fn awaited(item: &OpenItem) -> Option<(SystemName, LocalId)> {
    item.system.clone().zip(item.awaits.clone())
}

/// What the image that waits is in its system.
fn shown_as(item: &OpenItem) -> Option<(SystemName, LocalId)> {
    item.system.clone().zip(item.image_id.clone())
}
