//! The audit of a practice: a stream beside the log, in which nothing is overwritten, and nothing is removed but its beginning, when
//! whoever keeps it lets go of that.
//!
//! What was let go of has to be told by who wrote it: the server would remove a beginning for anybody who may speak to it. A stream from
//! before there was such a thing refuses it for ever, and keeps everything.
//!
//! It has a stream of its own so that a replay of the log does not read it, and so that a full log does not keep what is
//! done about it from being audited. Appending is the log's: stored and flushed before the caller hears success, sent
//! again over a lost connection, told by its id. What is appended says behind which record it goes, so that of two who
//! write at the same time one is told that it has not seen the end. When it has reached its size, appending fails loudly.
//! Appends are not guarded by the lease: what a broker did is to be audited, also when it should not have done it.

use crate::{
    AppendError, ByteSize, Cause, CloudEvent, Log, OpenError, ReadError, log,
    records::{Guard, Outgoing, Raw, Records},
};
use archwire_core::PracticeName;
use async_nats::jetstream::stream::Config;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use std::time::SystemTime;

/// The audit of a practice; cheap to clone.
#[derive(Clone)]
pub struct AuditStream {
    records: Records,
    subject: String,
}

impl Log {
    /// Opens the audit of the log's practice, of at most `max` bytes, which the server reserves; makes it when there is
    /// none yet. Verified like the log itself, and remembers ids as long.
    ///
    /// # Errors
    /// When it cannot be relied on.
    #[tracing::instrument(name = "log.audit_stream", skip_all)]
    pub async fn audit_stream(&self, max: ByteSize) -> Result<AuditStream, OpenError> {
        let mut wanted = self.audit_config(max);
        if let Some(found) = self.found_audit().await? {
            // That cannot be taken back, and is no less than is asked for.
            wanted.deny_purge = found.deny_purge;
        }
        let stream = log::open_stream(&self.inner.records.connection.jetstream, wanted).await?;
        let records = self.inner.records.beside(stream);
        let subject = subject(self.practice());
        Ok(AuditStream { records, subject })
    }

    /// How large the audit may be by now; `None` where there is none yet.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn audit_size(&self) -> Result<Option<ByteSize>, OpenError> {
        let found = self.found_audit().await?;
        Ok(found.map(|found| ByteSize::bytes(found.max_bytes.unsigned_abs())))
    }

    async fn found_audit(&self) -> Result<Option<Config>, OpenError> {
        let jetstream = &self.inner.records.connection.jetstream;
        log::found_stream(jetstream, &audit_name(self.practice())).await
    }

    fn audit_config(&self, max: ByteSize) -> Config {
        let practice = self.practice();
        Config {
            name: audit_name(practice),
            description: Some("Archwire: who did what in the practice, and why".to_owned()),
            subjects: vec![subject(practice)],
            num_replicas: self.inner.replicas,
            max_bytes: max.as_limit(),
            duplicate_window: self.inner.records.stream.cached_info().config.duplicate_window,
            deny_purge: false,
            ..log::kept()
        }
    }
}

/// A practice's name holds no underscore, so that no practice's log has this name.
fn audit_name(practice: &PracticeName) -> String {
    format!("{}_audit", log::stream_name(practice))
}

/// Outside of the log's subjects, which are all below `aw.<practice>`.
fn subject(practice: &PracticeName) -> String {
    format!("awaudit.{practice}")
}

/// What is to be appended.
#[derive(Clone)]
pub struct AuditAppend {
    /// CloudEvents `id`.
    pub id: String,
    /// CloudEvents `type`.
    pub kind: &'static str,
    /// CloudEvents `time`.
    pub time: SystemTime,
    /// The sequence of the record behind which it goes; 0 for the first.
    pub after: u64,
    /// Protobuf.
    pub payload: Bytes,
}

/// A record as the audit holds it.
#[derive(Clone)]
pub struct AuditStored {
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// CloudEvents `type`; empty where it has none.
    pub kind: String,
    /// When the server stored it.
    pub time: SystemTime,
    /// The record.
    pub payload: Bytes,
}

impl AuditStored {
    fn of(raw: Raw) -> Self {
        let kind = raw.headers.get("ce-type");
        Self {
            sequence: raw.sequence,
            kind: kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            time: raw.time,
            payload: raw.payload,
        }
    }
}

impl AuditStream {
    /// The size to ask for without a better reason.
    pub const USUAL_SIZE: ByteSize = ByteSize::gibibytes(1);

    /// Appends a record and returns its sequence. Success means that it is stored, and flushed where the server promises
    /// that. The same record again is the same record. Takes at most the log's `append_timeout`.
    ///
    /// # Errors
    /// When it is not stored, or when that is unknown: see [`AppendError`]; [`AppendError::Conflict`] when the last record
    /// is another than `after`.
    #[tracing::instrument(name = "audit.append", level = "debug", skip_all)]
    pub async fn append(&self, record: AuditAppend) -> Result<u64, AppendError> {
        let AuditAppend {
            id,
            kind,
            time,
            after,
            payload,
        } = record;
        let attributes = CloudEvent {
            id,
            kind,
            source: "/broker".to_owned(),
            time,
            content_type: "application/protobuf",
            traceparent: None,
        };
        let record = Outgoing {
            subject: self.subject.clone(),
            attributes,
            requests: None,
            guard: Guard::Own(after),
            payload,
        };
        Ok(self.records.append(record).await?.sequence)
    }

    /// Whether the server lets go of the beginning.
    #[must_use]
    pub fn lets_go(&self) -> bool {
        !self.records.stream.cached_info().config.deny_purge
    }

    /// Lets go of everything before a sequence. Tells how many records that were.
    ///
    /// # Errors
    /// When the server refuses, or does not answer: then it may have let go of them.
    #[tracing::instrument(name = "audit.let_go", skip_all)]
    pub async fn let_go_before(&self, sequence: u64) -> Result<u64, ReadError> {
        let purged = self.records.stream.purge().sequence(sequence).await;
        let purged = purged.map_err(|error| ReadError::Unavailable {
            source: Cause::new(error),
        })?;
        Ok(purged.purged)
    }

    /// How many bytes there are, and how many there may be.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn usage(&self) -> Result<(ByteSize, ByteSize), ReadError> {
        let info = self.records.stream.get_info().await;
        let info = info.map_err(|error| ReadError::Unavailable {
            source: Cause::new(error),
        })?;
        let most = u64::try_from(info.config.max_bytes).unwrap_or(u64::MAX);
        Ok((ByteSize::bytes(info.state.bytes), ByteSize::bytes(most)))
    }

    /// The last record.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn last(&self) -> Result<Option<AuditStored>, ReadError> {
        let last = self.records.last(&self.subject).await?;
        Ok(last.map(AuditStored::of))
    }

    /// The records from sequence `from` on, oldest first. Ends at the last one, or after an error.
    pub fn read(&self, from: u64) -> impl Stream<Item = Result<AuditStored, ReadError>> + Send + use<> {
        self.records
            .read(self.subject.clone(), from)
            .map_ok(AuditStored::of)
    }
}
