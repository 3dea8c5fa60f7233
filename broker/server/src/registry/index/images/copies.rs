//! What systems have of an image, and what the bus is about to bring them.

use super::{Content, ImageEntry, Images};
use crate::registry::index::Index;
use archwire_core::{Copied, Digest, ImageCopy, ImageId, LocalId, ReceiptOutcome, Revision, SystemName};
use std::{sync::Arc, time::SystemTime};

/// What a system has of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct SystemCopy {
    /// The system.
    pub(in crate::registry) system: SystemName,
    /// The image's id there; `None` when it has none, or when it is not known yet.
    pub(in crate::registry) local_id: Option<LocalId>,
    /// The record under which it lies there.
    pub(in crate::registry) record: Option<LocalId>,
    /// Whether a delivery put it there, and not the system itself.
    pub(in crate::registry) brought: bool,
    /// Up to which revision of the image the system is up to date.
    pub(in crate::registry) delivered: Revision,
    /// What it showed last.
    pub(in crate::registry) shown: Option<Arc<Content>>,
    /// What is not done yet; most copies have nothing.
    pub(super) pending: Option<Box<Pending>>,
}

/// What is not done yet about a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pending {
    /// A delivery of which it is in doubt whether the system took it.
    pub(super) sending: Option<Sending>,
    /// Up to which revision a person gave bringing it up.
    pub(super) dropped: Revision,
}

/// A delivery of which nobody knows how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct Sending {
    /// When the last attempt began.
    pub(in crate::registry) since: SystemTime,
    /// The revision of the image that the first one brought. Only one with the same bytes follows while it is in doubt.
    pub(in crate::registry) revision: Revision,
    /// The record to which they brought it; `None` where none was told.
    pub(in crate::registry) record: Option<LocalId>,
}

impl SystemCopy {
    pub(super) fn new(system: SystemName, local_id: Option<LocalId>) -> Self {
        Self {
            system,
            local_id,
            record: None,
            brought: false,
            delivered: Revision::NONE,
            shown: None,
            pending: None,
        }
    }

    /// The delivery of which it is in doubt whether the system took it.
    pub(in crate::registry) fn sending(&self) -> Option<&Sending> {
        self.pending.as_ref()?.sending.as_ref()
    }

    /// Up to which revision a person gave bringing it up.
    pub(in crate::registry) fn dropped(&self) -> Revision {
        self.pending
            .as_ref()
            .map_or(Revision::NONE, |pending| pending.dropped)
    }

    fn with_pending(&mut self, change: impl FnOnce(&mut Pending)) {
        change(self.pending.get_or_insert_default());
        self.pending.take_if(|pending| **pending == Pending::default());
    }
}

/// What a system has of an image, as a sighting tells it.
struct Held<'a> {
    local_id: &'a LocalId,
    record: Option<&'a LocalId>,
    delivered: Revision,
    shown: Option<Digest>,
    described: Option<Digest>,
}

impl Index {
    /// The same note with the record's id as it is kept once for all images.
    pub(in crate::registry::index) fn with_known_record(
        &self,
        system: &SystemName,
        copy: &ImageCopy,
    ) -> ImageCopy {
        let mut copy = copy.clone();
        if let Copied::Held {
            record: Some(record), ..
        }
        | Copied::Sending {
            record: Some(record), ..
        } = &mut copy.what
            && let Some(patient) = self.linked(system, record)
            && let Some(known) = self
                .entry(patient)
                .and_then(|entry| entry.record_of(system, record))
        {
            *record = known.local_id.clone();
        }
        copy
    }
}

impl Images {
    /// Takes in what was noted of an image in a system.
    pub(in crate::registry::index) fn apply_copy(
        &mut self,
        system: &SystemName,
        copy: &ImageCopy,
        at: SystemTime,
    ) {
        match &copy.what {
            Copied::Sending { revision, record } => self.change(copy.id, system, |copy| {
                let first = || Sending {
                    since: at,
                    revision: *revision,
                    record: record.clone(),
                };
                // An attempt that repeats another one may be what arrives late. What arrived, and where, stays open.
                copy.with_pending(|pending| pending.sending.get_or_insert_with(first).since = at);
            }),
            Copied::Abandoned => self.change(copy.id, system, |copy| {
                copy.with_pending(|pending| pending.sending = None);
            }),
            Copied::Held {
                local_id,
                record,
                delivered,
                shown,
                described,
                receipt: _,
            } => {
                let held = Held {
                    local_id,
                    record: record.as_ref(),
                    delivered: *delivered,
                    shown: *shown,
                    described: *described,
                };
                self.hold(copy.id, system, &held);
            }
            Copied::Receipted(receipt) => {
                let is_newest = |entry: &ImageEntry| entry.revision <= receipt.revision;
                let is_dropped = receipt.outcome == ReceiptOutcome::Dropped
                    && self.entries.get(&copy.id).is_some_and(|entry| is_newest(entry));
                if is_dropped {
                    self.change(copy.id, system, |copy| {
                        copy.with_pending(|pending| pending.dropped = receipt.revision);
                    });
                }
            }
            Copied::Gone(local_id) => self.gone(copy.id, system, local_id),
        }
        self.tidy(copy.id, system);
    }

