//! When a system is left alone.
//!
//! A system that cannot be reached, or refuses the credentials, is left alone until its connector's `check` succeeds, tried
//! after 1 s and then ever more rarely, at most every 30 s; a connector without `check` is given its chance after each of these
//! pauses. Then it is called by *one* at a time, and when that comes about by everybody again. A `check` proves little: a
//! system may answer it and take nothing. So the pauses go on growing when it falls back, and where a *writing* was
//! refused only a writing that comes about closes the breaker; reading goes on meanwhile. Nothing is given up because of
//! any of this: what waits, waits in the log.
//!
//! Who asks for fewer requests slows the account down, not the system: that is none of the breaker's business.

use archwire_core::{Disposition, SystemName, metric};
use archwire_host::{Ability, Connector};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};
use tokio::{sync::watch, time::sleep};

/// What the breaker of a system is for that stands for all of it.
const PATIENTS: &str = "patients";
const FIRST_PROBE: Duration = Duration::from_secs(1);
const RAREST_PROBE: Duration = Duration::from_secs(30);

/// Whether a system may be called. Shared by everything that calls it.
#[derive(Debug)]
pub struct Breaker {
    system: SystemName,
    /// What is done with the system through this one.
    part: &'static str,
    state: watch::Sender<State>,
    trials: AtomicU64,
    readings: AtomicU64,
}

/// What a system is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To see what it shows.
    Reading,
    /// To have it take something.
    Writing,
}

/// How the breaker of a system stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BreakerState {
    /// It is called.
    Closed,
    /// It answers again; one at a time tries whether that is all.
    HalfOpen(Outage),
    /// It is left alone.
    Open(Outage),
}

impl BreakerState {
    /// `closed`, `half-open` or `open`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen(_) => "half-open",
            Self::Open(_) => "open",
        }
    }

    /// Why the system is left alone, or was until just now.
    #[must_use]
    pub fn outage(&self) -> Option<&Outage> {
        match self {
            Self::Closed => None,
            Self::HalfOpen(outage) | Self::Open(outage) => Some(outage),
        }
    }
}

/// Why a system is, or was, left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Since when, however often it answered in between without taking anything.
    pub since: SystemTime,
    /// `unavailable` or `unauthorized`.
    pub disposition: &'static str,
    /// The connector's own code for the reason, of the last time.
    pub reason: String,
    /// What it did not do.
    pub refused: Purpose,
    /// Until it is looked at again.
    pause: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Closed,
    Open(Outage),
    HalfOpen {
        outage: Outage,
        /// Who tries it out.
        trial: Option<u64>,
    },
}

impl State {
    fn admits(&self, purpose: Purpose) -> bool {
        match self {
            Self::Closed => true,
            Self::Open(_) => false,
            Self::HalfOpen { outage, trial } => trial.is_none() || outage.spares(purpose),
        }
    }
}

impl Outage {
    /// Whether it was the other thing that was refused, so that `check` is trusted for this one.
    fn spares(&self, purpose: Purpose) -> bool {
        purpose == Purpose::Reading && self.refused == Purpose::Writing
    }
}

/// The permission to call a system once.
#[derive(Debug)]
pub struct Pass<'a> {
    breaker: &'a Breaker,
    purpose: Purpose,
    trial: Option<u64>,
}

impl Drop for Pass<'_> {
    /// Whoever tried it out and says nothing about it has learnt nothing: the next one tries.
    fn drop(&mut self) {
        self.lets_others_try();
    }
}

impl Pass<'_> {
    /// Whoever tries it out takes long over it: the next one tries as well.
    pub fn lets_others_try(&mut self) {
        if let Some(mine) = self.trial.take() {
            self.breaker.change(|state| match state {
                State::HalfOpen { trial, .. } if *trial == Some(mine) => {
                    *trial = None;
                    true
                }
                _ => false,
            });
        }
    }

    /// The system did what it was called for, or gave a reason of its own not to.
    pub fn worked(self) {
        let purpose = self.purpose;
        self.proves(purpose);
    }

    /// Nothing was to be written after all; the system was only read.
    pub fn only_read(self) {
        self.proves(Purpose::Reading);
    }

    fn proves(self, purpose: Purpose) {
        let breaker = self.breaker;
        if self.purpose == Purpose::Reading {
            breaker.readings.fetch_add(1, Ordering::Relaxed);
        }
        let closed = breaker.change(|state| match state {
            State::HalfOpen { outage, .. } if !outage.spares(purpose) => {
                *state = State::Closed;
                true
            }
            _ => false,
        });
        if closed {
            tracing::info!(system = %breaker.system, part = breaker.part, "the system is called again");
        }
    }

    /// The system did not do it, for this reason.
    pub fn failed(self, disposition: &Disposition) {
        if !matches!(
            disposition,
            Disposition::Unavailable(_) | Disposition::Unauthorized(_)
        ) {
            return;
        }
        let breaker = self.breaker;
        let opened = breaker.change(|state| {
            let (since, pause, refused) = match &*state {
                State::Open(_) => return false,
                State::Closed => (SystemTime::now(), FIRST_PROBE, self.purpose),
                State::HalfOpen { outage, .. } => {
                    let pause = (outage.pause * 2).min(RAREST_PROBE);
                    let writes = outage.refused == Purpose::Writing;
                    (
                        outage.since,
                        pause,
                        if writes { Purpose::Writing } else { self.purpose },
                    )
                }
            };
            *state = State::Open(Outage {
                since,
                disposition: disposition.name(),
                reason: disposition.reason().code.as_str().to_owned(),
                refused,
                pause,
            });
            true
        });
        if opened {
            let (disposition, reason) = (disposition.name(), disposition.reason().code.as_str());
            let (system, part) = (&breaker.system, breaker.part);
            tracing::warn!(%system, part, disposition, reason, "the system is left alone for a while");
        }
    }
}

