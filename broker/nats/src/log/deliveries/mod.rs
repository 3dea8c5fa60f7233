//! The queue of one system: every event from the beginning of the log, until it is settled.
//!
//! The queue is a durable consumer in the server, so it goes on where it stopped after any restart. An event that is
//! not settled within `ack_wait` comes again. After a restart of the server the same event may come twice, also close
//! together and while the first is still worked on: whoever handles it has to be able to do so twice. Events come in
//! order the first time; one that comes again may have been overtaken.
//!
//! An event is handed out without its payload: whoever settles it reads what is due from the log.
//!
//! At most 64 events wait in this process, and count as handed out. Those that a server or a broker had in its hands when
//! it was killed may come again only after `ack_wait`: say that work is in progress, and see [`Deliveries::handed_out`] for
//! what need not wait for that.
//!
//! Settling awaits the server's confirmation: it costs one round trip, about 0.1 ms, beside a vendor's API call of
//! many, and in return "settled" is something to be relied on.

mod consumer;
mod work;

pub use consumer::{DeliveriesConfig, DeliveriesError, Queue};
pub use work::{SettleError, Work};

use super::{
    Log,
    follow::{EXPIRY, FIRST_PAUSE, HEARTBEAT, LONGEST_PAUSE, LONGEST_SILENCE, record},
};
use crate::connection::Wire;
use archwire_core::SystemName;
use async_nats::jetstream::{
    self, AckKind,
    consumer::{PullConsumer, pull},
};
use futures_util::{FutureExt, StreamExt};
use tokio::{sync::watch, task::unconstrained, time::Instant};
use work::SHORTEST_DELAY;

const MOST_WAITING: usize = 64;

/// The queue of one system.
pub struct Deliveries {
    log: Log,
    system: SystemName,
    config: DeliveriesConfig,
    inbox: Inbox,
    handed_out: watch::Sender<HandedOut>,
}

/// What of the log a queue had handed out when it was opened, or opened anew. What lies between the two may be settled or
/// not; what is not comes again, some of it only after `ack_wait`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandedOut {
    /// Everything up to this sequence is settled.
    pub settled: u64,
    /// Nothing behind this sequence was handed out.
    pub up_to: u64,
}

/// What the server sends.
struct Inbox {
    consumer: PullConsumer,
    messages: pull::Stream,
    wire: Wire,
    /// When something came last, or the watchdog looked.
    heard: Instant,
}

impl Log {
    /// Opens the queue of a system; makes it, from the first event of the log on, when there is none yet.
    ///
    /// `ack_wait`, `max_ack_pending` and whether payloads are handed out follow this version's wishes; anything else that
    /// differs is refused. One queue may be open once at a time; two would share the events.
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
            handed_out: watch::Sender::new(inbox.handed_out()),
            inbox,
        })
    }

    async fn inbox(&self, system: &SystemName, config: DeliveriesConfig) -> Result<Inbox, DeliveriesError> {
        let wire = self.inner.records.connection.wire();
        let consumer = self.consumer(system, config).await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(MOST_WAITING.min(config.max_ack_pending.get() as usize))
            .heartbeat(HEARTBEAT)
            .expires(EXPIRY)
            .messages()
            .await
            .map_err(|error| consumer::not_read(system, error))?;
        let heard = Instant::now();
        Ok(Inbox {
            consumer,
            messages,
            wire,
            heard,
        })
    }
}

impl Inbox {
    fn handed_out(&self) -> HandedOut {
        let info = self.consumer.cached_info();
        HandedOut {
            settled: info.ack_floor.stream_sequence,
            up_to: info.delivered.stream_sequence,
        }
    }
}

impl Deliveries {
    /// What was handed out before the queue was opened; changes whenever it had to be opened anew. Whoever does not want to
    /// wait until all of that has come again looks at it.
    #[must_use]
    pub fn handed_out(&self) -> watch::Receiver<HandedOut> {
        self.handed_out.subscribe()
    }

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
                message = tokio::time::timeout_at(inbox.heard + LONGEST_SILENCE, inbox.messages.next()) => message,
                () = inbox.wire.made_anew() => { self.reopen().await?; continue }
            };
            inbox.heard = Instant::now();
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
        self.log.inner.records.connection.connected().await;
        self.give_back().await;
        let mut pause = FIRST_PAUSE;
        loop {
            self.log.inner.records.connection.connected().await;
            match self.log.inbox(&self.system, self.config).await {
                Ok(inbox) => {
                    self.handed_out.send_replace(inbox.handed_out());
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

    /// Closes the queue in order: what has come and was not taken yet is given back, so that whoever opens it next need
    /// not wait for `ack_wait` to see it. What was taken stays to be settled.
    pub async fn close(mut self) {
        self.give_back().await;
    }

    async fn give_back(&mut self) {
        // Without a budget, which could make it seem that nothing more has come.
        while let Some(Some(Ok(message))) = unconstrained(self.inbox.messages.next()).now_or_never() {
            if let Err(error) = message.ack_with(AckKind::Nak(Some(SHORTEST_DELAY))).await {
                tracing::warn!(system = %self.system, %error, "an event is not given back and comes after ack_wait");
            }
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
        let connection = self.log.inner.records.connection.clone();
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
