//! One reader of one subscription, from its opening until it ends.
//!
//! Whatever the reader waits for to send something (room in the connection, the audit), it goes on hearing its vendor, its successor,
//! the practice's changes of the contract and the stop of the broker. What it does not go on hearing in is bounded: 10 s each for
//! beginning another account of what is told and for ending one, when the contract changes; a read of one record, or a write of the
//! position, for as long as the log takes to answer.

use super::{
    AUDIT_PATIENCE, Subscriptions, Turn,
    cursor::Owner,
    held::Due,
    outgoing::{Gone, Outgoing},
    positions::{Claim, Key, NotPut},
    sight::Sight,
    talk::{Heeded, Talk, unread},
};
use crate::{
    api::status::{not_audited, refuse, unreadable},
    audit::{AuditError, Disclosing},
    vendors::Admitted,
};
use archwire_core::Subject;
use archwire_nats::{Filter, Log, Stored};
use archwire_proto::v1::{Delivery, Heartbeat, subscribe_response::Response};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio::{
    select,
    time::{Instant, sleep_until, timeout},
};
use tonic::{Code, Status};

/// How long an acknowledgement may wait until it is stored.
const STORE_EVERY: Duration = Duration::from_millis(100);
/// The same of what needs none, because it is not shown: it would only be looked at again.
const STORE_PASSED_EVERY: Duration = Duration::from_secs(10);
/// Events that are sent before anything else is looked after.
const AT_ONCE: usize = 32;

/// One reader of one subscription.
pub(super) struct Reader {
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) name: String,
    pub(super) key: Key,
    pub(super) owner: Owner,
    pub(super) turn: Turn,
    pub(super) admitted: Admitted,
    pub(super) sight: Sight,
    pub(super) talk: Talk,
    pub(super) outgoing: Outgoing,
    pub(super) disclosing: Disclosing,
    pub(super) store: Storing,
    /// Whether the contract has changed since the stream began.
    pub(super) has_new_terms: bool,
    /// By what the position is this reader's to write.
    pub(super) claim: Claim,
}

/// When the position is stored next.
#[derive(Default)]
pub(super) struct Storing {
    at: Option<Instant>,
    /// Whether that is because something was acknowledged.
    soon: bool,
}

/// Why a stream ends.
enum End {
    /// The vendor has ended it, or is not there any more.
    Gone,
    /// The bus ends it, and says why.
    Refused(Status),
    /// The vendor does not want the subscription any more.
    Forgotten,
}

/// What comes of looking at an event.
enum Looked {
    Shown(Bytes),
    Hidden,
    /// The contract is perhaps another one by now: it has to be looked at again.
    Again,
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

impl Reader {
    pub(super) async fn run(mut self) {
        let Err(end) = self.serve().await;
        // What cannot be stored now comes again, and was told.
        let subscriptions = &self.subscriptions;
        let end = match end {
            End::Forgotten => {
                let forgotten = subscriptions.positions.forget(&self.key, self.admitted.vendor());
                forgotten.await.map_or_else(End::Refused, |()| End::Gone)
            }
            end => {
                _ = self.store().await;
                end
            }
        };
        self.turn.is_over();
        // The vendor hears that it is over, whatever the audit waits for.
        match end {
            End::Refused(refusal) => self.outgoing.refuse(refusal),
            End::Gone | End::Forgotten => drop(self.outgoing),
        }
        // What is not closed now is presumed about by the next start.
        _ = timeout(AUDIT_PATIENCE, self.disclosing.close()).await;
    }

    async fn serve(&mut self) -> Result<Infallible, End> {
        let log = self.subscriptions.registry.log().clone();
        let mut events = pin!(log.follow(self.talk.progress.sent(), Filter::Events));
        let mut ended = pin!(self.turn.ended.clone().cancelled_owned());
        let mut alarm = pin!(sleep_until(self.next_alarm()));
        loop {
            self.plan_storing();
            let next_alarm = self.next_alarm();
            if next_alarm < alarm.deadline() {
                alarm.as_mut().reset(next_alarm);
            }
            // Events come last: as long as they are there at once, nothing behind them would have its turn.
            let looked = select! {
                biased;
                () = &mut ended => return Err(over(&self.subscriptions).into()),
                () = self.admitted.changed() => Looked::Again,
                request = self.talk.requests.message() => {
                    self.heed(request?)?;
                    Looked::Hidden
                }
                () = &mut alarm => {
                    let looked = self.on_time(&log).await?;
                    alarm.as_mut().reset(self.next_alarm());
                    looked
                }
                room = self.outgoing.has_room(), if self.outgoing.is_full() => {
                    room?;
                    Looked::Hidden
                }
                event = events.next(), if self.may_go_on() => {
                    let mut next = event;
                    let mut looked = self.look_at(next.ok_or(End::Gone)?).await?;
                    for _ in 1..AT_ONCE {
                        if matches!(looked, Looked::Again) || !self.may_go_on() {
                            break;
                        }
                        next = match events.next().now_or_never() {
                            Some(ready) => ready,
                            None => break,
                        };
                        looked = self.look_at(next.ok_or(End::Gone)?).await?;
                    }
                    looked
                }
            };
            if matches!(looked, Looked::Again) {
                select! {
                    biased;
                    () = &mut ended => return Err(over(&self.subscriptions).into()),
                    agreed = self.agree() => agreed?,
                }
                events.set(log.follow(self.talk.progress.considered(), Filter::Events));
            }
        }
    }

