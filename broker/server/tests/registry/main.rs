//! The registry against a real log: each test has a server and a store of its own, and all run at once.
//!
//! Each scenario is something that once went wrong, or that nothing else would notice if it did.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly: that is what they are for"
)]

mod support;

mod doubtful_append_makes_one_patient;
mod first_sight_mixes_no_elements;
mod follower_reverts_nothing;
mod pipelined_observations_are_taken_in_order;
mod record_is_linked_once;
mod revisions_are_gapless;
mod shortened_writing_is_no_news;
mod stale_page_changes_nothing;
mod start_knows_what_was_known;
mod unknown_record_waits_for_creations;
mod what_is_stored_can_be_read;
