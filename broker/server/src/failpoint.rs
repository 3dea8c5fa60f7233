//! Places at which a test may have the broker killed, in debug builds only.
//!
//! With `ARCHWIRE_FAILPOINT=NAME:N` in the environment, a debug build ends itself by SIGKILL when it reaches the place NAME
//! for the N-th time: nothing is flushed, released or said. A release build has none of this. The places are on the way of a
//! change, one after each hop, where a kill leaves something begun.
//!
//! The environment is read here and not by the configuration, deliberately: this is no setting. It must not be one that an
//! operator can find, misspell or leave in a file, some of the places are reached before a configuration is read, and what
//! cannot be parsed kills nothing, which a test notices.

/// Ends the process if the environment asked for it at this place.
#[cfg(debug_assertions)]
pub fn reach(place: &str) {
    imp::reach(place);
}

/// Nothing in a release build.
#[cfg(not(debug_assertions))]
pub fn reach(_: &str) {}

#[cfg(debug_assertions)]
mod imp {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    struct Armed {
        place: String,
        left: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    pub(super) fn reach(place: &str) {
        let Some(armed) = ARMED.get_or_init(armed) else {
            return;
        };
        if armed.place == place && armed.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }

    fn armed() -> Option<Armed> {
        let variable = std::env::var("ARCHWIRE_FAILPOINT").ok()?;
        let (place, times) = variable.split_once(':')?;
        Some(Armed {
            place: place.to_owned(),
            left: AtomicU64::new(times.parse().ok()?),
        })
    }
}
