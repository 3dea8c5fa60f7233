//! The gRPC service over a real connection, on a real log and image store. Each test has a server and a store of its own, and
//! all run at once.

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

mod bus;
mod calls_under_way_keep_to_the_contract;
mod codes_are_documented;
mod damaged_copy_is_replaced;
mod image_calls_end_when_nothing_moves;
mod images;
mod patients_are_found;
mod requests_are_answered_one_by_one;
mod sizes_of_others_images_are_not_told;
mod subscription_begins_where_it_is_told;
mod subscription_brings_a_backlog_whole;
mod subscription_brings_refused_events_again;
mod subscription_keeps_to_the_contract;
mod subscription_knows_its_log;
