//! How an attempt ended, in the terms in which the lane goes on: the one place where a failure is given its meaning.

use crate::{parked::Why, registry::ObserveError};
use archwire_core::Disposition;
use archwire_host::CallError;
use std::time::Duration;

/// Why an attempt came to nothing, and what that means.
#[derive(Debug)]
pub(super) enum Failure {
    /// The system or the record: to be tried again, not before this has passed.
    Later(Option<Duration>, Trouble),
    /// The connector, or the bus itself, does not get over this record: to be tried again, in case it was chance.
    Defect(Trouble),
    /// The system wants to be left alone for so long.
    Throttled(Disposition, Duration),
    /// The system cannot be reached, or refuses the credentials.
    Refused(Disposition),
    /// The bus itself: to be tried again, however often.
    Ours(Trouble),
    /// Never, as it is: the system says so of what it was to take.
    Rejected(Trouble),
    /// Never, as it is.
    Park(Trouble),
}

impl Failure {
    /// As one of a small number of codes.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Later(_, trouble)
            | Self::Defect(trouble)
            | Self::Ours(trouble)
            | Self::Rejected(trouble)
            | Self::Park(trouble) => trouble.class,
            Self::Throttled(disposition, _) | Self::Refused(disposition) => class(disposition),
        }
    }
}

/// What an attempt with which there is nothing left to do has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    /// The system took something, and shows it.
    Written,
    /// The system shows what it was to be brought: there was nothing to write.
    Seen,
    /// There was nothing to bring.
    Nothing,
    /// There never will be: the patient was merged into another one, whose own lane brings it.
    Retired,
    /// There may be, but a person, or the other half of a merge, comes first. Whoever decides has the patient looked at.
    Held,
}

impl Brought {
    /// As a stable word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Written | Self::Seen => "delivered",
            Self::Nothing => "nothing",
            Self::Retired => "retired",
            Self::Held => "held",
        }
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// One of a small number of codes, for metrics: connectors invent no labels.
    pub(super) class: &'static str,
    pub(super) why: Why,
}

impl Trouble {
    pub(super) fn of_code(code: &'static str) -> Self {
        Self {
            class: code,
            why: Why::of_code(code),
        }
    }

    pub(super) fn of(disposition: &Disposition) -> Self {
        Self {
            class: class(disposition),
            why: Why::of_reason(disposition.reason()),
        }
    }
}

fn class(disposition: &Disposition) -> &'static str {
    match disposition {
        Disposition::Rejected(_) => "connector_rejected",
        Disposition::Retry(_) => "connector_retry",
        Disposition::Throttled(_) => "connector_throttled",
        Disposition::Unavailable(_) => "connector_unavailable",
        Disposition::Unauthorized(_) => "connector_unauthorized",
    }
}

impl From<ObserveError> for Failure {
    fn from(error: ObserveError) -> Self {
        let trouble = Trouble::of_code(error.code());
        match error {
            // It ended in the middle: what it was about may be the reason.
            ObserveError::Interrupted => Self::Defect(trouble),
            error if error.is_retryable() => Self::Ours(trouble),
            _ => Self::Park(trouble),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Disposition(disposition) => disposition.into(),
            CallError::Busy | CallError::State(_) => Self::Ours(Trouble::of_code(error.code())),
            CallError::NotOffered(_) => Self::Park(Trouble::of_code(error.code())),
            // The system may be why it took so long.
            CallError::Deadline { .. } | CallError::Idle { .. } => {
                Self::Later(None, Trouble::of_code(error.code()))
            }
            CallError::Trap { .. }
            | CallError::MemoryLimit { .. }
            | CallError::TooLarge { .. }
            | CallError::Invalid { .. } => Self::Defect(Trouble::of_code(error.code())),
        }
    }
}

impl From<Disposition> for Failure {
    fn from(disposition: Disposition) -> Self {
        let trouble = Trouble::of(&disposition);
        match disposition {
            Disposition::Rejected(_) => Self::Rejected(trouble),
            Disposition::Retry(later) => Self::Later(Some(later.after), trouble),
            Disposition::Throttled(ref later) => {
                let after = later.after;
                Self::Throttled(disposition, after)
            }
            Disposition::Unavailable(_) | Disposition::Unauthorized(_) => Self::Refused(disposition),
        }
    }
}
