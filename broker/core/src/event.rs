//! What systems say, and what the bus says happened.

use crate::{
    Decision, ImageCopy, ImageNews, LocalId, Path, Patient, PatientId, Receipt, Revision, SourceRecord,
    SystemName,
};
use std::{collections::BTreeSet, str::FromStr, time::SystemTime};

/// A record as a system shows it: whole, not a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The record's id in its system.
    pub local_id: LocalId,
    /// The record, as far as the bus understands it.
    pub patient: Patient,
    /// The record verbatim.
    pub source: Option<SourceRecord>,
    /// When the system showed it, where it says so.
    pub observed_at: Option<SystemTime>,
    /// Who changed it, in the system's own terms. Never a patient.
    pub actor: Option<String>,
    /// The record of the same system that took this one's place, when its staff merged the two.
    pub merged_into: Option<LocalId>,
}

/// What a system says: "my record 123 now looks like this".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Who says so.
    pub system: SystemName,
    /// The patient, where the system learnt the id from the bus.
    pub patient_id: Option<PatientId>,
    /// The newest revision that the record reflects, where the system follows the bus itself.
    pub based_on: Option<Revision>,
    /// What it says.
    pub view: View,
}

/// What the bus says happened. Immutable, numbered per patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// UUIDv7. CloudEvents id.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// Whom it concerns.
    pub patient_id: PatientId,
    /// Gapless per patient, from 1.
    pub revision: Revision,
    /// What it changed.
    pub changed: BTreeSet<Path>,
    /// The full state afterwards.
    pub patient: Patient,
    /// What a system said that led to it; `None` when a person decided it.
    pub observation: Option<Observation>,
    /// Who decided it; `None` when a system's observation led to it by itself.
    pub decision: Option<Decision>,
    /// Who became one, or two again: of an event of those kinds only.
    pub merge: Option<Box<Merge>>,
    /// What happened to an image: of an event of those kinds only, which changes nothing else about the patient.
    pub image: Option<Box<ImageNews>>,
    /// By what the observed record was linked to the patient; `None` when it had been before.
    pub linked_by: Option<LinkedBy>,
    /// What the observed record is owed from now on, as [`Sighted::Seen`] has it.
    pub owed: BTreeSet<Path>,
    /// Whether the observed record was seen for the first time, of a patient whom the bus knew: but for what is owed it is
    /// up to date then.
    pub first_sight: bool,
    /// When the bus recorded it.
    pub recorded_at: SystemTime,
}

/// Two patients who became one, or one who became two again: told on the subjects of both, the retired one's first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Who goes on.
    pub survivor: Side,
    /// Who is, or was, a duplicate of the survivor.
    pub retired: Side,
}

/// One of the two before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Whom it concerns.
    pub patient_id: PatientId,
    /// Until then.
    pub before: Standing,
    /// From then on.
    pub after: Standing,
}

/// What a patient was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The patient's revision.
    pub revision: Revision,
    /// The full state.
    pub patient: Patient,
    /// The records that systems keep of the patient.
    pub records: Vec<RecordLink>,
}

/// A record that a system keeps of a patient: an entry of the crosswalk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLink {
    /// The system.
    pub system: SystemName,
    /// The record's id there.
    pub local_id: LocalId,
    /// Whether another record of the same system is the one that is kept up to date. Of a patient's records in one
    /// system, all but one are superseded.
    pub superseded: bool,
    /// When the bus learnt whose record it is.
    pub linked_at: SystemTime,
    /// By what.
    pub linked_by: LinkedBy,
}

/// By what the bus learnt whose record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkedBy {
    /// The patient was made from the record.
    Observed,
    /// The system named the id that the bus gave the patient.
    Named,
    /// The system said so when the bus had it create the record.
    Delivered,
    /// A trusted identifier of the same assigner, with family name and birth date.
    TrustedIdentifier,
    /// Full name, birth date, sex, and one independent item.
    Demographics,
    /// A person decided.
    Decided,
}

impl LinkedBy {
    /// The rule's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Named => "named",
            Self::Delivered => "delivered",
            Self::TrustedIdentifier => "trusted-identifier",
            Self::Demographics => "demographics",
            Self::Decided => "decided",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// First event of a patient.
    PatientCreated,
    /// Something about the patient changed.
    PatientUpdated,
    /// The patient and another turned out to be one person.
    PatientMerged,
    /// They turned out to be two after all.
    PatientUnmerged,
    /// There is an image of the patient that the bus did not know.
    PatientImaged,
    /// What is known of an image of the patient changed, or its bytes did.
    ImageAmended,
    /// An image is the patient's no more, or never was.
    ImageRetracted,
}

