//! What a person has to decide: items of the review queue.
//!
//! An item stands in the log under its number, whole each time it changes; the last one is the item as it is. Nothing of
//! it prints itself that could tell who a patient is.

use crate::{ImageObservation, Leaf, LocalId, Observation, Path, PatientId, SourceRecord, SystemName, Text};
use std::{fmt, str::FromStr, time::SystemTime};

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewItem {
    /// From 1, in the order of opening. Not gapless.
    pub number: u64,
    /// What it is about.
    pub kind: ReviewKind,
    /// When it was first put there.
    pub opened_at: SystemTime,
    /// When it last changed.
    pub changed_at: SystemTime,
    /// The system whose record led to it.
    pub system: Option<SystemName>,
    /// That record, or the image where the item is about one; where its id could be read.
    pub local_id: Option<LocalId>,
    /// The patient to whom the record belongs at present.
    pub patient: Option<PatientId>,
    /// Whom the patient may be the same person as; best first, at most 5.
    pub candidates: Vec<ReviewCandidate>,
    /// What the system says otherwise than the bus.
    pub disagreements: Vec<Disagreement>,
    /// What the system said, when none of it has been taken.
    pub held: Option<Box<Observation>>,
    /// What the system said of an image, when it has not been taken.
    pub held_image: Option<Box<HeldImage>>,
    /// Set when it is an image that could not be read, and not a record: ids of the two are told apart.
    pub unreadable_image: Option<UnreadableImage>,
    /// Stable code of why a record or an image could not be read.
    pub reason: Option<String>,
    /// The record that could not be read, verbatim.
    pub source: Option<SourceRecord>,
    /// How it ended; `None` while it is open.
    pub decision: Option<Decision>,
}

/// An image that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldImage {
    /// What was said.
    pub observation: ImageObservation,
    /// Words for what does not agree between the file and the patient: `name`, `birth-date`, `sex`, `patient-id`; `instance-uid`
    /// when it is known as another patient's image; `record` when the record is nobody's, or another patient's, or waits for a
    /// person itself. No values.
    pub differs: Vec<String>,
}

/// An image that could not be taken as it is, whoever looked at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableImage {
    /// The record with which its system files it, where that could be read.
    pub record: Option<LocalId>,
}

/// What an item is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewKind {
    /// Two patients may be one person.
    PossibleDuplicate,
    /// Two patients have the same trusted identifier and do not look like one person.
    IdentifierConflict,
    /// A record that belongs to a patient shows somebody else: a recycled chart number, or two people mixed up.
    RecordConflict,
    /// A system says otherwise than the bus about something that another system owns, or that it showed first.
    Disagreement,
    /// A record could not be read, or an image could not be taken as it is.
    Unreadable,
    /// An image whose file names somebody else than the patient it is said to be of.
    WrongPatient,
    /// A record of which the bus has not heard, of a system whose records become no patients by themselves.
    UnknownRecord,
}

impl ReviewKind {
    /// All kinds, the gravest first.
    pub const ALL: [Self; 7] = [
        Self::WrongPatient,
        Self::RecordConflict,
        Self::UnknownRecord,
        Self::IdentifierConflict,
        Self::PossibleDuplicate,
        Self::Unreadable,
        Self::Disagreement,
    ];

    /// The kind's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PossibleDuplicate => "possible-duplicate",
            Self::IdentifierConflict => "identifier-conflict",
            Self::RecordConflict => "record-conflict",
            Self::Disagreement => "disagreement",
            Self::Unreadable => "unreadable",
            Self::WrongPatient => "wrong-patient",
            Self::UnknownRecord => "unknown-record",
        }
    }
}

impl fmt::Display for ReviewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a kind of review item is `wrong-patient`, `record-conflict`, `unknown-record`, `identifier-conflict`, `possible-duplicate`, `unreadable` or `disagreement`"
)]
pub struct ReviewKindError;

impl FromStr for ReviewKind {
    type Err = ReviewKindError;

    fn from_str(word: &str) -> Result<Self, ReviewKindError> {
        let same = |kind: &Self| kind.as_str() == word;
        Self::ALL.into_iter().find(same).ok_or(ReviewKindError)
    }
}

/// Somebody who may be the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewCandidate {
    /// Who.
    pub patient: PatientId,
    /// Tenths of a bit of evidence: ranks, and decides nothing.
    pub score_tenths: i32,
    /// Words for what agrees: `family`, `birth-date`. No values.
    pub agrees: Vec<String>,
    /// Words for what differs.
    pub differs: Vec<String>,
    /// Somebody decided that they are two, for ever.
    pub not_same: bool,
}

/// One path at which a system says otherwise than the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// Where.
    pub path: Path,
    /// What the bus holds.
    pub bus: Option<Leaf>,
    /// What the system shows.
    pub shown: Option<Leaf>,
}

/// How an item ended, or why two patients were merged or parted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// The item, where it was one.
    pub item: Option<u64>,
    /// Who decided: a person's name as given, or `archwire` when it ended by itself, or the system that merged.
    pub by: Text,
    /// Why, in the person's own words. May name a patient.
    pub reason: Text,
    /// When.
    pub at: SystemTime,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same person.
    Link,
    /// Not the same person, for ever.
    NotSame,
    /// The system is right.
    Accept,
    /// The bus is right.
    Reject,
    /// It settled by itself.
    Settled,
    /// Two patients were merged without an item.
    Merge,
    /// They were parted again.
    Unmerge,
}

impl Verdict {
    /// The verdict's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::NotSame => "not-same",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Settled => "settled",
            Self::Merge => "merge",
            Self::Unmerge => "unmerge",
        }
    }
}
