//! Following the log: at least once, in order, with credit for as much as the reader can hold.
//!
//! Bounds: at most `window` events are on their way to the reader or waiting for it in memory. A subscription that the
//! reader does not drive with [`Subscription::next`] takes up no more than that, and the bus waits.

mod options;
mod outgoing;
mod session;

pub use options::{Filter, Start, SubscribeOptions};

use crate::{
    backoff::Backoff,
    client::Bus,
    error::ClientError,
    v1::{self, Event, delivery::Turn},
};
use bytes::Bytes;
use prost::Message as _;
use session::{Opening, Session};
use std::{
    collections::HashMap,
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
    /// Place in the log. Increases, but for events that come again; gaps are normal.
    pub sequence: u64,
    /// How often the reader refused it with [`Subscription::nack`] in this stream.
    pub redeliveries: u32,
    /// Stands for having taken this event and everything before it: a [`Start::Cursor`] for any subscription of the same vendor.
    /// To be kept beside what was taken, by programs that want to go on exactly there; not by those that refuse events, as it may
    /// have been on its way when an earlier one was refused.
    pub cursor: String,
    /// The event.
    pub event: Event,
    /// The event's bytes as they came, with fields that this version does not know.
    pub raw: Bytes,
    taken: Taken,
}

/// What an acknowledgement has to know of a delivery.
#[derive(Clone, Copy)]
struct Taken {
    sequence: u64,
    /// In which stream of the subscription it came, from 1.
    stream: u64,
    /// Whether it came out of its turn, because it or an earlier one of its patient was refused.
    came_again: bool,
    /// Which delivery of the subscription it is.
    number: u64,
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
    /// The stream that is to be the next session's.
    opening: Option<Opening>,
    /// How many streams there were.
    streams: u64,
    /// Up to where the reader acknowledged.
    acked: u64,
    /// The first event of the stream that was refused, or came again: before it everything that is acknowledged is done.
    first_refused: Option<u64>,
    /// What was refused in this stream, by its patient: the sequence, and the number of the last delivery before. What was delivered by
    /// then of that or a later event of the patient comes once more. As many as the bus takes refusals of.
    refused: HashMap<String, Vec<(u64, u64)>>,
    /// How many deliveries there were.
    deliveries: u64,
    /// Of deliveries of earlier streams nothing is heard any more: they come again, behind others that are due before them.
    counts_from: u64,
    /// Whether the log seemed to end before what was acknowledged.
    was_behind: bool,
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
            opening: None,
            streams: 0,
            acked: 0,
            first_refused: None,
            refused: HashMap::new(),
            deliveries: 0,
            counts_from: 0,
            was_behind: false,
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

    /// This delivery and all before it are done and need not come again, but for what was refused; of one that came again because it
    /// was refused, or waited behind such a one, this one alone is done. It is told to the bus soon; an acknowledgement that is lost
    /// with a connection only means that events come again.
    pub fn ack(&mut self, delivery: &Delivery) {
        let taken = delivery.taken;
        // One of a stream in which something was refused comes again: the bus does not know that it is done.
        if taken.stream < self.counts_from {
            return;
        }
        let session = self.session.as_mut();
        match taken.came_again {
            // What came again in an earlier stream counts as not done in this one.
            true => {
                let comes_once_more = self
                    .refused
                    .get(&delivery.event.patient_id)
                    .is_some_and(|refused| {
                        let mut refused = refused.iter();
                        refused
                            .any(|(sequence, number)| taken.sequence >= *sequence && taken.number <= *number)
                    });
                if let Some(session) = session.filter(|_| taken.stream == self.streams && !comes_once_more) {
                    session.ack_one(taken.sequence);
                }
            }
            false => {
                self.acked = self.acked.max(taken.sequence);
                if let Some(session) = session {
                    session.ack(self.acked);
                }
            }
        }
    }

    /// This delivery cannot be taken now: it comes again after the delay, which is at most an hour, and later events of the same
    /// patient behind it. After a reconnection it may come sooner. What is acknowledged already is not refused any more.
    pub fn nack(&mut self, delivery: &Delivery, delay: Duration) {
        let taken = delivery.taken;
        let is_done = !taken.came_again && taken.sequence <= self.acked;
        if is_done || taken.stream < self.counts_from {
            return;
        }
        if taken.stream < self.streams {
            // It comes again in this stream by itself, as nobody acknowledged it, and what else is in the program's hands behind it.
            self.counts_from = self.streams;
            return;
        }
        self.first_refused = Some(self.first_refused.unwrap_or(u64::MAX).min(taken.sequence));
        let refused = self.refused.entry(delivery.event.patient_id.clone()).or_default();
        refused.retain(|(sequence, _)| *sequence < taken.sequence);
        refused.push((taken.sequence, self.deliveries));
        if let Some(session) = &self.session {
            session.nack(taken.sequence, delay.min(LONGEST_DELAY));
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
        self.opening = None;
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
        let comes_again = matches!(delivery.turn, Some(Turn::Again(_)));
        if comes_again {
            self.first_refused = Some(self.first_refused.unwrap_or(u64::MAX).min(delivery.sequence));
        }
        Ok(Some(delivery).filter(|delivery| comes_again || delivery.sequence > self.acked))
    }

    async fn begin(&mut self) -> Result<Session, ClientError> {
        let opening = self.opening.get_or_insert_with(|| {
            let mut open = self.options.open(self.streams == 0);
            open.seen = self.seen.borrow().cursor.clone();
            Opening::of(self.bus.clone(), open)
        });
        let begun = opening.ended().await;
        self.opening = None;
        // What was refused in an earlier stream is forgotten with it: everything comes again from there on.
        let refused = self.first_refused.map(|first| first.saturating_sub(1));
        let acked = refused.map_or(self.acked, |refused| self.acked.min(refused));
        let bounds = (self.options.window, self.options.heartbeat);
        let session = begun.and_then(|begun| Session::new(begun, bounds, acked, &self.seen));
        let session = match session {
            // Whoever told of the log's end may have been a moment behind: the bus is asked once more.
            Err(behind @ ClientError::LogBehind { .. }) if !self.was_behind => {
                self.was_behind = true;
                return Err(Status::unavailable(behind.to_string()).into());
            }
            session => session?,
        };
        self.was_behind = false;
        self.streams += 1;
        self.refused.clear();
        // The bus kept events back that the reader never heard of: then only the bus knows what is done.
        if self.first_refused.take().is_some() {
            self.acked = acked.min(session.begun());
            self.counts_from = self.streams;
        }
        Ok(session)
    }

    fn deliver(&mut self, delivery: v1::Delivery) -> Result<Delivery, ClientError> {
        let v1::Delivery {
            sequence,
            event: raw,
            turn,
            cursor,
        } = delivery;
        let redeliveries = match turn {
            Some(Turn::Again(again)) => Some(again.refusals),
            _ => None,
        };
        let event = Event::decode(raw.clone()).map_err(|source| {
            // The next acknowledgement covers one that came in its turn; nobody would acknowledge this one.
            if let (Some(_), Some(session)) = (redeliveries, &self.session) {
                session.ack_one(sequence);
            }
            ClientError::Unreadable { sequence, source }
        })?;
        self.deliveries += 1;
        Ok(Delivery {
            sequence,
            redeliveries: redeliveries.unwrap_or_default(),
            cursor,
            event,
            raw,
            taken: Taken {
                sequence,
                stream: self.streams,
                came_again: redeliveries.is_some(),
                number: self.deliveries,
            },
        })
    }
}