    fn heed(&mut self, request: Option<archwire_proto::v1::SubscribeRequest>) -> Result<(), End> {
        match self.talk.heed(request.ok_or(End::Gone)?)? {
            Heeded::GoOn => Ok(()),
            Heeded::Forget => Err(End::Forgotten),
        }
    }

    /// Whether an event may be sent.
    fn may_send(&self) -> bool {
        !self.outgoing.is_full() && self.talk.credit.is_left()
    }

    /// Whether a new event may be looked at.
    fn may_go_on(&self) -> bool {
        self.may_send() && !self.talk.progress.held.is_full()
    }

    /// When something has to be done that nobody asks for.
    fn next_alarm(&self) -> Instant {
        let due = self.talk.progress.held.next_due().filter(|_| self.may_send());
        let times = [Some(self.talk.heartbeat_at()), self.store.at, due];
        times
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_else(|| self.talk.heartbeat_at())
    }

    async fn on_time(&mut self, log: &Log) -> Result<Looked, End> {
        let now = Instant::now();
        if self.store.at.is_some_and(|at| at <= now) {
            self.store().await?;
        }
        if self.talk.heartbeat_at() <= now {
            self.beat()?;
        }
        match self.talk.progress.held.due(now).filter(|_| self.may_send()) {
            Some(due) => self.send_again(due, log).await,
            None => Ok(Looked::Hidden),
        }
    }

    /// Takes the contract that is in force now. Where it is another one, what has not left the bus is looked at again.
    async fn agree(&mut self) -> Result<(), End> {
        // Whatever changes from here on is another change.
        if self.admitted.has_changed() {
            self.admitted.changed().await;
        }
        if !self.sight.look_again(&self.admitted)? {
            return Ok(());
        }
        self.take_back();
        let (terms, through) = (self.sight.terms(), self.talk.progress.considered());
        let disclosing = self.subscriptions.discloses(&terms, &self.name, through).await?;
        self.has_new_terms = true;
        let before = std::mem::replace(&mut self.disclosing, disclosing);
        // What is not closed now is presumed about by the next start.
        _ = timeout(AUDIT_PATIENCE, before.close()).await;
        Ok(())
    }

