//! Follows the log behind it, and hands to the audit what follows from it.
//!
//! How far it has come stands in the blocks, beside what follows from the log up to there, so that a kill at any place repeats and
//! leaves out nothing. The audit lags behind the log by the time of one block, a tenth of a second; whoever shows it waits for
//! that, at most [`PATIENCE`].

use super::{Audit, AuditError, derive::derive, writer::Later};
use archwire_nats::{Filter, Log};
use futures_util::StreamExt as _;
use std::{pin::pin, sync::atomic::Ordering, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long whoever shows the audit waits for it to have caught up with the log.
const PATIENCE: Duration = Duration::from_secs(5);

impl Audit {
    /// Follows the log until `shutdown`, or until the audit is closed.
    pub async fn follow(self, log: Log, shutdown: CancellationToken) {
        self.0.is_following.store(true, Ordering::Relaxed);
        let after = *self.0.passed.borrow();
        let mut records = pin!(log.follow(after, Filter::Everything));
        loop {
            let stored = tokio::select! {
                () = shutdown.cancelled() => break,
                stored = records.next() => stored,
            };
            let Some(stored) = stored else { break };
            let later = Later::Derived {
                sequence: stored.sequence,
                record: derive(&stored).map(|record| Box::new(self.with_vendor(record))),
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                handed_over = self.hand_over(later) => if handed_over.is_err() { break },
            }
        }
        self.0.is_following.store(false, Ordering::Relaxed);
    }

    /// Up to which place the log is in the audit.
    #[must_use]
    pub fn passed(&self) -> u64 {
        *self.0.passed.borrow()
    }

    /// Waits until what is in the log by now is in the audit, and what was handed over before; not for longer than 5 s.
    ///
    /// # Errors
    /// When the log's end cannot be found out, or nothing is stored.
    pub async fn caught_up(&self, log: &Log) -> Result<(), AuditError> {
        let last = log.last_sequence().await.map_err(AuditError::read)?;
        if self.0.is_following.load(Ordering::Relaxed) {
            let mut passed = self.0.passed.clone();
            let waiting = passed.wait_for(|passed| *passed >= last);
            if timeout(PATIENCE, waiting).await.is_err() {
                tracing::warn!(last, "the audit is still behind the log");
            }
        }
        self.settle().await
    }
}
