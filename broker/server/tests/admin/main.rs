//! The admin API and its commands against a real log: each test has a server and a store of its own, and all run at once.
//!
//! The commands are the real binary, the broker behind the socket is the real registry.

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
mod support;

mod audit_is_searched_and_verified;
mod audit_keeps_ids_and_no_values;
mod broker_hears_its_administrators;
mod broker_is_asked_by_its_data_folder;
mod bus_is_watched;
mod check_answers_with_json;
mod items_are_listed_masked_and_shown_whole;
mod lists_tell_nobody_who_it_is;
mod nothing_happens_unaudited;
mod parked_deliveries_are_dropped;
mod parked_deliveries_are_kept;
mod parked_deliveries_are_listed_and_shown;
mod parked_deliveries_are_tried_again;
mod parked_images_are_told_apart;
mod patients_are_merged_and_parted;
mod people_decide_items;
mod rebuild_tells_what_it_found;
mod receipts_are_listed;
mod socket_is_its_owners_only;
mod status_tells_what_needs_a_person;
mod terminal_is_not_steered;
mod vendors_get_tokens_and_lose_them;
