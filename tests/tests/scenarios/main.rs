//! Whole practices at work: the real broker as a process, its real nats-server, the built connectors, simulated offices
//! and a vendor's program over gRPC. One scenario, or one family of them, a file.
//!
//! Every scenario has a practice of its own and asks the other side what happened: the office's change log and request
//! log, the vendor's patient list, the bus's histories. Nothing waits for a fixed time.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail loudly, like the tests themselves"
)]

mod support;

mod account_is_shared;
mod administrators_see_images;
mod answer_to_a_creation_is_lost;
mod archive_asks_about_strangers;
mod archive_shares_images;
mod archived_image_changes_hands;
mod audit_takes_the_room_there_is;
mod audit_tells_who_did_what;
mod bad_image_is_refused;
mod broker_is_killed_during_a_creation;
mod broker_is_killed_in_a_burst;
mod broker_is_killed_while_a_vendor_publishes;
mod broker_is_watched;
mod broker_stops;
mod changed_phone_follows;
mod configuration_is_checked_before_anything_opens;
mod configuration_is_read_again;
mod connectors_are_checked_at_the_start;
mod contract_is_kept;
mod crates_depend_downwards_only;
mod data_folder_belongs_to_one_practice;
mod deliveries_wait_out_an_outage;
mod echo_does_not_come_back;
mod edits_of_different_fields_both_survive;
mod everything_is_in_the_audit;
mod families_stay_apart;
mod front_desk_patient_reaches_the_vendor;
mod full_audit_stops_everybody;
mod health_and_reflection_answer;
mod image_arrives_whole;
mod image_upload_outlives_the_broker;
mod images_have_their_own_room;
mod large_image_is_fetched_by_the_office;
mod message_that_cannot_be_taken_has_no_effect;
mod nats_is_checked_at_the_start;
mod nats_server_is_killed;
mod odd_files_have_clear_outcomes;
mod office_merges_two_records;
mod one_reader_for_a_subscription;
mod owner_is_right;
mod parked_delivery_is_tried_again;
mod patient_data_stays_out_of_sight;
mod python_vendor_needs_only_the_protos;
mod rebuild_finds_the_same;
mod reconciliation_at_night;
mod reconciliation_finds_what_nobody_told;
mod reconciliation_goes_on_beside_the_work;
mod reconciliation_reads_what_may_have_changed;
mod recycled_chart_number;
mod refused_event_comes_again;
mod rejected_delivery_does_not_hold_up_others;
mod remote_office_is_not_overrun;
mod same_person_in_two_programs;
mod slow_reader_slows_only_itself;
mod source_bytes_stay_as_they_were;
mod staff_take_images_away;
mod system_is_removed_while_deliveries_wait;
mod trace_leads_from_observation_to_receipt;
mod two_answers_are_lost;
mod two_brokers_one_writer;
mod two_offices_settle;
mod unreadable_records_are_queued;
mod vendor_connects_with_tls;
mod vendor_patient_is_created_once;
mod vendor_program_is_killed;
mod vendor_shows_a_certificate;