    /// Takes back what waits for the connection.
    fn take_back(&mut self) {
        let (now, mut first) = (Instant::now(), None);
        for response in self.outgoing.take_back() {
            match response {
                Response::Delivery(Delivery { sequence, after, .. }) => {
                    self.talk.credit.give_back(1);
                    match after {
                        Some(after) => first = first.or(Some(after)),
                        None => self.talk.progress.held.comes_back(sequence, now),
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

    /// Sends a new event, unless it is not shown, or waits behind another one of its patient.
    async fn look_at(&mut self, stored: Stored) -> Result<Looked, End> {
        let sequence = stored.sequence;
        // What is kept back goes out later, and is written down now: the audit counts on the order of the log.
        let event = match (self.shown(&stored).await?, &stored.subject) {
            (Looked::Again, _) => return Ok(Looked::Again),
            (Looked::Shown(event), Subject::Patient(patient)) => Some((event, *patient)),
            _ => None,
        };
        let held = &mut self.talk.progress.held;
        let event = event.filter(|(_, patient)| !held.keeps_back(*patient, sequence));
        let Some((event, patient)) = event else {
            self.talk.progress.consider(sequence);
            return Ok(Looked::Hidden);
        };
        let after = self.talk.progress.send(sequence, patient);
        self.deliver(Delivery {
            sequence,
            event,
            after: Some(after),
            redeliveries: 0,
            cursor: self.cursor(sequence),
        })?;
        Ok(Looked::Hidden)
    }

    /// Sends an event again that the vendor refused, or that waited behind such a one.
    async fn send_again(&mut self, due: Due, log: &Log) -> Result<Looked, End> {
        let stored = log.at(due.sequence).await.map_err(|error| unreadable(&error))?;
        let stored = stored.ok_or_else(unread)?;
        // It is written down already, but for terms that are new since.
        let shown = match self.has_new_terms {
            true => self.shown(&stored).await?,
            false => self.looked(&stored).await?,
        };
        // The vendor may have refused an earlier one of the patient meanwhile.
        if !self.talk.progress.held.is_due(due, Instant::now()) {
            return Ok(Looked::Hidden);
        }
        let event = match shown {
            Looked::Again => return Ok(Looked::Again),
            Looked::Hidden => {
                self.talk.progress.held.forget(due);
                return Ok(Looked::Hidden);
            }
            Looked::Shown(event) => event,
        };
        self.talk.progress.held.sent_again(due);
        self.deliver(Delivery {
            sequence: due.sequence,
            event,
            after: None,
            redeliveries: due.refusals,
            cursor: self.cursor(self.talk.progress.considered()),
        })?;
        Ok(Looked::Hidden)
    }

    /// What is shown of an event, under the contract of this moment.
    async fn looked(&self, stored: &Stored) -> Result<Looked, End> {
        Ok(match self.sight.shown(stored).await? {
            _ if self.admitted.has_changed() => Looked::Again,
            Some(event) => Looked::Shown(event),
            None => Looked::Hidden,
        })
    }

    /// The same of one that may go out then, which is written down.
    async fn shown(&mut self, stored: &Stored) -> Result<Looked, End> {
        let looked = self.looked(stored).await?;
        let is_still_agreed = match looked {
            Looked::Shown(_) => self.hand_over(stored).await?,
            _ => true,
        };
        match is_still_agreed && !self.admitted.has_changed() {
            true => Ok(looked),
            false => Ok(Looked::Again),
        }
    }

    /// Hands an event over to the audit. Tells whether the contract cannot have changed meanwhile.
    async fn hand_over(&mut self, stored: &Stored) -> Result<bool, End> {
        let mut handing = pin!(timeout(AUDIT_PATIENCE, self.disclosing.event(stored)));
        let mut is_still_agreed = true;
        loop {
            let request = select! {
                biased;
                handed = &mut handing => {
                    let handed = handed.unwrap_or(Err(AuditError::Busy));
                    handed.map_err(|error| not_audited(&error))?;
                    return Ok(is_still_agreed);
                }
                () = self.turn.ended.cancelled() => return Err(over(&self.subscriptions).into()),
                () = self.admitted.changed() => {
                    is_still_agreed = false;
                    continue;
                }
                request = self.talk.requests.message() => request?,
            };
            match self.talk.heed(request.ok_or(End::Gone)?)? {
                Heeded::GoOn => {}
                Heeded::Forget => return Err(End::Forgotten),
            }
        }
    }

    fn deliver(&mut self, delivery: Delivery) -> Result<(), End> {
        self.talk.credit.spend();
        self.talk.says();
        Ok(self.outgoing.send(Response::Delivery(delivery))?)
    }

    /// Says that the bus is there, unless the connection is too slow to hear even what was said before.
    fn beat(&mut self) -> Result<(), End> {
        self.talk.says();
        if self.outgoing.is_full() {
            return Ok(());
        }
        let through = self.talk.progress.tell();
        let cursor = self.cursor(through);
        Ok(self
            .outgoing
            .send(Response::Heartbeat(Heartbeat { through, cursor }))?)
    }

    /// Stands for having done everything up to there, but for what is held back.
    fn cursor(&self, place: u64) -> String {
        let place = self.talk.progress.but_for_held(place);
        self.subscriptions.cursors.give(&self.owner, place)
    }

    fn plan_storing(&mut self) {
        let progress = &self.talk.progress;
        if !self.store.soon && progress.is_acknowledged_further() {
            self.store = Storing {
                at: Some(Instant::now() + STORE_EVERY),
                soon: true,
            };
        } else if self.store.at.is_none() && progress.unstored().is_some() {
            self.store.at = Some(Instant::now() + STORE_PASSED_EVERY);
        }
    }

    async fn store(&mut self) -> Result<(), Status> {
        self.store = Storing::default();
        let Some(position) = self.talk.progress.unstored() else {
            return Ok(());
        };
        let put = self.subscriptions.positions.put(&self.key, position, self.claim);
        match put.await {
            Ok(claim) => {
                self.claim = claim;
                self.talk.progress.is_stored(position);
                Ok(())
            }
            Err(NotPut::Claimed) => Err(replaced()),
            Err(NotPut::Refused(refusal)) => Err(refusal),
        }
    }
}

/// Why a reader has to end.
fn over(subscriptions: &Subscriptions) -> Status {
    if subscriptions.shutdown.is_cancelled() {
        return stopping();
    }
    replaced()
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
