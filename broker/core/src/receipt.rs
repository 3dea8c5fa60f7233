//! Receipts: how the delivery of an event to a system ended.
//!
//! A delivery counts only after the system showed it back. The receipt says what came of that comparison, by paths and
//! never by values, so that it may be listed, counted and shown to anybody who may know that the patient exists.

use crate::{DeliveryAction, Fields, Leaf, Path, Revision, rendering};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// How the delivery of an event to a system ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// UUIDv7 of the newest event that was delivered.
    pub event_id: String,
    /// The patient's revision that was delivered.
    pub revision: Revision,
    /// How it ended.
    pub outcome: ReceiptOutcome,
    /// What the connector did; `None` when it was not asked to do anything, or did not say.
    pub action: Option<DeliveryAction>,
    /// The paths that were to be written.
    pub written: BTreeSet<Path>,
    /// Those of them that the system shows in its own way of writing: shortened, in capitals, without accents.
    pub rendered: BTreeSet<Path>,
    /// Those of them at which the system shows something else, or nothing.
    pub differs: BTreeSet<Path>,
    /// Why it did not come about, as a stable code, the connector's or the broker's own; `None` where it did.
    pub reason: Option<String>,
    /// How many attempts it took, this one included.
    pub attempts: u32,
    /// Version of the connector that was asked.
    pub connector_version: String,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptOutcome {
    /// The system shows what was delivered, or its own way of writing it.
    Verified,
    /// The system shows something else at some of the paths.
    Differs,
    /// The system took it, and did not show it.
    Unreadable,
    /// It was given up, and waits for a person.
    Parked,
    /// Something newer had been brought in the meantime.
    Superseded,
    /// A person dropped it.
    Dropped,
}

/// Not a word for an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an outcome is one of verified, differs, unreadable, parked, superseded, dropped")]
pub struct ReceiptOutcomeError;

impl ReceiptOutcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Verified,
        Self::Differs,
        Self::Unreadable,
        Self::Parked,
        Self::Superseded,
        Self::Dropped,
    ];

    /// The outcome's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Differs => "differs",
            Self::Unreadable => "unreadable",
            Self::Parked => "parked",
            Self::Superseded => "superseded",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for ReceiptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReceiptOutcome {
    type Err = ReceiptOutcomeError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|outcome| outcome.as_str() == word)
            .ok_or(ReceiptOutcomeError)
    }
}

/// What became of what was written: the paths that a system shows in its own way, and those at which it shows something
/// else or nothing.
#[must_use]
pub fn compare_written(
    written: &BTreeSet<Path>,
    wanted: &Fields,
    shown: &Fields,
) -> (BTreeSet<Path>, BTreeSet<Path>) {
    let is_rendered = |path: &Path, shown: Option<&Leaf>, wanted: Option<&Leaf>| match (shown, wanted) {
        (Some(shown), Some(wanted)) => rendering::is_rendering(path, shown, wanted),
        _ => false,
    };
    let others = written.iter().filter(|path| shown.get(path) != wanted.get(path));
    others
        .cloned()
        .partition(|path| is_rendered(path, shown.get(path), wanted.get(path)))
}
