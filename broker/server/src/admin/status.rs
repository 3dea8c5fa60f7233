//! What went wrong, as a gRPC status: made by [`crate::api`]'s one function for that, from our own errors.

use super::WordsError;
use crate::{
    api::status::{refuse, with_causes},
    audit::AuditError,
    parked::ParkedError,
    registry::{DecideError, ObserveError},
    tokens::TokensError,
    wire::WireError,
};
use archwire_core::{ImageId, ImageIdError, PatientId, SystemName};
use archwire_nats::{ImageStoreError, ReadError};
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

/// A patient id, where one is given.
pub(super) fn optional_patient(text: &str) -> Result<Option<PatientId>, Status> {
    let given = Some(text).filter(|text| !text.is_empty());
    given.map(|text| patient_id("patient_id", text)).transpose()
}

/// An image's id, where one is given.
pub(super) fn optional_image(text: &str) -> Result<Option<ImageId>, Status> {
    let given = Some(text).filter(|text| !text.is_empty());
    given
        .map(str::parse)
        .transpose()
        .map_err(|error: ImageIdError| invalid(&error))
}

/// A system's name, where one is given.
pub(super) fn optional_system(text: &str) -> Result<Option<SystemName>, Status> {
    let given = Some(text).filter(|text| !text.is_empty());
    given
        .map(str::parse)
        .transpose()
        .map_err(|error| invalid(&WireError::Name("system", error)))
}

/// Nobody on the bus has this id.
pub(super) fn unknown_patient(patient: PatientId) -> Status {
    not_decided(&DecideError::UnknownPatient(patient))
}

/// What is asked cannot be audited, and so was not done.
pub(super) fn not_audited(error: &AuditError) -> Status {
    tracing::error!(
        code = error.code(),
        cause = with_causes(error),
        "nothing can be audited; nothing is shown or decided"
    );
    refuse(Code::Unavailable, error.code(), with_causes(error))
}

/// The bytes of images cannot be reached.
pub(super) fn image_store(error: &ImageStoreError) -> Status {
    let code = match error {
        ImageStoreError::Damaged { .. } => Code::DataLoss,
        ImageStoreError::Unknown { .. } => Code::NotFound,
        _ => Code::Unavailable,
    };
    tracing::warn!(
        code = error.code(),
        "the images cannot be reached for an administrator"
    );
    refuse(code, error.code(), with_causes(error))
}

/// What is parked cannot be read or written.
pub(super) fn parked(error: &ParkedError) -> Status {
    tracing::warn!(
        code = error.code(),
        "the parked deliveries cannot be reached for an administrator"
    );
    refuse(Code::Unavailable, error.code(), with_causes(error))
}

/// No vendor of this name is in the configuration.
pub(super) fn unknown_vendor(vendor: &SystemName) -> Status {
    let message = format!("no vendor {vendor} is in the configuration");
    refuse(Code::NotFound, "vendor_unknown", message)
}

/// A token that is not made or revoked.
pub(super) fn token(error: &TokensError) -> Status {
    let code = match error {
        TokensError::Unknown => Code::NotFound,
        TokensError::TooMany => Code::FailedPrecondition,
        _ => {
            tracing::warn!(
                code = error.code(),
                cause = with_causes(error),
                "the tokens of vendors cannot be reached for an administrator"
            );
            Code::Unavailable
        }
    };
    refuse(code, error.code(), with_causes(error))
}

/// The log cannot be read.
pub(super) fn log_unread(error: &ReadError) -> Status {
    tracing::warn!(code = error.code(), "the log cannot be read for an administrator");
    refuse(Code::Unavailable, "log_unavailable", with_causes(error))
}

/// The log holds something that this version does not understand.
pub(super) fn log_unreadable(sequence: u64) -> Status {
    tracing::error!(
        sequence,
        "a record of the log cannot be read for an administrator"
    );
    let message = format!("the log's record {sequence} is none that this version understands");
    refuse(Code::DataLoss, "log_unreadable", message)
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
        | DecideError::WhoseImage
        | DecideError::WhoseRecord
        | DecideError::NotACandidate
        | DecideError::MergeIntoItself => Code::InvalidArgument,
        DecideError::AlreadyDecided { .. }
        | DecideError::AlreadyMerged { .. }
        | DecideError::NotMerged(_)
        | DecideError::SurvivorMergedOn { .. }
        | DecideError::DeclaredNotSame
        | DecideError::RecordMoved
        | DecideError::SecondRecord
        | DecideError::StillWaiting
        | DecideError::CannotBeRead
        | DecideError::ImageCannotBeRead => Code::FailedPrecondition,
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
