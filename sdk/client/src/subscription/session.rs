//! One stream of a subscription, from its opening until it breaks.

use super::{
    Seen,
    outgoing::{Voice, voice},
};
use crate::{
    client::{ANSWER, Bus},
    error::ClientError,
    v1::{Delivery, Open, Opened, SubscribeResponse, delivery::Turn, subscribe_response::Response},
};
use std::{pin::Pin, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tonic::{Status, Streaming};

/// How long the bus may take to end a stream that the reader has ended.
const CLOSING: Duration = Duration::from_secs(5);
/// Heartbeats that may stay away until the stream counts as broken.
const MISSED: u32 = 3;

pub(super) struct Session {
    answers: Streaming<SubscribeResponse>,
    voice: Voice,
    /// How long nothing may come, and when something did.
    patience: Duration,
    heard_at: Instant,
    /// Where it began.
    begun: u64,
    /// The last sequence in its turn: the next one has to name it.
    last: u64,
    acked: u64,
    window: u32,
    /// Events received since credit was last given.
    used: u32,
}

/// A stream that is being opened. It goes on where it was when somebody waits for it again: a program that looks at other things
/// between its looks here would never have one open otherwise.
pub(super) struct Opening(Pin<Box<dyn Future<Output = Result<Begun, ClientError>> + Send>>);

/// What an opening comes to.
pub(super) struct Begun {
    answers: Streaming<SubscribeResponse>,
    voice: Voice,
    opened: Opened,
}

impl Opening {
    pub(super) fn of(mut bus: Bus, open: Open) -> Self {
        let opening = async move {
            let (voice, requests) = voice(open);
            let mut answers = bus.subscribe(requests).await?.into_inner();
            let Some(Response::Opened(opened)) = message(&mut answers).await? else {
                return Err(ClientError::Unexpected("the first answer is not `opened`"));
            };
            Ok(Begun {
                answers,
                voice,
                opened,
            })
        };
        Self(Box::pin(async {
            let opened = timeout(ANSWER, opening).await;
            opened.map_err(|_| ClientError::Silent(ANSWER))?
        }))
    }

    /// Waits for it. Dropping that loses nothing.
    pub(super) async fn ended(&mut self) -> Result<Begun, ClientError> {
        self.0.as_mut().await
    }
}

impl Session {
    /// A stream that is open, in which at most `window` events are on their way; `acked` was done in an earlier one.
    pub(super) fn new(
        begun: Begun,
        (window, heartbeat): (u32, Duration),
        acked: u64,
        seen: &watch::Sender<Seen>,
    ) -> Result<Self, ClientError> {
        let Begun {
            answers,
            voice,
            opened,
        } = begun;
        if opened.last < acked {
            return Err(ClientError::LogBehind {
                last: opened.last,
                acked,
            });
        }
        seen.send_replace(Seen::now(opened.after, opened.cursor));
        voice.allow(window);
        let mut session = Self {
            answers,
            voice,
            patience: heartbeat.saturating_mul(MISSED),
            heard_at: Instant::now(),
            begun: opened.after,
            last: opened.after,
            acked: opened.after,
            window,
            used: 0,
        };
        session.ack(acked);
        Ok(session)
    }

    /// The next event.
    pub(super) async fn receive(&mut self, seen: &watch::Sender<Seen>) -> Result<Delivery, ClientError> {
        loop {
            // What came while nobody asked for it is taken first.
            let silent_at = self.heard_at + self.patience;
            let answer = timeout_at(silent_at, message(&mut self.answers)).await;
            let answer = answer.map_err(|_| ClientError::Silent(self.patience))??;
            self.heard_at = Instant::now();
            match answer {
                Some(Response::Delivery(delivery)) => {
                    self.is_next(&delivery)?;
                    self.give_credit();
                    let through = self.last.max(delivery.sequence);
                    seen.send_replace(Seen::now(through, delivery.cursor.clone()));
                    return Ok(delivery);
                }
                Some(Response::Heartbeat(heartbeat)) => {
                    seen.send_replace(Seen::now(heartbeat.through, heartbeat.cursor));
                }
                Some(Response::Opened(_)) => return Err(ClientError::Unexpected("`opened` came twice")),
                // A kind of answer that a newer bus knows.
                None => {}
            }
        }
    }

    /// Whether an event follows on the one before. Where one is missing the stream is of no use: in the next one it comes again.
    fn is_next(&mut self, delivery: &Delivery) -> Result<(), ClientError> {
        match &delivery.turn {
            // It comes again, outside of the order of the others.
            Some(Turn::Again(_)) => Ok(()),
            Some(Turn::After(after)) if *after == self.last => {
                self.last = delivery.sequence;
                Ok(())
            }
            Some(Turn::After(_)) => {
                Err(Status::unavailable("an event is missing between two deliveries").into())
            }
            None => Err(ClientError::Unexpected("a delivery does not say why it comes")),
        }
    }

    /// The place behind which it began.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// Tells the bus what is done, as far as this stream has shown it.
    pub(super) fn ack(&mut self, acked: u64) {
        let acked = acked.min(self.last);
        if acked > self.acked {
            self.acked = acked;
            self.voice.ack(acked);
        }
    }

    /// Tells the bus that an event is done which came again.
    pub(super) fn ack_one(&self, sequence: u64) {
        self.voice.ack_one(sequence);
    }

    /// Tells the bus that an event could not be taken.
    pub(super) fn nack(&self, sequence: u64, delay: Duration) {
        self.voice.nack(sequence, delay);
    }

    /// Says everything that is left to say, and waits until the bus has heard it.
    pub(super) async fn close(self) {
        let Self {
            mut answers, voice, ..
        } = self;
        drop(voice);
        let heard = async { while let Ok(Some(_)) = answers.message().await {} };
        if timeout(CLOSING, heard).await.is_err() {
            tracing::debug!("the bus did not end the subscription in time");
        }
    }

    /// Allows more once half the window is used, so that the bus need not stop for every event.
    fn give_credit(&mut self) {
        self.used += 1;
        if self.used >= self.window.div_ceil(2) {
            self.voice.allow(std::mem::take(&mut self.used));
        }
    }
}

async fn message(answers: &mut Streaming<SubscribeResponse>) -> Result<Option<Response>, ClientError> {
    match answers.message().await? {
        Some(answer) => Ok(answer.response),
        None => Err(Status::unavailable("the bus ended the subscription").into()),
    }
}
