//! The lanes of one system: one for each patient whom there is something to tell about.

use super::{
    Breaker,
    attempt::{Attempt, Ended},
    parked::{Undeliverable, Why},
};
use crate::registry::Registry;
use archwire_core::{PatientId, Subject, SystemName};
use archwire_host::Connector;
use archwire_nats::{Bucket, SettleError, Work};
use rand::Rng as _;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    task::{JoinError, JoinSet},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// After that many attempts that left no better reason, a delivery is parked.
const MOST_ATTEMPTS: u32 = 12;
/// Pause after the first failed attempt; doubles, with as much again at random.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long the log keeps to itself what it was given back at a stop.
const GIVEN_BACK_FOR: Duration = Duration::from_millis(100);

/// Stands for a reason to look at a patient that is no event. No record of the log has this sequence.
const NO_EVENT: u64 = 0;

/// What all lanes of a system share.
pub(super) struct Shared {
    system: SystemName,
    connector: Arc<Connector>,
    registry: Arc<Registry>,
    parked: Bucket,
    breaker: Arc<Breaker>,
    permits: Semaphore,
}

/// Sequences of the events that wait for one patient. Emptied by the lane's job before each attempt.
type Waiting = Arc<Mutex<Vec<u64>>>;

/// A lane's patient, and the sequences of the events that are settled.
type Settled = (PatientId, Vec<u64>);

/// The lanes of one system.
pub(super) struct Lanes {
    shared: Arc<Shared>,
    waiting: HashMap<PatientId, Waiting>,
    held: HashMap<u64, Work>,
    jobs: JoinSet<Settled>,
    shutdown: CancellationToken,
}

impl Shared {
    pub(super) fn new(
        system: SystemName,
        connector: Arc<Connector>,
        registry: Arc<Registry>,
        parked: Bucket,
        breaker: Arc<Breaker>,
        at_a_time: usize,
    ) -> Self {
        Self {
            system,
            connector,
            registry,
            parked,
            breaker,
            permits: Semaphore::new(at_a_time),
        }
    }
}

impl Lanes {
    pub(super) fn new(shared: Shared, shutdown: CancellationToken) -> Self {
        let (waiting, held) = (HashMap::new(), HashMap::new());
        Self {
            shared: Arc::new(shared),
            waiting,
            held,
            jobs: JoinSet::new(),
            shutdown,
        }
    }

    /// How many events are held.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Puts an event into its patient's lane.
    pub(super) fn take(&mut self, work: Work) {
        let (Subject::Patient(patient) | Subject::Sighting(_, patient)) = work.stored.subject else {
            // The queue hands out events of patients only.
            return;
        };
        let sequence = work.stored.sequence;
        self.held.insert(sequence, work);
        self.wait_in_lane(patient, sequence);
    }

    /// Looks at a patient without an event that says so, unless that is being done already.
    pub(super) fn look_at(&mut self, patient: PatientId) {
        self.wait_in_lane(patient, NO_EVENT);
    }

    fn wait_in_lane(&mut self, patient: PatientId, sequence: u64) {
        if let Some(waiting) = self.waiting.get(&patient) {
            waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(sequence);
        } else {
            let waiting = Waiting::new(Mutex::new(vec![sequence]));
            self.waiting.insert(patient, Arc::clone(&waiting));
            self.start(patient, waiting);
        }
    }

    fn start(&mut self, patient: PatientId, waiting: Waiting) {
        let (shared, shutdown) = (Arc::clone(&self.shared), self.shutdown.clone());
        self.jobs
            .spawn(async move { (patient, lane(&shared, patient, &waiting, &shutdown).await) });
    }

    /// The next lane whose job ended; `None` when no job runs.
    pub(super) async fn next_ended(&mut self) -> Option<Result<Settled, JoinError>> {
        self.jobs.join_next().await
    }

    /// Acknowledges what a lane's job settled, and starts it again when more has come.
    pub(super) async fn ended(&mut self, ended: Result<Settled, JoinError>) {
        let Ok((patient, settled)) = ended else {
            tracing::error!(system = %self.shared.system, "a delivery crashed; its events come again after a restart");
            return;
        };
        for sequence in settled {
            if let Some(work) = self.held.remove(&sequence) {
                self.heed(work.ack().await);
            }
        }
        let Some(waiting) = self.waiting.get(&patient).cloned() else {
            return;
        };
        let is_empty = waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if is_empty || self.shutdown.is_cancelled() {
            self.waiting.remove(&patient);
        } else {
            self.start(patient, waiting);
        }
    }

