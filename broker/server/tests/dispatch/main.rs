//! A dispatcher against a real log, with a real connector in the sandbox and a small web service behind it, which keeps what
//! it is given and can be told to misbehave. Each test has a server and a store of its own, and all run at once.

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
mod gallery;
mod service;
mod support;

mod creation_costs_two_records;
mod doubt_goes_first;
mod doubt_lasts_until_the_link;
mod doubt_outlives_a_refusal;
mod drop_lasts;
mod image_events_open_no_lane;
mod images_are_called_back_from_where_they_went;
mod images_are_never_sent_twice;
mod images_are_verified_by_digest;
mod images_of_a_page_wait_for_a_person;
mod images_that_are_given_up;
mod killed_broker_is_not_waited_for;
mod lanes_are_bounded;
mod looking_proves_no_writing;
mod many_images_keep_nobody_waiting;
mod merges_are_told_one_by_one;
mod parked_deliveries_end;
mod receipts_tell_what_is_shown;
mod stop_waits_for_no_system;
mod trouble_stays_where_it_is;
mod what_waited_is_one_write;
