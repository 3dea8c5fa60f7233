//! The one place where a gRPC status is made: a code of gRPC, a stable code of ours, a message that is safe to show.
//!
//! Our code is there twice: in the metadata, for plain clients, and in the details of the `google.rpc.Status`, together with the
//! field that is to blame, or when to come again. Every code is listed in the guide for vendors.

use crate::{audit::AuditError, registry::ObserveError, vendors::NotAdmitted, wire::WireError};
use archwire_nats::ReadError;
use std::{collections::HashMap, error::Error, num::NonZeroU32, time::Duration};
use tonic::{
    Code, Status,
    metadata::{MetadataMap, MetadataValue},
};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Metadata that carries our own code.
pub(crate) const ERROR_CODE: &str = "archwire-error-code";
/// Whose codes they are, in the details.
const DOMAIN: &str = "archwire";
/// When to come again where nothing else is known.
const SOON: Duration = Duration::from_secs(1);

/// A status with our own code. What may pass by itself says to come again in a second.
pub(crate) fn refuse(code: Code, own: &'static str, message: impl Into<String>) -> Status {
    let mut details = details(own);
    if code == Code::Unavailable {
        details.set_retry_info(Some(SOON));
    }
    status(code, own, message, details)
}

/// The same of what will pass, after about this time.
pub(crate) fn come_again(
    code: Code,
    own: &'static str,
    message: impl Into<String>,
    after: Duration,
) -> Status {
    let mut details = details(own);
    details.set_retry_info(Some(after));
    status(code, own, message, details)
}

/// The same where one field of the request is to blame, by its path in it.
pub(crate) fn refuse_field(
    code: Code,
    own: &'static str,
    field: impl Into<String>,
    message: impl Into<String>,
) -> Status {
    let (mut details, message) = (details(own), message.into());
    details.add_bad_request_violation(field, message.clone());
    status(code, own, message, details)
}

fn details(own: &'static str) -> ErrorDetails {
    ErrorDetails::with_error_info(own, DOMAIN, HashMap::new())
}

fn status(code: Code, own: &'static str, message: impl Into<String>, details: ErrorDetails) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert(ERROR_CODE, MetadataValue::from_static(own));
    Status::with_error_details_and_metadata(code, message, details, metadata)
}

/// An argument that cannot be taken.
pub(super) fn invalid(error: &WireError) -> Status {
    let (code, own) = (Code::InvalidArgument, "argument_invalid");
    match error.field() {
        Some(field) => refuse_field(code, own, field, with_causes(error)),
        None => refuse(code, own, with_causes(error)),
    }
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

/// A vendor that is known is not let in, or not any more.
pub(crate) fn not_admitted(error: &NotAdmitted) -> Status {
    let code = match error {
        NotAdmitted::Revoked | NotAdmitted::Expired => Code::Unauthenticated,
        NotAdmitted::NotInForce(_) => Code::PermissionDenied,
    };
    refuse(code, error.code(), error.to_string())
}

/// Nobody is let in, and that too often from one address.
pub(super) fn too_many_failures(after: Duration) -> Status {
    come_again(
        Code::ResourceExhausted,
        "too_many_failures",
        "too many attempts from your address failed; come again later with a good token",
        after,
    )
}

/// More requests than the contract allows in a second.
pub(super) fn too_many_requests(per_second: NonZeroU32, after: Duration) -> Status {
    let message = format!("your contract allows {per_second} requests a second");
    come_again(Code::ResourceExhausted, "too_many_requests", message, after)
}

/// A call that did not come to its answer.
pub(super) fn call_too_slow() -> Status {
    let message =
        "the call was not answered in a minute: send it whole, and take the answers of those before it";
    refuse(Code::DeadlineExceeded, "call_too_slow", message)
}

/// A call that was not over when its program stopped waiting for it.
pub(super) fn deadline_exceeded() -> Status {
    let message = "the time that the call may take (`grpc-timeout`) is over";
    refuse(Code::DeadlineExceeded, "deadline_exceeded", message)
}

/// More streams than the contract allows at the same time.
pub(super) fn too_many_streams(streams: NonZeroU32) -> Status {
    let message = format!("your contract allows {streams} streams at the same time; end one");
    come_again(Code::ResourceExhausted, "too_many_streams", message, SOON)
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
    if let AuditError::TooMuch { over } = error {
        tracing::warn!(
            code = error.code(),
            "a vendor is told nothing for a while, because it was told too much"
        );
        return come_again(
            Code::ResourceExhausted,
            "too_much_disclosed",
            "you were told so much within a day that nothing more is told to you for now; ask less, and later",
            *over,
        );
    }
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
