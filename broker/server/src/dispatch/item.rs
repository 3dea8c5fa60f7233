//! One event that waits for delivery to one system.

use crate::wire::{WireError, decode_event};
use archwire_core::{EventKind, Path, PatientId, Revision, SystemName};
use archwire_nats::Stored;
use std::collections::BTreeSet;

/// What dispatch needs to know of an event. The state itself is read from the registry when it is delivered, so that
/// what waits costs little and is never stale.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) sequence: u64,
    pub(super) patient: PatientId,
    pub(super) event_id: String,
    pub(super) kind: EventKind,
    pub(super) revision: Revision,
    pub(super) changed: BTreeSet<Path>,
    pub(super) origin: SystemName,
}

impl Item {
    /// Reads what the log handed out.
    pub(super) fn read(stored: &Stored) -> Result<Self, WireError> {
        let event = decode_event(stored.payload.clone())?;
        Ok(Self {
            sequence: stored.sequence,
            patient: event.patient_id,
            event_id: event.id,
            kind: event.kind,
            revision: event.revision,
            changed: event.changed,
            origin: event.observation.system,
        })
    }
}

/// Everything that waits for one patient, brought to the system in one go: an older state gives way to the newer.
#[derive(Debug, Default)]
pub(super) struct Batch(pub(super) Vec<Item>);

impl Batch {
    /// The newest event.
    pub(super) fn newest(&self) -> Option<&Item> {
        self.0.iter().max_by_key(|item| item.revision)
    }

    /// What others than `system` changed after `fence`.
    pub(super) fn foreign_changes(&self, system: &SystemName, fence: Revision) -> BTreeSet<Path> {
        let foreign = self
            .0
            .iter()
            .filter(|item| item.revision > fence && item.origin != *system);
        foreign.flat_map(|item| item.changed.iter().cloned()).collect()
    }
}
