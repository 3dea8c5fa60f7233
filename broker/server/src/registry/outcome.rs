//! How an observation ends.

use crate::wire::WireError;
use archwire_core::{FieldsError, PatientBoundError, PatientId, Revision};
use archwire_nats::{AppendError, ReadError};

/// An observation that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// It was news: an event tells it.
    Recorded {
        /// Whom it concerned.
        patient: PatientId,
        /// The event's revision.
        revision: Revision,
        /// Where the event stands in the log.
        sequence: u64,
    },
    /// The bus knew all of it.
    Unchanged {
        /// Whom it concerned.
        patient: PatientId,
        /// The patient's current revision.
        revision: Revision,
    },
}

/// An observation that was not taken. Nothing of it is lost by saying so: whoever made it still has it.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The patient id is none that this bus gave.
    #[error(
        "no patient with this id is on the bus; leave `patient_id` out for a record that the bus has not heard of"
    )]
    UnknownPatient,
    /// The record or the patient is linked otherwise.
    #[error(
        "the record is linked to another patient, or the patient to another record of this system; a person has to decide which is right"
    )]
    LinkConflict,
    /// The record claims to reflect a revision that the patient has not reached.
    #[error("`based_on_revision` is newer than the patient's current revision")]
    RevisionUnknown,
    /// More of something than the bus carries.
    #[error("the patient is too large")]
    Bound(#[from] PatientBoundError),
    /// The log could not read back what would be written: the merged patient is beyond the contract's bounds.
    #[error("the patient would no longer be within the bounds of archwire.v1")]
    Invalid(#[source] WireError),
    /// Creations in the same system did not end in time.
    #[error("the system is creating records; the observation will be taken when that has ended")]
    Busy,
    /// The log did not take it.
    #[error("the log did not store the observation")]
    Append(#[source] AppendError),
    /// The broker stopped in the middle of it.
    #[error("the broker stopped before the observation was stored")]
    Interrupted,
    /// The log could not be read.
    #[error("the log could not be read")]
    Read(#[source] ReadError),
    /// What stands in the log cannot be understood.
    #[error("the log holds something that this version does not understand")]
    Unreadable(#[from] WireError),
    /// The merged patient is none.
    #[error("the merged patient does not hold together")]
    Merge(#[from] FieldsError),
}

impl ObserveError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownPatient => "patient_unknown",
            Self::LinkConflict => "link_conflict",
            Self::RevisionUnknown => "revision_unknown",
            Self::Bound(_) | Self::Invalid(_) => "observation_invalid",
            Self::Busy => "system_busy",
            Self::Append(error) => error.code(),
            Self::Interrupted => "interrupted",
            Self::Read(_) => "log_unavailable",
            Self::Unreadable(_) => "log_unreadable",
            Self::Merge(_) => "merge_failed",
        }
    }

    /// Whether the same observation may be taken later. In doubt it may: what is given up is not asked for again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Append(AppendError::TooLarge { .. } | AppendError::Attribute { .. }) => false,
            Self::Busy | Self::Append(_) | Self::Interrupted | Self::Read(_) => true,
            _ => false,
        }
    }
}