    /// Changes what is known of a system's copy.
    fn change(&mut self, id: ImageId, system: &SystemName, change: impl FnOnce(&mut SystemCopy)) {
        let Some(entry) = self.entry_mut(id) else { return };
        let best = entry.copy(system).and_then(|best| best.local_id.clone());
        change_copy(entry, system, best.as_ref(), change);
    }

    fn hold(&mut self, id: ImageId, system: &SystemName, held: &Held<'_>) {
        if !self.entries.contains_key(&id) {
            return;
        }
        self.let_go_of(system, held.local_id, id);
        let Some(entry) = self.entry_mut(id) else { return };
        let held = &Held {
            local_id: &same_id(entry, held.local_id),
            ..*held
        };
        let shown = held.shown.map(|digest| {
            entry.shared(Content {
                digest,
                described: held.described,
            })
        });
        change_copy(entry, system, Some(held.local_id), |copy| {
            copy.pending = None;
            copy.delivered = copy.delivered.max(held.delivered);
            if held.record.is_some() {
                copy.record = held.record.cloned();
            }
            // Only whoever hears the system itself hears what it says beside the bytes.
            copy.brought |= held.described.is_none();
            if held.delivered > Revision::NONE || shown.is_some() {
                copy.shown = shown;
            }
        });
        self.by_local_id
            .insert((system.clone(), held.local_id.clone()), id);
    }

    /// An id of a system names one image: another one that had it has it no more.
    pub(super) fn let_go_of(&mut self, system: &SystemName, local_id: &LocalId, but: ImageId) {
        let key = (system.clone(), local_id.clone());
        let Some(before) = self.by_local_id.get(&key).copied().filter(|id| *id != but) else {
            return;
        };
        self.forget(before, key);
    }

    /// A system shows an image under an id no more.
    fn gone(&mut self, id: ImageId, system: &SystemName, local_id: &LocalId) {
        let key = (system.clone(), local_id.clone());
        if self.by_local_id.get(&key) == Some(&id) {
            self.forget(id, key);
        }
    }

    fn forget(&mut self, id: ImageId, key: (SystemName, LocalId)) {
        self.by_local_id.remove(&key);
        let (system, local_id) = key;
        if let Some(entry) = self.entry_mut(id) {
            let is_it =
                |copy: &SystemCopy| copy.system == system && copy.local_id.as_ref() == Some(&local_id);
            entry.copies.retain(|copy| !is_it(copy));
        }
    }

    /// A copy of which nothing is known is none.
    fn tidy(&mut self, id: ImageId, system: &SystemName) {
        if let Some(entry) = self.entry_mut(id) {
            let nothing = SystemCopy::new(system.clone(), None);
            entry.copies.retain(|copy| *copy != nothing);
        }
    }
}

/// An id as another system's copy has it already: archives tell images apart by the same UID.
fn same_id(entry: &ImageEntry, local_id: &LocalId) -> LocalId {
    let mut ids = entry.copies.iter().filter_map(|copy| copy.local_id.as_ref());
    ids.find(|id| *id == local_id).unwrap_or(local_id).clone()
}

/// Changes a system's copy under a local id. One whose id was not known so far gets it; where there is none, a new one does.
pub(super) fn change_copy(
    entry: &mut ImageEntry,
    system: &SystemName,
    local_id: Option<&LocalId>,
    change: impl FnOnce(&mut SystemCopy),
) {
    let of_system = |copy: &SystemCopy| copy.system == *system;
    let place = |fits: &dyn Fn(&SystemCopy) -> bool| {
        let mut copies = entry.copies.iter();
        copies.position(|copy| of_system(copy) && fits(copy))
    };
    let place = place(&|copy| copy.local_id.as_ref() == local_id)
        .or_else(|| place(&|copy| copy.local_id.is_none() || local_id.is_none()));
    let changed = |copy: &mut SystemCopy| {
        if local_id.is_some() {
            copy.local_id = local_id.cloned();
        }
        change(copy);
    };
    match place.and_then(|place| entry.copies.get_mut(place)) {
        Some(copy) => changed(copy),
        None => {
            let mut copy = SystemCopy::new(system.clone(), None);
            changed(&mut copy);
            entry.copies.reserve_exact(1);
            entry.copies.push(copy);
        }
    }
}
