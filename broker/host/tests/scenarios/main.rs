//! The sandbox with a connector that misbehaves, against real HTTP servers on this machine. One scenario a file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail loudly, like the tests themselves"
)]

mod support;

mod account_is_shared;
mod address_is_checked;
mod call_is_given_up;
mod configuration_is_checked;
mod connections_are_reused;
mod connector_allocates;
mod connector_answers_badly;
mod connector_crashes;
mod connector_is_loaded;
mod connector_looks_outside;
mod connector_spins;
mod connector_writes_a_giant_log;
mod credential_stays_hidden;
mod disposition_is_passed_on;
mod echo_works;
mod host_is_not_granted;
mod image_files_are_granted;
mod images_are_bounded;
mod images_are_streamed;
mod images_tell_no_secret;
mod images_that_cannot_be_read;
mod log_holds_no_patient;
mod own_headers_are_refused;
mod pace_is_kept;
mod places_are_bounded;
mod redirect_is_not_followed;
mod response_is_huge;
mod response_is_slow;
mod state_outlives_the_call;
