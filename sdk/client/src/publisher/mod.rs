//! Publishing: many callers, one stream, every caller waits for its own answer.
//!
//! Each observation goes with a key, and with the same one when it is sent again, so that it counts once whatever was published
//! after it. Of one record the next observation is sent when the one before has its answer: what is refused for now and tried again
//! would otherwise come after a newer one.
//!
//! Bounds: [`MAX_UNANSWERED`] observations on their way, [`MAX_OBSERVATION`] bytes each; the next caller waits for its
//! turn. A publisher owns one task, which ends when the last clone is dropped. Every call ends by the deadline.

mod driver;
mod error;
mod records;
mod unanswered;

pub use error::{PublishError, Refusal};

use crate::{
    backoff::Backoff,
    client::Bus,
    error::ClientError,
    v1::{Observation, PublishRequest},
};
use driver::Driver;
use prost::Message as _;
use records::Records;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;
use unanswered::Job;
use uuid::Uuid;

/// Observations that one publisher may have on their way: the contract's limit for one stream.
pub const MAX_UNANSWERED: usize = 256;
/// The most bytes of one observation, serialised: a message of 1 MiB less its tag and its key.
pub const MAX_OBSERVATION: usize = 1024 * 1024 - 128;
/// The most characters of a key.
const MAX_KEY: usize = 64;

/// Publishes observations. Clones share one stream to the bus.
#[derive(Clone)]
pub struct Publisher {
    shared: Arc<Shared>,
}

struct Shared {
    jobs: mpsc::Sender<Job>,
    turns: Arc<Semaphore>,
    records: Records,
    trouble: watch::Receiver<Option<ClientError>>,
    deadline: Duration,
    _driver: AbortOnDropHandle<()>,
}

/// The answer to an observation that was published under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What the bus made of it, now or when it came first.
    pub receipt: Receipt,
    /// Whether the bus had taken it before: by an earlier run of the program, or by an attempt whose answer was lost.
    pub is_duplicate: bool,
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
            records: Records::default(),
            trouble,
            deadline,
            _driver: AbortOnDropHandle::new(tokio::spawn(driver.run())),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Publishes one observation and waits until the bus has stored its outcome. Connections that break and refusals
    /// that may pass are tried again until the publisher's deadline, under one key: it counts once. Observations of one record
    /// are taken in the order in which this is first polled.
    ///
    /// A future that is dropped before it ends leaves open whether the observation was stored.
    ///
    /// # Errors
    /// See [`PublishError`]. After [`PublishError::Deadline`] the observation may have been stored. Publishing it again is safe as
    /// long as nothing else was published of the same record; for more, see [`Publisher::publish_as`].
    pub async fn publish(&self, observation: Observation) -> Result<Receipt, PublishError> {
        let key = Uuid::now_v7().to_string();
        let answer = self.publish_as(&key, observation).await?;
        Ok(answer.receipt)
    }

    /// The same under a key of the program's own, such as the id of the row in which it keeps what it is to publish: what is
    /// published again after a deadline, or after a restart of the program, is known by it. 1 to 64 visible ASCII
    /// characters; the bus remembers a vendor's last 10,000.
    ///
    /// # Errors
    /// As [`Publisher::publish`]; also `idempotency_key_invalid`, and `idempotency_key_reused` when the key came with another
    /// record or another state of it before.
    pub async fn publish_as(&self, key: &str, observation: Observation) -> Result<Published, PublishError> {
        if key.len() > MAX_KEY {
            return Err(PublishError::KeyTooLong);
        }
        let bytes = observation.encoded_len();
        if bytes > MAX_OBSERVATION {
            // On the stream it would be refused together with everything that shares the stream.
            return Err(PublishError::TooLarge { bytes });
        }
        let deadline = Instant::now() + self.shared.deadline;
        let in_turn = self.shared.records.turn(&observation.local_id);
        let Ok(_in_turn) = timeout_at(deadline, in_turn).await else {
            return Err(self.given_up());
        };
        let request = Arc::new(PublishRequest {
            tag: 0,
            observation: Some(observation),
            idempotency_key: Some(key.to_owned()),
        });
        let mut backoff = Backoff::default();
        loop {
            let refusal = match timeout_at(deadline, self.attempt(&request)).await {
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

    async fn attempt(&self, request: &Arc<PublishRequest>) -> Result<Published, PublishError> {
        let turn = Arc::clone(&self.shared.turns)
            .acquire_owned()
            .await
            .map_err(|_| PublishError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let job = Job {
            request: Arc::clone(request),
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
