//! The chunks of one upload as a consumer of the server's hands them out, with the next ones always on their way.
//!
//! A consumer costs the server a moment to set up, and less for each chunk than a request does: it finds the next chunk by
//! itself, however far away that lies, and sends it as it is stored, where the answer to a request is put together anew with
//! other headers. It lives in the server's memory, is removed with the reading, and is forgotten by the server when nobody
//! asks it for anything for two minutes.
//!
//! It is not acknowledged: each chunk carries a number that the server counts up, and a number left out, a lost connection or
//! a silence of 5 s is an error, after which whoever reads goes on otherwise, behind the last chunk that came.
//!
//! Bounds: 12 chunks of a reader and 64 of all (32 MiB) are on their way, of which each reader has an equal share, but two at least.
//! A server closes a connection behind which 64 MiB wait.

use super::Inner;
use crate::{Cause, ReadError, connection::Wire, records::Raw};
use async_nats::{
    Message, Subject, Subscriber,
    jetstream::{
        self,
        consumer::{AckPolicy, Consumer, DeliverPolicy, pull},
    },
};
use futures_util::StreamExt;
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};
use tokio::{runtime::Handle, time::timeout};

/// Chunks of one reader that may be on this side or on their way to it: with fewer the server stands still now and then while the
/// last of them are used up.
const MOST: u64 = 12;
/// The same of all readers.
const MOST_OF_ALL: u64 = 64;
/// Chunks asked for at a time: the fewer they are, the more evenly they come.
const AT_A_TIME: u64 = 2;
const LONGEST_SILENCE: Duration = Duration::from_secs(5);
/// How long the server keeps a request for chunks. They are there when they are asked for.
const EXPIRY: Duration = Duration::from_secs(30);
/// How long the server keeps a consumer that is asked for nothing. Who reads more slowly than that begins another one.
const FORGOTTEN: Duration = Duration::from_secs(120);

/// A consumer, and what is on its way from it.
pub(super) struct Pull {
    held: Held,
    consumer: Consumer<pull::Config>,
    inbox: Subject,
    messages: Subscriber,
    wire: Wire,
    /// The consumer's number of the last message.
    number: u64,
    /// How many chunks are asked for and have not been handed out.
    asked: u64,
    /// How many chunks lie behind the last one handed out.
    pending: u64,
}

impl Pull {
    /// Begins at the first chunk of `subject` with sequence `from` or a later one.
    pub(super) async fn begin(store: &Arc<Inner>, subject: &str, from: u64) -> Result<Self, ReadError> {
        let connection = &store.records.connection;
        if !connection.status().connected {
            return Err(unavailable("there is no connection"));
        }
        let wire = connection.wire();
        let held = Held::of(store);
        let config = pull::Config {
            name: Some(held.consumer.clone()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
            ack_policy: AckPolicy::None,
            filter_subject: subject.to_owned(),
            inactive_threshold: FORGOTTEN,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer = store.records.stream.create_consumer(config).await;
        let consumer = consumer.map_err(unavailable)?;
        let inbox = Subject::from(connection.client.new_inbox());
        let messages = connection.client.subscribe(inbox.clone()).await;
        let pending = consumer.cached_info().num_pending;
        Ok(Self {
            held,
            consumer,
            inbox,
            messages: messages.map_err(unavailable)?,
            wire,
            number: 0,
            asked: 0,
            pending,
        })
    }

    /// The next chunk, of `wanted` that are; `None` when the consumer has no more.
    pub(super) async fn next(&mut self, wanted: u64) -> Result<Option<Raw>, ReadError> {
        if self.pending == 0 {
            return Ok(None);
        }
        self.ask(wanted.min(self.pending)).await?;
        let message = tokio::select! {
            message = timeout(LONGEST_SILENCE, self.messages.next()) => message,
            () = self.wire.made_anew() => return Err(unavailable("the connection was lost")),
        };
        let message = message.map_err(unavailable)?;
        let message = message.ok_or_else(|| unavailable("the connection is closed"))?;
        self.take(message).map(Some)
    }

    /// Keeps as many chunks on their way as may be.
    async fn ask(&mut self, wanted: u64) -> Result<(), ReadError> {
        let most = self.held.share();
        while self.asked < wanted && self.asked + AT_A_TIME <= most {
            let count = AT_A_TIME.min(wanted - self.asked);
            let batch = pull::BatchConfig {
                batch: usize::try_from(count).unwrap_or(usize::MAX),
                expires: Some(EXPIRY),
                ..pull::BatchConfig::default()
            };
            let sent = self.consumer.request_batch(batch, self.inbox.clone()).await;
            sent.map_err(unavailable)?;
            self.asked += count;
        }
        Ok(())
    }

    fn take(&mut self, message: Message) -> Result<Raw, ReadError> {
        if let Some(status) = message.status {
            return Err(unavailable(format_args!(
                "the consumer ends with status {status}"
            )));
        }
        let context = self.held.store.records.connection.jetstream.clone();
        let message = jetstream::Message { message, context };
        let Ok(info) = message.info() else {
            return Err(ReadError::Answer {
                what: "a chunk does not tell where it lies",
            });
        };
        self.number += 1;
        if info.consumer_sequence != self.number {
            return Err(unavailable("a chunk got lost"));
        }
        self.pending = info.pending;
        self.asked = self.asked.saturating_sub(1);
        let (sequence, time) = (info.stream_sequence, SystemTime::from(info.published));
        let message = message.message;
        Ok(Raw {
            subject: message.subject.into_string(),
            headers: message.headers.unwrap_or_default(),
            sequence,
            time,
            payload: message.payload,
        })
    }
}

/// A consumer's place among those of all readers, from before it is made; gives the place back, and has the server remove the
/// consumer.
struct Held {
    store: Arc<Inner>,
    consumer: String,
}

impl Held {
    fn of(store: &Arc<Inner>) -> Self {
        store.readers.fetch_add(1, Ordering::Relaxed);
        Self {
            store: store.clone(),
            consumer: hex::encode(rand::random::<[u8; 16]>()),
        }
    }

    /// How many chunks may be on their way to this reader.
    fn share(&self) -> u64 {
        let readers = self.store.readers.load(Ordering::Relaxed).max(1);
        (MOST_OF_ALL / readers).clamp(AT_A_TIME, MOST)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.store.readers.fetch_sub(1, Ordering::Relaxed);
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (store, name) = (self.store.clone(), std::mem::take(&mut self.consumer));
        runtime.spawn(async move {
            if let Err(error) = store.records.stream.delete_consumer(&name).await {
                tracing::debug!(%error, "a consumer is left to the server to remove");
            }
        });
    }
}

fn unavailable(error: impl std::fmt::Display) -> ReadError {
    ReadError::Unavailable {
        source: Cause::new(error),
    }
}
