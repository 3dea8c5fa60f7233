//! What people decide: the review queue, merging and parting by hand.

use super::{ObserveError, Registry};
use archwire_core::{Decision, Merge, PatientId, ReviewItem, ReviewKind, Standing, SystemName, Verdict};
use std::{sync::Arc, time::SystemTime};

/// An item as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewLine {
    /// The item's number.
    pub number: u64,
    /// What it is about.
    pub kind: ReviewKind,
    /// When it was opened.
    pub opened_at: SystemTime,
    /// The system whose record led to it.
    pub system: Option<SystemName>,
    /// The patient.
    pub patient: Option<PatientId>,
    /// How many candidates, or paths.
    pub count: usize,
    /// The best candidate's score in tenths of a bit.
    pub score_tenths: Option<i32>,
}

/// Some lines of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewPage {
    /// The gravest kind first, the oldest of a kind first.
    pub lines: Vec<ReviewLine>,
    /// Open items in all.
    pub open: usize,
    /// Whether there are more.
    pub more: bool,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// Two patients are one now.
    Merged {
        /// Who goes on.
        survivor: PatientId,
        /// Who was the duplicate.
        retired: PatientId,
    },
    /// The pair does not come up again.
    NotSame,
    /// The record is a patient of its own now.
    Separated {
        /// The new patient.
        patient: PatientId,
    },
    /// What the system said was taken.
    Taken {
        /// Whom it concerns.
        patient: PatientId,
    },
    /// What the bus holds stands, and is written back to the system.
    Kept {
        /// Whom it concerns.
        patient: PatientId,
    },
    /// The item is closed, and nothing else changed.
    Dismissed,
}

/// A decision that cannot be carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// No such item.
    #[error("there is no review item with this number")]
    NoSuchItem,
    /// Somebody was faster.
    #[error("the item is closed already: {}", verdict.as_str())]
    AlreadyDecided {
        /// How it ended.
        verdict: Verdict,
    },
    /// A verdict that such an item cannot have.
    #[error("an item of the kind {kind} is decided by {allowed}")]
    VerdictDoesNotFit {
        /// The item's kind.
        kind: ReviewKind,
        /// The commands that decide it.
        allowed: &'static str,
    },
    /// Several candidates.
    #[error("the item has several candidates: say which one, by patient id")]
    WhichCandidate,
    /// Not one of the candidates.
    #[error("the patient named is not a candidate of this item")]
    NotACandidate,
    /// The patient id is none that this bus gave.
    #[error("no patient with the id {0} is on the bus")]
    UnknownPatient(PatientId),
    /// One and the same.
    #[error("a patient cannot be merged into itself")]
    MergeIntoItself,
    /// Merged already.
    #[error("the patient {patient} was merged into {into} already; name that one")]
    AlreadyMerged {
        /// Who was retired.
        patient: PatientId,
        /// Into whom.
        into: PatientId,
    },
    /// Not merged.
    #[error("the patient {0} is not merged into another one")]
    NotMerged(PatientId),
    /// The survivor was merged on.
    #[error("{survivor} was itself merged into {into} later; part those two first")]
    SurvivorMergedOn {
        /// Who went on at first.
        survivor: PatientId,
        /// Who goes on now.
        into: PatientId,
    },
    /// Somebody said that they are two.
    #[error(
        "somebody decided that the two are not the same; merge them all the same with `--although-not-same`"
    )]
    DeclaredNotSame,
    /// A record of one of them is just being created.
    #[error("a system is creating a record of one of them; try again in a minute")]
    BeingCreated,
    /// Too many open items to merge safely, or the bus could not store it.
    #[error("the decision was not stored")]
    Observe(#[from] ObserveError),
}

impl DecideError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchItem => "review_item_unknown",
            Self::AlreadyDecided { .. } => "review_item_closed",
            Self::VerdictDoesNotFit { .. } => "review_verdict_unfit",
            Self::WhichCandidate => "review_candidate_needed",
            Self::NotACandidate => "review_candidate_unknown",
            Self::UnknownPatient(_) => "patient_unknown",
            Self::MergeIntoItself => "merge_into_itself",
            Self::AlreadyMerged { .. } => "merge_already_merged",
            Self::NotMerged(_) => "unmerge_not_merged",
            Self::SurvivorMergedOn { .. } => "unmerge_survivor_merged_on",
            Self::DeclaredNotSame => "merge_declared_not_same",
            Self::BeingCreated => "system_busy",
            Self::Observe(error) => error.code(),
        }
    }
}

/// What a rebuild found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Patients in the index that was made.
    pub patients: usize,
    /// Links in it.
    pub links: usize,
    /// Open review items in it.
    pub open_items: usize,
    /// SHA-256 over the index that was in use, in hexadecimal.
    pub digest_before: String,
    /// The same over the one that was made.
    pub digest_after: String,
}

impl Registry {
    /// Some of the open items, of one kind or all, with numbers greater than `after`.
    #[must_use]
    pub fn review_page(&self, _kind: Option<ReviewKind>, _after: u64, _size: usize) -> ReviewPage {
        ReviewPage::default()
    }

    /// One item as it is, open or closed.
    ///
    /// # Errors
    /// When there is none, or the log cannot be read.
    pub async fn review_item(&self, _number: u64) -> Result<ReviewItem, DecideError> {
        Err(DecideError::NoSuchItem)
    }

    /// What a patient is now.
    ///
    /// # Errors
    /// Never for a state that came from the log.
    pub fn standing(&self, _patient: PatientId) -> Result<Option<Standing>, ObserveError> {
        Ok(None)
    }

    /// Decides an item; `with` names the candidate where there are several.
    ///
    /// # Errors
    /// When that cannot be done; nothing is changed then.
    pub async fn decide_item(
        self: &Arc<Self>,
        _number: u64,
        _decision: Decision,
        _with: Option<PatientId>,
    ) -> Result<Decided, DecideError> {
        Err(DecideError::NoSuchItem)
    }

    /// Makes two patients one, or with `dry_run` only tells what would come of it.
    ///
    /// # Errors
    /// When that cannot be done; nothing is changed then.
    pub async fn merge(
        self: &Arc<Self>,
        survivor: PatientId,
        _retired: PatientId,
        _decision: Decision,
        _although_not_same: bool,
        _dry_run: bool,
    ) -> Result<Merge, DecideError> {
        Err(DecideError::UnknownPatient(survivor))
    }

    /// Parts a patient from whom he or she was merged into, or with `dry_run` only tells what would come of it.
    ///
    /// # Errors
    /// When that cannot be done; nothing is changed then.
    pub async fn unmerge(
        self: &Arc<Self>,
        retired: PatientId,
        _decision: Decision,
        _dry_run: bool,
    ) -> Result<Merge, DecideError> {
        Err(DecideError::NotMerged(retired))
    }

    /// Makes the index anew from the log, compares it with the one in use, and uses it from then on. `progress` hears how
    /// many records of how many have been read.
    ///
    /// # Errors
    /// When the log cannot be read; the index in use stays.
    pub async fn rebuild(
        self: &Arc<Self>,
        _progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Rebuilt, ObserveError> {
        Err(ObserveError::Busy)
    }
}
