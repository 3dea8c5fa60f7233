//! The vendor's end of a stream: what comes in is heard whatever the reader waits for, and what goes out.
//!
//! A reader waits for the log, the audit and the index. Meanwhile its vendor is heard, its successor, the practice's changes of the
//! contract and the stop of the broker, and the vendor hears that the bus is there.

use super::{
    Subscriptions, Turn,
    cursor::Owner,
    outgoing::{Gone, Outgoing},
    talk::{Heeded, Talk},
    witness::{Place, Witness},
};
use crate::{api::status::refuse, vendors::Admitted};
use archwire_proto::v1::{Delivery, Heartbeat, SubscribeRequest, delivery, subscribe_response::Response};
use bytes::Bytes;
use std::{pin::pin, sync::Arc};
use tokio::{
    select,
    time::{Instant, sleep_until},
};
use tonic::{Code, Status};

/// The vendor's end of a stream.
pub(super) struct Line {
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) owner: Owner,
    pub(super) turn: Turn,
    pub(super) admitted: Admitted,
    pub(super) talk: Talk,
    pub(super) outgoing: Outgoing,
    /// The last event of the log that was looked at, or what else the place came with at which the stream began.
    pub(super) witness: Option<Witness>,
    /// Whether it was heard that the contract may be another one.
    pub(super) is_told_of_terms: bool,
}

/// Why a stream ends.
pub(super) enum End {
    /// The vendor has ended it, or is not there any more.
    Gone,
    /// The bus ends it, and says why.
    Refused(Status),
    /// The vendor does not want the subscription any more.
    Forgotten,
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl Line {
    /// Waits for something, and goes on hearing and saying meanwhile what cannot wait.
    pub(super) async fn hearing<T>(&mut self, what: impl Future<Output = T>) -> Result<T, End> {
        let mut what = pin!(what);
        loop {
            let request = select! {
                biased;
                done = &mut what => return Ok(done),
                () = self.turn.ended.cancelled() => return Err(self.over()),
                () = self.outgoing.gone() => return Err(End::Gone),
                () = self.admitted.changed() => {
                    self.is_told_of_terms = true;
                    continue;
                }
                () = sleep_until(self.talk.heartbeat_at()) => {
                    self.beat()?;
                    continue;
                }
                request = self.talk.requests.message() => request?,
            };
            self.heed(request)?;
        }
    }

    /// Does what the vendor asks for.
    pub(super) fn heed(&mut self, request: Option<SubscribeRequest>) -> Result<(), End> {
        match self.talk.heed(request.ok_or(End::Gone)?)? {
            Heeded::GoOn => Ok(()),
            Heeded::Forget => Err(End::Forgotten),
        }
    }

    /// Whether the contract may be another one than when it was last looked at.
    pub(super) fn may_have_new_terms(&self) -> bool {
        self.is_told_of_terms || self.admitted.has_changed()
    }

    /// The contract is looked at now: whatever changes from here on is another change.
    pub(super) async fn looks_at_terms(&mut self) {
        self.is_told_of_terms = false;
        if self.admitted.has_changed() {
            self.admitted.changed().await;
        }
    }

    /// Whether an event may be sent.
    pub(super) fn may_send(&self) -> bool {
        !self.outgoing.is_full() && self.talk.credit.is_left()
    }

    /// Whether a new event may be looked at.
    pub(super) fn may_go_on(&self) -> bool {
        self.may_send() && !self.talk.progress.held.is_full()
    }

    /// Sends an event; its cursor stands for this place.
    pub(super) fn deliver(
        &mut self,
        sequence: u64,
        event: Bytes,
        turn: delivery::Turn,
        place: u64,
    ) -> Result<(), End> {
        self.talk.credit.spend();
        self.talk.says();
        let delivery = Delivery {
            sequence,
            event,
            turn: Some(turn),
            cursor: self.cursor(place),
        };
        Ok(self.outgoing.send(Response::Delivery(delivery))?)
    }

    /// Says that the bus is there, unless the connection is too slow to hear even what was said before.
    pub(super) fn beat(&mut self) -> Result<(), End> {
        self.talk.says();
        if self.outgoing.is_full() {
            return Ok(());
        }
        let through = self.talk.progress.tell();
        let cursor = self.cursor(through);
        let heartbeat = Heartbeat { through, cursor };
        Ok(self.outgoing.send(Response::Heartbeat(heartbeat))?)
    }

    /// Stands for having done everything up to there, but for what is held back.
    fn cursor(&self, place: u64) -> String {
        let sequence = self.talk.progress.but_for_held(place);
        let place = Place {
            sequence,
            witness: self.witness,
        };
        self.subscriptions.cursors.give(&self.owner, place)
    }

    /// Takes back what waits for the connection.
    pub(super) fn take_back(&mut self) {
        let (now, mut first) = (Instant::now(), None);
        for response in self.outgoing.take_back() {
            match response {
                Response::Delivery(Delivery { sequence, turn, .. }) => {
                    self.talk.credit.give_back(1);
                    match turn {
                        Some(delivery::Turn::After(after)) => first = first.or(Some(after)),
                        Some(delivery::Turn::Again(_)) | None => {
                            self.talk.progress.held.comes_back(sequence, now);
                        }
                    }
                }
                // The vendor has to hear it, and nothing was said before it.
                opened @ Response::Opened(_) => _ = self.outgoing.send(opened),
                Response::Heartbeat(_) => {}
            }
        }
        if let Some(first) = first {
            self.talk.progress.go_back(first);
        }
    }

    /// Why the reader has to end.
    pub(super) fn over(&self) -> End {
        match self.subscriptions.shutdown.is_cancelled() {
            true => stopping().into(),
            false => replaced().into(),
        }
    }
}

pub(super) fn replaced() -> Status {
    refuse(
        Code::Aborted,
        "subscription_replaced",
        "another reader opened this subscription",
    )
}

/// The broker stops.
pub(super) fn stopping() -> Status {
    refuse(
        Code::Unavailable,
        "stopping",
        "the broker is stopping; come again",
    )
}
