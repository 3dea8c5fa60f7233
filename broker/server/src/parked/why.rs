//! Why a delivery did not come about.

use archwire_core::Reason;
use std::fmt;

/// Why a delivery did not come about. `detail` may quote the system: it is stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Why {
    /// Stable code, the connector's or the broker's own.
    pub code: String,
    /// HTTP status that led to it.
    pub status: Option<u16>,
    /// The system's own words.
    pub detail: Option<String>,
}

impl Why {
    /// One of the broker's own reasons.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            status: None,
            detail: None,
        }
    }

    /// What a connector said.
    #[must_use]
    pub fn of_reason(reason: &Reason) -> Self {
        Self {
            code: reason.code.as_str().to_owned(),
            status: reason.status,
            detail: reason.detail.clone(),
        }
    }
}

impl fmt::Debug for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Why")
            .field("code", &self.code)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
