//! What the bus asks of a connector, and what a connector answers: the mirror of `wit/exchange.wit`.

use crate::{
    Digest, EventKind, Image, ImageClaim, ImageId, LocalId, NameError, Path, Patient, PatientId, Revision,
    View,
};
use std::{
    collections::BTreeSet,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

/// Where a connector's reading goes on. Opaque to everyone but the connector, at most 64 KiB.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

impl fmt::Debug for Cursor {
    /// A cursor may hold local ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({} bytes)", self.0.len())
    }
}

/// An answer to `poll`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What was seen; at most 1,000.
    pub views: Vec<View>,
    /// Images that were seen, their bytes stored; at most 1,000.
    pub images: Vec<ImageView>,
    /// Where to go on, once everything here is stored.
    pub cursor: Cursor,
    /// Whether there is more to be had now.
    pub more: bool,
}

/// An answer to `survey`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyPage {
    /// What the system holds; at most 10,000.
    pub entries: Vec<SurveyEntry>,
    /// Where to go on.
    pub cursor: Cursor,
    /// Whether there is more to be had now.
    pub more: bool,
}

/// One record that a system holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyEntry {
    /// The record's id there.
    pub local_id: LocalId,
    /// Changes whenever the record does, as far as the system tells.
    pub version: Option<String>,
}

/// Make the system's record match this state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// UUIDv7 of the newest event that led here.
    pub event_id: String,
    /// Whether that event created the patient.
    pub kind: EventKind,
    /// Whom it concerns.
    pub patient_id: PatientId,
    /// Revision of the state.
    pub revision: Revision,
    /// The record's id in the system, where it is known to have one.
    pub local_id: Option<LocalId>,
    /// The full state.
    pub patient: Patient,
    /// What to write to a record that exists already; empty when `local_id` is `None`.
    pub changed: BTreeSet<Path>,
    /// When the last attempt at this creation began, if the bus did not learn how it ended.
    pub in_doubt_since: Option<SystemTime>,
}

/// An image as a system shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageView {
    /// The image's id in its system.
    pub local_id: LocalId,
    /// The record that the system keeps of the patient.
    pub record: LocalId,
    /// What the system says of it. What the file itself says counts more.
    pub image: ImageClaim,
    /// SHA-256 of its bytes, as the connector read them; `None` where the system shows none.
    pub digest: Option<Digest>,
    /// Whether the system says that it is the patient's no more.
    pub retracted: bool,
    /// When the system showed it, where it says so.
    pub observed_at: Option<SystemTime>,
    /// Who took or changed it, in the system's own terms. Never a patient.
    pub actor: Option<String>,
}

/// Make the system hold this image of the patient, or, when it is retracted, show it no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDelivery {
    /// UUIDv7 of the newest event that led here.
    pub event_id: String,
    /// Whose image it is.
    pub patient_id: PatientId,
    /// By what the bus tells the image apart.
    pub image_id: ImageId,
    /// Revision of what is known of it.
    pub revision: Revision,
    /// What is known of it. Its bytes are under its digest.
    pub image: Image,
    /// Whether it is the patient's no more.
    pub retracted: bool,
    /// The record that the system keeps of the patient, where it is known to have one.
    pub record: Option<LocalId>,
    /// The image's id in the system, where it is known to have one.
    pub local_id: Option<LocalId>,
    /// The patient's current state.
    pub patient: Patient,
    /// When the last attempt began, if the bus did not learn how it ended.
    pub in_doubt_since: Option<SystemTime>,
}

/// The system now holds the image, or shows a retracted one no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDelivered {
    /// The image's id in the system.
    pub local_id: LocalId,
    /// The record that the system keeps of the patient, as far as it shows it.
    pub record: Option<LocalId>,
    /// What it took.
    pub action: DeliveryAction,
}

/// The system now holds the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The record's id in the system.
    pub local_id: LocalId,
    /// What it took.
    pub action: DeliveryAction,
}

/// How a delivery was brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryAction {
    /// A record was made.
    Created,
    /// The record was changed.
    Updated,
    /// Nothing needed to be written.
    Unchanged,
    /// The system's own record of the person was linked.
    Adopted,
}

/// Why a call did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Will never work as it is.
    Rejected(Reason),
    /// May work later.
    Retry(Later),
    /// The system wants to be left alone.
    Throttled(Later),
    /// The system cannot be reached.
    Unavailable(Reason),
    /// The system refuses the credentials.
    Unauthorized(Reason),
}

impl Disposition {
    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Rejected(reason) | Self::Unavailable(reason) | Self::Unauthorized(reason) => reason,
            Self::Retry(later) | Self::Throttled(later) => &later.reason,
        }
    }

    /// The disposition's own name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rejected(_) => "rejected",
            Self::Retry(_) => "retry",
            Self::Throttled(_) => "throttled",
            Self::Unavailable(_) => "unavailable",
            Self::Unauthorized(_) => "unauthorized",
        }
    }
}

/// Not before `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// At most 24 hours.
    pub after: Duration,
    /// Why.
    pub reason: Reason,
}

/// Why, safe to log: `detail` does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable and greppable.
    pub code: ReasonCode,
    /// HTTP status that led to it.
    pub status: Option<u16>,
    /// For the administrator who looks into it; may quote the system. Never logged.
    pub detail: Option<String>,
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reason")
            .field("code", &self.code)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// 1 to 64 of `a-z 0-9 -`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCode(String);

impl ReasonCode {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReasonCode {
    type Err = NameError;

    fn from_str(code: &str) -> Result<Self, NameError> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let allowed = (1..=64).contains(&code.len()) && code.bytes().all(inner);
        if allowed {
            Ok(Self(code.to_owned()))
        } else {
            Err(NameError::Name)
        }
    }
}
