//! Images in a line: patients take turns, and of each the image that was told first is next.

use archwire_core::{ImageId, PatientId, Revision};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A line of images.
#[derive(Debug, Default)]
pub(super) struct Line {
    images: BTreeMap<PatientId, BTreeSet<Revision>>,
    /// Whose turn it is next: everybody who has images here, but for those who were passed over, each once.
    turns: VecDeque<PatientId>,
    in_turns: BTreeSet<PatientId>,
}

impl Line {
    pub(super) fn add(&mut self, image: ImageId) {
        self.images.entry(image.patient).or_default().insert(image.first);
        self.takes_turns(image.patient);
    }

    pub(super) fn remove(&mut self, image: ImageId) {
        if let Some(images) = self.images.get_mut(&image.patient) {
            images.remove(&image.first);
            if images.is_empty() {
                self.images.remove(&image.patient);
            }
        }
    }

    /// The next image of a patient who is not `busy`, which leaves the line. Who is passed over has to be told of by
    /// [`Line::takes_turns`] when that is over.
    pub(super) fn next(&mut self, busy: impl Fn(PatientId) -> bool) -> Option<ImageId> {
        while let Some(patient) = self.turns.pop_front() {
            self.in_turns.remove(&patient);
            let first = self.images.get(&patient).and_then(BTreeSet::first).copied();
            if let Some(first) = first.filter(|_| !busy(patient)) {
                let image = ImageId { patient, first };
                self.remove(image);
                self.takes_turns(patient);
                return Some(image);
            }
        }
        None
    }

    /// A patient takes turns again, behind all others, where there are images of the patient.
    pub(super) fn takes_turns(&mut self, patient: PatientId) {
        if self.images.contains_key(&patient) && self.in_turns.insert(patient) {
            self.turns.push_back(patient);
        }
    }

    pub(super) fn contains(&self, image: ImageId) -> bool {
        let images = self.images.get(&image.patient);
        images.is_some_and(|images| images.contains(&image.first))
    }

    pub(super) fn len(&self) -> usize {
        self.images.values().map(BTreeSet::len).sum()
    }
}
