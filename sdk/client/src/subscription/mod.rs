//! Following the log: at least once, in order, with credit for as much as the reader can hold.
//!
//! Bounds: at most `window` events are on their way to the reader or waiting for it in memory. A subscription that the
//! reader does not drive with [`Subscription::next`] takes up no more than that, and the bus waits.

mod outgoing;
mod session;

pub use crate::v1::Start;

use crate::{backoff::Backoff, client::Bus, error::ClientError, v1::Event};
use bytes::Bytes;
use prost::Message as _;
use session::Session;
use std::fmt::{Debug, Formatter};
use tokio::time::{Instant, sleep_until};

/// The most events that may be allowed ahead of the reader.
pub const MAX_WINDOW: u32 = 10_000;
const DEFAULT_WINDOW: u32 = 256;

/// What to follow and from where.
#[derive(Clone)]
pub struct SubscribeOptions {
    /// The subscription's durable name, 1 to 64 of `[a-z0-9-]`. The bus keeps its position; one name has one reader.
    pub name: String,
    /// Where a name begins that the bus has not seen. A known name goes on after its last acknowledged event.
    pub start: Start,
    /// Events that may be on their way to the reader; 0 is taken as 1, more than [`MAX_WINDOW`] as that. Default 256.
    pub window: u32,
}

impl SubscribeOptions {
    /// A subscription from the beginning of the log with a window of 256.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            start: Start::Beginning,
            window: DEFAULT_WINDOW,
        }
    }
}

/// One event.
pub struct Delivery {
    /// Place in the log. Increases; gaps are normal. Acknowledge with it.
    pub sequence: u64,
    /// The event.
    pub event: Event,
    /// The event's bytes as the log holds them, with fields that this version does not know.
    pub raw: Bytes,
}

impl Debug for Delivery {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

/// A durable place in the log. Dropping it leaves the place on the bus.
///
/// An event may come more than once: after a reconnection, and after a restart of this program, everything that was
/// not acknowledged comes again, in the same order. Events of one patient are numbered without gaps: remember
/// `event.revision` per patient, skip what is not greater, and a step of more than one says that something was lost.
pub struct Subscription {
    bus: Bus,
    options: SubscribeOptions,
    session: Option<Session>,
    /// The last sequence that the reader got, and the last that it acknowledged.
    delivered: u64,
    acked: u64,
    backoff: Backoff,
    not_before: Instant,
    is_closed: bool,
}

impl Subscription {
    pub(crate) fn new(bus: Bus, mut options: SubscribeOptions) -> Self {
        options.window = options.window.clamp(1, MAX_WINDOW);
        Self {
            bus,
            options,
            session: None,
            delivered: 0,
            acked: 0,
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
                Ok(Some((sequence, raw))) => return self.deliver(sequence, raw).map(Some),
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

    /// Everything up to and including this sequence is done and need not come again. It is told to the bus soon; an
    /// acknowledgement that is lost with a connection only means that events come again. A sequence beyond the last
    /// delivery is taken as the last delivery.
    pub fn ack(&mut self, sequence: u64) {
        self.acked = self.acked.max(sequence.min(self.delivered));
        if let Some(session) = &self.session {
            session.ack(self.acked);
        }
    }

    /// Tells the bus the last acknowledgement and ends. Waits at most 5 s for the bus to have heard it.
    pub async fn close(&mut self) {
        self.is_closed = true;
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    /// Opens a session, or takes one event from it: `None` for an event that is done already.
    async fn step(&mut self) -> Result<Option<(u64, Bytes)>, ClientError> {
        let Some(session) = &mut self.session else {
            sleep_until(self.not_before).await;
            self.session = Some(Session::open(&mut self.bus, &self.options, self.acked).await?);
            return Ok(None);
        };
        let (sequence, raw) = session.receive().await?;
        self.backoff.succeed();
        session.ack(self.acked);
        Ok((sequence > self.acked).then_some((sequence, raw)))
    }

    fn deliver(&mut self, sequence: u64, raw: Bytes) -> Result<Delivery, ClientError> {
        self.delivered = self.delivered.max(sequence);
        let event =
            Event::decode(raw.clone()).map_err(|source| ClientError::Unreadable { sequence, source })?;
        Ok(Delivery { sequence, event, raw })
    }
}
