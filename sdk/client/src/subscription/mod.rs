//! Following the log: at least once, in order, with credit for as much as the reader can hold.
//!
//! Bounds: at most `window` events are on their way to the reader or waiting for it in memory. A subscription that the
//! reader does not drive with [`Subscription::next`] takes up no more than that, and the bus waits.

mod options;
mod outgoing;
mod session;

pub use options::{Filter, Start, SubscribeOptions};

use crate::{backoff::Backoff, client::Bus, error::ClientError, v1, v1::Event};
use bytes::Bytes;
use prost::Message as _;
use session::Session;
use std::{
    collections::BTreeSet,
    fmt::{Debug, Formatter},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tonic::Status;

/// The most events that may be allowed ahead of the reader.
pub const MAX_WINDOW: u32 = 10_000;
const DEFAULT_WINDOW: u32 = 256;
/// The longest that the bus puts an event off.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// One event.
pub struct Delivery {
    /// Place in the log. Increases, but for events that come again; gaps are normal. Acknowledge with it.
    pub sequence: u64,
    /// How often the reader refused it with [`Subscription::nack`].
    pub redeliveries: u32,
    /// Stands for having taken this event and everything before it: a [`Start::Cursor`] for any subscription of the same vendor.
    /// To be kept beside what was taken, by programs that want to go on exactly there; not by those that refuse events, as it may
    /// have been on its way when an earlier one was refused.
    pub cursor: String,
    /// The event.
    pub event: Event,
    /// The event's bytes as they came, with fields that this version does not know.
    pub raw: Bytes,
}

impl Debug for Delivery {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("sequence", &self.sequence)
            .field("redeliveries", &self.redeliveries)
            .finish_non_exhaustive()
    }
}

/// The last that was heard of the bus.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// Everything up to this sequence was looked at: sent, or left out by the contract or the filter.
    pub through: u64,
    /// Stands for having taken everything up to there: see [`Delivery::cursor`]. Empty before the first stream is open.
    pub cursor: String,
}

impl Seen {
    fn now(through: u64, cursor: String) -> Self {
        let at = Instant::now();
        Self { at, through, cursor }
    }
}

/// A durable place in the log. Dropping it leaves the place on the bus.
///
/// An event may come more than once: after a reconnection, and after a restart of this program, everything that was
/// not acknowledged comes again, in the same order. Remember `event.revision` per patient and skip what is not greater. Nothing is
/// lost in between: each delivery names the one before, and a stream in which one is missing is opened again.
pub struct Subscription {
    bus: Bus,
    options: SubscribeOptions,
    session: Option<Session>,
    /// The last sequence that the reader got in its turn, and the last that it acknowledged.
    delivered: u64,
    acked: u64,
    /// Events that the reader refused, or that came again, and that are not acknowledged.
    open: BTreeSet<u64>,
    /// Those of them that came again.
    again: BTreeSet<u64>,
    /// Whether anything was refused in this stream: then the bus may have kept events back that the reader never heard of.
    has_refused: bool,
    /// Whether the log seemed to end before what was acknowledged.
    was_behind: bool,
    has_opened: bool,
    seen: watch::Sender<Seen>,
    backoff: Backoff,
    not_before: Instant,
    is_closed: bool,
}

impl Subscription {
    pub(crate) fn new(bus: Bus, options: SubscribeOptions) -> Self {
        Self {
            bus,
            options: options.bounded(),
            session: None,
            delivered: 0,
            acked: 0,
            open: BTreeSet::new(),
            again: BTreeSet::new(),
            has_refused: false,
            was_behind: false,
            has_opened: false,
            seen: watch::Sender::new(Seen::now(0, String::new())),
            backoff: Backoff::default(),
            not_before: Instant::now(),
            is_closed: false,
        }
    }

    /// The next event. Waits for it for as long as it takes; reconnects by itself, at most 5 s apart. `None` only after
    /// [`Self::close`]. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When trying again would not help: the token is unknown, another reader has taken the name
    /// (`subscription_replaced`), the log is not the one that was followed (`log_behind`). After
    /// [`ClientError::Unreadable`] the next call goes on with the next event.
    pub async fn next(&mut self) -> Result<Option<Delivery>, ClientError> {
        while !self.is_closed {
            match self.step().await {
                Ok(Some(delivery)) => return self.deliver(delivery).map(Some),
                Ok(None) => {}
                Err(error) => {
                    self.session = None;
                    let pause = self.backoff.fail();
                    self.not_before = Instant::now() + pause;
                    if !error.is_retryable() {
                        return Err(error);
                    }
                    tracing::warn!(
                        code = error.code(),
                        ?pause,
                        "the subscription broke; it will be opened again"
                    );
                }
            }
        }
        Ok(None)
    }

