//! The built connectors in the real sandbox, against a simulated office, a real image archive and a small service. One scenario, or one family
//! of them, a file.
//!
//! No broker and no log here: a scenario calls the connector as the broker does, and asks the other side's own change log
//! and request log what happened. Nothing waits for a fixed time. The sandbox's clock is this machine's; the office's
//! clock is held and moved where a scenario is about time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail loudly, like the tests themselves"
)]

mod support;

mod answer_to_a_creation_is_lost;
mod clock_goes_back_an_hour;
mod dicom_archive_goes_away;
mod dicom_archive_is_full;
mod dicom_archive_takes_an_image_once;
mod dicom_archive_takes_away_what_is_anothers;
mod dicom_archive_tells_what_machines_send;
mod dicom_archive_wraps_what_is_no_dicom_file;
mod drifting_pages_hide_nobody;
mod duplicate_is_adopted_only_when_sure;
mod echo_keeps_what_it_is_given;
mod edit_in_the_second_of_a_read_is_seen;
mod everybody_is_read_once;
mod guarantor_pays_for_the_family;
mod merge_is_told;
mod office_is_asked_one_request_at_a_time;
mod opendental_images_come_out;
mod opendental_images_go_in_once;
mod record_is_read_back_as_it_is;
mod survey_lists_everybody;
mod trouble_is_told_apart;
mod update_writes_only_what_changed;