    /// Gives the log back what is not settled, for the next start.
    pub(super) async fn give_back(&mut self) {
        for (_, work) in mem::take(&mut self.held) {
            self.heed(work.nak(GIVEN_BACK_FOR).await);
        }
    }

    /// Tells the log that what is held is not forgotten.
    pub(super) async fn give_signs_of_life(&self) {
        for work in self.held.values() {
            self.heed(work.in_progress().await);
        }
    }

    /// What the log did not hear it hands out again, which costs a look at the log and no second delivery.
    fn heed(&self, heard: Result<(), SettleError>) {
        if let Err(error) = heard {
            tracing::warn!(system = %self.shared.system, code = error.code(), "the log did not hear how an event ended");
        }
    }
}

/// Brings the system up to date with one patient, however often that takes. Returns what is settled by that.
async fn lane(
    shared: &Shared,
    patient: PatientId,
    waiting: &Waiting,
    shutdown: &CancellationToken,
) -> Vec<u64> {
    let Shared {
        system,
        registry,
        connector,
        breaker,
        permits,
        ..
    } = shared;
    let mut sequences = Vec::new();
    let mut attempts = 0;
    let mut recoveries = None;
    let mut pause = FIRST_PAUSE;
    loop {
        // The permit first: who waited for it has to find the breaker as the call before left it.
        let ready = async {
            let permit = permits.acquire().await;
            breaker.ready().await;
            permit
        };
        let permit = tokio::select! {
            () = shutdown.cancelled() => return Vec::new(),
            permit = ready => permit,
        };
        sequences.append(&mut mem::take(
            &mut *waiting.lock().unwrap_or_else(PoisonError::into_inner),
        ));
        let ended = Attempt {
            system,
            registry,
            connector,
            patient,
        }
        .run()
        .await;
        if let Ended::Pause(disposition) = &ended {
            breaker.heed(disposition);
        }
        drop(permit);
        let in_doubt = matches!(ended, Ended::Later(..));
        let (why, wait) = match ended {
            Ended::Done => return sequences,
            Ended::Pause(disposition) => {
                // Nobody's fault, and no attempt, unless the system answered others in between.
                let now = breaker.recoveries();
                attempts += u32::from(recoveries.replace(now).is_some_and(|before| before < now));
                if attempts < MOST_ATTEMPTS {
                    continue;
                }
                (Some(Why::of_reason(disposition.reason())), LONGEST_PAUSE)
            }
            Ended::Park(why) => (Some(why), LONGEST_PAUSE),
            Ended::Later(after, why) => {
                attempts += 1;
                tracing::warn!(%system, %patient, attempts, reason = why.code, "a delivery will be tried again");
                let jitter = rand::rng().random_range(Duration::ZERO..pause);
                let wait = after.unwrap_or_default().max(pause) + jitter;
                pause = (pause * 2).min(LONGEST_PAUSE);
                let why = (attempts >= MOST_ATTEMPTS).then_some(why);
                (why, wait)
            }
        };
        if let Some(why) = why
            && park(shared, patient, &sequences, attempts, &why, in_doubt).await
        {
            return sequences;
        }
        tokio::select! {
            () = shutdown.cancelled() => return Vec::new(),
            () = sleep(wait) => {}
        }
    }
}

/// Parks what waits for the patient. Tells whether that is stored.
async fn park(
    shared: &Shared,
    patient: PatientId,
    sequences: &[u64],
    attempts: u32,
    why: &Why,
    in_doubt: bool,
) -> bool {
    let Shared {
        system,
        registry,
        connector,
        parked,
        ..
    } = shared;
    let connector_version = &connector.component().description().version;
    let undeliverable = Undeliverable {
        system,
        connector_version,
        patient,
        sequences,
        attempts,
        why,
    };
    // What is in doubt stays so: whoever tries again searches first.
    let abandoned = if in_doubt {
        Ok(())
    } else {
        registry.abandon(system, patient).await
    };
    let stored = match abandoned {
        Ok(()) => undeliverable.park(parked).await.map_err(|error| error.code()),
        Err(error) => Err(error.code()),
    };
    if let Err(code) = stored {
        tracing::error!(%system, %patient, code, "a delivery could not be parked; it will be tried again");
    }
    stored.is_ok()
}
