//! Reads the systems of the practice: hop 1 of the way of a change.
//!
//! One poller per system asks its connector for what changed, page by page, at the configured interval. The cursor is
//! stored only after everything in the page is stored, so that a crash reads a page twice rather than not at all. A
//! record that cannot be read is put into the review queue with its reason, and does not hold up the others. A page is one
//! turn of the system's account, which is over before the page is taken; of a connector that fetches images for longer than 20 s,
//! it is over then.
//!
//! A pass over a system ends: a connector that says there is more, and names a place where this pass has been already, is not
//! followed (`cursor_repeats`), and after 10,000 pages a pass begins anew where it is (`poll_endless`). What was read
//! is taken all the same.

mod images;
mod places;

use crate::{
    dispatch::{Breaker, Permission, Purpose},
    failpoint::reach,
    imaging::{Intake, IntakeError},
    registry::{ObserveError, Observed, Registry},
};
use archwire_core::{Cursor, LocalId, Observation, Priority, SystemName, View, metric, span};
use archwire_host::{CallError, Connector, PollAnswer, Unreadable};
use archwire_nats::{Bucket, BucketError};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use places::Places;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info_span};

/// Observations of a page that are taken at the same time.
const AT_A_TIME: usize = 64;
/// Pause after a failed poll; doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Why a record was not read again: the broker was stopped before it came to that.
const STOPPED: &str = "broker_stopped";

/// When a system was last read to its end; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct LastPoll(Arc<Mutex<Option<SystemTime>>>);

impl LastPoll {
    /// When; `None` when it has not been since the start.
    #[must_use]
    pub fn get(&self) -> Option<SystemTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(SystemTime::now());
    }
}

/// Reads one system.
pub struct Poller {
    /// The system's name.
    pub system: SystemName,
    /// Its connector.
    pub connector: Arc<Connector>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// Where images come in; `None` where the broker keeps none.
    pub images: Option<Intake>,
    /// Where the cursor is kept, under the system's name.
    pub cursors: Bucket,
    /// Whether the system may be called.
    pub breaker: Arc<Breaker>,
    /// From the end of one poll to the beginning of the next.
    pub every: Duration,
    /// Told when a poll has come to its end.
    pub last: LastPoll,
}

