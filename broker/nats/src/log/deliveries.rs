//! The queue of one system: every event from the beginning of the log, until it is settled.
//!
//! The queue is a durable consumer in the server, so it goes on where it stopped after any restart. An event that is
//! not settled within `ack_wait` comes again. After a restart of the server the same event may come twice, also close
//! together and while the first is still worked on: whoever handles it has to be able to do so twice. Events come in
//! order the first time; one that comes again may have been overtaken.
//!
//! Settling awaits the server's confirmation: it costs one round trip, about 0.1 ms, beside a vendor's API call of
//! many, and in return "settled" is something to be relied on.

use super::{
    Log, Stored,
    follow::{EXPIRY, FIRST_PAUSE, HEARTBEAT, LONGEST_PAUSE, LONGEST_SILENCE, record},
};
use crate::{Cause, Connection, connection::Wire, verify};
use archwire_core::{Subject, SystemName};
use async_nats::jetstream::{
    self, AckKind, ErrorCode,
    consumer::{self, AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use futures_util::{FutureExt, StreamExt};
use std::{num::NonZeroU32, time::Duration};

/// Most events that wait in this process. They count as handed out, so a small number keeps them from coming again
/// behind a slow handler.
const MOST_WAITING: usize = 64;
const LONGEST_SETTLING: Duration = Duration::from_secs(10);
/// A refused event comes again no sooner than this: at once would be a loop as fast as the machine.
const SHORTEST_DELAY: Duration = Duration::from_millis(100);

/// How a queue hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveriesConfig {
    /// After how long an event that is neither settled nor [`Work::in_progress`] comes again.
    pub ack_wait: Duration,
    /// How many events may be handed out and not settled. When that many are, nothing more comes.
    pub max_ack_pending: NonZeroU32,
}

/// A queue that cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum DeliveriesError {
    /// The server's queue is not as it has to be.
    #[error(
        "the queue {consumer} exists with other settings: {}; remove it with `nats consumer rm {stream} {consumer}` and \
         every event is delivered again",
        listed(differences)
    )]
    Different {
        /// The log's stream.
        stream: String,
        /// The queue's consumer.
        consumer: String,
        /// Each setting that differs.
        differences: Vec<verify::Difference>,
    },
    /// The server does not answer or refuses.
    #[error("the NATS server does not open the queue {consumer}")]
    Unavailable {
        /// The queue's consumer.
        consumer: String,
        /// What happened instead.
        source: Cause,
    },
}

fn listed(differences: &[verify::Difference]) -> String {
    differences
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

impl DeliveriesError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Different { .. } => "deliveries_settings_different",
            Self::Unavailable { .. } => "deliveries_unavailable",
        }
    }
}

/// A settlement that the server did not confirm: the event may come again.
#[derive(Debug, thiserror::Error)]
#[error("the NATS server did not confirm the settlement of an event; it may come again")]
pub struct SettleError {
    source: Cause,
}

impl SettleError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "settle_unconfirmed"
    }
}

/// The queue of one system.
pub struct Deliveries {
    log: Log,
    system: SystemName,
    config: DeliveriesConfig,
    inbox: Inbox,
}

/// What the server sends.
struct Inbox {
    consumer: PullConsumer,
    messages: pull::Stream,
    wire: Wire,
}

/// An event to be delivered.
pub struct Work {
    /// The event.
    pub stored: Stored,
    /// The how-manieth time it is handed out, from 1.
    pub delivered: u64,
    /// Where settlements of this handing out go.
    reply: async_nats::Subject,
    connection: Connection,
}

impl Log {
    /// Opens the queue of a system; makes it, from the first event of the log on, when there is none yet.
    ///
    /// `ack_wait` and `max_ack_pending` of an existing queue follow the configuration; anything else that differs is
    /// refused. One queue may be open once at a time; two would share the events.
    ///
    /// # Errors
    /// When the queue cannot be relied on.
    #[tracing::instrument(name = "log.deliveries", skip_all, fields(%system))]
    pub async fn deliveries(
        &self,
        system: &SystemName,
        config: DeliveriesConfig,
    ) -> Result<Deliveries, DeliveriesError> {
        let inbox = self.inbox(system, config).await?;
        Ok(Deliveries {
            log: self.clone(),
            system: system.clone(),
            config,
            inbox,
        })
    }

