//! One message to the store and back: sent, acknowledged, looked up, removed.

use super::{ImageStoreError, Inner};
use crate::{
    Cause,
    connection::Wire,
    records::{Raw, is_full},
};
use async_nats::{
    HeaderMap,
    jetstream::{
        self, ErrorCode,
        context::{PublishAckFuture, PublishError, PublishErrorKind},
        message::PublishMessage,
        stream::LastRawMessageErrorKind,
    },
};
use bytes::Bytes;
use std::{error::Error, time::Duration};

/// How often a removal that was not answered is asked for again: removing twice does no harm.
const REMOVAL_ATTEMPTS: u32 = 3;
/// Chunks removed with one request, where they lie side by side. A server takes about 2.5 ms to remove one, flush included,
/// and does nothing else with the stream meanwhile.
const REMOVED_AT_ONCE: u64 = 32;
/// At most so many requests for the chunks of one upload, however far apart they lie.
const MOST_REMOVALS: u64 = 4096;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);

/// A message on its way.
pub(super) struct Sent {
    acknowledgement: PublishAckFuture,
    wire: Wire,
}

/// Why a message is not stored.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Its guard does not hold.
    Guard,
    /// There is no room.
    Full(Cause),
    /// Anything else; it may be stored, or become so.
    Unavailable(Cause),
}

impl Refusal {
    pub(super) fn unavailable(error: impl std::fmt::Display) -> Self {
        Self::Unavailable(Cause::new(error))
    }

    fn of(error: &PublishError) -> Self {
        if error.kind() == PublishErrorKind::WrongLastSequence {
            return Self::Guard;
        }
        let refusal = error
            .source()
            .and_then(|source| source.downcast_ref::<jetstream::Error>());
        let Some(refusal) = refusal else {
            return Self::unavailable(error);
        };
        let source = Cause::new(refusal);
        match refusal.error_code() {
            ErrorCode::STREAM_STORE_FAILED if is_full(&source.to_string()) => Self::Full(source),
            ErrorCode::INSUFFICIENT_RESOURCES
            | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
            | ErrorCode::STORAGE_RESOURCES_EXCEEDED => Self::Full(source),
            _ => Self::Unavailable(source),
        }
    }
}

impl From<ImageStoreError> for Refusal {
    fn from(error: ImageStoreError) -> Self {
        match error {
            ImageStoreError::Unavailable { source } => Self::Unavailable(source),
            other => Self::unavailable(other),
        }
    }
}

impl Sent {
    /// Waits until it is stored, and flushed where the server promises that; gives its sequence. Ends early when the
    /// connection is made anew, because the answer then went astray.
    pub(super) async fn stored(mut self) -> Result<u64, Refusal> {
        tokio::select! {
            answer = self.acknowledgement.into_future() => match answer {
                Ok(acknowledgement) => Ok(acknowledgement.sequence),
                Err(error) => Err(Refusal::of(&error)),
            },
            () = self.wire.made_anew() => Err(Refusal::unavailable("the connection was lost")),
        }
    }
}

impl Inner {
    /// Sends a message. Waits for a connection for as long as an append may take.
    pub(super) async fn send(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Sent, Refusal> {
        let connection = &self.records.connection;
        tokio::time::timeout(self.records.append_timeout, connection.connected())
            .await
            .map_err(Refusal::unavailable)?;
        let wire = connection.wire();
        let message = PublishMessage::build().headers(headers).payload(payload);
        let sent = self.records.appending.send_publish(subject, message).await;
        let acknowledgement = sent.map_err(|error| Refusal::of(&error))?;
        Ok(Sent {
            acknowledgement,
            wire,
        })
    }

    /// The last message of a subject. Of a cluster the leader is asked: the others may be a moment behind it.
    pub(super) async fn last(&self, subject: &str) -> Result<Option<Raw>, ImageStoreError> {
        if self.replicas == 1 {
            let last = self.records.last(subject).await;
            return last.map_err(ImageStoreError::unavailable);
        }
        match self.records.stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some(Raw {
                subject: message.subject.to_string(),
                headers: message.headers,
                sequence: message.sequence,
                time: message.time.into(),
                payload: message.payload,
            })),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(ImageStoreError::unavailable(error)),
        }
    }

    /// Removes the chunks of an upload, a part at a time, so that others get their turn.
    pub(super) async fn remove_chunks(&self, nuid: &str) -> Result<(), ImageStoreError> {
        let subject = self.layout.chunks(nuid);
        let first = self.records.first(&subject, 1).await;
        let first = first.map_err(ImageStoreError::unavailable)?;
        let Some((first, last)) = first.zip(self.last(&subject).await?) else {
            return self.remove(&subject, None).await;
        };
        let distance = last.sequence.saturating_sub(first.sequence);
        let step = REMOVED_AT_ONCE.max(distance / MOST_REMOVALS);
        let mut until = first.sequence.saturating_add(step);
        while until < last.sequence {
            self.remove(&subject, Some(until)).await?;
            until = until.saturating_add(step);
        }
        self.remove(&subject, None).await
    }

    /// Removes every message of a subject, or those up to and including the sequence `last`.
    pub(super) async fn remove(&self, subject: &str, last: Option<u64>) -> Result<(), ImageStoreError> {
        let mut attempt = 1;
        loop {
            let purge = self.removing.purge().filter(subject);
            let purged = match last {
                Some(last) => purge.sequence(last.saturating_add(1)).await,
                None => purge.await,
            };
            match purged {
                Ok(_) => return Ok(()),
                Err(error) if attempt == REMOVAL_ATTEMPTS => return Err(ImageStoreError::unavailable(error)),
                Err(error) => tracing::warn!(%error, attempt, "a removal is repeated"),
            }
            attempt += 1;
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
    }
}
