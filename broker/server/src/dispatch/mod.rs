//! Brings events to the systems of the practice: hops 6 to 8 of the way of a change.
//!
//! One dispatcher per system reads the log through a durable consumer. Each patient has a lane: its events go in order,
//! what waits is brought in one go, and patients do not wait for each other. At most [`MOST_HELD`] events are held at a
//! time; the rest waits in the log. An event is acknowledged after the system showed its state back, or after it was
//! parked with its reason, so that a restart repeats what was not finished.

mod attempt;
mod breaker;
mod item;
mod parked;

pub use breaker::Breaker;

use crate::registry::Registry;
use archwire_core::{PatientId, SystemName};
use archwire_host::Connector;
use archwire_nats::{Bucket, Deliveries, SettleError, Work};
use attempt::{Attempt, Ended};
use item::{Batch, Item};
use parked::{Undeliverable, Why};
use rand::Rng as _;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{interval, sleep},
};
use tokio_util::sync::CancellationToken;

/// Most events held by one dispatcher.
pub const MOST_HELD: usize = 256;
/// How long the log waits for a sign of life of an event that is held.
pub const ACK_WAIT: Duration = Duration::from_secs(30);
/// After that many attempts that left no better reason, a delivery is parked.
const MOST_ATTEMPTS: u32 = 12;
/// Pause after the first failed attempt; doubles, with as much again at random.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Brings events to one system.
pub struct Dispatcher {
    /// The system's name.
    pub system: SystemName,
    /// Its connector.
    pub connector: Arc<Connector>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// What waits in the log.
    pub deliveries: Deliveries,
    /// Where what cannot be delivered is kept.
    pub parked: Bucket,
    /// Whether the system may be called.
    pub breaker: Arc<Breaker>,
    /// Most deliveries to the system at a time.
    pub at_a_time: usize,
}

/// What of the dispatcher a lane needs.
struct Shared {
    system: SystemName,
    connector: Arc<Connector>,
    registry: Arc<Registry>,
    parked: Bucket,
    breaker: Arc<Breaker>,
    permits: Semaphore,
}

/// What waits for one patient. Emptied by the lane's job before each attempt.
type Waiting = Arc<Mutex<Vec<Item>>>;

impl Dispatcher {
    /// Runs until `shutdown`, and then until what is being written is settled. What is not begun stays in the log.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self {
            system,
            connector,
            registry,
            mut deliveries,
            parked,
            breaker,
            at_a_time,
        } = self;
        let permits = Semaphore::new(at_a_time);
        let shared = Arc::new(Shared {
            system,
            connector,
            registry,
            parked,
            breaker,
            permits,
        });
        let mut lanes = Lanes {
            shared: Arc::clone(&shared),
            waiting: HashMap::new(),
            held: HashMap::new(),
            jobs: JoinSet::new(),
            shutdown: shutdown.clone(),
        };
        let mut signs_of_life = interval(ACK_WAIT / 3);
        let watch = shared.breaker.watch_over(&shared.connector);
        tokio::pin!(watch);
        while !shutdown.is_cancelled() {
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = &mut watch => break,
                Some(ended) = lanes.jobs.join_next() => lanes.ended(ended.ok()).await,
                _ = signs_of_life.tick() => lanes.give_signs_of_life().await,
                work = deliveries.next(), if lanes.held.len() < MOST_HELD => match work {
                    Ok(work) => lanes.take(work).await,
                    // The consumer is made anew by the next call; what was handed out comes again.
                    Err(error) => {
                        tracing::warn!(system = %shared.system, code = error.code(), "the log could not be read; trying again");
                        sleep(FIRST_PAUSE).await;
                    }
                },
            }
        }
        while let Some(ended) = lanes.jobs.join_next().await {
            lanes.ended(ended.ok()).await;
        }
    }
}

/// The lanes of one system.
struct Lanes {
    shared: Arc<Shared>,
    waiting: HashMap<PatientId, Waiting>,
    held: HashMap<u64, Work>,
    jobs: JoinSet<(PatientId, Vec<u64>)>,
    shutdown: CancellationToken,
}

