//! Whole practices in trouble, in the short forms of the cases: the long ones run by `cargo xtask soak`. What is asserted
//! after each is in `archwire_tests::faults::check`.

mod broker_is_killed;
