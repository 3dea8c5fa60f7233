//! The one place where a gRPC status is made: a code of gRPC, a stable code of ours in the metadata, a message that is
//! safe to show.

use crate::{audit::AuditError, registry::ObserveError, wire::WireError};
use archwire_nats::ReadError;
use std::error::Error;
use tonic::{Code, Status, metadata::MetadataValue};

/// Metadata that carries our own code.
pub(crate) const ERROR_CODE: &str = "archwire-error-code";

/// A status with our own code.
pub(crate) fn refuse(code: Code, own: &'static str, message: impl Into<String>) -> Status {
    let mut status = Status::new(code, message);
    status
        .metadata_mut()
        .insert(ERROR_CODE, MetadataValue::from_static(own));
    status
}

/// An argument that cannot be taken.
pub(super) fn invalid(error: &WireError) -> Status {
    refuse(Code::InvalidArgument, "argument_invalid", with_causes(error))
}

/// The log cannot be read.
pub(super) fn unreadable(error: &ReadError) -> Status {
    tracing::warn!(code = error.code(), "the log cannot be read for a vendor");
    refuse(
        Code::Unavailable,
        "log_unavailable",
        "the log cannot be read now; try again",
    )
}

/// The registry does not answer.
pub(super) fn unanswered(error: &ObserveError) -> Status {
    tracing::error!(code = error.code(), "the registry does not answer a vendor");
    refuse(
        Code::Internal,
        error.code(),
        "the bus cannot answer; its log says why",
    )
}

/// Nobody on the bus has this id.
pub(super) fn unknown_patient() -> Status {
    let message = "no patient with this id is on the bus";
    refuse(Code::NotFound, "patient_unknown", message)
}

/// The vendor has not told of a record with this id.
pub(super) fn unknown_record() -> Status {
    let message = "the bus has not heard of this local id";
    refuse(Code::NotFound, "record_unknown", message)
}

/// What is asked cannot be audited, and so is not told.
pub(super) fn not_audited(error: &AuditError) -> Status {
    tracing::error!(
        code = error.code(),
        cause = with_causes(error),
        "nothing can be audited; vendors are told nothing"
    );
    refuse(
        Code::Unavailable,
        "audit_unavailable",
        "what you are told has to be written down first, which cannot be done now; try again",
    )
}

/// The broker keeps no images.
pub(crate) fn images_off() -> Status {
    refuse(
        Code::FailedPrecondition,
        "images_off",
        "this broker keeps no images",
    )
}

/// A message with its causes. Ours hold field names and bounds, never a value.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}
