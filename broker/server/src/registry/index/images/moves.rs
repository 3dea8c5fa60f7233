//! Whose images are when two patients become one, and two again.
//!
//! An image stays on its subject, and so goes and comes back with its patient by itself. What was told of the survivor while they
//! were one, by a record of the patient who goes, or of that patient by name, is that patient's: it has to be told of him or her
//! anew. Until that is done, it is known here; a start goes on with it.

use super::{ImageEntry, Images, Via};
use crate::registry::index::Index;
use archwire_core::{Digest, Event, ImageId, ImageNews, Merge, PatientId, RecordLink, Revision, Verdict};

impl Index {
    /// Takes in an event about an image.
    pub(in crate::registry::index) fn apply_image(&mut self, sequence: u64, event: &Event, news: &ImageNews) {
        let via = self.via(event.patient_id, news);
        let mut news = news.clone();
        news.system = news.system.map(|system| self.interned(&system));
        // The record's id is kept once.
        if let Via::Record(local_id) = &via {
            news.record = Some(local_id.clone());
        }
        self.images.apply(sequence, event, &news, via);
    }

    /// By what its system said whose an image is. By a record that is another patient's it did not: then somebody decided.
    fn via(&self, patient: PatientId, news: &ImageNews) -> Via {
        let record = news.system.as_ref().zip(news.record.as_ref());
        let own = record.and_then(|(system, local_id)| {
            let linked = self.linked(system, local_id)?;
            let entry = self.entry(linked)?;
            let record = entry.record_of(system, local_id)?;
            (linked == self.current(patient)).then(|| record.local_id.clone())
        });
        match (own, news.named_patient) {
            (_, Some(named)) => Via::Named(named),
            (Some(local_id), None) => Via::Record(local_id),
            (None, None) => Via::Patient,
        }
    }

    /// A merge is complete, by the survivor's event of this revision.
    pub(in crate::registry::index) fn images_joined(&mut self, merge: &Merge, revision: Revision) {
        self.images.came.insert(merge.retired.patient_id, revision);
    }

    /// A patient was parted from another one, and has these records again.
    pub(in crate::registry::index) fn images_parted(&mut self, merge: &Merge) {
        let (survivor, parted) = (merge.survivor.patient_id, merge.retired.patient_id);
        let since = self.images.came.remove(&parted).unwrap_or(Revision::NONE);
        let moves = |entry: &ImageEntry| match &entry.via {
            Via::Patient => false,
            Via::Named(named) => self.current(*named) == parted,
            Via::Record(local_id) => {
                let is_it = |link: &RecordLink| {
                    entry.source.as_ref() == Some(&link.system) && link.local_id == *local_id
                };
                entry.told > since && merge.retired.after.records.iter().any(is_it)
            }
        };
        let images = self.images.told_of(survivor);
        let moving: Vec<_> = images
            .filter(|(_, entry)| !entry.retracted && moves(entry))
            .map(|(id, _)| (id, parted))
            .collect();
        self.images.moving.extend(moving);
    }

    /// The images that stand with the wrong patient since a parting, and whose they are.
    pub(in crate::registry) fn moving_images(&self) -> Vec<(ImageId, PatientId)> {
        self.images
            .moving
            .iter()
            .map(|(id, patient)| (*id, *patient))
            .collect()
    }

    /// Whether an image is one of those.
    pub(in crate::registry) fn is_moving(&self, id: ImageId) -> bool {
        self.images.moving.contains_key(&id)
    }

    /// The number of the item by which a person said that something is not the patient's.
    pub(in crate::registry) fn discarded(&self, what: &[u8; 32]) -> Option<u64> {
        self.images.discarded.get(what).copied()
    }

    /// Whether a person said whose something is.
    pub(in crate::registry) fn is_ruled(&self, what: &[u8; 32]) -> bool {
        self.images.ruled.contains(what)
    }
}

impl Images {
    /// Remembers what a person decided about an image that waited.
    pub(in crate::registry::index) fn decided(&mut self, what: [u8; 32], verdict: Verdict, item: u64) {
        match verdict {
            Verdict::NotSame => _ = self.discarded.insert(what, item),
            Verdict::Link => _ = self.ruled.insert(what),
            _ => {}
        }
    }

    /// An open item keeps its image's bytes.
    pub(in crate::registry::index) fn item_opened(&mut self, digest: Digest) {
        self.use_bytes(digest);
    }

    /// An item keeps them no more.
    pub(in crate::registry::index) fn item_closed(&mut self, digest: &Digest) {
        self.use_no_more(digest);
    }
}
