//! Takes in what the writer before this one may still append.
//!
//! The fence keeps a deposed broker from everything but one thing: a change of a patient whom nobody else has changed since,
//! which is guarded by that patient's own last event. Such a broker may have been frozen for long. So the events behind the
//! fence are read again from time to time, and before each snapshot; this writer's own are known already and cost a look.

use super::{ObserveError, Registry};
use archwire_core::Subject;
use archwire_nats::{Filter, Stored};
use futures_util::StreamExt as _;
use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

/// How often events of others are looked for.
const EVERY: Duration = Duration::from_secs(10);

impl Registry {
    /// Looks for events of another writer until `shutdown`, where there can be one.
    pub async fn follow_others(self: Arc<Self>, shutdown: CancellationToken) {
        let mut look = interval(EVERY);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = look.tick() => {}
            }
            if let Err(error) = self.take_in_others().await {
                tracing::warn!(
                    code = error.code(),
                    "events of an earlier writer could not be looked for"
                );
            }
        }
    }

    /// Takes in events that this writer did not append.
    pub(super) async fn take_in_others(&self) -> Result<(), ObserveError> {
        if self.config.alone {
            return Ok(());
        }
        let from = self.followed.load(Ordering::Relaxed).saturating_add(1);
        let mut events = pin!(self.log.replay(from, Filter::Events));
        while let Some(stored) = events.next().await {
            let stored = stored.map_err(ObserveError::Read)?;
            if !self.is_known(&stored) {
                self.index().apply(&stored)?;
            }
            self.followed.fetch_max(stored.sequence, Ordering::Relaxed);
        }
        Ok(())
    }

    fn is_known(&self, stored: &Stored) -> bool {
        match &stored.subject {
            Subject::Patient(patient) => {
                let index = self.index();
                let entry = index.entry(*patient);
                entry.is_some_and(|entry| entry.sequence >= stored.sequence)
            }
            _ => true,
        }
    }
}