    async fn inbox(&self, system: &SystemName, config: DeliveriesConfig) -> Result<Inbox, DeliveriesError> {
        let wire = self.inner.connection.wire();
        let wanted = self.consumer_config(system, config);
        let consumer = self.consumer(&wanted).await?;
        let differences = verify::consumer_differences(&pulled(&consumer.cached_info().config), &wanted);
        if !differences.is_empty() {
            let stream = self.inner.stream.cached_info().config.name.clone();
            return Err(DeliveriesError::Different {
                stream,
                consumer: name(&wanted),
                differences,
            });
        }
        let messages = consumer
            .stream()
            .max_messages_per_batch(MOST_WAITING.min(config.max_ack_pending.get() as usize))
            .heartbeat(HEARTBEAT)
            .expires(EXPIRY)
            .messages()
            .await
            .map_err(|error| unavailable(&wanted, error))?;
        Ok(Inbox {
            consumer,
            messages,
            wire,
        })
    }

    fn consumer_config(&self, system: &SystemName, config: DeliveriesConfig) -> pull::Config {
        pull::Config {
            durable_name: Some(format!("deliver-{system}")),
            description: Some(format!("Archwire: events to be delivered to {system}")),
            filter_subject: Subject::all_patients(&self.inner.practice),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: config.ack_wait,
            max_deliver: -1,
            max_ack_pending: i64::from(config.max_ack_pending.get()),
            num_replicas: self.inner.replicas,
            ..pull::Config::default()
        }
    }

    /// Gets or makes the consumer. Only what the configuration may change is changed.
    async fn consumer(&self, wanted: &pull::Config) -> Result<PullConsumer, DeliveriesError> {
        let stream = &self.inner.stream;
        let found = match stream.consumer_info(name(wanted)).await {
            Ok(info) => pulled(&info.config),
            Err(error) if is_missing(&error) => {
                let made = stream.create_consumer_strict(wanted.clone()).await;
                return made.map_err(|error| unavailable(wanted, error));
            }
            Err(error) => return Err(unavailable(wanted, error)),
        };
        let tuned = pull::Config {
            ack_wait: wanted.ack_wait,
            max_ack_pending: wanted.max_ack_pending,
            ..found.clone()
        };
        if tuned != found {
            tracing::info!(
                consumer = name(wanted),
                "ack_wait and max_ack_pending follow the configuration"
            );
            let updated = stream.update_consumer(tuned).await;
            return updated.map_err(|error| unavailable(wanted, error));
        }
        stream
            .get_consumer(&name(wanted))
            .await
            .map_err(|error| unavailable(wanted, error))
    }
}

fn name(config: &pull::Config) -> String {
    config.durable_name.clone().unwrap_or_default()
}

fn is_missing(error: &jetstream::context::ConsumerInfoError) -> bool {
    use jetstream::context::ConsumerInfoErrorKind::{JetStream, NotFound};
    match error.kind() {
        NotFound => true,
        JetStream(error) => error.error_code() == ErrorCode::CONSUMER_NOT_FOUND,
        _ => false,
    }
}

fn unavailable(config: &pull::Config, error: impl std::fmt::Display) -> DeliveriesError {
    DeliveriesError::Unavailable {
        consumer: name(config),
        source: Cause::new(error),
    }
}

/// The echoed configuration in the terms of the one asked for.
fn pulled(config: &consumer::Config) -> pull::Config {
    use consumer::FromConsumer;
    pull::Config::try_from_consumer_config(config.clone()).unwrap_or_default()
}

impl Deliveries {
    /// The next event. Waits until there is one, also over restarts of the server.
    ///
    /// May be dropped and called again: no event is lost by that.
    ///
    /// # Errors
    /// When the queue was changed by somebody else so that it cannot be relied on.
    pub async fn next(&mut self) -> Result<Work, DeliveriesError> {
        loop {
            let inbox = &mut self.inbox;
            let message = tokio::select! {
                message = tokio::time::timeout(LONGEST_SILENCE, inbox.messages.next()) => message,
                () = inbox.wire.made_anew() => { self.reopen().await?; continue }
            };
            match message {
                Ok(Some(Ok(message))) => {
                    if let Some(work) = self.work(message).await {
                        return Ok(work);
                    }
                }
                Ok(Some(Err(error))) => {
                    tracing::warn!(system = %self.system, %error, "the queue is opened anew");
                    self.reopen().await?;
                }
                Ok(None) => self.reopen().await?,
                Err(_) if self.is_stuck().await => {
                    tracing::warn!(system = %self.system, "events are there and do not come; the queue is opened anew");
                    self.reopen().await?;
                }
                Err(_) => {}
            }
        }
    }

