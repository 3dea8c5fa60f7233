//! Publishing: many callers, one stream, every caller waits for its own answer.
//!
//! Bounds: [`MAX_UNANSWERED`] observations on their way, [`MAX_OBSERVATION`] bytes each; the next caller waits for its
//! turn. A publisher owns one task, which ends when the last clone is dropped. Every call ends by the deadline.

mod driver;
mod error;
mod unanswered;

pub use error::{PublishError, Refusal};

use crate::{backoff::Backoff, client::Bus, error::ClientError, v1::Observation};
use driver::Driver;
use prost::Message as _;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;
use unanswered::Job;

/// Observations that one publisher may have on their way: the contract's limit for one stream.
pub const MAX_UNANSWERED: usize = 256;
/// The most bytes of one observation, serialised: a message of 1 MiB less its tag.
pub const MAX_OBSERVATION: usize = 1024 * 1024 - 32;

/// Publishes observations. Clones share one stream to the bus.
#[derive(Clone)]
pub struct Publisher {
    shared: Arc<Shared>,
}

struct Shared {
    jobs: mpsc::Sender<Job>,
    turns: Arc<Semaphore>,
    trouble: watch::Receiver<Option<ClientError>>,
    deadline: Duration,
    _driver: AbortOnDropHandle<()>,
}

/// What the bus made of an observation. It is stored and flushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It was news, and an event tells it.
    Recorded {
        /// The patient's id on the bus.
        patient_id: String,
        /// The event's revision of that patient.
        revision: u64,
        /// The event's place in the log.
        sequence: u64,
    },
    /// The bus knew all of it.
    Unchanged {
        /// The patient's id on the bus.
        patient_id: String,
        /// The patient's current revision.
        revision: u64,
    },
    /// Nothing was changed: a person of the practice decides first, because the record does not look like the patient to
    /// whom it belongs. It is kept as it is, and is taken when that person says so: there is nothing to send again, and an
    /// event tells what was decided.
    InReview {
        /// Number of the item that waits for a person: what to name when asking the practice about it.
        item: u64,
        /// The patient to whom the record belongs at present.
        patient_id: String,
    },
}

impl Receipt {
    /// The patient's id on the bus.
    #[must_use]
    pub fn patient_id(&self) -> &str {
        match self {
            Self::Recorded { patient_id, .. }
            | Self::Unchanged { patient_id, .. }
            | Self::InReview { patient_id, .. } => patient_id,
        }
    }

    /// The patient's revision that the record has become part of: of the event, or the current one. `None` while a person
    /// has to decide.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        match self {
            Self::Recorded { revision, .. } | Self::Unchanged { revision, .. } => Some(*revision),
            Self::InReview { .. } => None,
        }
    }
}

impl Publisher {
    pub(crate) fn start(bus: Bus, deadline: Duration) -> Self {
        let (jobs, queue) = mpsc::channel(MAX_UNANSWERED);
        let (told, trouble) = watch::channel(None);
        let driver = Driver::new(bus, queue, told, deadline);
        let shared = Shared {
            jobs,
            turns: Arc::new(Semaphore::new(MAX_UNANSWERED)),
            trouble,
            deadline,
            _driver: AbortOnDropHandle::new(tokio::spawn(driver.run())),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Publishes one observation and waits until the bus has stored its outcome. Connections that break and refusals
    /// that may pass are tried again until the publisher's deadline.
    ///
    /// A future that is dropped before it ends leaves open whether the observation was stored.
    ///
    /// # Errors
    /// See [`PublishError`]. After [`PublishError::Deadline`] the observation may have been stored; publishing it
    /// again is safe.
    pub async fn publish(&self, observation: Observation) -> Result<Receipt, PublishError> {
        let bytes = observation.encoded_len();
        if bytes > MAX_OBSERVATION {
            // On the stream it would be refused together with everything that shares the stream.
            return Err(PublishError::TooLarge { bytes });
        }
        let observation = Arc::new(observation);
        let deadline = Instant::now() + self.shared.deadline;
        let mut backoff = Backoff::default();
        loop {
            let refusal = match timeout_at(deadline, self.attempt(&observation)).await {
                Err(_) => return Err(self.given_up()),
                Ok(Err(PublishError::Refused(refusal))) if refusal.retryable => refusal,
                Ok(settled) => return settled,
            };
            let again = Instant::now() + backoff.fail();
            if again >= deadline {
                return Err(PublishError::Refused(refusal));
            }
            sleep_until(again).await;
        }
    }

    async fn attempt(&self, observation: &Arc<Observation>) -> Result<Receipt, PublishError> {
        let turn = Arc::clone(&self.shared.turns)
            .acquire_owned()
            .await
            .map_err(|_| PublishError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let job = Job {
            observation: Arc::clone(observation),
            reply,
            _turn: turn,
        };
        self.shared
            .jobs
            .send(job)
            .await
            .map_err(|_| PublishError::Stopped)?;
        answer.await.map_err(|_| PublishError::Stopped)?
    }

    fn given_up(&self) -> PublishError {
        let cause = self.shared.trouble.borrow().clone();
        PublishError::Deadline {
            after: self.shared.deadline,
            cause,
        }
    }
}
