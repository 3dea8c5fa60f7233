//! What a connector answers, where the bus's own types have no place for it.

use archwire_core::{LocalId, Page, SourceRecord, View};
use std::fmt;

/// What `poll` brought: what could be read, and what could not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollAnswer {
    /// The page, without the records that could not be read.
    pub page: Page,
    /// The records that could not be read. The page's cursor is beyond them, so they belong into review.
    pub unreadable: Vec<Unreadable>,
    /// The images of which what was said could not be read. The page's cursor is beyond them too.
    pub unreadable_images: Vec<UnreadableImage>,
}

/// An image of which a connector said what the contract does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableImage {
    /// Position among the page's images, from 0.
    pub position: usize,
    /// Which image, where that could be read.
    pub local_id: Option<LocalId>,
    /// Of which record, where that could be read.
    pub record: Option<LocalId>,
    /// Why, as a stable code: `local_id_invalid`, `record_invalid`, `uid_invalid`, `digest_invalid`, `tooth_invalid`,
    /// `acquired_at_invalid`, `image_too_large`, `text_too_long`, `actor_too_long`, `observed_at_invalid`.
    pub code: &'static str,
}

/// A record that a connector showed in a way that the contract does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Position in what the connector answered, from 0.
    pub position: usize,
    /// Whose record, where that could be read.
    pub local_id: Option<LocalId>,
    /// The record verbatim, where it is within the bounds.
    pub source: Option<SourceRecord>,
    /// Why, as a stable code: `birth_date_invalid`, `local_id_invalid`, `patient_too_large`, `source_too_large`, ...
    pub code: &'static str,
}

/// What a webhook meant, and what to answer once it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What could be read.
    pub views: Vec<View>,
    /// What could not.
    pub unreadable: Vec<Unreadable>,
    /// HTTP status of the answer, 100 to 599.
    pub status: u16,
}

/// A webhook that a system called.
#[derive(Clone, PartialEq, Eq)]
pub struct IncomingRequest {
    /// `POST`.
    pub method: String,
    /// Path and query after the system's own prefix.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB, which the caller sees to.
    pub body: Vec<u8>,
}

impl fmt::Debug for IncomingRequest {
    /// A webhook carries patient data, in its path too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IncomingRequest({}, {} bytes)", self.method, self.body.len())
    }
}

/// What `check` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// For the administrator, name and value: `version` and `25.3`. At most 16, each of at most 256 bytes and on one
    /// line. The connector's words: to be shown, not to be logged.
    pub facts: Vec<(String, String)>,
}
