//! One reader of one subscription, from its opening until it ends.
//!
//! Whatever the reader waits for, its [`Line`] goes on hearing and saying what cannot wait. Two things only are not left off when the
//! stream ends meanwhile: the storing of the position, and the end of an account of what was told (at most 10 s).

use super::{
    AUDIT_PATIENCE, Subscriptions,
    held::Due,
    line::{End, Line},
    sight::Sight,
    storing::Storing,
    talk::unread,
    witness::Witness,
};
use crate::{
    api::status::{not_audited, unreadable},
    audit::{AuditError, Disclosing},
};
use archwire_core::Subject;
use archwire_nats::{Filter, Log, Stored};
use archwire_proto::v1::{Again, delivery};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use std::{convert::Infallible, pin::pin, sync::Arc};
use tokio::{
    select,
    time::{Instant, sleep_until, timeout},
};

/// Events that are sent before anything else is looked after.
const AT_ONCE: usize = 32;

/// One reader of one subscription.
pub(super) struct Reader {
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) name: String,
    pub(super) line: Line,
    pub(super) sight: Sight,
    pub(super) disclosing: Disclosing,
    pub(super) store: Storing,
    /// Whether the contract has changed since the stream began.
    pub(super) has_new_terms: bool,
}

/// What comes of looking at an event.
enum Looked {
    Shown(Bytes),
    Hidden,
    /// The contract is perhaps another one by now: it has to be looked at again.
    Again,
}

impl Reader {
    pub(super) async fn run(mut self) {
        let Err(end) = self.serve().await;
        let witness = self.line.witness;
        self.store.finish(&mut self.line.talk.progress, witness).await;
        let end = match end {
            End::Forgotten => {
                let forgotten = self.store.forget(self.line.admitted.vendor()).await;
                forgotten.map_or_else(End::Refused, |()| End::Gone)
            }
            end => end,
        };
        self.line.turn.is_over();
        // The vendor hears that it is over, whatever the audit waits for.
        match end {
            End::Refused(refusal) => self.line.outgoing.refuse(refusal),
            End::Gone | End::Forgotten => drop(self.line.outgoing),
        }
        // What is not closed now is presumed about by the next start.
        _ = timeout(AUDIT_PATIENCE, self.disclosing.close()).await;
    }

