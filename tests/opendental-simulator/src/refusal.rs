//! How the API says no: a status and one sentence.
//!
//! The sentences in here are the documented or observed ones where there are any (Open Dental API, Patients and
//! Implementation); the others follow their pattern. Programs should decide by the status, and by the text only where
//! the vendor leaves no other way (the eConnector outage is a 400 like a bad field).

/// An answer that refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {text}")]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// The one sentence of the body.
    pub(crate) text: String,
    /// Seconds for the Retry-After header.
    pub(crate) retry_after: Option<u64>,
}

/// The text of an office whose eConnector is down, as seen in the wild.
pub const ECONNECTOR_DOWN: &str =
    "The office's eConnector is not running. Please contact the office to start their eConnector.";

impl Refusal {
    pub(crate) fn new(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            retry_after: None,
        }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(400, text)
    }

    pub(crate) fn invalid(name: &str) -> Self {
        Self::bad(format!("{name} is invalid"))
    }

    pub(crate) fn required(name: &str) -> Self {
        Self::bad(format!("{name} is required"))
    }

    pub(crate) fn unknown_parameter(name: &str) -> Self {
        Self::bad(format!("'{name}' is not a valid parameter"))
    }

    pub(crate) fn too_old(name: &str, since: crate::version::Version) -> Self {
        Self::bad(format!("{name} requires Open Dental version {since} or greater"))
    }

    pub(crate) fn no_patient() -> Self {
        Self::new(404, "Patient not found")
    }

    pub(crate) fn no_document() -> Self {
        Self::new(404, "Document not found")
    }

    pub(crate) fn no_resource() -> Self {
        Self::new(404, "The specified API resource does not exist")
    }
}
