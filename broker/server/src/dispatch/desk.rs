//! What others may see of a system's dispatcher, and ask of it.

use super::{Breaker, board::Board};
use crate::registry::Registry;
use archwire_core::{PatientId, Priority, SystemName};
use std::{sync::Arc, time::SystemTime};

/// A handle to what brings events to one system; cheap to clone. It outlives the dispatcher and does nothing then.
#[derive(Clone)]
pub struct Desk {
    system: SystemName,
    registry: Arc<Registry>,
    breaker: Arc<Breaker>,
    board: Arc<Board>,
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
    /// The desk of a system to which a dispatcher is about to bring events.
    #[must_use]
    pub fn new(system: SystemName, registry: Arc<Registry>, breaker: Arc<Breaker>) -> Self {
        Self {
            system,
            registry,
            breaker,
            board: Arc::default(),
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

    pub(super) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// How the deliveries stand. Passes over all patients: for people and for metrics, not for every event.
    ///
    /// A patient whose last change was made in the system itself counts until the queue has come to it, which takes a moment
    /// unless something piled up. Deliveries that are parked do not count.
    #[must_use]
    pub fn status(&self) -> DeskStatus {
        let overview = self.board.overview();
        let beyond = self.registry.changed_between(overview.handed_out, u64::MAX);
        let beyond = beyond.into_iter().filter(|patient| !self.board.waits(*patient));
        let beyond = beyond.count();
        let lanes = overview.lanes;
        let waits = overview.asked + beyond > 0;
        DeskStatus {
            // What has no lane yet came after what has.
            behind_since: overview.oldest.or_else(|| waits.then(SystemTime::now)),
            patients_behind: lanes.waiting + lanes.working + lanes.backing_off + overview.asked + beyond,
            working: lanes.working,
            waiting: lanes.waiting,
            backing_off: lanes.backing_off,
        }
    }

    /// Has the dispatcher look at a patient, without an event that says so: before others when it is urgent, and in the
    /// patient's own lane in any case, so that nothing is overtaken. A lane that waits after a failed attempt tries again at
    /// once when a person waits for it.
    pub fn look_at(&self, patient: PatientId, priority: Priority) {
        self.board.ask(patient, priority);
    }
}
