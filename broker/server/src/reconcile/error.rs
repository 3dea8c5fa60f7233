//! Why a comparison did not come to its end.

use crate::{audit::AuditError, registry::ObserveError};
use archwire_core::{SurveyTooLarge, SystemName};
use archwire_host::{Ability, CallError};
use archwire_nats::BucketError;

/// A comparison that did not come to its end. Whatever it had repaired until then stays repaired.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Not one of those that are configured and enabled.
    #[error("no system `{0}` is configured and enabled; a vendor compares for itself what it subscribes to")]
    UnknownSystem(SystemName),
    /// A connector that cannot tell what there is.
    #[error("the connector of `{system}` does not do {ability}, so that it cannot be compared")]
    NotOffered {
        /// The system.
        system: SystemName,
        /// What it would have to do.
        ability: Ability,
    },
    /// One at a time.
    #[error("`{0}` is being compared already; `archwire reconcile {0} --last` tells what came of it")]
    Running(SystemName),
    /// The breaker is open.
    #[error(
        "the system is left alone at present, because it could not be reached; try again when it answers"
    )]
    LeftAlone,
    /// The system or its connector did not do what it was asked for.
    #[error("the system could not be read")]
    Call(#[source] CallError),
    /// The connector would list the same for ever.
    #[error("the connector gave a cursor that it had given before, so that its list would never end")]
    CursorRepeats,
    /// Nor would this end.
    #[error("the connector's list has more than {0} pages")]
    Endless(usize),
    /// More than the bus compares.
    #[error("the list is too long")]
    TooLarge(#[from] SurveyTooLarge),
    /// The bus itself.
    #[error("the registry did not answer")]
    Registry(#[from] ObserveError),
    /// What was remembered.
    #[error("the reports cannot be read or stored")]
    Bucket(#[from] BucketError),
    /// A stored report that is none.
    #[error("a stored report is none that this version understands")]
    Report,
    /// A defect of the broker.
    #[error("the comparison ended in the middle; the broker's log says where")]
    Interrupted,
    /// Nothing is repaired that is not audited.
    #[error("the repair could not be audited")]
    Audit(#[from] AuditError),
}

impl ReconcileError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownSystem(_) => "system_unknown",
            Self::NotOffered { .. } => "connector_not_offered",
            Self::Running(_) => "reconcile_running",
            Self::LeftAlone => "system_left_alone",
            Self::Call(error) => error.code(),
            Self::CursorRepeats => "survey_cursor_repeats",
            Self::Endless(_) => "survey_endless",
            Self::TooLarge(_) => "survey_too_large",
            Self::Registry(error) => error.code(),
            Self::Bucket(error) => error.code(),
            Self::Report => "report_unreadable",
            Self::Interrupted => "reconciliation_interrupted",
            Self::Audit(error) => error.code(),
        }
    }
}
