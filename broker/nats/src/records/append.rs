//! Appending: one record, stored and flushed before the caller hears success.
//!
//! An append that loses its connection is sent again when the connection is back, as long as its time lasts. That is
//! safe: the event's id goes along, by which a record that is there already is known again, and answered with its
//! sequence and [`Appended::duplicate`]. Concurrent appends share the wire and do not wait for each other.

use super::{Log, batch};
use crate::Cause;
use archwire_core::Subject;
use async_nats::{
    HeaderMap, HeaderValue, header,
    jetstream::{
        self, ErrorCode,
        context::{PublishError, PublishErrorKind},
        message::PublishMessage,
    },
};
use bytes::Bytes;
use std::{error::Error, fmt, time::Duration, time::SystemTime};
use tokio::time::Instant;

/// Between two attempts: at a server that is just back, or has no leader yet.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(10);

/// A record to be appended.
#[derive(Clone)]
pub struct Entry {
    /// Where it is filed.
    pub subject: Subject,
    /// What it is.
    pub attributes: CloudEvent,
    /// What has to be the last record of the subject.
    pub expected: Expected,
    /// The record, stored as it is.
    pub payload: Bytes,
}

impl fmt::Debug for Entry {
    /// The payload is about a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            attributes,
            expected,
            payload,
        } = self;
        write!(
            f,
            "Entry({subject:?}, {attributes:?}, {expected:?}, {} bytes)",
            payload.len()
        )
    }
}

/// Attributes of CloudEvents 1.0, which travel as headers in binary mode (CloudEvents NATS Protocol Binding). Visible
/// ASCII only, and nothing by which a person could be identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent {
    /// `id`; also what the server tells duplicates by.
    pub id: String,
    /// `type`.
    pub kind: &'static str,
    /// `source`, a URI reference.
    pub source: String,
    /// `time`.
    pub time: SystemTime,
    /// `datacontenttype`.
    pub content_type: &'static str,
}

/// What has to be the last record of the subject for the append to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever there is.
    Anything,
    /// No record of the subject.
    Nothing,
    /// The record with this sequence.
    Sequence(u64),
}

/// A record that is stored and flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the log.
    pub sequence: u64,
    /// Whether it had been there already.
    pub duplicate: bool,
}

/// A record that was not appended, or that may not have been.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else was faster: the subject's last record is another than expected. Nothing was stored.
    #[error("the last record of the subject is another than expected")]
    Conflict,
    /// The log has reached its size. Nothing was stored, and nothing was removed.
    #[error("the log is full: raise `log.max_bytes` in the configuration, or the room on the disk")]
    Full {
        /// The server's reason.
        source: Cause,
    },
    /// More than the server takes. Nothing was stored.
    #[error("the record has {bytes} bytes, more than the server's limit of {limit}")]
    TooLarge {
        /// The payload's bytes.
        bytes: usize,
        /// Most bytes, headers included.
        limit: usize,
    },
    /// An attribute that cannot be a header. Nothing was stored.
    #[error("the attribute {name} holds something other than visible ASCII")]
    Attribute {
        /// Its name.
        name: &'static str,
    },
    /// The server refuses for a reason that is none of the above. Nothing was stored.
    #[error("the NATS server refuses the record")]
    Refused {
        /// Its reason.
        source: Cause,
    },
    /// No server took the record within the time. Nothing was stored.
    #[error("no NATS server took the record within {after:?}")]
    NotSent {
        /// How long was tried.
        after: Duration,
    },
    /// The record was sent but not acknowledged within the time: it may be stored, or become so. Appending it again
    /// with the same id tells.
    #[error("the NATS server did not acknowledge the record within {after:?}; it may be stored or not")]
    Unknown {
        /// How long was waited.
        after: Duration,
    },
}

impl AppendError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict => "append_conflict",
            Self::Full { .. } => "append_full",
            Self::TooLarge { .. } => "append_too_large",
            Self::Attribute { .. } => "append_attribute_invalid",
            Self::Refused { .. } => "append_refused",
            Self::NotSent { .. } => "append_not_sent",
            Self::Unknown { .. } => "append_outcome_unknown",
        }
    }
}

/// How one attempt ended without an answer from the log.
enum Attempt {
    /// It did not reach a log.
    NotTaken,
    /// It may have.
    Unanswered,
}