    async fn serve(&mut self) -> Result<Infallible, End> {
        let log = self.subscriptions.registry.log().clone();
        let mut events = pin!(log.follow(self.line.talk.progress.sent(), Filter::Events));
        let mut ended = pin!(self.line.turn.ended.clone().cancelled_owned());
        let mut alarm = pin!(sleep_until(self.next_alarm()));
        loop {
            self.store.plan(&self.line.talk.progress);
            let next_alarm = self.next_alarm();
            if next_alarm < alarm.deadline() {
                alarm.as_mut().reset(next_alarm);
            }
            // Events come last: as long as they are there at once, nothing behind them would have its turn.
            let looked = select! {
                biased;
                () = &mut ended => return Err(self.line.over()),
                () = self.line.outgoing.gone() => return Err(End::Gone),
                () = self.line.admitted.changed() => {
                    self.line.is_told_of_terms = true;
                    Looked::Hidden
                }
                request = self.line.talk.requests.message() => {
                    self.line.heed(request?)?;
                    Looked::Hidden
                }
                stored = self.store.done() => {
                    self.line.talk.progress.is_stored(stored?);
                    Looked::Hidden
                }
                () = &mut alarm => {
                    self.on_time(&log).await?;
                    alarm.as_mut().reset(self.next_alarm());
                    Looked::Hidden
                }
                room = self.line.outgoing.has_room(), if self.line.outgoing.is_full() => {
                    room?;
                    Looked::Hidden
                }
                event = events.next(), if self.line.may_go_on() => {
                    let mut next = event;
                    let mut looked = self.look_at(next.ok_or(End::Gone)?).await?;
                    for _ in 1..AT_ONCE {
                        if matches!(looked, Looked::Again) || !self.line.may_go_on() {
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
            let agreed_anew = match self.line.may_have_new_terms() {
                true => self.agree().await?,
                false => false,
            };
            // The event that was looked at is to be looked at again, and so is what has not left the bus.
            if agreed_anew || matches!(looked, Looked::Again) {
                events.set(log.follow(self.line.talk.progress.considered(), Filter::Events));
            }
        }
    }

    /// When something has to be done that nobody asks for.
    fn next_alarm(&self) -> Instant {
        let due = self.line.talk.progress.held.next_due();
        let times = [self.store.at(), due.filter(|_| self.line.may_send())];
        let heartbeat = self.line.talk.heartbeat_at();
        times.into_iter().flatten().fold(heartbeat, Instant::min)
    }

    async fn on_time(&mut self, log: &Log) -> Result<(), End> {
        let now = Instant::now();
        if self.store.at().is_some_and(|at| at <= now) {
            self.store.begin(&self.line.talk.progress, self.line.witness);
        }
        if self.line.talk.heartbeat_at() <= now {
            self.line.beat()?;
        }
        match self
            .line
            .talk
            .progress
            .held
            .due(now)
            .filter(|_| self.line.may_send())
        {
            Some(due) => self.send_again(due, log).await,
            None => Ok(()),
        }
    }

    /// Takes the contract that is in force now, and tells whether it is another one. Then what has not left the bus is looked at again.
    async fn agree(&mut self) -> Result<bool, End> {
        self.line.looks_at_terms().await;
        if !self.sight.look_again(&self.line.admitted)? {
            return Ok(false);
        }
        self.line.take_back();
        let (terms, through) = (self.sight.terms(), self.line.talk.progress.considered());
        let disclosing = self.subscriptions.discloses(&terms, &self.name, through);
        let disclosing = self.line.hearing(disclosing).await??;
        self.has_new_terms = true;
        let before = std::mem::replace(&mut self.disclosing, disclosing);
        // What is not closed now is presumed about by the next start.
        let mut closing = pin!(timeout(AUDIT_PATIENCE, before.close()));
        if let Err(end) = self.line.hearing(&mut closing).await {
            _ = closing.await;
            return Err(end);
        }
        Ok(true)
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
        self.line.witness = Some(Witness::of(&stored));
        let held = &mut self.line.talk.progress.held;
        let event = event.filter(|(_, patient)| !held.keeps_back(*patient, sequence));
        let Some((event, patient)) = event else {
            self.line.talk.progress.consider(sequence);
            return Ok(Looked::Hidden);
        };
        let after = self.line.talk.progress.send(sequence, patient);
        self.line
            .deliver(sequence, event, delivery::Turn::After(after), sequence)?;
        Ok(Looked::Hidden)
    }

    /// Sends an event again that the vendor refused, or that waited behind such a one, unless its contract or its patient's turn has
    /// become another one meanwhile: then its turn comes later.
    async fn send_again(&mut self, due: Due, log: &Log) -> Result<(), End> {
        let stored = self.line.hearing(log.at(due.sequence)).await?;
        let stored = stored.map_err(|error| unreadable(&error))?.ok_or_else(unread)?;
        // It is written down already, but for terms that are new since.
        let shown = match self.has_new_terms {
            true => self.shown(&stored).await?,
            false => self.looked(&stored).await?,
        };
        // The vendor may have refused an earlier one of the patient meanwhile.
        if !self.line.talk.progress.held.is_due(due, Instant::now()) {
            return Ok(());
        }
        let event = match shown {
            Looked::Again => return Ok(()),
            Looked::Hidden => {
                self.line.talk.progress.held.forget(due);
                return Ok(());
            }
            Looked::Shown(event) => event,
        };
        self.line.talk.progress.send_again(due);
        let turn = delivery::Turn::Again(Again {
            refusals: due.refusals,
        });
        let place = self.line.talk.progress.considered();
        self.line.deliver(due.sequence, event, turn, place)
    }

    /// What is shown of an event, under the contract of this moment.
    async fn looked(&mut self, stored: &Stored) -> Result<Looked, End> {
        let shown = self.line.hearing(self.sight.shown(stored)).await??;
        Ok(match shown {
            _ if self.line.may_have_new_terms() => Looked::Again,
            Some(event) => Looked::Shown(event),
            None => Looked::Hidden,
        })
    }

    /// The same of one that may go out then, which is written down.
    async fn shown(&mut self, stored: &Stored) -> Result<Looked, End> {
        let looked = self.looked(stored).await?;
        if matches!(looked, Looked::Shown(_)) {
            let handing = timeout(AUDIT_PATIENCE, self.disclosing.event(stored));
            let handed = self.line.hearing(handing).await?;
            let handed = handed.unwrap_or(Err(AuditError::Busy));
            handed.map_err(|error| not_audited(&error))?;
        }
        match self.line.may_have_new_terms() {
            true => Ok(Looked::Again),
            false => Ok(looked),
        }
    }
}
