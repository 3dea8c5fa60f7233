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

mod absurd_input_has_an_outcome;
mod clock_jumps_hide_nobody;
mod deposed_registry_appends_nothing;
mod disagreements_are_decided;
mod doubtful_append_makes_one_image;
mod doubtful_append_makes_one_patient;
mod doubtful_person_becomes_a_patient;
mod drop_lasts;
mod everybody_acts_at_once;
mod first_sight_mixes_no_elements;
mod follower_reverts_nothing;
mod guarantors_in_a_circle_end;
mod half_merge_is_finished;
mod held_record_is_decided;
mod image_is_retracted;
mod image_of_another_waits;
mod image_question_ends_with_the_image;
mod image_seen_elsewhere_is_no_change;
mod image_that_cannot_be_taken_is_one_item;
mod image_that_moves_leaves_its_doubt;
mod image_waits_for_its_record;
mod images_are_due;
mod images_are_no_news_of_a_patient;
mod images_cost_little;
mod images_go_with_their_patient;
mod merge_is_told_of_both;
mod merge_waits_for_its_survivor;
mod merges_without_sense_are_refused;
mod not_same_is_remembered;
mod number_of_another_waits;
mod one_of_equal_documents_goes;
mod owner_is_right;
mod pairs_are_decided;
mod patient_who_comes_to_look_like_another_is_asked_about;
mod person_seen_at_once_is_one_patient;
mod pipelined_observations_are_taken_in_order;
mod rebuild_goes_on_beside_observations;
mod record_claimed_for_two_is_asked_about;
mod record_is_known_by_its_images;
mod record_is_linked_once;
mod record_moves_while_it_is_settled;
mod record_that_shows_another_waits;
mod request_counts_once;
mod revisions_are_gapless;
mod same_image_is_told_once;
mod same_person_is_linked_without_asking;
mod same_thing_is_asked_once;
mod shortened_writing_is_no_news;
mod snapshot_that_is_damaged_is_ignored;
mod stale_page_changes_nothing;
mod start_knows_images;
mod start_knows_what_was_known;
mod unknown_record_waits_for_a_person;
mod unknown_record_waits_for_creations;
mod unmerge_restores_both;
mod unreadable_record_is_asked_about_once;
mod vendor_merge_is_asked_about;
mod vendor_merge_is_followed;
mod vendors_say_what_was_agreed;
mod verdicts_fit_their_items;
mod what_is_due_is_at_hand;
mod what_is_stored_can_be_read;