/// A poll that did not come to its end. The next begins at the same cursor.
#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error("the connector did not answer with a page")]
    Call(#[from] CallError),
    #[error("an observation was not taken")]
    Observe(#[from] ObserveError),
    #[error("an image was not taken")]
    Image(#[from] IntakeError),
    #[error("the cursor could not be stored")]
    Bucket(#[from] BucketError),
    #[error("the connector says that there is more, at a place where this pass has been already")]
    CursorRepeats,
    #[error("the connector says that there is more, page after page")]
    Endless,
}

impl PollError {
    fn code(&self) -> &str {
        match self {
            Self::Call(CallError::Disposition(disposition)) => disposition.reason().code.as_str(),
            Self::Call(error) => error.code(),
            Self::Observe(error) => error.code(),
            Self::Image(error) => error.code(),
            Self::Bucket(error) => error.code(),
            Self::CursorRepeats => "cursor_repeats",
            Self::Endless => "poll_endless",
        }
    }

    /// One of a small number of codes, for metrics: connectors invent no labels.
    fn class(&self) -> &'static str {
        match self {
            Self::Call(error) => error.code(),
            Self::Observe(error) => error.code(),
            Self::Image(error) => error.code(),
            Self::Bucket(error) => error.code(),
            Self::CursorRepeats => "cursor_repeats",
            Self::Endless => "poll_endless",
        }
    }
}

impl Poller {
    /// Runs until `shutdown`. What of a page was begun is taken to its end by the registry; the page is read again after
    /// the next start.
    pub async fn run(self, shutdown: CancellationToken) {
        self.registry.reads(&self.system);
        // Side by side: polls do not wait for records that a person asked for, however many, nor those for a poll.
        tokio::join!(
            shutdown.run_until_cancelled(self.poll()),
            self.read_again(&shutdown)
        );
    }

    /// One pass after the other.
    async fn poll(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let ended = self.pass().await;
            let result = ended.as_ref().map_or_else(PollError::class, |()| "complete");
            let system = self.system.to_string();
            metrics::counter!(metric::POLLS, "system" => system, "result" => result).increment(1);
            let wait = match ended {
                Ok(()) => {
                    self.last.is_now();
                    pause = FIRST_PAUSE;
                    self.every
                }
                Err(error) => {
                    tracing::warn!(system = %self.system, reason = error.code(), "a poll did not come to its end; it will be tried again");
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    pause.max(self.every)
                }
            };
            sleep(wait).await;
        }
    }

    /// Everything that there is to be had now.
    async fn pass(&self) -> Result<(), PollError> {
        let (stored, mut number) = self.cursors.get_numbered(self.system.as_str()).await?;
        let mut cursor = stored
            .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
            .map(Cursor);
        let mut places = Places::from(cursor.as_ref());
        loop {
            let mut permission = self.permission(Priority::Live).await;
            let begun = Instant::now();
            let span = info_span!(target: span::TARGET, span::POLL, system = %self.system);
            let polling = self.connector.poll(cursor.as_ref()).instrument(span.clone());
            let answer = permission.during(polling).await;
            let PollAnswer {
                page,
                unreadable,
                unreadable_images,
            } = self.heed(permission, answer)?;
            let seen = page.views.len() + page.images.len();
            self.link_by_images(&page.views, &page.images).await?;
            let taken = self.take_page(page.views, &unreadable, begun);
            let recorded = taken.instrument(span.clone()).await?;
            let taken = self.take_images(page.images, &unreadable_images);
            taken.instrument(span).await?;
            let goes_on = page.more.then(|| places.go_on(&page.cursor));
            if let Some(Err(PollError::CursorRepeats)) = goes_on {
                return Err(PollError::CursorRepeats);
            }
            if cursor.as_ref() != Some(&page.cursor) {
                let bytes = page.cursor.0.clone().into_bytes().into();
                // Another broker may have become the writer since the page was read: then the cursor is its own.
                number = self.cursors.replace(self.system.as_str(), bytes, number).await?;
                reach("cursor-stored");
            }
            if seen > 0 {
                tracing::debug!(system = %self.system, seen, recorded, unreadable = unreadable.len(), "a page was taken");
            }
            cursor = Some(page.cursor);
            match goes_on {
                None => return Ok(()),
                Some(goes_on) => goes_on?,
            }
        }
    }

    /// Takes what is on a page. Tells how many were news.
    async fn take_page(
        &self,
        views: Vec<View>,
        unreadable: &[Unreadable],
        begun: Instant,
    ) -> Result<usize, PollError> {
        // People whom others refer to come first, so that the reference can be resolved.
        let refers = |view: &View| {
            let mut parties = view.patient.responsible_parties.iter();
            parties.any(|party| party.person.is_some())
        };
        let (merged, views): (Vec<_>, Vec<_>) =
            views.into_iter().partition(|view| view.merged_into.is_some());
        let (referring, others) = views.into_iter().partition(refers);
        let mut recorded = self.take(others, begun).await?;
        recorded += self.take(referring, begun).await?;
        // Records that took their place come first.
        recorded += self.take(merged, begun).await?;
        for unreadable in unreadable {
            self.keep(unreadable).await?;
        }
        Ok(recorded)
    }

    async fn permission(&self, priority: Priority) -> Permission<'_> {
        Permission::obtain(
            &self.breaker,
            self.connector.account(),
            Purpose::Reading,
            priority,
        )
        .await
    }

    /// Tells the breaker and the account how a call ended, and lets the next one in.
    fn heed<T>(&self, permission: Permission<'_>, answer: Result<T, CallError>) -> Result<T, PollError> {
        match &answer {
            Ok(_) => permission.worked(),
            Err(CallError::Disposition(disposition)) => {
                permission.failed(self.connector.account(), disposition)
            }
            Err(_) => drop(permission),
        }
        Ok(answer?)
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

    /// Reads records that a person wants to be read again. What fails is told, and so is what a stop leaves unread; the person
    /// sees it in the queue.
    async fn read_again(&self, shutdown: &CancellationToken) {
        let asked = || self.registry.to_read_again(&self.system);
        while let Some(records) = shutdown.run_until_cancelled(asked()).await {
            self.read(records, shutdown).await;
        }
        if let Some(records) = asked().now_or_never() {
            self.read(records, shutdown).await;
        }
    }

    async fn read(&self, records: BTreeSet<LocalId>, shutdown: &CancellationToken) {
        for local_id in records {
            match shutdown.run_until_cancelled(self.read_one(&local_id)).await {
                Some(Ok(())) => {}
                Some(Err(error)) => self.was_not_read(local_id, error.code()).await,
                None => self.was_not_read(local_id, STOPPED).await,
            }
        }
    }

    async fn was_not_read(&self, local_id: LocalId, reason: &str) {
        tracing::warn!(system = %self.system, reason, "a record could not be read again");
        let kept = self
            .registry
            .unreadable(&self.system, Some(local_id), None, reason);
        if let Err(error) = kept.await {
            tracing::error!(system = %self.system, code = error.code(), "a record that cannot be read could not be kept");
        }
    }

    async fn read_one(&self, local_id: &LocalId) -> Result<(), PollError> {
        // A person asked for it.
        let permission = self.permission(Priority::Interactive).await;
        let begun = Instant::now();
        let answer = self.connector.fetch(local_id).await;
        match self.heed(permission, answer)? {
            Some(view) => self.take(vec![view], begun).await.map(drop),
            None => Ok(()),
        }
    }
}
