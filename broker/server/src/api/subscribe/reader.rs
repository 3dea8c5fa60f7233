//! One reader of one subscription, from its opening until it ends.
//!
//! Whatever the reader waits for (room in the connection, the audit, the log), it goes on hearing its vendor, its successor, the
//! practice's changes of the contract and the stop of the broker.

use super::{
    AUDIT_PATIENCE, Subscriptions, Turn,
    cursor::Owner,
    held::Due,
    outgoing::{Gone, Outgoing},
    positions::Key,
    sight::Sight,
    talk::{Talk, unread},
};
use crate::{
    api::status::{not_audited, refuse, unreadable},
    audit::{AuditError, Disclosing},
    vendors::Admitted,
};
use archwire_core::Subject;
use archwire_nats::{Filter, Log, Stored};
use archwire_proto::v1::{Delivery, Heartbeat, subscribe_response::Response};
use futures_util::{FutureExt as _, StreamExt as _};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout};
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
        _ = self.store().await;
        self.turn.settled.cancel();
        self.turn.ended.cancel();
        // The vendor hears that it is over, whatever the audit waits for.
        match end {
            End::Refused(refusal) => self.outgoing.refuse(refusal),
            End::Gone => drop(self.outgoing),
        }
        // What is not closed now is presumed about by the next start.
        _ = timeout(AUDIT_PATIENCE, self.disclosing.close()).await;
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, End> {
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
            tokio::select! {
                biased;
                () = &mut ended => return Err(over(&self.subscriptions).into()),
                () = self.admitted.changed() => tokio::select! {
                    biased;
                    () = &mut ended => return Err(over(&self.subscriptions).into()),
                    agreed = self.agree() => agreed?,
                },
                request = self.talk.requests.message() => {
                    let request = request?.ok_or(End::Gone)?;
                    self.talk.heed(request, &log).await?;
                }
                room = self.outgoing.has_room(), if self.outgoing.is_full() => room?,
                event = events.next(), if self.may_go_on() => {
                    let mut next = event;
                    for _ in 0..AT_ONCE {
                        self.look_at(next.ok_or(End::Gone)?, &log).await?;
                        if !self.may_go_on() {
                            break;
                        }
                        let Some(ready) = events.next().now_or_never() else {
                            break;
                        };
                        next = ready;
                    }
                }
                () = &mut alarm => {
                    self.on_time(&log).await?;
                    alarm.as_mut().reset(self.next_alarm());
                }
            }
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

    async fn on_time(&mut self, log: &Log) -> Result<(), End> {
        let now = Instant::now();
        if self.store.at.is_some_and(|at| at <= now) {
            self.store().await?;
        }
        if let Some(due) = self.talk.progress.held.due(now).filter(|_| self.may_send()) {
            self.send_again(due, log).await?;
        }
        if self.talk.heartbeat_at() <= now {
            self.beat()?;
        }
        Ok(())
    }

    /// Takes the contract that is in force now, where it is another one.
    async fn agree(&mut self) -> Result<(), End> {
        if self.sight.look_again(&self.admitted)? {
            let (terms, through) = (self.sight.terms(), self.talk.progress.considered());
            let disclosing = self.subscriptions.discloses(&terms, &self.name, through).await?;
            self.has_new_terms = true;
            let before = std::mem::replace(&mut self.disclosing, disclosing);
            // What is not closed now is presumed about by the next start.
            _ = timeout(AUDIT_PATIENCE, before.close()).await;
        }
        Ok(())
    }

    /// Sends a new event, unless it is not shown, or waits behind another one of its patient.
    async fn look_at(&mut self, stored: Stored, log: &Log) -> Result<(), End> {
        let sequence = stored.sequence;
        // What is kept back goes out later, and is written down now: the audit counts on the order of the log.
        let shown = self.shown(&stored, log).await?;
        let (Some(event), Subject::Patient(patient)) = (shown, &stored.subject) else {
            self.talk.progress.consider(sequence);
            return Ok(());
        };
        if self.talk.progress.held.keeps_back(*patient, sequence) {
            self.talk.progress.consider(sequence);
            return Ok(());
        }
        let after = self.talk.progress.send(sequence);
        self.deliver(Delivery {
            sequence,
            event,
            after: Some(after),
            redeliveries: 0,
            cursor: self.cursor(sequence),
        })
    }

    /// Sends an event again that the vendor refused, or that waited behind such a one.
    async fn send_again(&mut self, due: Due, log: &Log) -> Result<(), End> {
        let stored = log.at(due.sequence).await.map_err(|error| unreadable(&error))?;
        let stored = stored.ok_or_else(unread)?;
        // It is written down already, but for terms that are new since.
        let shown = match self.has_new_terms {
            true => self.shown(&stored, log).await?,
            false => self.sight.shown(&stored).await,
        };
        let Some(event) = shown else {
            self.talk.progress.held.forget(due);
            return Ok(());
        };
        self.talk.progress.held.sent_again(due);
        self.deliver(Delivery {
            sequence: due.sequence,
            event,
            after: None,
            redeliveries: due.refusals,
            cursor: self.cursor(self.talk.progress.considered()),
        })
    }

    /// The bytes of an event that may go out now, which is written down; none where there is nothing to be shown.
    async fn shown(&mut self, stored: &Stored, log: &Log) -> Result<Option<bytes::Bytes>, End> {
        loop {
            let Some(event) = self.sight.shown(stored).await else {
                return Ok(None);
            };
            match self.hand_over(stored, log).await? {
                Agreed::Still => return Ok(Some(event)),
                Agreed::PerhapsNot => self.agree().await?,
            }
        }
    }

    /// Hands an event over to the audit.
    async fn hand_over(&mut self, stored: &Stored, log: &Log) -> Result<Agreed, End> {
        let mut handing = pin!(timeout(AUDIT_PATIENCE, self.disclosing.event(stored)));
        let mut agreed = Agreed::Still;
        loop {
            tokio::select! {
                biased;
                handed = &mut handing => {
                    let handed = handed.unwrap_or(Err(AuditError::Busy));
                    handed.map_err(|error| not_audited(&error))?;
                    return Ok(agreed);
                }
                () = self.turn.ended.cancelled() => return Err(over(&self.subscriptions).into()),
                () = self.admitted.changed() => agreed = Agreed::PerhapsNot,
                request = self.talk.requests.message() => {
                    let request = request?.ok_or(End::Gone)?;
                    self.talk.heed(request, log).await?;
                }
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
        if let Some(position) = self.talk.progress.unstored() {
            self.subscriptions.positions.put(&self.key, position).await?;
            self.talk.progress.is_stored(position);
        }
        Ok(())
    }
}

/// Whether the contract is still the one under which something was looked at.
enum Agreed {
    Still,
    PerhapsNot,
}

/// Why a reader has to end.
fn over(subscriptions: &Subscriptions) -> Status {
    if subscriptions.shutdown.is_cancelled() {
        return stopping();
    }
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
