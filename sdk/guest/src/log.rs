//! Telling the administrator what goes on.
//!
//! Made so that a name cannot get into a log by accident: an event is a fixed word, and what goes with it are numbers.
//! `event` and the numbers' names are 1 to 64 of `a-z 0-9 -`; others are shown as `invalid-name`. At most 16 numbers an
//! entry, and at most 256 entries a call are kept; the rest are counted.

pub use crate::bindings::archwire::connector::log::Level;
use crate::bindings::archwire::connector::log::write as host_write;

/// Writes an entry: `log::write(Level::Info, "page-read", &[("rows", 100)])`.
pub fn write(level: Level, event: &'static str, numbers: &[(&'static str, i64)]) {
    let numbers: Vec<_> = numbers
        .iter()
        .map(|(name, number)| ((*name).to_owned(), *number))
        .collect();
    host_write(level, event, &numbers);
}

/// For the author of the connector.
pub fn debug(event: &'static str, numbers: &[(&'static str, i64)]) {
    write(Level::Debug, event, numbers);
}

/// For an administrator who looks.
pub fn info(event: &'static str, numbers: &[(&'static str, i64)]) {
    write(Level::Info, event, numbers);
}

/// Something was not as it should be, and the work went on.
pub fn warn(event: &'static str, numbers: &[(&'static str, i64)]) {
    write(Level::Warn, event, numbers);
}

/// Something needs the administrator.
pub fn error(event: &'static str, numbers: &[(&'static str, i64)]) {
    write(Level::Error, event, numbers);
}
