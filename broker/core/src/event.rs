//! What systems say, and what the bus says happened.

use crate::{LocalId, Path, Patient, PatientId, Revision, SourceRecord, SystemName};
use std::{collections::BTreeSet, time::SystemTime};

/// A record as a system shows it: whole, not a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The record's id in its system.
    pub local_id: LocalId,
    /// The record, as far as the bus understands it.
    pub patient: Patient,
    /// The record verbatim.
    pub source: Option<SourceRecord>,
    /// When the system showed it, where it says so.
    pub observed_at: Option<SystemTime>,
    /// Who changed it, in the system's own terms. Never a patient.
    pub actor: Option<String>,
}

/// What a system says: "my record 123 now looks like this".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Who says so.
    pub system: SystemName,
    /// The patient, where the system learnt the id from the bus.
    pub patient_id: Option<PatientId>,
    /// The newest revision that the record reflects, where the system follows the bus itself.
    pub based_on: Option<Revision>,
    /// What it says.
    pub view: View,
}

/// What the bus says happened. Immutable, numbered per patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// UUIDv7. CloudEvents id.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// Whom it concerns.
    pub patient_id: PatientId,
    /// Gapless per patient, from 1.
    pub revision: Revision,
    /// What it changed.
    pub changed: BTreeSet<Path>,
    /// The full state afterwards.
    pub patient: Patient,
    /// What led to it.
    pub observation: Observation,
    /// When the bus recorded it.
    pub recorded_at: SystemTime,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// First event of a patient.
    PatientCreated,
    /// Something about the patient changed.
    PatientUpdated,
}

impl EventKind {
    /// CloudEvents type.
    #[must_use]
    pub fn cloud_event_type(self) -> &'static str {
        match self {
            Self::PatientCreated => "archwire.patient.created.v1",
            Self::PatientUpdated => "archwire.patient.updated.v1",
        }
    }
}

/// What became of a patient's record in a system, without that being news about the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whom it concerns.
    pub patient_id: PatientId,
    /// The system that holds the record.
    pub system: SystemName,
    /// When it was noted.
    pub seen_at: SystemTime,
    /// What was noted.
    pub what: Sighted,
}

/// What was noted of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, written as soon as it is made"
)]
pub enum Sighted {
    /// It was seen.
    Seen {
        /// The record's id in the system.
        local_id: LocalId,
        /// The record as shown; `None` when it has not been read back yet.
        shown: Option<Patient>,
        /// Up to where deliveries have brought the system; [`Revision::NONE`] when none has.
        delivered: Revision,
        /// The newest revision that the record reflects, where its system follows the bus itself.
        reflects: Option<Revision>,
    },
    /// The bus is about to have the system create it. Until another sighting follows, it may exist without the bus
    /// knowing its id. With the revision of the state that it is created with.
    Creating(Revision),
    /// The creation or the writing did not come about.
    Abandoned,
    /// The bus is about to have the system change it. Until a sighting with a delivered revision follows, what the system
    /// shows at these paths is the bus's own doing, however the system writes it.
    Writing(BTreeSet<Path>),
}