impl Breaker {
    /// A breaker that lets calls through.
    #[must_use]
    pub fn new(system: SystemName) -> Self {
        Self::of_part(system, PATIENTS)
    }

    /// One for images alone: a system that takes no images, or whose key is not good for them, takes patients all the same.
    #[must_use]
    pub fn of_images(system: SystemName) -> Self {
        Self::of_part(system, "images")
    }

    fn of_part(system: SystemName, part: &'static str) -> Self {
        let breaker = Self {
            system,
            part,
            state: watch::Sender::new(State::Closed),
            trials: AtomicU64::new(0),
            readings: AtomicU64::new(0),
        };
        breaker.measure();
        breaker
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match &*self.state.borrow() {
            State::Closed => BreakerState::Closed,
            State::Open(outage) => BreakerState::Open(outage.clone()),
            State::HalfOpen { outage, .. } => BreakerState::HalfOpen(outage.clone()),
        }
    }

    /// How often the system was read by those who read it anyway: polls and comparisons, and not deliveries.
    #[must_use]
    pub fn readings(&self) -> u64 {
        self.readings.load(Ordering::Relaxed)
    }

    /// The same, where the connector is one that reads by itself.
    #[must_use]
    pub(super) fn readings_of(&self, connector: &Connector) -> Option<u64> {
        let polls = connector
            .component()
            .description()
            .abilities
            .contains(&Ability::Poll);
        polls.then(|| self.readings())
    }

    /// Nothing waits to be written any more, so that nobody will try whether that works again: it is believed.
    pub fn nothing_to_write(&self) {
        let closed = self.change(|state| match state {
            State::HalfOpen { outage, trial: None } if outage.refused == Purpose::Writing => {
                *state = State::Closed;
                true
            }
            _ => false,
        });
        if closed {
            tracing::info!(system = %self.system, part = self.part, "the system is called again, when there is something to write");
        }
    }

    /// Waits until the system may be called. Whoever comes back from that still needs a pass, and may find that somebody
    /// else was faster.
    pub async fn ready(&self, purpose: Purpose) {
        let mut states = self.state.subscribe();
        // Ends with an error when the breaker is gone, which it is not while somebody waits here.
        _ = states.wait_for(|state| state.admits(purpose)).await;
    }

    /// The permission to call the system now, if it may be called.
    pub fn pass(&self, purpose: Purpose) -> Option<Pass<'_>> {
        let (mut admitted, mut trial) = (false, None);
        self.change(|state| {
            admitted = state.admits(purpose);
            match state {
                State::HalfOpen { outage, trial: taken } if admitted && !outage.spares(purpose) => {
                    trial = Some(self.trials.fetch_add(1, Ordering::Relaxed));
                    *taken = trial;
                    true
                }
                _ => false,
            }
        });
        admitted.then_some(Pass {
            breaker: self,
            purpose,
            trial,
        })
    }

    /// Waits until the system may be called, and for the permission to do so.
    pub async fn admitted(&self, purpose: Purpose) -> Pass<'_> {
        loop {
            self.ready(purpose).await;
            if let Some(pass) = self.pass(purpose) {
                return pass;
            }
        }
    }

    /// Watches over a system that is left alone until `check` says that it answers again, or else why not, as a code. Runs
    /// as long as it is polled.
    pub async fn watch_over<F>(&self, check: impl Fn() -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        let mut states = self.state.subscribe();
        loop {
            let pause = match states.wait_for(|state| matches!(state, State::Open(_))).await {
                Ok(state) => match &*state {
                    State::Open(outage) => outage.pause,
                    _ => continue,
                },
                Err(_) => return,
            };
            sleep(pause).await;
            let checked = check().await;
            if let Err(reason) = &checked {
                tracing::info!(system = %self.system, part = self.part, reason, "the system does not answer yet");
            }
            self.change(|state| {
                let State::Open(outage) = state else {
                    return false;
                };
                if checked.is_ok() {
                    let outage = outage.clone();
                    *state = State::HalfOpen { outage, trial: None };
                } else {
                    outage.pause = (outage.pause * 2).min(RAREST_PROBE);
                }
                true
            });
        }
    }

    fn change(&self, change: impl FnOnce(&mut State) -> bool) -> bool {
        let changed = self.state.send_if_modified(change);
        if changed {
            self.measure();
        }
        changed
    }

    fn measure(&self) {
        if self.part != PATIENTS {
            return;
        }
        let open = match &*self.state.borrow() {
            State::Closed => 0.0,
            State::HalfOpen { .. } => 0.5,
            State::Open(_) => 1.0,
        };
        metrics::gauge!(metric::BREAKER_OPEN, "system" => self.system.to_string()).set(open);
    }
}

#[cfg(test)]
mod tests;