    /// Everything up to and including this sequence is done and need not come again, but for what was refused. It is told to the
    /// bus soon; an acknowledgement that is lost with a connection only means that events come again. A sequence beyond the last
    /// delivery is taken as the last delivery. The sequence of an event that came again acknowledges that event alone.
    pub fn ack(&mut self, sequence: u64) {
        if self.again.remove(&sequence) {
            self.open.remove(&sequence);
            if let Some(session) = &self.session {
                session.ack_one(sequence);
            }
            return;
        }
        self.acked = self.acked.max(sequence.min(self.delivered));
        if let Some(session) = &mut self.session {
            session.ack(self.acked);
        }
    }

    /// This event cannot be taken now: it comes again after the delay, which is at most an hour, and later events of the same
    /// patient behind it. After a reconnection it may come sooner. Events that are acknowledged already are not refused any more.
    pub fn nack(&mut self, sequence: u64, delay: Duration) {
        // One of an earlier stream comes again by itself, because nobody acknowledged it.
        let Some(session) = &self.session else {
            return;
        };
        let came_again = self.again.remove(&sequence);
        if came_again || (sequence > self.acked && session.has_shown(sequence)) {
            self.has_refused = true;
            self.open.insert(sequence);
            session.nack(sequence, delay.min(LONGEST_DELAY));
        }
    }

    /// The last that was heard of the bus, heartbeats included, while somebody waits in [`Self::next`].
    #[must_use]
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// Tells the bus the last acknowledgement and ends. Waits at most 5 s for the bus to have heard it.
    pub async fn close(&mut self) {
        self.is_closed = true;
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    /// Opens a session, or takes one event from it: `None` for an event that is done already.
    async fn step(&mut self) -> Result<Option<v1::Delivery>, ClientError> {
        let Some(session) = &mut self.session else {
            sleep_until(self.not_before).await;
            self.session = Some(self.begin().await?);
            return Ok(None);
        };
        let delivery = session.receive(&self.seen).await?;
        self.backoff.succeed();
        session.ack(self.acked);
        let comes_again = delivery.after.is_none();
        if comes_again {
            self.has_refused = true;
            self.open.insert(delivery.sequence);
            self.again.insert(delivery.sequence);
        }
        Ok(Some(delivery).filter(|delivery| comes_again || delivery.sequence > self.acked))
    }

    async fn begin(&mut self) -> Result<Session, ClientError> {
        // What was refused in an earlier stream is forgotten with it: everything comes again from there on.
        let refused = self.open.first().map(|first| first.saturating_sub(1));
        let acked = refused.map_or(self.acked, |refused| self.acked.min(refused));
        let open = self.options.open(!self.has_opened);
        let bounds = (self.options.window, self.options.heartbeat);
        let session = match Session::open(&mut self.bus, open, bounds, acked, &self.seen).await {
            // Whoever told of the log's end may have been a moment behind: the bus is asked once more.
            Err(behind @ ClientError::LogBehind { .. }) if !self.was_behind => {
                self.was_behind = true;
                return Err(Status::unavailable(behind.to_string()).into());
            }
            session => session?,
        };
        self.has_opened = true;
        self.was_behind = false;
        // Then only the bus knows what is done.
        self.acked = match self.has_refused {
            true => acked.min(session.begun()),
            false => acked,
        };
        self.has_refused = false;
        self.open.clear();
        self.again.clear();
        Ok(session)
    }

    fn deliver(&mut self, delivery: v1::Delivery) -> Result<Delivery, ClientError> {
        let v1::Delivery {
            sequence,
            event: raw,
            after,
            redeliveries,
            cursor,
        } = delivery;
        if after.is_some() {
            self.delivered = self.delivered.max(sequence);
        }
        let event =
            Event::decode(raw.clone()).map_err(|source| ClientError::Unreadable { sequence, source })?;
        Ok(Delivery {
            sequence,
            redeliveries,
            cursor,
            event,
            raw,
        })
    }
}
