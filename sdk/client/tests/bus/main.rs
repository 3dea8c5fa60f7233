//! The client against a bus that breaks streams, refuses, loses acknowledgements and dies when told to. The bus is a
//! double of the remote side; the connection is real.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail as loudly as the tests"
)]

mod connecting;
mod fake;
mod images;
mod nothing_is_lost;
mod publishing;
mod reading;
mod subscribing;
mod support;
