//! Comparisons with a scripted system against a real log: each test has a server and a store of its own, and all run at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly: that is what they are for"
)]

/// The offices of the registry's own tests.
#[path = "../registry"]
#[allow(dead_code, unused_imports, reason = "the registry's own tests use more of it")]
mod registry {
    pub(crate) mod support;
}
use registry::support as office;
mod script;

mod changes_meanwhile_are_not_reported;
mod findings_are_told_and_repaired;
mod list_has_its_bounds;
mod outage_is_survived;
mod what_agreed_is_not_read_again;
mod what_is_known_is_not_reported;
