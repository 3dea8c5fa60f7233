//! What a connector and the bus say to each other: observations, deliveries, and dispositions when a call did not do
//! what it was asked to. Bounds are the host's; what is beyond them is refused there.

use crate::image::ImageObservation;
use crate::patient::Patient;
use std::time::Duration;

pub use crate::bindings::archwire::connector::exchange::{CheckReport, DeliveryAction, EventKind};

/// What the system says: "my record 123 now looks like this".
#[derive(Clone, PartialEq, Eq)]
pub struct Observation {
    /// The record's id in the system, 1 to 256 bytes.
    pub local_id: String,
    /// The record as shown: whole, not a delta.
    pub patient: Patient,
    /// The record verbatim.
    pub source: SourceRecord,
    /// When the system showed or changed it, in milliseconds since 1970 UTC, before the year 10000.
    pub observed_at_ms: Option<u64>,
    /// Who changed it, in the system's own terms (a user name, a workstation). At most 128 bytes; never a patient.
    pub actor: Option<String>,
    /// The local id of the record of the same system that took this one's place, when its staff merged the two: say it with
    /// every view of this record from then on. Only the direct one: where that was merged too, its own view says so. The bus
    /// merges the two patients; it is never a deletion. As `local_id`, and another than it.
    pub merged_into: Option<String>,
}

impl Observation {
    /// A record as it was shown just now, by nobody in particular, and merged into no other.
    #[must_use]
    pub fn new(local_id: impl Into<String>, patient: Patient, source: SourceRecord) -> Self {
        Self {
            local_id: local_id.into(),
            patient,
            source,
            observed_at_ms: None,
            actor: None,
            merged_into: None,
        }
    }

    /// The system's staff merged the record into the one with this local id.
    #[must_use]
    pub fn merged_into(mut self, local_id: impl Into<String>) -> Self {
        self.merged_into = Some(local_id.into());
        self
    }
}

/// A record as its system wrote it, byte for byte: it is the canonical record, and [`Patient`] only a projection that
/// a later version of the connector can make anew.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceRecord {
    /// RFC 2046 media type.
    pub media_type: String,
    /// Which format of that type, with its version: `opendental/patients/v1`.
    pub format: String,
    /// The bytes. At most 256 KiB.
    pub data: Vec<u8>,
}

impl SourceRecord {
    /// Most bytes that the host takes.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// A record in JSON.
    #[must_use]
    pub fn json(format: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self {
            media_type: "application/json".into(),
            format: format.into(),
            data: data.into(),
        }
    }
}

/// An answer to `poll`.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// At most 1,000. They are taken in this order: a record with [`Observation::merged_into`] best comes after the one that
    /// took its place.
    pub observations: Vec<Observation>,
    /// At most 1,000. They are taken after the observations: whose image it is is known by then.
    pub images: Vec<ImageObservation>,
    /// Where to go on: given to the next `poll`, but only after everything in this page is stored. At most 64 KiB.
    pub cursor: String,
    /// Whether there is more to be had now: the next `poll` follows at once instead of at the next interval.
    pub more: bool,
}

/// Make the system's record match this state. May come more than once for the same state: an idempotent upsert.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// UUIDv7 of the event.
    pub event_id: String,
    /// Whether the event created the patient or changed them.
    pub kind: EventKind,
    /// The bus patient id.
    pub patient_id: String,
    /// Revision of the state.
    pub revision: u64,
    /// The record's id in this system; `None` when the system is not known to have one.
    pub local_id: Option<String>,
    /// The full state.
    pub patient: Patient,
    /// Paths that changed since the system was last brought up to date, sorted: `birth_date`,
    /// `telecom/phone-mobile/value`. For a record that already exists, write only what these touch: anything else that
    /// differs was changed by the practice's staff since, and will be observed. Empty when `local_id` is `None`:
    /// everything is new.
    pub changed: Vec<String>,
    /// When the last attempt at this creation began, if the bus did not learn how it ended, in milliseconds since 1970
    /// UTC. The record may exist already, or come to exist as long as the system may still be working on it: search before
    /// creating one. An attempt that only searches counts as one: who waits for longer than until the next one keeps until when,
    /// with [`crate::state`]. Only with `local_id` `None`.
    pub in_doubt_since_ms: Option<u64>,
}

/// The system now holds the state, as far as it can.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The record's id in the system.
    pub local_id: String,
    /// What it took.
    pub action: DeliveryAction,
}

impl Delivered {
    /// The record has this id, and this is what it took.
    #[must_use]
    pub fn new(local_id: impl Into<String>, action: DeliveryAction) -> Self {
        Self {
            local_id: local_id.into(),
            action,
        }
    }
}

/// Why a call did not do what it was asked to. Not an error to be retried at will: the host decides what happens.
#[derive(Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Will never work as it is: a person has to look at it.
    Rejected(Reason),
    /// May work later; the host chooses when, not earlier than the given milliseconds.
    Retry(Later),
    /// The system asks for fewer requests: nothing at all is sent to it for the given milliseconds.
    Throttled(Later),
    /// The system cannot be reached. Deliveries wait until `check` succeeds again.
    Unavailable(Reason),
    /// The system refuses the credentials. Deliveries wait until `check` succeeds again.
    Unauthorized(Reason),
}

