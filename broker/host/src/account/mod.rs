//! Accounts: what a vendor counts requests by, and how often and by how many at a time it may be called.
//!
//! One [`Account`] is shared by every system and connector that the vendor counts together. It does two things:
//! - [`Account::turn`] lets the attempts of the broker in by urgency, at most [`AccountConfig::in_flight`] at a time, no more
//!   than the pace has room for, and none while the vendor wants to be left alone. It is for whoever does more than one
//!   request in a row.
//! - Every single HTTP request of every connector passes the pace ([`pace`]) and the bound on requests in flight
//!   ([`requests`]), whether somebody took a turn or not. A connector cannot get around it.
//!
//! When the vendor answers `429`, or `503` with `Retry-After`, or somebody calls [`Account::slow_down`], nothing is sent
//! until the time that was asked for (at most 1 h), and half as often afterwards: never less often than every 8th of the
//! times. Every 10 successful requests double the pace, until it is what was configured.
//!
//! Nothing in here fails. A request that would wait for longer than 5 s (or two spacings, if that is more) is answered by
//! the host instead, see [`requests`]. Whoever stops waiting, at any time, takes nothing from the others.

mod pace;
mod requests;
mod retry_after;
mod turns;

pub(crate) use requests::{Deferred, Passage};
pub use turns::Turn;

use crate::Grant;
use archwire_core::{Priority, SystemName, metric};
use pace::Slowed;
use requests::{LONGEST_WAIT, Requests};
use std::{
    collections::BTreeMap,
    fmt,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use turns::Turns;

/// How an account may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountConfig {
    /// What it is called, in metrics and logs.
    pub name: SystemName,
    /// Least time between the starts of two requests in the long run. Zero: none.
    pub spacing: Duration,
    /// Requests that may start at once after a pause: in any time, at most this many and one more for each spacing.
    pub burst: NonZeroU32,
    /// Requests at the same time, and turns at the same time, of which there are fewer where requests are far apart. A request ends when its response body is read to the end or
    /// dropped.
    pub in_flight: NonZeroUsize,
}

impl AccountConfig {
    /// Most requests at the same time of an account that nothing else bounds.
    pub const IN_FLIGHT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

    /// An account that nothing bounds but [`Self::IN_FLIGHT`].
    #[must_use]
    pub fn new(name: SystemName) -> Self {
        Self {
            name,
            spacing: Duration::ZERO,
            burst: NonZeroU32::MIN,
            in_flight: Self::IN_FLIGHT,
        }
    }

    /// How many turns may be taken at a time while requests are so far apart. As many as let a request wait for half of
    /// what the longest wait is: others would only be told to come again.
    fn turns_at(&self, spacing: Duration) -> NonZeroUsize {
        let fitting = (LONGEST_WAIT / 2).as_nanos().checked_div(spacing.as_nanos());
        let fitting = fitting.map_or(usize::MAX, |fitting| {
            usize::try_from(fitting).unwrap_or(usize::MAX)
        });
        NonZeroUsize::new(fitting).map_or(NonZeroUsize::MIN, |fitting| fitting.min(self.in_flight))
    }

    /// The strictest of this and of grants that are used with it. A grant with a spacing allows no burst.
    #[must_use]
    pub fn within<'a>(mut self, grants: impl IntoIterator<Item = &'a Grant>) -> Self {
        for grant in grants {
            self.spacing = self.spacing.max(grant.spacing);
            self.in_flight = self.in_flight.min(grant.in_flight);
            if !grant.spacing.is_zero() {
                self.burst = NonZeroU32::MIN;
            }
        }
        self
    }
}

/// What a vendor counts requests by. Cheap to clone; all clones are the same account.
#[derive(Clone)]
pub struct Account(Arc<Parts>);

struct Parts {
    config: AccountConfig,
    turns: Arc<Turns>,
    requests: Requests,
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// What it is called.
    pub name: SystemName,
    /// Least time between two requests now; more than configured after the vendor asked for fewer.
    pub spacing: Duration,
    /// For how long nothing is sent, because the vendor asked for that.
    pub paused_for: Option<Duration>,
    /// Turns that are taken.
    pub taken: usize,
    /// Who waits for a turn, by priority. Holds every priority.
    pub waiting: BTreeMap<Priority, usize>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&self.0.config).finish()
    }
}

impl Account {
    /// Longest time for which a vendor is left alone because it says so.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

    /// An account that nobody has used yet: what its burst allows may start at once.
    #[must_use]
    pub fn new(config: AccountConfig) -> Self {
        let turns = Turns::new(config.name.clone(), config.turns_at(config.spacing));
        let requests = Requests::new(&config);
        Self(Arc::new(Parts {
            config,
            turns: Arc::new(turns),
            requests,
        }))
    }

    /// How it was set up.
    #[must_use]
    pub fn config(&self) -> &AccountConfig {
        &self.0.config
    }

    /// Whether the other one is a clone of this one.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Waits for a turn: in the order of arrival and [patience](Priority::patience), so that whoever is less urgent waits
    /// no longer than its patience and those who were ahead of it then. Nobody gets one while the vendor wants to be left
    /// alone. It is given back when it is dropped; a future that is dropped gives up waiting. There is no bound on how
    /// many wait: that is their callers'.
    pub async fn turn(&self, priority: Priority) -> Turn {
        self.0.turns.wait(priority).await
    }

    /// Leaves the vendor alone for a while (at most [`Self::LONGEST_PAUSE`]), and calls it half as often afterwards. To be
    /// called when a connector says that it was throttled. What only repeats what is known already, or what the host
    /// itself told a connector, changes nothing.
    pub fn slow_down(&self, pause: Duration) {
        self.slowed_down(pause, None);
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> AccountState {
        let now = Instant::now();
        let (spacing, paused_until) = self.0.requests.pace();
        let (taken, waiting) = self.0.turns.counts();
        AccountState {
            name: self.0.config.name.clone(),
            spacing,
            paused_for: paused_until.and_then(|until| until.checked_duration_since(now)),
            taken,
            waiting,
        }
    }

    /// Has as many turns taken at a time as the pace has room for now.
    fn fit_turns(&self) {
        let (spacing, _) = self.0.requests.pace();
        self.0.turns.allow(self.0.config.turns_at(spacing));
    }

    /// `of`: the passage of the request that was answered so, if it was one.
    fn slowed_down(&self, pause: Duration, of: Option<u64>) {
        let pause = pause.min(Self::LONGEST_PAUSE);
        let (slowed, until) = self.0.requests.slow_down(pause, of);
        if slowed == Slowed::Known {
            return;
        }
        self.0.turns.pause(until);
        self.fit_turns();
        if slowed == Slowed::Further {
            let account = self.0.config.name.as_str();
            metrics::counter!(metric::SLOWED_DOWN, "account" => account.to_owned()).increment(1);
            let (spacing, _) = self.0.requests.pace();
            tracing::warn!(
                account,
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                spacing_ms = u64::try_from(spacing.as_millis()).unwrap_or(u64::MAX),
                "the vendor wants fewer requests"
            );
        }
    }
}

#[cfg(test)]
mod tests;
