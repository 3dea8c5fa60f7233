//! Trouble on purpose, and what must hold after it.
//!
//! | Module | What |
//! |---|---|
//! | [`cases`] | what is broken in which way |
//! | [`stage`] | a practice under trouble, from its opening to the verdict |
//! | [`town`], [`load`] | the people, and what is done about them while the trouble lasts |
//! | [`evidence`], [`check`] | what a run left behind, and what of it must not be |
//! | [`disk`] | a disk that can be cut off and filled |
//! | [`values`] | a patient as texts by field name |
//!
//! The checker knows nothing of brokers and has tests of its own, which spoil a good run in every way that it should find.

pub mod cases;
pub mod check;
pub mod disk;
pub mod evidence;
mod gather;
pub mod load;
pub mod stage;
pub mod town;
pub mod values;