/// Not before `after_ms`, because of `reason`.
#[derive(Clone, PartialEq, Eq)]
pub struct Later {
    /// Milliseconds from now; the host holds it between 0 and 24 hours.
    pub after_ms: u64,
    /// Why.
    pub reason: Reason,
}

/// Why, without a patient's data: it is logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable and greppable, 1 to 64 of `a-z 0-9 -`: `duplicate-refused`.
    pub code: String,
    /// HTTP status that led to it.
    pub status: Option<u16>,
    /// Free text for the administrator who looks into it. May quote the system, so it is kept with the patient's data
    /// and never logged. At most 4 KiB; [`Disposition::with_detail`] cuts there.
    pub detail: Option<String>,
}

impl Reason {
    /// Most bytes of `detail`.
    pub const MAX_DETAIL: usize = 4 * 1024;

    fn new(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            status: None,
            detail: None,
        }
    }
}

impl Disposition {
    /// Will never work as it is. `code` is 1 to 64 of `a-z 0-9 -`.
    #[must_use]
    pub fn rejected(code: impl Into<String>) -> Self {
        Self::Rejected(Reason::new(code))
    }

    /// May work after the given time.
    #[must_use]
    pub fn retry(code: impl Into<String>, after: Duration) -> Self {
        Self::Retry(Later::new(code, after))
    }

    /// The system wants to be left alone for the given time.
    #[must_use]
    pub fn throttled(code: impl Into<String>, after: Duration) -> Self {
        Self::Throttled(Later::new(code, after))
    }

    /// The system cannot be reached.
    #[must_use]
    pub fn unavailable(code: impl Into<String>) -> Self {
        Self::Unavailable(Reason::new(code))
    }

    /// The system refuses the credentials.
    #[must_use]
    pub fn unauthorized(code: impl Into<String>) -> Self {
        Self::Unauthorized(Reason::new(code))
    }

    /// The connector does not do this: what the trait's defaults answer.
    #[must_use]
    pub fn not_supported() -> Self {
        Self::rejected("not-supported")
    }

    /// The connector does nothing with images: what the trait's defaults answer.
    #[must_use]
    pub fn not_offered() -> Self {
        Self::rejected("not-offered")
    }

    /// Adds the HTTP status that led to it.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.reason_mut().status = Some(status);
        self
    }

    /// Adds a text for the administrator, cut at 4 KiB. May quote the system: it is never logged.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        detail.truncate(detail.floor_char_boundary(Reason::MAX_DETAIL));
        self.reason_mut().detail = Some(detail);
        self
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Rejected(reason) | Self::Unavailable(reason) | Self::Unauthorized(reason) => reason,
            Self::Retry(later) | Self::Throttled(later) => &later.reason,
        }
    }

    fn reason_mut(&mut self) -> &mut Reason {
        match self {
            Self::Rejected(reason) | Self::Unavailable(reason) | Self::Unauthorized(reason) => reason,
            Self::Retry(later) | Self::Throttled(later) => &mut later.reason,
        }
    }
}

impl Later {
    fn new(code: impl Into<String>, after: Duration) -> Self {
        Self {
            after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            reason: Reason::new(code),
        }
    }
}

/// An answer to `survey`.
#[derive(Clone, PartialEq, Eq)]
pub struct SurveyPage {
    /// At most 10,000.
    pub entries: Vec<SurveyEntry>,
    /// As in [`Page`].
    pub cursor: String,
    /// As in [`Page`].
    pub more: bool,
}

/// One record that the system holds.
#[derive(Clone, PartialEq, Eq)]
pub struct SurveyEntry {
    /// The record's id in the system.
    pub local_id: String,
    /// Changes whenever the record does, as far as the system tells.
    pub version: Option<String>,
}

/// A webhook that the system called.
#[derive(Clone, PartialEq, Eq)]
pub struct IncomingRequest {
    /// `POST`.
    pub method: String,
    /// Path and query after the system's own prefix.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
}

/// What a webhook meant, and what to answer once it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// At most 1,000.
    pub observations: Vec<Observation>,
    /// HTTP status of the answer.
    pub status: u16,
}

impl CheckReport {
    /// A report of nothing but success.
    #[must_use]
    pub fn new() -> Self {
        Self { facts: Vec::new() }
    }

    /// Adds what the administrator should see: `version` and `25.3`. No patient data. At most 16.
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.push((name.into(), value.into()));
        self
    }
}

impl Default for CheckReport {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disposition_keeps_its_kind_while_status_and_detail_are_added() {
        let disposition = Disposition::throttled("slow-down", Duration::from_secs(3))
            .with_status(429)
            .with_detail("wait");
        let Disposition::Throttled(later) = disposition else {
            panic!("the kind changed")
        };
        assert_eq!(later.after_ms, 3_000);
        assert_eq!(later.reason.status, Some(429));
        assert_eq!(later.reason.detail.as_deref(), Some("wait"));
    }

    #[test]
    fn a_record_is_merged_into_no_other_unless_said() {
        let record = || Observation::new("7", Patient::default(), SourceRecord::json("test/v1", *b"{}"));
        assert_eq!(record().merged_into, None);
        assert_eq!(record().merged_into("9").merged_into.as_deref(), Some("9"));
    }

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let disposition = Disposition::rejected("too-long").with_detail("é".repeat(4_000) + "!");
        let detail = disposition.reason().detail.clone().unwrap();
        assert_eq!(detail.len(), Reason::MAX_DETAIL);
        assert!(detail.chars().all(|character| character == 'é'));
    }
}
