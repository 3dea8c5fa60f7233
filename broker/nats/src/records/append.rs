//! Appending: one record, stored and flushed before the caller hears success.
//!
//! An append that loses its connection is sent again when the connection is back, as long as its time lasts. That is
//! safe: the event's id goes along, by which a record that is there already is known again, and answered with its
//! sequence and [`Appended::duplicate`]. Concurrent appends share the wire and do not wait for each other, but for those
//! that are guarded by another subject in a cluster (see `turn`).

use super::{AppendError, ReadError, Records};
use crate::Cause;
use archwire_core::metric;
use async_nats::{
    HeaderMap, HeaderValue, header,
    jetstream::{
        self, ErrorCode,
        context::{PublishError, PublishErrorKind},
        message::PublishMessage,
    },
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use std::{error::Error, pin::pin, time::Duration, time::SystemTime};
use tokio::{sync::MutexGuard, time::Instant};

/// Between two attempts: at a server that is just back, or has no leader yet.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(10);
/// Makes the expected sequence be that of another subject's last record. Known since nats-server 2.11.0, and in any
/// order of headers since 2.11.7 (nats-server #7065).
pub(crate) const GUARDING_SUBJECT: &str = "Nats-Expected-Last-Subject-Sequence-Subject";
/// `traceparent` of CloudEvents' Distributed Tracing extension.
pub(crate) const TRACEPARENT: &str = "ce-traceparent";
/// Which requests a record answers. No attribute of the event: nobody but who appends has a use for it.
pub(crate) const REQUESTS: &str = "archwire-requests";

/// A record on its way.
pub(crate) struct Outgoing {
    pub(crate) subject: String,
    pub(crate) attributes: CloudEvent,
    pub(crate) requests: Option<String>,
    pub(crate) guard: Guard,
    pub(crate) payload: Bytes,
}

/// What has to hold for a record to be taken.
pub(crate) enum Guard {
    Nothing,
    /// The sequence of the last record of its own subject; 0 for none.
    Own(u64),
    /// The sequence of the last record of another subject.
    Other {
        subject: String,
        sequence: u64,
    },
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
    /// `traceparent` of the Distributed Tracing extension, where traces are collected: in which span the record was made.
    pub traceparent: Option<String>,
}

/// A record that is stored and flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the log.
    pub sequence: u64,
    /// Whether it had been there already.
    pub duplicate: bool,
}

/// How one attempt ended without an answer from the log.
enum Attempt {
    /// It did not reach a log.
    NotTaken,
    /// It may have.
    Unanswered,
}

impl Records {
    /// Appends a record. Success means that it is stored, and flushed where the server promises that.
    pub(crate) async fn append(&self, record: Outgoing) -> Result<Appended, AppendError> {
        let begun = Instant::now();
        let appended = self.append_within_time(record).await;
        metrics::histogram!(metric::APPEND_SECONDS).record(begun.elapsed());
        let result = match &appended {
            Ok(_) => "stored",
            Err(error) => error.code(),
        };
        metrics::counter!(metric::APPENDS, "result" => result).increment(1);
        appended
    }

    async fn append_within_time(&self, record: Outgoing) -> Result<Appended, AppendError> {
        let headers = headers(&record, &self.stream.cached_info().config.name)?;
        let deadline = Instant::now() + self.append_timeout;
        let Ok(_turn) = tokio::time::timeout_at(deadline, self.turn(&record.guard)).await else {
            return Err(self.out_of_time(false));
        };
        let mut unknown = false;
        loop {
            if tokio::time::timeout_at(deadline, self.connection.connected())
                .await
                .is_err()
            {
                return Err(self.out_of_time(unknown));
            }
            let message = PublishMessage::build()
                .headers(headers.clone())
                .payload(record.payload.clone());
            match tokio::time::timeout_at(deadline, self.attempt(&record.subject, message)).await {
                Ok(Ok(Ok(appended))) => return Ok(appended),
                Ok(Ok(Err(Attempt::NotTaken))) => {}
                Ok(Ok(Err(Attempt::Unanswered))) => unknown = true,
                Ok(Err(AppendError::Conflict)) => return self.conflict(&record).await,
                Ok(Err(error)) => {
                    return Err(error.with_size(record.payload.len(), self.connection.client.max_payload()));
                }
                Err(_) => return Err(self.out_of_time(true)),
            }
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
    }

    /// Waits for the turn of a record that is guarded by another subject: a cluster takes only one such at a time and
    /// refuses the others, so that they had better come one behind the other.
    async fn turn(&self, guard: &Guard) -> Option<MutexGuard<'_, ()>> {
        let in_cluster = self.stream.cached_info().config.num_replicas > 1;
        let guarded = matches!(guard, Guard::Other { .. });
        if in_cluster && guarded {
            Some(self.turns.lock().await)
        } else {
            None
        }
    }

