//! `log`: what a connector tells the administrator, as events of the target `archwire::connector`.
//!
//! Fixed words and numbers only. At most 256 entries a call; the rest are counted and told once.
//!
//! While a connector runs, nothing else gets into the log from its thread: the runtime's own tracing shows what a
//! connector passes to WASI, and that is paths and headers with patients in them.

use crate::{
    bindings::archwire::connector::log::{self, Level},
    sandbox::Sandbox,
};
use archwire_core::SystemName;
use std::fmt::Write;
use tracing::{Dispatch, dispatcher};

/// Entries of one call that are kept.
const ENTRIES: u32 = 256;
/// Numbers of one entry that are kept.
const NUMBERS: usize = 16;

/// One call's entries.
pub(crate) struct LogBook {
    log: Dispatch,
    system: SystemName,
    connector: String,
    kept: u32,
    excess: u32,
}

impl LogBook {
    /// Writes to the log of the calling thread.
    pub(crate) fn new(system: SystemName, connector: String) -> Self {
        Self {
            log: dispatcher::get_default(Dispatch::clone),
            system,
            connector,
            kept: 0,
            excess: 0,
        }
    }

    /// The log of the call, for what the host itself has to tell.
    pub(crate) fn dispatch(&self) -> Dispatch {
        self.log.clone()
    }

    fn write(&mut self, level: Level, event: &str, numbers: &[(String, i64)]) {
        if self.kept >= ENTRIES {
            self.excess = self.excess.saturating_add(1);
            return;
        }
        self.kept += 1;
        let (system, connector) = (self.system.as_str(), self.connector.as_str());
        let (event, numbers) = (shown(event), rendered(numbers));
        let numbers = numbers.as_str();
        dispatcher::with_default(&self.log, || match level {
            Level::Debug => tracing::debug!(target: "archwire::connector", system, connector, event, numbers),
            Level::Info => tracing::info!(target: "archwire::connector", system, connector, event, numbers),
            Level::Warn => tracing::warn!(target: "archwire::connector", system, connector, event, numbers),
            Level::Error => tracing::error!(target: "archwire::connector", system, connector, event, numbers),
        });
    }
}

impl Drop for LogBook {
    /// Also when the call traps or is given up.
    fn drop(&mut self) {
        if self.excess > 0 {
            let (system, connector) = (self.system.as_str(), self.connector.as_str());
            let excess = self.excess;
            dispatcher::with_default(&self.log, || {
                let event = "log-entries-dropped";
                tracing::warn!(target: "archwire::connector", system, connector, event, excess);
            });
        }
    }
}

/// The name, or what stands for one that is none.
fn shown(name: &str) -> &str {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let allowed = (1..=64).contains(&name.len()) && name.bytes().all(inner);
    if allowed { name } else { "invalid-name" }
}

fn rendered(numbers: &[(String, i64)]) -> String {
    let mut text = String::new();
    for (name, number) in numbers.iter().take(NUMBERS) {
        let space = if text.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        _ = write!(text, "{space}{}={number}", shown(name));
    }
    text
}

impl log::Host for Sandbox {
    fn write(&mut self, level: Level, event: String, numbers: Vec<(String, i64)>) -> wasmtime::Result<()> {
        self.context()?.log.write(level, &event, &numbers);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_is_not_shown() {
        assert_eq!(shown("page-read"), "page-read");
        for name in [
            "",
            "Ada Lovelace",
            "ada_lovelace",
            "ada.lovelace",
            &"x".repeat(65),
        ] {
            assert_eq!(shown(name), "invalid-name");
        }
    }

    #[test]
    fn numbers_are_rendered_in_order_and_no_more_than_sixteen() {
        let numbers = [("read".to_owned(), 3), ("Ada".to_owned(), -1)];
        assert_eq!(rendered(&numbers), "read=3 invalid-name=-1");
        let many: Vec<(String, i64)> = (0..20).map(|number| (format!("n{number}"), number)).collect();
        assert_eq!(rendered(&many).split(' ').count(), 16);
    }
}
