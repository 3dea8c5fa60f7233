//! The simulator asked over HTTP, as a connector asks it. One module per part of the vendor's behaviour.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail as loudly as the tests"
)]

mod support;

mod admin;
mod binary;
mod daylight;
mod documents;
mod filling;
mod limits;
mod merging;
mod reading;
mod trouble;
mod writing;
