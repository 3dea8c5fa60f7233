//! The job of one lane: brings the system up to date with one patient, however often that takes.
//!
//! Before each attempt it waits until the breaker lets calls through, and for a turn of the system's account. A lane that
//! waits costs a kilobyte or so; what an attempt needs is made when it begins.

use super::{
    Breaker, Permission, Purpose,
    attempt::{Attempt, Step},
    board::Board,
    ended::{Brought, Failure, Trouble},
    tries::{LONGEST_PAUSE, Next, Tries},
};
use crate::{
    failpoint::reach,
    parked::ParkedStore,
    registry::{ObserveError, Registry},
    telemetry::traces,
};
use archwire_core::{PatientId, SystemName, metric};
use archwire_host::Connector;
use archwire_nats::Work;
use futures_util::FutureExt as _;
use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

/// How long it may take to find out in which trace a lane stands. Where that takes longer, it has one of its own.
const LONGEST_PLACING: Duration = Duration::from_secs(1);

/// Before a lane asks again whether it may create a record.
const BETWEEN_GATES: Duration = Duration::from_millis(100);
/// How long the log keeps to itself the event of a patient who is put off.
const PUT_OFF_FOR: Duration = Duration::from_secs(300);

/// What all lanes of a system share.
pub(super) struct Shared {
    pub(super) system: SystemName,
    pub(super) connector: Arc<Connector>,
    pub(super) registry: Arc<Registry>,
    pub(super) parked: ParkedStore,
    pub(super) breaker: Arc<Breaker>,
    pub(super) board: Arc<Board>,
    pub(super) shutdown: CancellationToken,
}

/// How a lane comes to its attempt.
enum Begun<'a> {
    Permitted(Permission<'a>),
    /// It needs none.
    Idle(Brought),
}

/// How a lane's attempt ended.
enum Round {
    /// There is nothing left to do: something was brought, or not.
    Over(Brought),
    /// It is given up, which is stored.
    Parked,
    /// Creations in the system have to wait for a moment.
    Busy,
    /// Another attempt, after that time.
    Again(Duration),
}

impl Shared {
    /// Works a lane off until nothing is left, or until the broker stops.
    pub(super) async fn work_off(&self, patient: PatientId) {
        let (mut tries, mut brought) = (Tries::default(), Brought::Nothing);
        while !self.shutdown.is_cancelled() {
            self.board.wait(patient);
            let lane = self.board.span(patient);
            lane.record("system", self.system.as_str());
            self.place(patient, &lane).await;
            let since = self.board.look(patient);
            let round = match self.permitted(patient).await {
                Some(Begun::Idle(idle)) => Round::Over(idle),
                Some(Begun::Permitted(permission)) => {
                    let sequence = self.board.begin(patient);
                    // In a box, so that a lane that waits does not keep the room that an attempt needs.
                    let round = Box::pin(self.round(patient, sequence, permission, &mut tries));
                    round.instrument(lane.clone()).await
                }
                None => return,
            };
            // What was brought before a closing that failed has been brought.
            if let Round::Over(now) = round
                && now != Brought::Nothing
            {
                brought = now;
            }
            let closed = match round {
                Round::Busy if self.creations_go_on(patient).await => continue,
                Round::Busy => return,
                Round::Over(_) => {
                    let tidied = self.tidy(patient, brought).instrument(lane.clone()).await;
                    tidied.map(|()| brought.name())
                }
                Round::Parked => Ok("parked"),
                Round::Again(wait) => Err(wait),
            };
            match closed {
                Ok(outcome) => {
                    lane.record("outcome", outcome);
                    if !self.finish(patient, since).await {
                        return;
                    }
                    (tries, brought) = (Tries::default(), Brought::Nothing);
                }
                Err(wait) => {
                    if !self.back_off(patient, wait).await {
                        return;
                    }
                }
            }
        }
    }

    /// Waits without a turn until creations may go on. Tells whether the lane does.
    async fn creations_go_on(&self, patient: PatientId) -> bool {
        self.board.wait(patient);
        let go_on = async {
            sleep(BETWEEN_GATES).await;
            self.registry.creations_go_on(&self.system).await;
        };
        tokio::select! {
            () = self.shutdown.cancelled() => false,
            () = go_on => true,
        }
    }

    /// Waits before another attempt. Tells whether the lane goes on.
    async fn back_off(&self, patient: PatientId, wait: Duration) -> bool {
        if let Some(work) = self.board.back_off(patient) {
            if let Err(error) = work.nak(PUT_OFF_FOR).await {
                tracing::warn!(system = %self.system, code = error.code(), "the log was not given an event back");
            }
            return false;
        }
        tokio::select! {
            () = self.shutdown.cancelled() => return false,
            () = self.board.hurried(patient) => {}
            () = sleep(wait) => {}
        }
        true
    }

