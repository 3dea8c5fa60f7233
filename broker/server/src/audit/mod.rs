//! The audit: who did what, to whom, when and why; ids and paths, never values.
//!
//! It is a stream of its own beside the log, append-only like it. What is audited is appended *before* it is shown or
//! carried out, so that nothing can have happened without a trace; a record therefore says that somebody set about it,
//! and the log says what came of it. The one thing in a record that a person wrote freely is the reason: it may name a
//! patient, and is stored here and in the event, and logged nowhere.
//!
//! A record has at most a few hundred ids and paths, as many as a review item: what is about more patients than
//! [`MOST_PATIENTS`] is several records. May fail with [`AuditError`], and whoever
//! wanted to act must then not act.

mod action;

pub use action::Action;

use archwire_core::{ImageId, Path, PatientId, SystemName};
use archwire_nats::{AppendError, AuditStream, ByteSize, Log, OpenError, ReadError};
use archwire_proto::admin::v1::AuditRecord;
use futures_util::{Stream, StreamExt as _};
use prost::Message as _;
use std::{fmt, time::SystemTime};
use uuid::Uuid;

/// Most patients that one record names.
pub const MOST_PATIENTS: usize = 256;
/// The program by which people act, as records name it.
const PROGRAM: &str = "archwire-admin";
/// The program that acts by itself.
const ITSELF: &str = "archwire";
/// CloudEvents `type` of a record.
const KIND: &str = "archwire.audit.recorded.v1";

/// The audit of one practice; cheap to clone.
#[derive(Clone)]
pub struct Audit {
    stream: AuditStream,
}

/// What somebody is about to do.
pub struct Act {
    /// The person's name as given.
    pub person: String,
    /// The operating system's user that asks, where it is known.
    pub user_id: Option<u32>,
    /// What.
    pub action: Action,
    /// Whom it concerns.
    pub patients: Vec<PatientId>,
    /// The review item, where it is one.
    pub item: Option<u64>,
    /// The system, where it is about one.
    pub system: Option<SystemName>,
    /// The image, where it is about one.
    pub image: Option<ImageId>,
    /// Which fields it is about, where it is not all of them.
    pub paths: Vec<Path>,
    /// Why, in the person's own words.
    pub reason: String,
}

impl fmt::Debug for Act {
    /// The reason may name a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Act({}, {:?})", self.action.as_str(), self.patients)
    }
}

/// An audit that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Not stored, or perhaps not stored.
    #[error("the audit did not store the record, so that nothing was shown or carried out")]
    Append(#[source] AppendError),
    /// Not readable now.
    #[error("the audit cannot be read")]
    Read(#[source] ReadError),
    /// A record that is none.
    #[error("the audit's record {0} is none that this version understands")]
    Unreadable(u64),
}

impl AuditError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Append(_) | Self::Read(_) => "audit_unavailable",
            Self::Unreadable(_) => "audit_unreadable",
        }
    }
}

impl Audit {
    /// Opens the audit beside a log, of at most `max` bytes; makes it when there is none yet.
    ///
    /// # Errors
    /// When it cannot be relied on.
    pub async fn open(log: &Log, max: ByteSize) -> Result<Self, OpenError> {
        let stream = log.audit_stream(max).await?;
        Ok(Self { stream })
    }

    /// Writes down what somebody is about to do. Success means that it is stored, and tells the place in the audit.
    ///
    /// # Errors
    /// When it is not stored, or that is unknown: then nothing may be done.
    pub async fn record(&self, act: Act) -> Result<u64, AuditError> {
        let record = AuditRecord {
            program: PROGRAM.to_owned(),
            person: act.person,
            user_id: act.user_id,
            patient_ids: act.patients.iter().map(ToString::to_string).collect(),
            item: act.item,
            paths: act.paths.iter().map(ToString::to_string).collect(),
            reason: act.reason,
            system: act.system.map(String::from),
            image: act.image.map(|image| image.to_string()),
            ..AuditRecord::default()
        };
        self.append(act.action, record).await
    }

    /// Writes down what the bus did by itself, and in a few words without patient data what came of it. Success means that
    /// it is stored, and tells the place in the audit.
    ///
    /// # Errors
    /// When it is not stored, or that is unknown.
    pub async fn note(
        &self,
        action: Action,
        system: Option<&SystemName>,
        words: String,
    ) -> Result<u64, AuditError> {
        let record = AuditRecord {
            program: ITSELF.to_owned(),
            reason: words,
            system: system.map(ToString::to_string),
            ..AuditRecord::default()
        };
        self.append(action, record).await
    }

    async fn append(&self, action: Action, record: AuditRecord) -> Result<u64, AuditError> {
        let (id, now) = (Uuid::now_v7().to_string(), SystemTime::now());
        let record = AuditRecord {
            id: id.clone(),
            at: Some(now.into()),
            action: action.as_str().to_owned(),
            ..record
        };
        let appended = self.stream.append(&id, KIND, now, record.encode_to_vec().into());
        appended.await.map_err(AuditError::Append)
    }

    /// The records after a sequence, oldest first, to the last one there is; each with its sequence. Ends after an error.
    pub fn read(
        &self,
        after: u64,
    ) -> impl Stream<Item = Result<(u64, AuditRecord), AuditError>> + Send + use<> {
        let records = self.stream.read(after.saturating_add(1));
        records.map(|stored| {
            let (sequence, payload) = stored.map_err(AuditError::Read)?;
            let record = AuditRecord::decode(payload).map_err(|_| AuditError::Unreadable(sequence))?;
            Ok((sequence, record))
        })
    }
}
