//! What can go wrong between this program and the bus. No error holds patient data or the token.

use prost::DecodeError;
use std::{
    error::Error,
    fmt::{Display, Formatter},
    sync::Arc,
    time::Duration,
};
use tonic::{Code, Status, transport};

/// Metadata in which the bus says what went wrong, by a stable code.
const ERROR_CODE: &str = "archwire-error-code";

/// A call or a subscription that failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The endpoint cannot be used as it is. Nothing was sent.
    #[error("the endpoint cannot be used: {what}")]
    Endpoint {
        /// What is wrong and what to write.
        what: &'static str,
    },
    /// No connection.
    #[error("the bus cannot be reached at {url}")]
    Unreachable {
        /// The endpoint's URL.
        url: String,
        /// Why.
        source: Arc<transport::Error>,
    },
    /// No answer in time.
    #[error("the bus did not answer within {0:?}")]
    Silent(Duration),
    /// A call that ended with an error.
    #[error(transparent)]
    Call(Box<CallFailure>),
    /// An event that this version cannot read. The subscription goes on after it.
    #[error("event {sequence} cannot be read: is this program's version older than the bus's?")]
    Unreadable {
        /// The event's place in the log; the revision for an event of a patient's history.
        sequence: u64,
        /// Why.
        source: DecodeError,
    },
    /// The log ends before what was acknowledged: it is another log, or an older copy of it.
    #[error("the bus's log ends at {last}, but {acked} was acknowledged: it was restored from an older copy")]
    LogBehind {
        /// The log's last sequence.
        last: u64,
        /// The last acknowledged sequence.
        acked: u64,
    },
    /// The bus said something that the contract does not know.
    #[error("the bus does not keep to the contract: {0}")]
    Unexpected(&'static str),
}

impl ClientError {
    /// Stable code. For a call that the bus refused, the bus's own (`token_unknown`, `subscription_replaced`, ...).
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Endpoint { .. } => "endpoint_invalid",
            Self::Unreachable { .. } => "bus_unreachable",
            Self::Silent(_) => "bus_silent",
            Self::Call(failure) => failure.code(),
            Self::Unreadable { .. } => "event_unreadable",
            Self::LogBehind { .. } => "log_behind",
            Self::Unexpected(_) => "contract_broken",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent(_) => true,
            Self::Call(failure) => failure.is_retryable(),
            Self::Endpoint { .. }
            | Self::Unreadable { .. }
            | Self::LogBehind { .. }
            | Self::Unexpected(_) => false,
        }
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        Self::Call(Box::new(CallFailure { status }))
    }
}

/// How a call ended that did not end well.
#[derive(Debug, Clone)]
pub struct CallFailure {
    status: Status,
}

impl CallFailure {
    /// The bus's own code where it gave one, else one that stands for the gRPC code.
    #[must_use]
    pub fn code(&self) -> &str {
        let own = self
            .status
            .metadata()
            .get(ERROR_CODE)
            .and_then(|code| code.to_str().ok());
        own.unwrap_or(match self.status.code() {
            Code::Unauthenticated => "unauthenticated",
            Code::PermissionDenied => "permission_denied",
            Code::InvalidArgument | Code::FailedPrecondition | Code::AlreadyExists => "argument_invalid",
            Code::NotFound => "not_found",
            Code::OutOfRange => "message_too_large",
            Code::Unimplemented => "unimplemented",
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => "bus_unavailable",
        })
    }

    /// The gRPC code.
    #[must_use]
    pub fn grpc_code(&self) -> Code {
        self.status.code()
    }

    /// What the bus says about it, for the vendor's engineer.
    #[must_use]
    pub fn message(&self) -> &str {
        self.status.message()
    }

    fn is_retryable(&self) -> bool {
        match self.status.code() {
            // There is room when the practice has made some, and an image gets no smaller.
            Code::ResourceExhausted => !matches!(self.code(), "images_full" | "image_too_large"),
            Code::Cancelled | Code::Unknown | Code::DeadlineExceeded | Code::Internal | Code::Unavailable => {
                true
            }
            // Two of one name that both came back would end each other for ever.
            Code::Aborted => !matches!(self.code(), "subscription_replaced" | "image_upload_replaced"),
            Code::Ok
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::DataLoss
            | Code::Unauthenticated => false,
        }
    }
}

impl Display for CallFailure {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "the call failed ({}): {}", self.code(), self.message())
    }
}

impl Error for CallFailure {
    // The status itself is this layer; what made it is the next.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.status.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::metadata::MetadataValue;

    fn refused(code: Code, own: &'static str) -> ClientError {
        let mut status = Status::new(code, "why");
        status
            .metadata_mut()
            .insert(ERROR_CODE, MetadataValue::from_static(own));
        status.into()
    }

    #[test]
    fn the_code_of_the_bus_is_shown_before_our_own() {
        assert_eq!(
            refused(Code::Unauthenticated, "token_unknown").code(),
            "token_unknown"
        );
        assert_eq!(
            ClientError::from(Status::unauthenticated("why")).code(),
            "unauthenticated"
        );
    }

    #[test]
    fn a_reader_that_was_replaced_does_not_come_back() {
        assert!(!refused(Code::Aborted, "subscription_replaced").is_retryable());
        assert!(refused(Code::Aborted, "something_else").is_retryable());
    }

    #[test]
    fn an_outage_is_retried_and_a_wrong_token_is_not() {
        assert!(ClientError::from(Status::unavailable("gone")).is_retryable());
        assert!(!ClientError::from(Status::unauthenticated("who")).is_retryable());
    }
}
