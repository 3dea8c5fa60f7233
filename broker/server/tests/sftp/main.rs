//! Images handed out by SFTP from a real store, to OpenSSH's own client.

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

mod counter;
mod file_is_all_there_is;
mod offer_ends;
mod openssh;
mod program;
mod who_takes_nothing;
