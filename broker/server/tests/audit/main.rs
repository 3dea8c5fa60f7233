//! The audit against a real nats-server: nothing is lost or told twice, and whatever is done to it is found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly: that is what it is for"
)]

// The same offices as the registry's own tests.
#[path = "../registry"]
#[allow(dead_code, unused_imports, reason = "the registry's own tests use more of it")]
mod registry {
    pub(crate) mod support;
}
use registry::support as office;
mod support;

mod cut_off_subscriptions_are_presumed;
mod follower_tells_everything_once;
mod old_records_are_let_go_of;
mod tampering_is_found;
mod two_brokers_write_one_chain;
mod unanswered_blocks_are_stored_once;
