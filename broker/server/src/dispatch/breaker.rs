//! When a system is left alone.
//!
//! A system that asks for fewer requests is left alone for the time it names; one that cannot be reached or refuses
//! the credentials is left alone until its connector's `check` succeeds, tried after 1 s and then ever more rarely, at
//! most every 30 s; a connector without `check` is given its chance after each of these pauses. Nothing is given up because
//! of that: what waits, waits in the log.

use archwire_core::{Disposition, SystemName};
use archwire_host::{CallError, Connector};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

const FIRST_PROBE: Duration = Duration::from_secs(1);
/// The shortest time for which a system is left alone, whatever it asks for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const RAREST_PROBE: Duration = Duration::from_secs(30);

/// Whether a system may be called. Shared by everything that calls it.
#[derive(Debug)]
pub struct Breaker {
    system: SystemName,
    state: watch::Sender<State>,
    recoveries: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Until(Instant),
    Broken,
}

impl Breaker {
    /// A breaker that lets calls through.
    #[must_use]
    pub fn new(system: SystemName) -> Self {
        Self {
            system,
            state: watch::Sender::new(State::Closed),
            recoveries: AtomicU64::new(0),
        }
    }

    /// Waits until the system may be called.
    pub async fn ready(&self) {
        let mut states = self.state.subscribe();
        loop {
            let state = *states.borrow_and_update();
            match state {
                State::Closed => return,
                State::Until(until) if Instant::now() >= until => return,
                State::Until(until) => tokio::select! {
                    () = sleep_until(until) => {}
                    _ = states.changed() => {}
                },
                State::Broken => _ = states.changed().await,
            }
        }
    }

    /// How often the system answered again after it could not be reached. Who finds it unreachable once more after that has
    /// a trouble of its own.
    #[must_use]
    pub fn recoveries(&self) -> u64 {
        self.recoveries.load(Ordering::Relaxed)
    }

    /// Takes note of how a call ended.
    pub fn heed(&self, disposition: &Disposition) {
        let reason = disposition.reason().code.as_str();
        let state = match disposition {
            Disposition::Throttled(later) => State::Until(Instant::now() + later.after.max(SHORTEST_PAUSE)),
            Disposition::Unavailable(_) | Disposition::Unauthorized(_) => State::Broken,
            Disposition::Rejected(_) | Disposition::Retry(_) => return,
        };
        let changed = self.state.send_if_modified(|old| {
            let changed = *old != state && *old != State::Broken;
            if changed {
                *old = state;
            }
            changed
        });
        if changed {
            let disposition = disposition.name();
            tracing::warn!(system = %self.system, disposition, reason, "the system is left alone for a while");
        }
    }

    /// Watches over a broken system until it answers again. Runs as long as it is polled.
    pub async fn watch_over(&self, connector: &Connector) {
        let mut states = self.state.subscribe();
        loop {
            if states.wait_for(|state| *state == State::Broken).await.is_err() {
                return;
            }
            let mut wait = FIRST_PROBE;
            loop {
                sleep(wait).await;
                match connector.check().await {
                    Ok(_) | Err(CallError::NotOffered(_)) => break,
                    Err(error) => {
                        let code = probe_code(&error);
                        tracing::info!(system = %self.system, reason = code, "the system does not answer yet");
                    }
                }
                wait = (wait * 2).min(RAREST_PROBE);
            }
            tracing::info!(system = %self.system, "the system is called again");
            self.recoveries.fetch_add(1, Ordering::Relaxed);
            self.state.send_replace(State::Closed);
        }
    }
}

fn probe_code(error: &CallError) -> &str {
    match error {
        CallError::Disposition(disposition) => disposition.reason().code.as_str(),
        other => other.code(),
    }
}
