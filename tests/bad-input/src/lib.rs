//! What must hold whatever comes from outside.
//!
//! | target | what it feeds | what must hold |
//! |---|---|---|
//! | [`events()`] | what stands in the log, and a contract | nothing outside of the contract is in what is sent; what is read is written alike |
//! | [`requests()`] | what vendors say of patients and images | what is taken can be stored and read again, and contradicts itself in nothing |
//! | [`images()`] | files, DICOM and others | a description is within its bounds, and can be stored and read again |
//! | [`connections()`] | bytes of a connection: HTTP/2 as it should not be | the connection ends, its answer is bounded, and the bus serves others |
//! | [`calls()`] | messages, cursors and page tokens of all calls | a code that the guide has; no cursor or token is taken that the bus did not give |
//! | [`sftp()`] | what a program asks that fetches an image by SFTP | nothing but answers, no other file, and an end |
//!
//! Each is a function of bytes that panics when it does not hold. `tests/fuzz` has libFuzzer choose the bytes; the tests of this crate
//! do so on stable Rust, from [`seeds()`] and some thousand changed copies of them. Inputs are at most 64 KiB, made by code: nobody's
//! data is among them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a target tells what it found by a panic, which is what libFuzzer looks for"
)]

mod agreed;
mod bus;
mod calls;
mod connections;
mod events;
mod images;
mod input;
mod requests;
mod seeds;
mod sftp;
mod shown;

pub use bus::Bus;
pub use calls::calls;
pub use connections::connections;
pub use events::events;
pub use images::images;
pub use requests::requests;
pub use seeds::{TARGETS, seeds};
pub use sftp::sftp;

/// Most bytes of an input that are looked at.
pub const LONGEST: usize = 64 * 1024;
