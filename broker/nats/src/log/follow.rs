//! Following the log: every record behind a point, in order, each once, for ever.
//!
//! A consumer without acknowledgements pushes the work of noticing a loss to this side: each message carries a number
//! that the server counts up, and a number left out, a lost connection, an error or a watchdog that finds a record
//! that should have come makes the reader begin anew behind the last record that it handed on. The consumer lives in
//! the server's memory and goes away 30 s after its reader. Bounds: at most 512 records or about 4 MiB wait in this
//! process. Each follower is a consumer of its own, of which a log allows 16,384 at a time.

use super::{Filter, Log, Stored};
use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use futures_util::{Stream, StreamExt, stream};
use std::time::{Duration, SystemTime};

const MOST_WAITING: usize = 512;
const MOST_BYTES: usize = 4 * 1024 * 1024;
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);
pub(super) const EXPIRY: Duration = Duration::from_secs(30);
/// How long nothing may come before the watchdog looks whether there was nothing.
pub(super) const LONGEST_SILENCE: Duration = Duration::from_secs(10);
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(20);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Log {
    /// The records behind sequence `after`, those that are there and those that come, oldest first and each once.
    ///
    /// Never ends and never fails: as long as the server cannot be reached it waits, which [`Log::status`] shows.
    pub fn follow(&self, after: u64, filter: Filter) -> impl Stream<Item = Stored> + Send + use<> {
        records(self, filter.subject(self), after, None)
    }
}

/// The records of `subject` behind sequence `after`; ends at the one with sequence `until`.
pub(super) fn records(
    log: &Log,
    subject: String,
    after: u64,
    until: Option<u64>,
) -> impl Stream<Item = Stored> + Send + use<> {
    let until = until.unwrap_or(u64::MAX);
    let follower = Follower {
        log: log.clone(),
        subject,
        last: after,
        until,
        tail: None,
        pause: FIRST_PAUSE,
    };
    stream::unfold(follower, |mut follower| async {
        Some((follower.next().await?, follower))
    })
}

struct Follower {
    log: Log,
    subject: String,
    /// The sequence of the last record handed on.
    last: u64,
    /// The sequence at which to end.
    until: u64,
    tail: Option<Tail>,
    /// How long to wait before the next attempt at a server that refuses.
    pause: Duration,
}

/// One consumer's messages.
struct Tail {
    consumer: String,
    messages: pull::Stream,
    /// The consumer's number of the last message.
    number: u64,
    wire: crate::connection::Wire,
}

/// Why a tail is of no use any more.
enum Broken {
    Wire,
    Gap,
    Ended,
    Silent,
    Error(String),
}

impl Follower {
    async fn next(&mut self) -> Option<Stored> {
        while self.last < self.until {
            let Some(tail) = &mut self.tail else {
                self.begin().await;
                continue;
            };
            match tail.next(&self.log, &self.subject, self.last).await {
                Ok(message) => {
                    if let Some(stored) = self.take(&message) {
                        return Some(stored);
                    }
                }
                Err(broken) => {
                    broken.tell(self.last);
                    self.tail = None;
                }
            }
        }
        self.end().await;
        None
    }

    /// Removes the consumer of a reading that has ended, which the server would otherwise keep for another 30 s.
    async fn end(&mut self) {
        if let Some(tail) = self.tail.take()
            && let Err(error) = self
                .log
                .inner
                .records
                .stream
                .delete_consumer(&tail.consumer)
                .await
        {
            tracing::debug!(%error, "a consumer is left to the server to remove");
        }
    }

    async fn begin(&mut self) {
        self.log.inner.records.connection.connected().await;
        match self.open().await {
            Ok(tail) => {
                self.tail = Some(tail);
                self.pause = FIRST_PAUSE;
            }
            Err(error) => {
                tracing::warn!(%error, after = self.last, "the log cannot be followed now; trying again");
                tokio::time::sleep(self.pause).await;
                self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
        }
    }

    async fn open(&self) -> Result<Tail, async_nats::Error> {
        let wire = self.log.inner.records.connection.wire();
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: self.last.saturating_add(1),
            },
            ack_policy: AckPolicy::None,
            filter_subject: self.subject.clone(),
            inactive_threshold: Duration::from_secs(30),
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer = self.log.inner.records.stream.create_consumer(config).await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(MOST_WAITING)
            .max_bytes_per_batch(MOST_BYTES)
            .heartbeat(HEARTBEAT)
            .expires(EXPIRY)
            .messages()
            .await?;
        let consumer = consumer.cached_info().name.clone();
        Ok(Tail {
            consumer,
            messages,
            number: 0,
            wire,
        })
    }

    fn take(&mut self, message: &jetstream::Message) -> Option<Stored> {
        let stored = record(&self.log, message)?;
        let (sequence, stored) = stored;
        self.last = sequence;
        stored
    }
}

impl Tail {
    async fn next(&mut self, log: &Log, subject: &str, last: u64) -> Result<jetstream::Message, Broken> {
        loop {
            let message = tokio::select! {
                message = tokio::time::timeout(LONGEST_SILENCE, self.messages.next()) => message,
                () = self.wire.made_anew() => return Err(Broken::Wire),
            };
            match message {
                Ok(Some(Ok(message))) => return self.in_order(message),
                Ok(Some(Err(error))) => return Err(Broken::Error(error.to_string())),
                Ok(None) => return Err(Broken::Ended),
                Err(_) if is_behind(log, subject, last).await => return Err(Broken::Silent),
                Err(_) => {}
            }
        }
    }

    fn in_order(&mut self, message: jetstream::Message) -> Result<jetstream::Message, Broken> {
        let number = message
            .info()
            .map_err(|error| Broken::Error(error.to_string()))?
            .consumer_sequence;
        self.number += 1;
        if number == self.number {
            Ok(message)
        } else {
            Err(Broken::Gap)
        }
    }
}

impl Broken {
    fn tell(&self, after: u64) {
        match self {
            Self::Wire | Self::Ended => tracing::debug!(after, "following anew, over a new connection"),
            Self::Gap => tracing::warn!(after, "following anew: a message got lost on the way"),
            Self::Silent => tracing::warn!(after, "following anew: records were there and did not come"),
            Self::Error(error) => tracing::warn!(after, error, "following anew"),
        }
    }
}

/// Whether the log holds a record behind `last` that matches. `false` when that cannot be found out.
async fn is_behind(log: &Log, subject: &str, last: u64) -> bool {
    let next = log.inner.records.first(subject, last.saturating_add(1)).await;
    next.is_ok_and(|next| next.is_some())
}

/// The sequence of a message and the record in it, where it is one of ours.
pub(super) fn record(log: &Log, message: &jetstream::Message) -> Option<(u64, Option<Stored>)> {
    let info = message.info().ok()?;
    let (sequence, time) = (info.stream_sequence, SystemTime::from(info.published));
    let none = async_nats::HeaderMap::new();
    let headers = message.headers.as_ref().unwrap_or(&none);
    let practice = &log.inner.practice;
    let stored = Stored::read(
        practice,
        message.subject.as_str(),
        headers,
        sequence,
        time,
        message.payload.clone(),
    );
    Some((sequence, stored))
}