impl Lanes {
    /// Puts an event into its patient's lane.
    async fn take(&mut self, work: Work) {
        let item = match Item::read(&work.stored) {
            Ok(item) => item,
            Err(error) => {
                // A newer broker wrote it. It is neither skipped nor in the way: it comes again.
                tracing::error!(system = %self.shared.system, sequence = work.stored.sequence, %error, "an event cannot be read");
                self.heed(work.nak(LONGEST_PAUSE).await);
                return;
            }
        };
        self.held.insert(item.sequence, work);
        let patient = item.patient;
        let waiting = self.waiting.get(&patient).cloned();
        let is_new = waiting.is_none();
        let waiting = waiting.unwrap_or_default();
        waiting.lock().unwrap_or_else(PoisonError::into_inner).push(item);
        if is_new {
            self.waiting.insert(patient, Arc::clone(&waiting));
            self.start(patient, waiting);
        }
    }

    fn start(&mut self, patient: PatientId, waiting: Waiting) {
        let shared = Arc::clone(&self.shared);
        let shutdown = self.shutdown.clone();
        self.jobs
            .spawn(async move { (patient, lane(&shared, patient, &waiting, &shutdown).await) });
    }

    /// A lane's job ended: forgets what it settled, and starts it again when more has come.
    async fn ended(&mut self, ended: Option<(PatientId, Vec<u64>)>) {
        let Some((patient, settled)) = ended else {
            tracing::error!(system = %self.shared.system, "a delivery ended in a panic; its events come again after the restart");
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

    async fn give_signs_of_life(&self) {
        for work in self.held.values() {
            self.heed(work.in_progress().await);
        }
    }

    /// What the log did not hear it hands out again, which costs a look at the registry and no second delivery.
    fn heed(&self, heard: Result<(), SettleError>) {
        if let Err(error) = heard {
            tracing::warn!(system = %self.shared.system, code = error.code(), "the log did not hear how an event ended");
        }
    }
}

/// Brings one patient's events to the system, however often that takes. Returns what is settled.
async fn lane(
    shared: &Shared,
    patient: PatientId,
    waiting: &Waiting,
    shutdown: &CancellationToken,
) -> Vec<u64> {
    let mut batch = Batch::default();
    let mut attempts = 0;
    let mut pause = FIRST_PAUSE;
    loop {
        let ready = async {
            shared.breaker.ready().await;
            shared.permits.acquire().await
        };
        let permit = tokio::select! {
            () = shutdown.cancelled() => return Vec::new(),
            permit = ready => permit,
        };
        batch.0.append(&mut mem::take(
            &mut *waiting.lock().unwrap_or_else(PoisonError::into_inner),
        ));
        attempts += 1;
        let Shared {
            system,
            registry,
            connector,
            ..
        } = shared;
        let ended = Attempt {
            system,
            registry,
            connector,
            patient,
            batch: &batch,
        }
        .run()
        .await;
        drop(permit);
        let wait = match ended {
            Ended::Done => return settled(&batch),
            Ended::Pause(disposition) => {
                shared.breaker.heed(&disposition);
                continue;
            }
            Ended::Later(_, code) if attempts >= MOST_ATTEMPTS => {
                if park(shared, patient, &batch, attempts, &Why::of_code(code)).await {
                    return settled(&batch);
                }
                LONGEST_PAUSE
            }
            Ended::Park(why) => {
                if park(shared, patient, &batch, attempts, &why).await {
                    return settled(&batch);
                }
                LONGEST_PAUSE
            }
            Ended::Later(after, code) => {
                tracing::warn!(%system, %patient, attempts, reason = code, "a delivery will be tried again");
                pause = (pause * 2).min(LONGEST_PAUSE);
                after
                    .unwrap_or_default()
                    .max(pause + rand::rng().random_range(Duration::ZERO..pause))
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return Vec::new(),
            () = sleep(wait) => {}
        }
    }
}

fn settled(batch: &Batch) -> Vec<u64> {
    batch.0.iter().map(|item| item.sequence).collect()
}

/// Parks every event of the batch. Tells whether all are stored.
async fn park(shared: &Shared, patient: PatientId, batch: &Batch, attempts: u32, why: &Why) -> bool {
    if shared
        .registry
        .abandon_creation(&shared.system, patient)
        .await
        .is_err()
    {
        return false;
    }
    for item in &batch.0 {
        let undeliverable = Undeliverable {
            system: &shared.system,
            connector_version: &shared.connector.component().description().version,
            patient,
            revision: item.revision,
            sequence: item.sequence,
            attempts,
            why,
        };
        if let Err(error) = undeliverable.park(&shared.parked).await {
            tracing::error!(system = %shared.system, %patient, code = error.code(), "a delivery could not be parked; it will be tried again");
            return false;
        }
    }
    true
}