    /// Gives back what has come and was not taken yet, and asks anew over the connection that there is now.
    ///
    /// A server that was killed may have forgotten that it handed these out, and then pays no attention to how they
    /// are settled and hands them out again; one that remembers hands them out again because they are given back.
    async fn reopen(&mut self) -> Result<(), DeliveriesError> {
        self.log.inner.connection.connected().await;
        while let Some(Some(Ok(message))) = self.inbox.messages.next().now_or_never() {
            if let Err(error) = message.ack_with(AckKind::Nak(Some(SHORTEST_DELAY))).await {
                tracing::warn!(system = %self.system, %error, "an event could not be given back and comes after ack_wait");
            }
        }
        let mut pause = FIRST_PAUSE;
        loop {
            self.log.inner.connection.connected().await;
            match self.log.inbox(&self.system, self.config).await {
                Ok(inbox) => {
                    self.inbox = inbox;
                    return Ok(());
                }
                Err(error @ DeliveriesError::Different { .. }) => return Err(error),
                Err(error) => tracing::warn!(system = %self.system, %error, "the queue cannot be opened now"),
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// The watchdog: asked only after a long silence, because it makes the server look.
    async fn is_stuck(&mut self) -> bool {
        let most = self.config.max_ack_pending.get() as usize;
        self.inbox
            .consumer
            .get_info()
            .await
            .is_ok_and(|info| info.num_pending > 0 && info.num_ack_pending < most)
    }

    /// Takes a message for work; settles one that is none of ours, and leaves the telling to whoever reads it.
    async fn work(&self, message: jetstream::Message) -> Option<Work> {
        let delivered = message.info().map(|info| info.delivered).unwrap_or_default();
        let reply = message.reply.clone()?;
        let connection = self.log.inner.connection.clone();
        match record(&self.log, &message) {
            Some((_, Some(stored))) => Some(Work {
                stored,
                delivered: delivered.unsigned_abs(),
                reply,
                connection,
            }),
            _ => {
                if let Err(error) = message.ack().await {
                    tracing::warn!(%error, "a record that is not an event could not be settled");
                }
                None
            }
        }
    }
}

impl Work {
    /// Settles the event: it does not come again. Confirmed by the server; takes at most 10 s.
    ///
    /// # Errors
    /// When it is not confirmed, which also happens when the server was killed and has forgotten that it handed the
    /// event out. The event comes again.
    pub async fn ack(self) -> Result<(), SettleError> {
        self.settle(AckKind::Ack).await
    }

    /// Gives the event back, to come again after `delay`, which is at least 100 ms. Takes at most 10 s.
    ///
    /// # Errors
    /// When it is not confirmed; the event then comes again after `ack_wait`.
    pub async fn nak(self, delay: Duration) -> Result<(), SettleError> {
        self.settle(AckKind::Nak(Some(delay.max(SHORTEST_DELAY)))).await
    }

    /// Sends a settlement, and sends it again when the connection is made anew before it is confirmed.
    async fn settle(&self, kind: AckKind) -> Result<(), SettleError> {
        let settling = async {
            loop {
                self.connection.connected().await;
                let mut wire = self.connection.wire();
                tokio::select! {
                    outcome = self.connection.client.request(self.reply.clone(), kind.into()) => {
                        return outcome.map(|_| ()).map_err(settle_error);
                    }
                    () = wire.made_anew() => {}
                }
            }
        };
        let timed_out = |elapsed| SettleError {
            source: Cause::new(elapsed),
        };
        tokio::time::timeout(LONGEST_SETTLING, settling)
            .await
            .map_err(timed_out)?
    }

    /// Says that the event is still worked on: `ack_wait` begins anew. To be called every third of it.
    ///
    /// # Errors
    /// When the connection is closed.
    pub async fn in_progress(&self) -> Result<(), SettleError> {
        let sent = self
            .connection
            .client
            .publish(self.reply.clone(), AckKind::Progress.into())
            .await;
        sent.map_err(settle_error)
    }
}

fn settle_error(error: impl std::fmt::Display) -> SettleError {
    SettleError {
        source: Cause::new(error),
    }
}
