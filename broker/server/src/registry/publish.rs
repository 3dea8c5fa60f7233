//! Taking what a vendor may have to say more than once, because an answer was lost.
//!
//! Without a key, what is sent again after something newer was said of the same record is news: the record looks like that again.
//! With one it is known again, and answered as it was the first time. What is compared and what is remembered is in
//! [`requests`](super::requests) and in the index.

use super::{ObserveError, Observed, Registry};
use crate::wire::RequestKey;
use archwire_core::{LocalId, Observation, SystemName};
use std::sync::Arc;

/// What became of something that a vendor said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// What became of it, now or the first time.
    pub observed: Observed,
    /// Whether it had been said before.
    pub is_duplicate: bool,
}

impl Published {
    pub(super) fn now(observed: Observed) -> Self {
        Self {
            observed,
            is_duplicate: false,
        }
    }

    /// What became of it, as a stable word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.is_duplicate {
            true => "duplicate",
            false => self.observed.name(),
        }
    }
}

impl Registry {
    /// Takes what a vendor says, as [`Registry::observe`], and once only where it says by a `request` that it may say it again:
    /// also when the broker was killed meanwhile. The last [`MOST_REQUESTS`](super::MOST_REQUESTS) of a system are known again.
    ///
    /// # Errors
    /// As [`Registry::observe`]; then nothing was taken, and the request may come again. [`ObserveError::RequestReused`] when the
    /// key came with something else.
    pub async fn publish(
        self: &Arc<Self>,
        observation: Observation,
        request: Option<RequestKey>,
    ) -> Result<Published, ObserveError> {
        self.observe_once(observation, None, request).await
    }

    /// The caller holds the record's lock.
    pub(super) async fn answer(
        self: &Arc<Self>,
        record: &(SystemName, LocalId),
        observation: Observation,
        request: RequestKey,
    ) -> Result<Published, ObserveError> {
        // What is in doubt may be what this very request came to.
        self.finish_doubtful(record).await?;
        let known = self.index().answered(&record.0, &request.id);
        let known = known.or_else(|| self.requests.answered(&request.id));
        if let Some(known) = known {
            if known.content != request.content {
                return Err(ObserveError::RequestReused);
            }
            return Ok(Published {
                observed: known.first,
                is_duplicate: true,
            });
        }
        if !self.requests.begin(record, request) {
            return Err(ObserveError::RequestReused);
        }
        let observed = self.observe_whole(record, observation, None, None).await;
        self.requests.end(record, observed.as_ref().ok().copied());
        observed.map(Published::now)
    }
}