    fn out_of_time(&self, unknown: bool) -> AppendError {
        let after = self.append_timeout;
        if unknown {
            AppendError::Unknown { after }
        } else {
            AppendError::NotSent { after }
        }
    }

    /// Tells a conflict with somebody else from one with ourselves.
    ///
    /// The server looks at the expected sequence before it looks at the id, so that a record sent twice is a conflict
    /// to it when the first time was enough to make it so.
    async fn conflict(&self, record: &Outgoing) -> Result<Appended, AppendError> {
        let (found, refusal) = match &record.guard {
            Guard::Nothing => (self.is_first_behind(record, 0).await, AppendError::Conflict),
            Guard::Own(sequence) => (
                self.is_first_behind(record, *sequence).await,
                AppendError::Conflict,
            ),
            Guard::Other { sequence, .. } => (self.is_behind(record, *sequence).await, AppendError::Deposed),
        };
        match found {
            Ok(Some(sequence)) => Ok(Appended {
                sequence,
                duplicate: true,
            }),
            Ok(None) => Err(refusal),
            Err(error) => {
                tracing::warn!(%error, "whether an append had been made before cannot be found out");
                Err(self.out_of_time(true))
            }
        }
    }

    /// The sequence of the record where it is the first of its subject behind `sequence`: only one can ever have been
    /// that.
    async fn is_first_behind(&self, record: &Outgoing, sequence: u64) -> Result<Option<u64>, ReadError> {
        let first = self.first(&record.subject, sequence.saturating_add(1)).await?;
        Ok(first
            .filter(|first| first.is(&record.attributes.id))
            .map(|first| first.sequence))
    }

    /// The sequence of the record where it is any of its subject behind `sequence`, which is where it has to be when
    /// it was stored under that guard.
    async fn is_behind(&self, record: &Outgoing, sequence: u64) -> Result<Option<u64>, ReadError> {
        let mut behind = pin!(self.read(record.subject.clone(), sequence.saturating_add(1)));
        while let Some(raw) = behind.try_next().await? {
            if raw.is(&record.attributes.id) {
                return Ok(Some(raw.sequence));
            }
        }
        Ok(None)
    }

    /// Sends the record once. Ends early when the connection is made anew, because the answer then went astray.
    async fn attempt(
        &self,
        subject: &str,
        message: PublishMessage,
    ) -> Result<Result<Appended, Attempt>, AppendError> {
        let mut wire = self.connection.wire();
        let acknowledgement = match self.appending.send_publish(subject.to_owned(), message).await {
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
        // A cluster is still busy with another record of the same guard, and nobody knows yet how that will end.
        ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT
        | ErrorCode::STREAM_EXPECTED_LAST_SEQ_PER_SUBJECT_NOT_READY => Ok(Attempt::NotTaken),
        // A cluster is still busy with this very record, as it was sent before.
        ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT => Ok(Attempt::Unanswered),
        // The store's own message is all there is to tell a full log from a failing disk.
        ErrorCode::STREAM_STORE_FAILED if is_full(&source.to_string()) => Err(AppendError::Full { source }),
        ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED => Err(AppendError::Full { source }),
        _ => Err(AppendError::Refused { source }),
    }
}

/// Whether a refusal of the store says that there is no room, by its own message: that is all there is to tell a full
/// stream from a failing disk.
pub(crate) fn is_full(reason: &str) -> bool {
    [
        "maximum bytes exceeded",
        "maximum messages exceeded",
        "no space left",
    ]
    .iter()
    .any(|full| reason.contains(full))
}

fn headers(record: &Outgoing, stream: &str) -> Result<HeaderMap, AppendError> {
    let CloudEvent {
        id,
        kind,
        source,
        time,
        content_type,
        traceparent,
    } = &record.attributes;
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
    if let Some(traceparent) = traceparent {
        headers.insert(TRACEPARENT, visible("traceparent", traceparent)?);
    }
    if let Some(requests) = &record.requests {
        headers.insert(REQUESTS, visible("requests", requests)?);
    }
    let last = match &record.guard {
        Guard::Nothing => return Ok(headers),
        Guard::Own(sequence) => *sequence,
        Guard::Other { subject, sequence } => {
            headers.insert(GUARDING_SUBJECT, visible("subject", subject)?);
            *sequence
        }
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
