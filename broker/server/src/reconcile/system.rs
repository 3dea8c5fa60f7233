//! Asking a system, as one that has time: a page or a record is a turn of its account at backfill priority.
//!
//! What may work later is tried up to [`MOST_ATTEMPTS`] times, what asks for more than [`LONGEST_WAIT`] is not waited for,
//! and a system that cannot be reached ends the comparison at once: the breaker is told, and watches over it.

use super::ReconcileError;
use crate::{
    dispatch::{Breaker, BreakerState, Desk, Permission, Purpose},
    poll::LastPoll,
};
use archwire_core::{Cursor, Disposition, LocalId, Priority, Survey, SurveyPage, SystemName, View};
use archwire_host::{Ability, Account, CallError, Connector};
use futures_util::{FutureExt as _, TryFutureExt as _, future::BoxFuture};
use std::{
    collections::{BTreeSet, HashSet},
    hash::{BuildHasher as _, RandomState},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// Attempts at one page or record.
const MOST_ATTEMPTS: u32 = 4;
/// Pause after the first failed attempt; doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest that a system may ask to wait before the next attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// How long a system that is left alone is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most pages of a list: one with a single record each for the longest list that there may be.
const MOST_PAGES: usize = Survey::MOST;

/// What a comparison asks of a system: calls of its connector, or a test's own answers.
pub trait Source: Send + Sync {
    /// What can be asked.
    fn abilities(&self) -> &BTreeSet<Ability>;

    /// Under which account it is counted.
    fn account(&self) -> &Account;

    /// As [`Connector::survey`].
    fn survey<'a>(&'a self, cursor: Option<&'a Cursor>) -> BoxFuture<'a, Result<SurveyPage, CallError>>;

    /// As [`Connector::fetch`].
    fn fetch<'a>(&'a self, local_id: &'a LocalId) -> BoxFuture<'a, Result<Option<View>, CallError>>;
}

impl Source for Connector {
    fn abilities(&self) -> &BTreeSet<Ability> {
        &self.component().description().abilities
    }

    fn account(&self) -> &Account {
        self.account()
    }

    fn survey<'a>(&'a self, cursor: Option<&'a Cursor>) -> BoxFuture<'a, Result<SurveyPage, CallError>> {
        self.survey(cursor).boxed()
    }

    fn fetch<'a>(&'a self, local_id: &'a LocalId) -> BoxFuture<'a, Result<Option<View>, CallError>> {
        self.fetch(local_id).boxed()
    }
}

/// A system that can be compared.
#[derive(Clone)]
pub struct System {
    /// Its name.
    pub name: SystemName,
    /// Its connector.
    pub source: Arc<dyn Source>,
    /// Whether it may be called.
    pub breaker: Arc<Breaker>,
    /// Its deliveries; `None` when the bus does not write to it.
    pub desk: Option<Desk>,
    /// When it was last polled to the end.
    pub last_poll: LastPoll,
}

/// What a system shows of a record.
pub(super) enum Looked {
    /// This, by a reading that began then.
    Shown(Box<View>, Instant),
    /// It has no such record.
    Gone,
    /// What it shows cannot be read.
    Unreadable,
}

impl System {
    /// Whether changes in it are heard of without a comparison.
    pub(super) fn is_polled(&self) -> bool {
        self.source.abilities().contains(&Ability::Poll)
    }

    /// Makes sure that its connector does what a comparison takes.
    pub(super) fn can_be_compared(&self) -> Result<(), ReconcileError> {
        let abilities = self.source.abilities();
        let missing = [Ability::Survey, Ability::Fetch]
            .into_iter()
            .find(|ability| !abilities.contains(ability));
        match missing {
            Some(ability) => Err(ReconcileError::NotOffered {
                system: self.name.clone(),
                ability,
            }),
            None => Ok(()),
        }
    }

    /// Everything that the system lists. Tells after each page how many records that is so far.
    pub(super) async fn survey(&self, mut told: impl FnMut(usize)) -> Result<Survey, ReconcileError> {
        let (mut survey, mut cursor) = (Survey::default(), None::<Cursor>);
        let (hasher, mut cursors) = (RandomState::new(), HashSet::new());
        for _ in 0..MOST_PAGES {
            let asked = cursor.as_ref();
            let page = self.call(|| self.source.survey(asked)).await;
            let page = page.map_err(ReconcileError::from)?;
            survey.add(page.entries)?;
            told(survey.len());
            if !page.more {
                return Ok(survey);
            }
            // Two cursors with one hash of 64 bits end a comparison for nothing, once in 10^7 of the longest.
            if !cursors.insert(hasher.hash_one(&page.cursor.0)) {
                return Err(ReconcileError::CursorRepeats);
            }
            cursor = Some(page.cursor);
        }
        Err(ReconcileError::Endless(MOST_PAGES))
    }

    /// What the system shows of a record.
    pub(super) async fn look(&self, local_id: &LocalId) -> Result<Looked, ReconcileError> {
        let ask = || {
            let begun = Instant::now();
            let fetched = self.source.fetch(local_id);
            fetched.map_ok(move |shown| (shown, begun)).boxed()
        };
        match self.call(ask).await {
            Ok((Some(view), begun)) => Ok(Looked::Shown(Box::new(view), begun)),
            Ok((None, _)) => Ok(Looked::Gone),
            Err(Failed::Call(error)) if is_about_the_record(&error) => Ok(Looked::Unreadable),
            Err(failed) => Err(failed.into()),
        }
    }

    /// The permission for one call. It is waited for as long as others need the system, but not through an outage.
    async fn permission(&self) -> Result<Permission<'_>, Failed> {
        let account = self.source.account();
        let mut obtained = pin!(Permission::obtain(
            &self.breaker,
            account,
            Purpose::Reading,
            Priority::Backfill
        ));
        loop {
            match timeout(PATIENCE, &mut obtained).await {
                Ok(permission) => return Ok(permission),
                Err(_) if matches!(self.breaker.state(), BreakerState::Open(_)) => {
                    return Err(Failed::LeftAlone);
                }
                Err(_) => {}
            }
        }
    }

    async fn call<'a, T>(&self, ask: impl Fn() -> BoxFuture<'a, Result<T, CallError>>) -> Result<T, Failed> {
        let (mut attempts, mut pause) = (1, FIRST_PAUSE);
        loop {
            let permission = self.permission().await?;
            let error = match ask().await {
                Ok(answer) => {
                    permission.worked();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            match &error {
                CallError::Disposition(disposition) => {
                    permission.failed(self.source.account(), disposition);
                }
                _ => drop(permission),
            }
            match wait_for(&error) {
                Some(wait) if attempts < MOST_ATTEMPTS && wait <= LONGEST_WAIT => {
                    attempts += 1;
                    sleep(wait.max(pause)).await;
                    pause *= 2;
                }
                _ => return Err(Failed::Call(error)),
            }
        }
    }
}

/// A call that got no answer.
enum Failed {
    LeftAlone,
    Call(CallError),
}

impl From<Failed> for ReconcileError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::LeftAlone => Self::LeftAlone,
            Failed::Call(error) => Self::Call(error),
        }
    }
}

/// How long to wait before the same is asked again; `None` when that makes no sense.
fn wait_for(error: &CallError) -> Option<Duration> {
    match error {
        CallError::Disposition(Disposition::Retry(later) | Disposition::Throttled(later)) => {
            Some(later.after)
        }
        CallError::Disposition(_)
        | CallError::NotOffered(_)
        | CallError::Invalid { .. }
        | CallError::TooLarge { .. }
        | CallError::MemoryLimit { .. } => None,
        CallError::Trap { .. }
        | CallError::Deadline { .. }
        | CallError::Idle { .. }
        | CallError::Busy
        | CallError::State(_) => Some(Duration::ZERO),
    }
}

/// Whether it is the one record that is the trouble, and not the system.
fn is_about_the_record(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Disposition(Disposition::Rejected(_))
            | CallError::Invalid { .. }
            | CallError::TooLarge { .. }
            | CallError::MemoryLimit { .. }
            | CallError::Trap { .. }
    )
}