    /// Waits until the system may be called for a lane, unless there is nothing to call it for; `None` when the broker stops.
    /// Who need not wait finds that out in the attempt.
    async fn permitted(&self, patient: PatientId) -> Option<Begun<'_>> {
        if let Some(permission) = self.permission(patient).now_or_never() {
            return Some(Begun::Permitted(permission));
        }
        let attempt = self.attempt(patient, 0);
        if let Ok(Ok(Step::Over(brought))) = Box::pin(guarded(attempt.next())).await {
            return Some(Begun::Idle(brought));
        }
        self.board.wait(patient);
        tokio::select! {
            () = self.shutdown.cancelled() => None,
            permission = self.permission(patient) => Some(Begun::Permitted(permission)),
        }
    }

    fn attempt(&self, patient: PatientId, number: u32) -> Attempt<'_> {
        Attempt {
            system: &self.system,
            registry: &self.registry,
            connector: &self.connector,
            patient,
            event: self.board.event(patient),
            number,
        }
    }

    /// Has a lane that no event opened, after a start or because somebody asked, go on in the trace of the patient's newest
    /// one. Costs a look at the log, and only where traces are collected.
    async fn place(&self, patient: PatientId, lane: &Span) {
        if self.board.is_to_be_placed(patient)
            && let Ok(newest) = timeout(LONGEST_PLACING, self.registry.log().last(patient)).await
            && let Ok(Some(newest)) = newest
        {
            traces::continue_from(lane, newest.traceparent.as_deref());
        }
    }

    /// Waits until the system may be called for a lane, as urgently as it is meanwhile.
    async fn permission(&self, patient: PatientId) -> Permission<'_> {
        let account = self.connector.account();
        loop {
            let priority = self.board.priority(patient);
            tokio::select! {
                permission = Permission::obtain(&self.breaker, account, Purpose::Writing, priority) => return permission,
                () = self.board.more_urgent(patient, priority) => {}
            }
        }
    }

    /// One attempt, and what follows from it but for the waiting.
    async fn round(
        &self,
        patient: PatientId,
        sequence: u64,
        permission: Permission<'_>,
        tries: &mut Tries,
    ) -> Round {
        let system = &self.system;
        let attempt = self.attempt(patient, tries.number());
        let ended = guarded(attempt.run()).await.and_then(|ended| ended);
        permission.heed(self.connector.account(), &ended);
        let failure = match ended {
            Ok(brought) => {
                if brought == Brought::Written {
                    self.board.succeeded();
                }
                return Round::Over(brought);
            }
            Err(Failure::Ours(trouble)) if trouble.class == ObserveError::Busy.code() => return Round::Busy,
            Err(failure) => failure,
        };
        let readings = self.breaker.readings_of(&self.connector);
        let attempts = tries.number();
        match tries.after(failure, self.board.failed(patient, readings)) {
            Next::Again(wait, trouble) => {
                count(system, &trouble);
                tracing::warn!(%system, %patient, attempts, reason = trouble.why.code, "a delivery will be tried again");
                Round::Again(wait)
            }
            Next::Park(trouble) => {
                count(system, &trouble);
                match self.park(patient, sequence, attempts, &trouble).await {
                    Ok(()) => {
                        traces::failed(&Span::current(), trouble.class);
                        Round::Parked
                    }
                    Err(code) => {
                        tracing::error!(%system, %patient, code, "a delivery could not be parked; it will be tried again");
                        Round::Again(LONGEST_PAUSE)
                    }
                }
            }
        }
    }

    /// Closes the lane's round: settles its event. Tells whether the lane goes on.
    async fn finish(&self, patient: PatientId, since: Option<SystemTime>) -> bool {
        let age = since.and_then(|since| since.elapsed().ok()).unwrap_or_default();
        let (settled, goes_on) = self.board.finish(patient);
        if let Some(work) = settled {
            metrics::histogram!(metric::DELIVERY_SECONDS, "system" => self.system.to_string()).record(age);
            self.acknowledge(&work).await;
        }
        goes_on
    }

    /// Settles an event. What the log did not hear it hands out again, which costs a look at the log and no second
    /// delivery.
    pub(super) async fn acknowledge(&self, work: &Work) {
        if let Err(error) = work.ack().await {
            tracing::warn!(system = %self.system, code = error.code(), "the log did not hear how an event ended");
        }
        reach("acked");
    }
}

/// Counts a failed attempt.
pub(super) fn count(system: &SystemName, trouble: &Trouble) {
    let (system, code) = (system.to_string(), trouble.class);
    metrics::counter!(metric::ATTEMPTS_FAILED, "system" => system, "code" => code).increment(1);
}

/// What crashes has failed, as an attempt may: it is made again, and then parked.
pub(super) async fn guarded<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| {
        tracing::error!("a delivery crashed");
        Failure::Defect(Trouble::of_code("delivery_crashed"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::tries::Lately;

    #[tokio::test]
    async fn an_attempt_that_crashes_is_made_again_and_then_parked() {
        let (mut tries, mut lately) = (Tries::default(), Lately::default());
        let patient = PatientId::generate();
        for attempt in 1.. {
            let crash = async { panic!("as if something were wrong with the broker") };
            let ended = guarded::<Failure>(crash).await.expect_err("it crashed");
            match tries.after(ended, lately.failed(patient, None)) {
                Next::Again(..) => {}
                Next::Park(trouble) => {
                    assert_eq!((attempt, trouble.class), (12, "delivery_crashed"));
                    return;
                }
            }
        }
    }
}
