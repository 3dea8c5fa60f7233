//! What is at hand of one image.

use super::{InstanceKey, SystemCopy};
use crate::wire::write_image;
use archwire_core::{Digest, Image, ImageId, LocalId, PatientId, Revision, SystemName};
use prost::Message as _;
use std::sync::Arc;

/// What is at hand of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct ImageEntry {
    /// Of its last event, on the subject of the patient in its id.
    pub(in crate::registry) revision: Revision,
    /// Where that event stands in the log.
    pub(in crate::registry) sequence: u64,
    /// Of the event that said that it is the patient's: the first, unless it was retracted in between.
    pub(super) told: Revision,
    /// Whether it is the patient's no more.
    pub(in crate::registry) retracted: bool,
    /// Whether the bus made its UIDs up.
    pub(in crate::registry) generated: bool,
    /// What it was when it was told last.
    pub(in crate::registry) content: Arc<Content>,
    /// Bytes that it had before, which events of the log name.
    pub(super) earlier: Box<[Digest]>,
    pub(super) instance: InstanceKey,
    /// Whether another image was told since under the same instance UID.
    pub(super) shadowed: bool,
    /// Who told it first.
    pub(in crate::registry) source: Option<SystemName>,
    /// By what that one said whose it is.
    pub(in crate::registry) via: Via,
    /// What systems have of it, in the order in which that became known.
    pub(in crate::registry) copies: Vec<SystemCopy>,
    /// Which image it became, of another patient.
    pub(in crate::registry) moved_to: Option<Box<ImageId>>,
}

/// By what a system said whose an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) enum Via {
    /// By the patient on whose subject it stands; or somebody decided it.
    Patient,
    /// By its record of the patient.
    Record(LocalId),
    /// By a patient who had been merged into that one.
    Named(PatientId),
}

/// What an image is, as far as it has to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct Content {
    /// Of its bytes.
    pub(in crate::registry) digest: Digest,
    /// Of what is said of it beside the bytes; `None` of bytes alone.
    pub(in crate::registry) described: Option<Digest>,
}

impl Content {
    /// What an image is. What the bus itself adds does not count: codes by another version of a table are no news of a sender.
    pub(in crate::registry) fn of(image: &Image) -> Self {
        let mut said = write_image(image);
        said.translations.clear();
        said.warnings.clear();
        if image.uids.generated {
            said.study_uid.clear();
            said.series_uid.clear();
            said.instance_uid.clear();
        }
        Self {
            digest: image.file.digest,
            described: Some(Digest::of(&said.encode_to_vec())),
        }
    }
}

impl ImageEntry {
    /// What a system has of it: of several, what is closest to up to date.
    pub(in crate::registry) fn copy(&self, system: &SystemName) -> Option<&SystemCopy> {
        let copies = self.copies.iter().filter(|copy| copy.system == *system);
        copies.max_by_key(|copy| (copy.delivered, copy.local_id.is_some()))
    }

    /// What a system showed under a local id, or without one where it has not told any.
    pub(in crate::registry) fn copy_of(
        &self,
        system: &SystemName,
        local_id: Option<&LocalId>,
    ) -> Option<&SystemCopy> {
        if local_id.is_none() {
            return self.copy(system);
        }
        let of_system = || self.copies.iter().filter(|copy| copy.system == *system);
        of_system()
            .find(|copy| copy.local_id.as_ref() == local_id)
            .or_else(|| of_system().find(|copy| copy.local_id.is_none()))
    }

    /// The content, as it is kept once for all who have it.
    pub(super) fn shared(&self, content: Content) -> Arc<Content> {
        if *self.content == content {
            return Arc::clone(&self.content);
        }
        let shown = self.copies.iter().filter_map(|copy| copy.shown.as_ref());
        let same = shown.into_iter().find(|shown| ***shown == content);
        same.map_or_else(|| Arc::new(content), Arc::clone)
    }
}