impl Log {
    /// Appends a record. Success means that it is stored, and flushed where the server promises that.
    ///
    /// Takes at most the configuration's `append_timeout`. Dropping the future leaves open whether the record is
    /// stored.
    ///
    /// # Errors
    /// When it is not stored, or when that is unknown: see [`AppendError`].
    #[tracing::instrument(name = "log.append", level = "debug", skip_all)]
    pub async fn append(&self, entry: Entry) -> Result<Appended, AppendError> {
        let inner = &self.inner;
        let subject = entry.subject.name(&inner.practice);
        let headers = headers(&entry, &inner.stream.cached_info().config.name)?;
        let after = inner.append_timeout;
        let deadline = Instant::now() + after;
        let mut unknown = false;
        loop {
            if tokio::time::timeout_at(deadline, inner.connection.connected())
                .await
                .is_err()
            {
                break;
            }
            let message = PublishMessage::build()
                .headers(headers.clone())
                .payload(entry.payload.clone());
            match tokio::time::timeout_at(deadline, self.attempt(&subject, message)).await {
                Ok(Ok(Ok(appended))) => return Ok(appended),
                Ok(Ok(Err(Attempt::NotTaken))) => {}
                Ok(Ok(Err(Attempt::Unanswered))) => unknown = true,
                Ok(Err(AppendError::Conflict)) => return self.conflict(&subject, &entry).await,
                Ok(Err(error)) => return Err(error.with_size(entry.payload.len(), self)),
                Err(_) => {
                    unknown = true;
                    break;
                }
            }
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
        Err(if unknown {
            AppendError::Unknown { after }
        } else {
            AppendError::NotSent { after }
        })
    }

    /// Tells a conflict with somebody else from one with ourselves.
    ///
    /// The server looks at the expected sequence before it looks at the id, so that a record sent twice is a conflict
    /// to it. Only one record can ever have been the first behind the expected one: either it is ours or it is not.
    async fn conflict(&self, subject: &str, entry: &Entry) -> Result<Appended, AppendError> {
        let behind = match entry.expected {
            Expected::Sequence(sequence) => sequence.saturating_add(1),
            Expected::Nothing | Expected::Anything => 1,
        };
        match batch::request(self, batch::Request::first(subject, behind)).await {
            Ok(mut found) => match found.records.pop_front() {
                Some(stored) if stored.id == entry.attributes.id => Ok(Appended {
                    sequence: stored.sequence,
                    duplicate: true,
                }),
                _ => Err(AppendError::Conflict),
            },
            Err(error) => {
                tracing::warn!(%error, "whether an append had been made before cannot be found out");
                Err(AppendError::Unknown {
                    after: self.inner.append_timeout,
                })
            }
        }
    }

    /// Sends the record once. Ends early when the connection is made anew, because the answer then went astray.
    async fn attempt(
        &self,
        subject: &str,
        message: PublishMessage,
    ) -> Result<Result<Appended, Attempt>, AppendError> {
        let mut wire = self.inner.connection.wire();
        let acknowledgement = match self
            .inner
            .appending
            .send_publish(subject.to_owned(), message)
            .await
        {
            Ok(acknowledgement) => acknowledgement,
            Err(error) => return failed(error).map(Err),
        };
        tokio::select! {
            answer = acknowledgement.into_future() => match answer {
                Ok(ack) => Ok(Ok(Appended { sequence: ack.sequence, duplicate: ack.duplicate })),
                Err(error) => failed(error).map(Err),
            },
            () = wire.made_anew() => Ok(Err(Attempt::Unanswered)),
        }
    }
}

impl AppendError {
    fn with_size(self, bytes: usize, log: &Log) -> Self {
        match self {
            Self::TooLarge { .. } => Self::TooLarge {
                bytes,
                limit: log.inner.connection.client.max_payload(),
            },
            other => other,
        }
    }
}

fn failed(error: PublishError) -> Result<Attempt, AppendError> {
    match error.kind() {
        PublishErrorKind::WrongLastSequence => Err(AppendError::Conflict),
        PublishErrorKind::MaxPayloadExceeded => Err(AppendError::TooLarge { bytes: 0, limit: 0 }),
        PublishErrorKind::StreamNotFound | PublishErrorKind::MaxAckPending => Ok(Attempt::NotTaken),
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => Ok(Attempt::Unanswered),
        PublishErrorKind::Other | PublishErrorKind::WrongLastMessageId => refused(&error),
    }
}

fn refused(error: &PublishError) -> Result<Attempt, AppendError> {
    let refusal = error
        .source()
        .and_then(|source| source.downcast_ref::<jetstream::Error>());
    let Some(refusal) = refusal else {
        // No answer of a log, or one that cannot be read: the command may have been sent.
        tracing::warn!(%error, "an append has an unreadable answer");
        return Ok(Attempt::Unanswered);
    };
    let source = Cause::new(refusal);
    match refusal.error_code() {
        // The store's own message is all there is to tell a full log from a failing disk.
        ErrorCode::STREAM_STORE_FAILED if is_full(&source.to_string()) => Err(AppendError::Full { source }),
        ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED => Err(AppendError::Full { source }),
        _ => Err(AppendError::Refused { source }),
    }
}

fn is_full(reason: &str) -> bool {
    [
        "maximum bytes exceeded",
        "maximum messages exceeded",
        "no space left",
    ]
    .iter()
    .any(|full| reason.contains(full))
}

fn headers(entry: &Entry, stream: &str) -> Result<HeaderMap, AppendError> {
    let CloudEvent {
        id,
        kind,
        source,
        time,
        content_type,
    } = &entry.attributes;
    let time = jiff::Timestamp::try_from(*time)
        .map_err(|_| AppendError::Attribute { name: "time" })?
        .to_string();
    let mut headers = HeaderMap::new();
    let attributes = [
        ("specversion", "ce-specversion", "1.0"),
        ("id", "ce-id", id),
        ("type", "ce-type", kind),
        ("source", "ce-source", source),
        ("time", "ce-time", &time),
        ("datacontenttype", "content-type", content_type),
        ("id", "Nats-Msg-Id", id),
        ("stream", "Nats-Expected-Stream", stream),
    ];
    for (name, header, value) in attributes {
        headers.insert(header, visible(name, value)?);
    }
    let last = match entry.expected {
        Expected::Anything => return Ok(headers),
        Expected::Nothing => 0,
        Expected::Sequence(sequence) => sequence,
    };
    headers.insert(
        header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
        HeaderValue::from(last),
    );
    Ok(headers)
}

fn visible(name: &'static str, value: &str) -> Result<HeaderValue, AppendError> {
    let allowed = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
    let value = if allowed { value.parse().ok() } else { None };
    value.ok_or(AppendError::Attribute { name })
}