/// A word that names no kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the kinds of events are `created`, `updated`, `merged`, `unmerged`, `imaged`, `image-amended` and `image-retracted`"
)]
pub struct EventKindError;

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::PatientCreated,
        Self::PatientUpdated,
        Self::PatientMerged,
        Self::PatientUnmerged,
        Self::PatientImaged,
        Self::ImageAmended,
        Self::ImageRetracted,
    ];

    /// The kind's word in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PatientCreated => "created",
            Self::PatientUpdated => "updated",
            Self::PatientMerged => "merged",
            Self::PatientUnmerged => "unmerged",
            Self::PatientImaged => "imaged",
            Self::ImageAmended => "image-amended",
            Self::ImageRetracted => "image-retracted",
        }
    }

    /// CloudEvents type.
    #[must_use]
    pub fn cloud_event_type(self) -> &'static str {
        match self {
            Self::PatientCreated => "archwire.patient.created.v1",
            Self::PatientUpdated => "archwire.patient.updated.v1",
            Self::PatientMerged => "archwire.patient.merged.v1",
            Self::PatientUnmerged => "archwire.patient.unmerged.v1",
            Self::PatientImaged => "archwire.patient.imaged.v1",
            Self::ImageAmended => "archwire.image.amended.v1",
            Self::ImageRetracted => "archwire.image.retracted.v1",
        }
    }

    /// Whether it is about an image, and leaves the patient as he or she was.
    #[must_use]
    pub fn is_of_an_image(self) -> bool {
        matches!(
            self,
            Self::PatientImaged | Self::ImageAmended | Self::ImageRetracted
        )
    }
}

impl FromStr for EventKind {
    type Err = EventKindError;

    fn from_str(word: &str) -> Result<Self, EventKindError> {
        let same = |kind: &Self| kind.as_str() == word;
        Self::ALL.into_iter().find(same).ok_or(EventKindError)
    }
}

/// What became of a patient's record in a system, without that being news about the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whom it concerns.
    pub patient_id: PatientId,
    /// The system that holds the record.
    pub system: SystemName,
    /// When it was noted.
    pub seen_at: SystemTime,
    /// What was noted.
    pub what: Sighted,
}

/// What was noted of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, written as soon as it is made"
)]
pub enum Sighted {
    /// It was seen.
    Seen {
        /// The record's id in the system.
        local_id: LocalId,
        /// The record as shown; `None` when it has not been read back yet.
        shown: Option<Patient>,
        /// Up to where deliveries have brought the system; [`Revision::NONE`] when none has.
        delivered: Revision,
        /// The newest revision that the record reflects, where its system follows the bus itself.
        reflects: Option<Revision>,
        /// Paths that the bus owes the record from now on, whatever has been delivered: they are written at the next
        /// occasion.
        owed: BTreeSet<Path>,
        /// By what the record was linked to the patient; `None` when it had been before.
        linked_by: Option<LinkedBy>,
        /// How the delivery ended that it was seen after; `None` where there was none.
        receipt: Option<Box<Receipt>>,
    },
    /// A delivery ended without the record having been seen.
    Receipted(Box<Receipt>),
    /// It is, or no longer is, the record of its system that is kept up to date.
    Superseded {
        /// The record's id in the system.
        local_id: LocalId,
        /// The record that took its place.
        by: LocalId,
    },
    /// It is not the patient's after all: what it shows from now on is about somebody else.
    Unlinked {
        /// The record's id in the system.
        local_id: LocalId,
    },
    /// The bus is about to have the system create it. Until another sighting follows, it may exist without the bus
    /// knowing its id. With the revision of the state that it is created with.
    Creating(Revision),
    /// The creation or the writing did not come about.
    Abandoned,
    /// The bus is about to have the system change it. Until a sighting with a delivered revision follows, what the system
    /// shows at these paths is the bus's own doing, however the system writes it.
    Writing(BTreeSet<Path>),
    /// Something was noted of an image in the system.
    Image(Box<ImageCopy>),
}
