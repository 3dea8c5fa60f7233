//! Why there is no complete answer, in the kinds that a connector acts on.

use crate::bindings::wasi::http::types::ErrorCode;
use crate::exchange::Disposition;
use std::time::Duration;

/// Why there is no complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The administrator did not grant this host, method or path, or the host's name leads to a forbidden address.
    /// Nothing was sent.
    #[error("the request is not granted")]
    Denied,
    /// No connection: the name is unknown, nobody listens, or the way there is broken. Nothing was sent.
    #[error("the system cannot be reached")]
    Unreachable,
    /// The connection could not be made safe: a certificate or protocol trouble. Nothing was sent.
    #[error("the connection to the system could not be secured")]
    Insecure,
    /// No complete answer in time. The system may have done what it was asked to.
    #[error("the system did not answer in time")]
    TimedOut,
    /// The connection ended before the answer did. The system may have done what it was asked to.
    #[error("the connection closed before the answer was complete")]
    Closed,
    /// The answer is larger than asked for, or than the host allows.
    #[error("the answer is too large")]
    TooLarge,
    /// The request is not one: a URL without host, a header that HTTP or the host does not allow. Nothing was sent.
    #[error("the request is not valid")]
    InvalidRequest,
    /// The answer breaks HTTP, or the host's client failed. The system may have done what it was asked to.
    #[error("the exchange with the system failed")]
    Failed,
    /// The image that was to be sent is not to be had, or not whole. The system got no complete request.
    #[error("the image that was to be sent is not to be had")]
    Image,
    /// The answer is complete, but not the JSON that was expected.
    #[error("the answer is not of the expected shape, at line {line} column {column}")]
    Unreadable {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}

impl Error {
    /// Stable and greppable.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Denied => "not-granted",
            Self::Unreachable => "unreachable",
            Self::Insecure => "insecure",
            Self::TimedOut => "timed-out",
            Self::Closed => "connection-closed",
            Self::TooLarge => "answer-too-large",
            Self::InvalidRequest => "invalid-request",
            Self::Failed => "exchange-failed",
            Self::Image => "image-unavailable",
            Self::Unreadable { .. } => "unreadable-answer",
        }
    }

    /// Whether the system may have done what it was asked to. Before such a request is sent again, a connector finds
    /// out, unless doing it twice is the same as doing it once.
    #[must_use]
    pub fn may_have_arrived(self) -> bool {
        match self {
            Self::Denied | Self::Unreachable | Self::Insecure | Self::InvalidRequest | Self::Image => false,
            Self::TimedOut | Self::Closed | Self::TooLarge | Self::Failed | Self::Unreadable { .. } => true,
        }
    }
}

impl From<Error> for Disposition {
    /// What a connector says unless it knows better.
    fn from(error: Error) -> Self {
        match error {
            Error::Denied | Error::TooLarge | Error::InvalidRequest | Error::Unreadable { .. } => {
                Self::rejected(error.code()).with_detail(error.to_string())
            }
            Error::Unreachable | Error::Insecure => Self::unavailable(error.code()),
            Error::TimedOut | Error::Closed | Error::Failed | Error::Image => {
                Self::retry(error.code(), Duration::from_secs(30))
            }
        }
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        use ErrorCode as Code;
        match code {
            Code::HttpRequestDenied | Code::DestinationIpProhibited => Self::Denied,
            Code::DnsTimeout
            | Code::DnsError(_)
            | Code::DestinationNotFound
            | Code::DestinationUnavailable
            | Code::DestinationIpUnroutable
            | Code::ConnectionRefused
            | Code::ConnectionTimeout
            | Code::ConnectionLimitReached => Self::Unreachable,
            Code::TlsProtocolError | Code::TlsCertificateError | Code::TlsAlertReceived(_) => Self::Insecure,
            Code::ConnectionReadTimeout | Code::ConnectionWriteTimeout | Code::HttpResponseTimeout => {
                Self::TimedOut
            }
            Code::ConnectionTerminated | Code::HttpResponseIncomplete => Self::Closed,
            Code::HttpResponseBodySize(_)
            | Code::HttpResponseHeaderSectionSize(_)
            | Code::HttpResponseHeaderSize(_)
            | Code::HttpResponseTrailerSectionSize(_)
            | Code::HttpResponseTrailerSize(_) => Self::TooLarge,
            Code::HttpRequestLengthRequired
            | Code::HttpRequestBodySize(_)
            | Code::HttpRequestMethodInvalid
            | Code::HttpRequestUriInvalid
            | Code::HttpRequestUriTooLong
            | Code::HttpRequestHeaderSectionSize(_)
            | Code::HttpRequestHeaderSize(_)
            | Code::HttpRequestTrailerSectionSize(_)
            | Code::HttpRequestTrailerSize(_) => Self::InvalidRequest,
            Code::HttpResponseTransferCoding(_)
            | Code::HttpResponseContentCoding(_)
            | Code::HttpUpgradeFailed
            | Code::HttpProtocolError
            | Code::LoopDetected
            | Code::ConfigurationError
            | Code::InternalError(_) => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_sent_is_told_from_what_may_have_arrived() {
        for code in [
            ErrorCode::HttpRequestDenied,
            ErrorCode::ConnectionRefused,
            ErrorCode::DnsTimeout,
        ] {
            assert!(!Error::from(code).may_have_arrived());
        }
        for code in [
            ErrorCode::HttpResponseTimeout,
            ErrorCode::ConnectionTerminated,
            ErrorCode::HttpProtocolError,
        ] {
            assert!(Error::from(code).may_have_arrived());
        }
    }

    #[test]
    fn a_denied_request_is_rejected_and_a_refused_connection_is_unavailable() {
        assert_eq!(Disposition::from(Error::Denied).reason().code, "not-granted");
        assert!(matches!(
            Disposition::from(Error::Denied),
            Disposition::Rejected(_)
        ));
        assert!(matches!(
            Disposition::from(Error::Unreachable),
            Disposition::Unavailable(_)
        ));
        assert!(matches!(
            Disposition::from(Error::TimedOut),
            Disposition::Retry(_)
        ));
    }
}
