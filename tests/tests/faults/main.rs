//! Whole practices in trouble, in the short forms of the cases: the long ones run by `cargo xtask soak`. What is asserted
//! after each is in `archwire_tests::faults::check`.

mod broker_is_killed;
mod images_survive_kills;
mod nats_server_is_killed_or_away;
mod no_room_is_left;
mod one_patient_always_fails;
mod power_is_cut;
mod vendor_fails_in_every_way;
mod vendor_is_away_for_a_day;
