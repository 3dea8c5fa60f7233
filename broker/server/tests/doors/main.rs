//! Who is let in to the gRPC API, over real connections with real TLS, and what those come up against who misuse it. Each test has a
//! server of its own, and all run at once.

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

mod authority;
mod calls_end_when_nobody_waits_for_them;
mod calls_that_come_to_nothing_end_a_connection;
mod certificate_is_read_again;
mod certificates_tell_vendors_apart;
mod connections_are_bounded;
mod contract_bounds_calls_and_streams;
mod contracts_turn_at_midnight;
mod denials_are_in_the_audit;
mod failures_are_answered_ever_more_slowly;
mod house;
mod one_vendor_does_not_slow_another;
mod slow_readers_hold_their_own_places;
mod tokens_let_vendors_in;
mod unused_connections_end;
