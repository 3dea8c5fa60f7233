//! What went wrong, as a gRPC status: made by [`crate::api`]'s one function for that, from our own errors.

use super::WordsError;
use crate::{
    api::status::{refuse, with_causes},
    audit::AuditError,
    registry::{DecideError, ObserveError},
    wire::WireError,
};
use archwire_core::PatientId;
use std::error::Error;
use tonic::{Code, Status};

/// An argument that cannot be taken.
pub(super) fn invalid(error: &dyn Error) -> Status {
    refuse(Code::InvalidArgument, "argument_invalid", with_causes(error))
}

/// Words that cannot be stored.
pub(super) fn words(error: &WordsError) -> Status {
    invalid(error)
}

/// A patient id, or why it is none.
pub(super) fn patient_id(field: &'static str, text: &str) -> Result<PatientId, Status> {
    text.parse()
        .map_err(|error| invalid(&WireError::Name(field, error)))
}

/// What is asked cannot be audited, and so was not done.
pub(super) fn not_audited(error: &AuditError) -> Status {
    tracing::error!(
        code = error.code(),
        "nothing can be audited; nothing is shown or decided"
    );
    refuse(Code::Unavailable, error.code(), with_causes(error))
}

/// The audit cannot be shown.
pub(super) fn audit_unread(error: &AuditError) -> Status {
    tracing::warn!(
        code = error.code(),
        "the audit cannot be read for an administrator"
    );
    refuse(Code::Unavailable, error.code(), with_causes(error))
}

/// A decision that was not carried out.
pub(super) fn not_decided(error: &DecideError) -> Status {
    let code = match error {
        DecideError::NoSuchItem | DecideError::UnknownPatient(_) => Code::NotFound,
        DecideError::VerdictDoesNotFit { .. }
        | DecideError::WhichCandidate
        | DecideError::NotACandidate
        | DecideError::MergeIntoItself => Code::InvalidArgument,
        DecideError::AlreadyDecided { .. }
        | DecideError::AlreadyMerged { .. }
        | DecideError::NotMerged(_)
        | DecideError::SurvivorMergedOn { .. }
        | DecideError::DeclaredNotSame
        | DecideError::RecordMoved
        | DecideError::StillWaiting
        | DecideError::CannotBeRead => Code::FailedPrecondition,
        DecideError::BeingCreated => Code::Unavailable,
        DecideError::Observe(cause) => {
            tracing::error!(code = cause.code(), "a decision was not stored");
            code_of(cause)
        }
    };
    refuse(code, error.code(), with_causes(error))
}

/// The registry does not answer.
pub(super) fn unanswered(error: &ObserveError) -> Status {
    tracing::error!(
        code = error.code(),
        "the registry does not answer an administrator"
    );
    refuse(code_of(error), error.code(), with_causes(error))
}

fn code_of(error: &ObserveError) -> Code {
    if error.is_retryable() {
        Code::Unavailable
    } else {
        Code::Internal
    }
}
