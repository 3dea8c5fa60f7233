//! Reads the systems of the practice: hop 1 of the way of a change.
//!
//! One poller per system asks its connector for what changed, page by page, at the configured interval. The cursor is
//! stored only after everything in the page is stored, so that a crash reads a page twice rather than not at all. A
//! record that cannot be read is put into the bucket `unreadable` with its reason, and does not hold up the others.

use crate::{
    dispatch::Breaker,
    registry::{ObserveError, Observed, Registry},
};
use archwire_core::{Cursor, LocalId, Observation, SourceRecord, SystemName, View};
use archwire_host::{CallError, Connector, PollAnswer, Unreadable};
use archwire_nats::{Bucket, BucketError};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
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
    /// Where records that cannot be read are kept.
    pub unreadable: Bucket,
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
    #[error("the cursor or an unreadable record could not be stored")]
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

/// An entry of the bucket `unreadable`, in JSON.
#[derive(Serialize)]
struct Entry<'a> {
    system: &'a str,
    position: usize,
    local_id: Option<&'a str>,
    reason: &'a str,
    source_format: Option<&'a str>,
    source_hex: Option<String>,
    seen_at_unix: u64,
}

impl Poller {
    /// Runs until `shutdown`. What of a page was begun is taken to its end by the registry; the page is read again after
    /// the next start.
    pub async fn run(self, shutdown: CancellationToken) {
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
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(wait) => {}
            }
        }
    }

    /// Everything that there is to be had now.
    async fn pass(&self) -> Result<(), PollError> {
        let stored = self.cursors.get(self.system.as_str()).await?;
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
            let (referring, others) = page.views.into_iter().partition(refers);
            let recorded = self.take(others, begun).await? + self.take(referring, begun).await?;
            for unreadable in &unreadable {
                self.keep(unreadable).await?;
            }
            if cursor.as_ref() != Some(&page.cursor) {
                self.cursors
                    .put(self.system.as_str(), page.cursor.0.clone().into_bytes().into())
                    .await?;
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
        let since_1970 = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let entry = Entry {
            system: self.system.as_str(),
            position: unreadable.position,
            local_id: unreadable.local_id.as_ref().map(LocalId::as_str),
            reason: unreadable.code,
            source_format: unreadable.source.as_ref().map(SourceRecord::format),
            source_hex: unreadable
                .source
                .as_ref()
                .map(|source| hex::encode(source.data())),
            seen_at_unix: since_1970.as_secs(),
        };
        // A page that is read again must not fill the bucket with the same record.
        let key = match &unreadable.source {
            Some(source) => hex::encode(source.sha256()),
            None => unreadable.code.to_owned(),
        };
        let json = serde_json::to_vec(&entry).unwrap_or_default();
        self.unreadable
            .put(&format!("{}.{key}", self.system), json.into())
            .await?;
        let (position, reason) = (unreadable.position, unreadable.code);
        tracing::error!(system = %self.system, position, reason, "a record cannot be read: a person has to look at it");
        Ok(())
    }
}
