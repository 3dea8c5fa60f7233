//! Reads the systems of the practice: hop 1 of the way of a change.
//!
//! One poller per system asks its connector for what changed, page by page, at the configured interval. The cursor is
//! stored only after everything in the page is stored, so that a crash reads a page twice rather than not at all. A
//! record that cannot be read is put into the review queue with its reason, and does not hold up the others.

use crate::{
    dispatch::Breaker,
    registry::{ObserveError, Observed, Registry},
};
use archwire_core::{Cursor, LocalId, Observation, SystemName, View};
use archwire_host::{CallError, Connector, PollAnswer, Unreadable};
use archwire_nats::{Bucket, BucketError};
use futures_util::{StreamExt as _, stream};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Observations of a page that are taken at the same time.
const AT_A_TIME: usize = 64;
/// Pause after a failed poll; doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Reads one system.
pub struct Poller {
    /// The system's name.
    pub system: SystemName,
    /// Its connector.
    pub connector: Arc<Connector>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// Where the cursor is kept, under the system's name.
    pub cursors: Bucket,
    /// Whether the system may be called.
    pub breaker: Arc<Breaker>,
    /// From the end of one poll to the beginning of the next.
    pub every: Duration,
}

/// A poll that did not come to its end. The next begins at the same cursor.
#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error("the connector did not answer with a page")]
    Call(#[from] CallError),
    #[error("an observation was not taken")]
    Observe(#[from] ObserveError),
    #[error("the cursor could not be stored")]
    Bucket(#[from] BucketError),
}

impl PollError {
    fn code(&self) -> &str {
        match self {
            Self::Call(CallError::Disposition(disposition)) => disposition.reason().code.as_str(),
            Self::Call(error) => error.code(),
            Self::Observe(error) => error.code(),
            Self::Bucket(error) => error.code(),
        }
    }
}

impl Poller {
    /// Runs until `shutdown`. What of a page was begun is taken to its end by the registry; the page is read again after
    /// the next start.
    pub async fn run(self, shutdown: CancellationToken) {
        self.registry.reads(&self.system);
        let mut pause = FIRST_PAUSE;
        loop {
            let ended = tokio::select! {
                () = shutdown.cancelled() => return,
                ended = self.pass() => ended,
            };
            let wait = match ended {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    self.every
                }
                Err(error) => {
                    if let PollError::Call(CallError::Disposition(disposition)) = &error {
                        self.breaker.heed(disposition);
                    }
                    tracing::warn!(system = %self.system, reason = error.code(), "a poll did not come to its end; it will be tried again");
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    pause.max(self.every)
                }
            };
            let again = sleep(wait);
            tokio::pin!(again);
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = &mut again => break,
                    records = self.registry.to_read_again(&self.system) => self.read_again(records).await,
                }
            }
        }
    }

    /// Everything that there is to be had now.
    async fn pass(&self) -> Result<(), PollError> {
        let (stored, mut number) = self.cursors.get_numbered(self.system.as_str()).await?;
        let mut cursor = stored
            .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
            .map(Cursor);
        loop {
            self.breaker.ready().await;
            let begun = Instant::now();
            let PollAnswer { page, unreadable } = self.connector.poll(cursor.as_ref()).await?;
            let seen = page.views.len();
            // People whom others refer to come first, so that the reference can be resolved.
            let refers = |view: &View| {
                view.patient
                    .responsible_parties
                    .iter()
                    .any(|party| party.person.is_some())
            };
            let (merged, page_views): (Vec<_>, Vec<_>) = page
                .views
                .into_iter()
                .partition(|view| view.merged_into.is_some());
            let (referring, others) = page_views.into_iter().partition(refers);
            let mut recorded = self.take(others, begun).await?;
            recorded += self.take(referring, begun).await?;
            // Records that took their place come first.
            recorded += self.take(merged, begun).await?;
            for unreadable in &unreadable {
                self.keep(unreadable).await?;
            }
            if cursor.as_ref() != Some(&page.cursor) {
                let bytes = page.cursor.0.clone().into_bytes().into();
                // Another broker may have become the writer since the page was read: then the cursor is its own.
                number = self.cursors.replace(self.system.as_str(), bytes, number).await?;
            }
            if seen > 0 {
                tracing::debug!(system = %self.system, seen, recorded, unreadable = unreadable.len(), "a page was taken");
            }
            cursor = Some(page.cursor);
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Takes every record of a page. Tells how many were news. A record that will never be taken as it is is kept as
    /// unreadable; anything else ends the pass.
    async fn take(&self, views: Vec<View>, begun: Instant) -> Result<usize, PollError> {
        let observed = stream::iter(views.into_iter().enumerate()).map(|(position, view)| async move {
            let (local_id, source) = (view.local_id.clone(), view.source.clone());
            let observation = Observation {
                system: self.system.clone(),
                patient_id: None,
                based_on: None,
                view,
            };
            match self.registry.observe(observation, Some(begun)).await {
                Ok(observed) => Ok(usize::from(matches!(observed, Observed::Recorded { .. }))),
                Err(error) if error.is_retryable() => Err(PollError::from(error)),
                Err(error) => {
                    let unreadable = Unreadable {
                        position,
                        local_id: Some(local_id),
                        source,
                        code: error.code(),
                    };
                    self.keep(&unreadable).await.map(|()| 0)
                }
            }
        });
        let mut observed = observed.buffer_unordered(AT_A_TIME);
        let mut recorded = 0;
        let mut failed = None;
        // The others are taken all the same: coming again costs less than waiting.
        while let Some(one) = observed.next().await {
            match one {
                Ok(one) => recorded += one,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(recorded), Err)
    }

    async fn keep(&self, unreadable: &Unreadable) -> Result<(), PollError> {
        let Unreadable {
            position,
            local_id,
            source,
            code: reason,
        } = unreadable;
        let (local_id, source) = (local_id.clone(), source.clone());
        self.registry
            .unreadable(&self.system, local_id, source, reason)
            .await?;
        tracing::error!(system = %self.system, position, reason, "a record cannot be read: a person has to look at it");
        Ok(())
    }

    /// Reads records that a person wants to be read again. What fails is told; the person sees it in the queue.
    async fn read_again(&self, records: BTreeSet<LocalId>) {
        for local_id in records {
            if let Err(error) = self.read_one(&local_id).await {
                tracing::warn!(system = %self.system, reason = error.code(), "a record could not be read again");
                let kept = self
                    .registry
                    .unreadable(&self.system, Some(local_id), None, error.code());
                if let Err(error) = kept.await {
                    tracing::error!(system = %self.system, code = error.code(), "a record that cannot be read could not be kept");
                }
            }
        }
    }

    async fn read_one(&self, local_id: &LocalId) -> Result<(), PollError> {
        self.breaker.ready().await;
        let begun = Instant::now();
        match self.connector.fetch(local_id).await? {
            Some(view) => self.take(vec![view], begun).await.map(drop),
            None => Ok(()),
        }
    }
}
