//! How an observation ends.

use crate::wire::WireError;
use archwire_core::{
    EventKind, FieldsError, Path, PatientBoundError, PatientId, ReviewKind, Revision, Verdict,
};
use archwire_nats::{AppendError, BucketError, OpenError, ReadError};

/// An observation that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// It was news: an event tells it.
    Recorded {
        /// Whom it concerned.
        patient: PatientId,
        /// The event's revision.
        revision: Revision,
        /// Where the event stands in the log.
        sequence: u64,
    },
    /// The bus knew all of it.
    Unchanged {
        /// Whom it concerned.
        patient: PatientId,
        /// The patient's current revision.
        revision: Revision,
    },
    /// None of it was taken: a person decides first whether the record is still the patient's. It is kept until then.
    InReview {
        /// Number of the item.
        item: u64,
        /// To whom the record belongs.
        patient: PatientId,
    },
    /// None of it was taken: nobody knows whose the record is, and a person decides that first. It is kept until then.
    Waits {
        /// Number of the item.
        item: u64,
    },
}

impl Observed {
    /// Which of these, as a stable word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "recorded",
            Self::Unchanged { .. } => "unchanged",
            Self::InReview { .. } | Self::Waits { .. } => "in_review",
        }
    }
}

/// An observation that was not taken. Nothing of it is lost by saying so: whoever made it still has it.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The patient id is none that this bus gave.
    #[error(
        "no patient with this id is on the bus; leave `patient_id` out for a record that the bus has not heard of"
    )]
    UnknownPatient,
    /// The record or the patient is linked otherwise.
    #[error(
        "the record is linked to another patient, or the patient to another record of this system; a person has to decide which is right"
    )]
    LinkConflict,
    /// The record claims to reflect a revision that the patient has not reached.
    #[error("`based_on_revision` is newer than the patient's current revision")]
    RevisionUnknown,
    /// The contract does not let the vendor say that.
    #[error("the contract does not let this vendor say or change what stands at `{path}`")]
    FieldDenied {
        /// Where. Holds no patient data.
        path: Path,
    },
    /// The contract does not let the vendor do that.
    #[error("the contract does not let this vendor bring about events of the kind \"{}\"", kind.as_str())]
    KindDenied {
        /// What would have been told.
        kind: EventKind,
    },
    /// Whoever says that is no vendor of the practice any more.
    #[error("the practice removed this vendor; nothing that it says is taken any more")]
    VendorGone,
    /// The contract is not about this patient.
    #[error("the record is of a patient whom the contract is not about")]
    PatientDenied,
    /// Two requests under one key.
    #[error(
        "this idempotency key came with another record before; each request that says something else has a key of its own"
    )]
    RequestReused,
    /// More of something than the bus carries.
    #[error("the patient is too large")]
    Bound(#[from] PatientBoundError),
    /// The log could not read back what would be written: the merged patient is beyond the contract's bounds.
    #[error("the patient would no longer be within the bounds of archwire.v1")]
    Invalid(#[source] WireError),
    /// Nothing says whose image it is.
    #[error(
        "neither `patient_id` nor the record says whose image it is, and the system has not shown it before"
    )]
    ImageOfNobody,
    /// An image that the bus does not know.
    #[error("no image with this id is on the bus")]
    ImageUnknown,
    /// More images of a patient than are kept.
    #[error("the patient has 100,000 images already; no more are taken")]
    ImagesFull,
    /// Creations in the same system did not end in time.
    #[error("the system is creating records; the observation will be taken when that has ended")]
    Busy,
    /// The log did not take it.
    #[error("the log did not store the observation")]
    Append(#[source] AppendError),
    /// The broker stopped in the middle of it.
    #[error("the broker stopped before the observation was stored")]
    Interrupted,
    /// More items wait for a person than are kept.
    #[error("100,000 items wait for a person; nothing that needs one more is taken until some are decided")]
    ReviewFull,
    /// More unknown records of a system wait for a person than are kept.
    #[error(
        "20,000 records of this system of which the bus does not know whose they are wait for a person, with their images; nothing of it that needs one more is taken until some are decided"
    )]
    UnknownFull,
    /// The log could not be read.
    #[error("the log could not be read")]
    Read(#[source] ReadError),
    /// A bucket beside the log could not be read or written.
    #[error("a bucket beside the log could not be read or written")]
    Bucket(#[source] BucketError),
    /// A bucket beside the log cannot be relied on.
    #[error("a bucket beside the log cannot be relied on")]
    Open(#[source] OpenError),
    /// What stands in the log cannot be understood.
    #[error("the log holds something that this version does not understand")]
    Unreadable(#[from] WireError),
    /// The merged patient is none.
    #[error("the merged patient does not hold together")]
    Merge(#[from] FieldsError),
}

impl ObserveError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownPatient => "patient_unknown",
            Self::LinkConflict => "link_conflict",
            Self::RevisionUnknown => "revision_unknown",
            Self::FieldDenied { .. } => "field_denied",
            Self::KindDenied { .. } => "kind_denied",
            Self::VendorGone => "vendor_gone",
            Self::PatientDenied => "patient_denied",
            Self::RequestReused => "idempotency_key_reused",
            Self::Bound(_) | Self::Invalid(_) => "observation_invalid",
            Self::ImageOfNobody => "image_of_nobody",
            Self::ImageUnknown => "image_unknown",
            Self::ImagesFull => "patient_images_full",
            Self::Busy => "system_busy",
            Self::Append(error) => error.code(),
            Self::Interrupted => "interrupted",
            Self::ReviewFull => "review_full",
            Self::UnknownFull => "unknown_records_full",
            Self::Read(_) => "log_unavailable",
            Self::Bucket(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Unreadable(_) => "log_unreadable",
            Self::Merge(_) => "merge_failed",
        }
    }

    /// Whether the same observation may be taken later. In doubt it may: what is given up is not asked for again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Append(AppendError::TooLarge { .. } | AppendError::Attribute { .. }) => false,
            Self::Busy
            | Self::ReviewFull
            | Self::UnknownFull
            | Self::Append(_)
            | Self::Interrupted
            | Self::Read(_)
            | Self::Bucket(_) => true,
            _ => false,
        }
    }
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
    /// Nobody is known whose record it could be.
    #[error("nobody is known whose the record could be: say who, with `--with` and a patient id")]
    WhoseRecord,
    /// Nobody is known whose image it could be.
    #[error("the record of the image is nobody's: say whose image it is, with `--with` and a patient id")]
    WhoseImage,
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
    /// The record of the item has come to another patient.
    #[error("the record has come to another patient since the item was opened; look at the item again")]
    RecordMoved,
    /// The patient has another record there, and the bus writes to one.
    #[error(
        "the patient has another record of this system, to which the bus writes; merge the two records in that system, or decide `not-same` and merge the two patients with `archwire review merge`"
    )]
    SecondRecord,
    /// The other record has still not come.
    #[error("the record that took this one's place has not come yet; it is linked when it does")]
    StillWaiting,
    /// Nobody can read it again.
    #[error(
        "no connector can read the record again; change it in its system, or close the item with `reject`"
    )]
    CannotBeRead,
    /// Nobody reads an image again by its id.
    #[error(
        "an image is not read again on demand: once it is changed in its system and can be taken, the item settles by itself; close it with `reject` to leave the image out"
    )]
    ImageCannotBeRead,
    /// The bus could not store it.
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
            Self::WhoseImage | Self::WhoseRecord => "review_patient_needed",
            Self::UnknownPatient(_) => "patient_unknown",
            Self::MergeIntoItself => "merge_into_itself",
            Self::AlreadyMerged { .. } => "merge_already_merged",
            Self::NotMerged(_) => "unmerge_not_merged",
            Self::SurvivorMergedOn { .. } => "unmerge_survivor_merged_on",
            Self::DeclaredNotSame => "merge_declared_not_same",
            Self::BeingCreated => "system_busy",
            Self::RecordMoved => "review_record_moved",
            Self::SecondRecord => "review_second_record",
            Self::StillWaiting => "review_still_waiting",
            Self::CannotBeRead => "review_cannot_be_read",
            Self::ImageCannotBeRead => "review_image_cannot_be_read",
            Self::Observe(error) => error.code(),
        }
    }
}

impl From<DecideError> for ObserveError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Observe(error) => error,
            DecideError::BeingCreated => Self::Busy,
            _ => Self::LinkConflict,
        }
    }
}
