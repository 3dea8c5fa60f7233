//! Which of a practice's brokers writes: a lease that expires, and a fence that does not.
//!
//! The lease is a key in a bucket of its own, whose value the server forgets after `ttl` unless the holder renews it. Who
//! gets it appends a record to the log's writer subject; the sequence of that record is the fence. The lease decides who
//! *may try*; the fence decides whose appends are taken ([`Expected::Writer`](crate::Expected::Writer)), so that a broker that was frozen and
//! believes itself the holder cannot append any more. Losing the key alone ends nothing: a holder that NATS was away
//! from takes it again and goes on, as long as nobody else's writer record stands in the log.
//!
//! Figures: a holder that dies is succeeded `ttl` after its last renewal and at most half a second later, so about 6 s
//! with the usual settings; one that releases the lease, or comes back under its own name, within moments.

mod error;
mod key;
mod standing;
mod taking;

pub use error::{LeaseError, LeaseLost};
pub use standing::LeaseStanding;

use crate::{Cause, Log};
use key::{Key, Taking};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};

/// How often one that waits for the lease looks; also the pause after trouble.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
const LONGEST_HOLDER: usize = 64;
const LONGEST_TTL: Duration = Duration::from_secs(60);

/// How long a lease lasts and how often it is renewed. The same for all brokers of a practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseConfig {
    /// After how long without renewal the lease is free: at most 60 s.
    pub ttl: Duration,
    /// How often the holder renews it: at most every half of `ttl`.
    pub renew_every: Duration,
}

impl Default for LeaseConfig {
    /// 5 s, renewed every 1.5 s.
    fn default() -> Self {
        let (ttl, renew_every) = (Duration::from_secs(5), Duration::from_millis(1500));
        Self { ttl, renew_every }
    }
}

/// The sequence of the record by which a broker became the writer of the log: what its appends are guarded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(u64);

impl Fence {
    /// The sequence.
    #[must_use]
    pub const fn sequence(self) -> u64 {
        self.0
    }
}

/// The lease of a practice, held. Dropping it lets it expire; [`Lease::release`] hands it on at once.
pub struct Lease {
    log: Log,
    key: Key,
    config: LeaseConfig,
    fence: Fence,
    /// The key's revision as of the last renewal; `None` while it is not known to be ours.
    revision: Option<u64>,
    next_renewal: Instant,
    /// When it was renewed last.
    renewed: watch::Sender<Instant>,
    /// So that trouble that lasts is told once.
    in_trouble: bool,
}

impl Lease {
    /// What this broker's appends are guarded by.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// Keeps the lease until it is lost: until somebody else has become the writer. A server that is away, for however
    /// long, is waited for.
    ///
    /// May be dropped and called again.
    pub async fn keep(&mut self) -> LeaseLost {
        loop {
            tokio::time::sleep_until(self.next_renewal).await;
            let connection = self.log.inner.records.connection.clone();
            connection.connected().await;
            let mut wire = connection.wire();
            // What is asked of a server that is lost, or hangs, must not cost the lease.
            let renewed = tokio::select! {
                renewed = tokio::time::timeout(self.config.ttl / 2, self.renew()) => renewed,
                () = wire.made_anew() => continue,
            };
            let pause = match renewed.unwrap_or_else(|elapsed| Err(Cause::new(elapsed))) {
                Ok(Renewal::Kept) => {
                    self.in_trouble = false;
                    self.renewed.send_replace(Instant::now());
                    self.config.renew_every
                }
                Ok(Renewal::Lost(lost)) => return lost,
                Ok(Renewal::Wanting(by)) => {
                    self.trouble(&format!("{by} holds it"));
                    BETWEEN_LOOKS
                }
                Err(cause) => {
                    self.trouble(&cause.to_string());
                    BETWEEN_LOOKS
                }
            };
            self.next_renewal = Instant::now() + pause;
        }
    }

    /// Gives the lease back, so that another broker has it at once. When that fails it expires.
    ///
    /// Appends that are still guarded by its fence go on being taken until there is another writer.
    pub async fn release(self) {
        if let Err(cause) = self.key.give_back().await {
            tracing::warn!(%cause, "the lease is not given back and has to expire");
        }
    }

    async fn renew(&mut self) -> Result<Renewal, Cause> {
        if let Some((sequence, holder)) = self.log.last_writer().await?
            && sequence > self.fence.sequence()
        {
            let holder = holder.unwrap_or_else(|| "unknown".to_owned());
            return Ok(Renewal::Lost(LeaseLost { holder }));
        }
        if let Some(revision) = self.revision.take() {
            self.revision = self.key.write(revision).await?;
        }
        if self.revision.is_some() {
            return Ok(Renewal::Kept);
        }
        // It expired while the server was away, or an answer of it went astray.
        match self.key.take().await? {
            Taking::Taken(revision) => {
                self.revision = Some(revision);
                Ok(Renewal::Kept)
            }
            Taking::Held(by) => Ok(Renewal::Wanting(by)),
            Taking::Raced => Ok(Renewal::Wanting("somebody else".to_owned())),
        }
    }

    fn trouble(&mut self, cause: &str) {
        if !self.in_trouble {
            tracing::warn!(cause, "the lease cannot be renewed now; trying again");
        }
        self.in_trouble = true;
    }
}

/// How a renewal ended.
enum Renewal {
    Kept,
    /// There is another writer.
    Lost(LeaseLost),
    /// This broker is still the writer, but another one has the key.
    Wanting(String),
}
