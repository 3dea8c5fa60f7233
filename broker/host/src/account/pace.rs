//! The pace of an account: a token bucket that a vendor can empty. Pure: the time is an argument.
//!
//! In any time there start at most `burst` requests and one for each spacing. After the vendor asked for fewer the spacing
//! is twice, four times and at most 8 times what was configured, of which less than 50 ms counts as 50 ms; 10 requests in a
//! row that went well halve it again.

use std::{num::NonZeroU32, time::Duration};
use tokio::time::Instant;

/// Doublings of the spacing, at most.
const MOST_DOUBLINGS: u32 = 3;
/// Requests that have to go well before the spacing is halved again.
const WELL: u32 = 10;
/// What is doubled where less is configured.
const LEAST_SPACING: Duration = Duration::from_millis(50);
/// What a vendor says in whole seconds comes back from a connector up to this much later.
const ROUNDING: Duration = Duration::from_secs(1);

/// How often requests may start.
pub(super) struct Pace {
    configured: Duration,
    burst: u32,
    tokens: u32,
    /// When the next token comes, where some are missing.
    next: Instant,
    doublings: u32,
    went_well: u32,
    /// Until when the vendor wants to be left alone.
    paused_until: Option<Instant>,
    /// What connectors were told because of the pace, and not of the vendor.
    told: Option<Told>,
    /// How often the vendor asked for fewer. What was sent before it did says nothing about the pace after it.
    generation: u64,
}

/// How long connectors were told to wait, and until when that is.
#[derive(Debug, Clone, Copy)]
struct Told {
    wait: Duration,
    until: Instant,
}

/// What came of being asked for fewer requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slowed {
    /// Nothing: that is known.
    Known,
    /// The pause is longer, the pace the same.
    Longer,
    /// There is a pause, and a slower pace after it.
    Further,
}

impl Pace {
    pub(super) fn new(spacing: Duration, burst: NonZeroU32, now: Instant) -> Self {
        Self {
            configured: spacing,
            burst: burst.get(),
            tokens: burst.get(),
            next: now,
            doublings: 0,
            went_well: 0,
            paused_until: None,
            told: None,
            generation: 0,
        }
    }

    /// Least time between two requests, now.
    pub(super) fn spacing(&self) -> Duration {
        match self.doublings {
            0 => self.configured,
            doublings => self.configured.max(LEAST_SPACING) * 2_u32.pow(doublings),
        }
    }

    pub(super) fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.paused_until.filter(|until| *until > now)
    }

    /// When a request may start before which so many others start.
    pub(super) fn ready_at(&mut self, now: Instant, ahead: u32) -> Instant {
        self.refill(now);
        match ahead.checked_sub(self.tokens) {
            None => now,
            Some(missing) => (self.next + self.spacing().saturating_mul(missing)).max(now),
        }
    }

    /// Starts a request: tells to which generation it belongs, or when to ask again.
    pub(super) fn take(&mut self, now: Instant) -> Result<u64, Instant> {
        self.refill(now);
        let left = self.tokens.checked_sub(1).ok_or(self.next)?;
        if self.tokens == self.burst {
            self.next = now + self.spacing();
        }
        self.tokens = left;
        Ok(self.generation)
    }

    /// The vendor wants to be left alone for so long, and fewer requests afterwards. `of`: the generation of the request
    /// that was answered so, if it was one. Also tells until when the pause is.
    pub(super) fn slow_down(&mut self, now: Instant, pause: Duration, of: Option<u64>) -> (Slowed, Instant) {
        let until = now + pause;
        let paused_until = self.paused_until(now);
        // Requests that were under way when the vendor said so are answered in the same way.
        let again = of.is_some_and(|generation| generation != self.generation) || paused_until.is_some();
        let repeats = match of {
            None => {
                let told = self.told.filter(|told| told.until > now);
                paused_until.is_some_and(|known| until <= known + ROUNDING)
                    || told.is_some_and(|told| pause <= told.wait)
            }
            Some(_) => again && self.paused_until.is_some_and(|known| until <= known),
        };
        if repeats {
            return (Slowed::Known, until);
        }
        let until = until.max(self.paused_until.unwrap_or(until));
        self.paused_until = Some(until);
        self.refill(now);
        self.tokens = 0;
        self.went_well = 0;
        self.generation += 1;
        if again {
            self.next = self.next.max(until);
            return (Slowed::Longer, until);
        }
        self.doublings = (self.doublings + 1).min(MOST_DOUBLINGS);
        self.next = until.max(now + self.spacing());
        (Slowed::Further, until)
    }

    /// A request went well that was started in this generation. Tells whether requests may start closer together now.
    pub(super) fn went_well(&mut self, generation: u64) -> bool {
        if self.doublings == 0 || generation != self.generation {
            return false;
        }
        self.went_well += 1;
        let faster = self.went_well >= WELL;
        if faster {
            self.went_well = 0;
            self.doublings -= 1;
        }
        faster
    }

    /// A connector was told to come again after so long.
    pub(super) fn told(&mut self, now: Instant, wait: Duration) {
        let until = now + wait;
        let before = self.told.filter(|told| told.until > now);
        self.told = Some(before.map_or(Told { wait, until }, |told| Told {
            wait: told.wait.max(wait),
            until: told.until.max(until),
        }));
    }

    /// Adds the tokens that have come by now.
    fn refill(&mut self, now: Instant) {
        let spacing = self.spacing();
        let Some(past) = now
            .checked_duration_since(self.next)
            .filter(|_| self.tokens < self.burst)
        else {
            return;
        };
        let missing = self.burst - self.tokens;
        let further = past.as_nanos().checked_div(spacing.as_nanos());
        let come = further.and_then(|further| u32::try_from(further).ok()?.checked_add(1));
        match come.filter(|come| *come < missing) {
            Some(come) => {
                self.tokens += come;
                self.next += spacing.saturating_mul(come);
            }
            None => self.tokens = self.burst,
        }
    }
}
