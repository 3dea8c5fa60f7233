//! What the log says of images, kept at hand: whose they are, what was told last, and what systems have of them.
//!
//! What is known of an image beside its bytes stays in the log; at hand is by what it is told apart and compared. An image that
//! three systems have costs about 1.2 KB, of which half is ids and the maps that find it by them. Retracted images stay: whatever
//! system has them has to be told.

mod apply;
mod copies;
mod entry;
mod find;
mod moves;
mod rows;

pub(in crate::registry) use copies::{Sending, SystemCopy};
pub(in crate::registry) use entry::{Content, ImageEntry, Via};
pub(super) use rows::{ImageRow, ImagesRow, image_row};

use archwire_core::{Digest, ImageId, LocalId, PatientId, Revision, SystemName, Uid};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// All images of one practice.
#[derive(Debug, Default)]
pub(super) struct Images {
    /// In the order of their patients, and of those in the order in which they were told. Shared with a snapshot that is
    /// being written, until one of them changes.
    entries: BTreeMap<ImageId, Arc<ImageEntry>>,
    /// Which image was told last under an instance UID.
    by_instance: HashMap<InstanceKey, ImageId>,
    by_local_id: HashMap<(SystemName, LocalId), ImageId>,
    /// How many images and open items have these bytes.
    uses: HashMap<Digest, u32>,
    /// How many images were told on the subject of a patient.
    counts: HashMap<PatientId, u32>,
    /// Images that a parting left with the wrong patient, and whose they are.
    moving: BTreeMap<ImageId, PatientId>,
    /// Of a patient who was merged away: the survivor's revision by which that was complete.
    came: BTreeMap<PatientId, Revision>,
    /// What a person said is not the patient's, by the number of the item.
    discarded: BTreeMap<[u8; 32], u64>,
    /// What a person said whose it is.
    ruled: BTreeSet<[u8; 32]>,
}

/// The first half of the SHA-256 of an instance UID: of as many bytes in every case, and as good as the UID to tell images apart.
type InstanceKey = [u8; 16];

fn instance_key(uid: &Uid) -> InstanceKey {
    let hash: [u8; 32] = Sha256::digest(uid.as_str()).into();
    let mut key = InstanceKey::default();
    key.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
    key
}

impl Images {
    fn entry_mut(&mut self, id: ImageId) -> Option<&mut ImageEntry> {
        self.entries.get_mut(&id).map(Arc::make_mut)
    }

    fn use_bytes(&mut self, digest: Digest) {
        *self.uses.entry(digest).or_default() += 1;
    }

    fn use_no_more(&mut self, digest: &Digest) {
        if let Some(count) = self.uses.get_mut(digest) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.uses.remove(digest);
            }
        }
    }
}
