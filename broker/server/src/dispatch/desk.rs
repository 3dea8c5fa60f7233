//! What others may see of a system's dispatcher, and ask of it.

use super::Breaker;
use crate::registry::Registry;
use archwire_core::{PatientId, Priority, SystemName};
use std::{sync::Arc, time::SystemTime};

/// A handle to what brings events to one system; cheap to clone. It outlives the dispatcher and does nothing then.
#[derive(Clone)]
pub struct Desk {
    system: SystemName,
    registry: Arc<Registry>,
    breaker: Arc<Breaker>,
}

/// How the deliveries to one system stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeskStatus {
    /// When the oldest change came that the system does not have; `None` when it has all.
    pub behind_since: Option<SystemTime>,
    /// How many patients have changes that the system does not have.
    pub patients_behind: usize,
    /// Lanes whose attempt runs.
    pub working: usize,
    /// Lanes that wait for their turn.
    pub waiting: usize,
    /// Lanes that wait after a failed attempt.
    pub backing_off: usize,
}

impl Desk {
    /// The desk of a system.
    #[must_use]
    pub fn new(system: SystemName, registry: Arc<Registry>, breaker: Arc<Breaker>) -> Self {
        Self {
            system,
            registry,
            breaker,
        }
    }

    /// The system.
    #[must_use]
    pub fn system(&self) -> &SystemName {
        &self.system
    }

    /// Whether the system is called, and why not.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// How the deliveries stand.
    #[must_use]
    pub fn status(&self) -> DeskStatus {
        DeskStatus::default()
    }

    /// Has the dispatcher look at a patient, without an event that says so.
    pub fn look_at(&self, patient: PatientId, _priority: Priority) {
        self.registry.wake(&self.system, patient);
    }
}
