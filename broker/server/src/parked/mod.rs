//! Deliveries that were given up and wait for a person: the bucket `parked`.
//!
//! One entry for a patient in a system and one for each image, because a later delivery brings everything that an earlier one did not. An entry
//! begins when a delivery is given up, counts every attempt since, and ends when the system has what it lacked, or when a
//! person drops it. What a system said about it in its own words may name the patient: it is kept in the entry, read only
//! when a person asks, and held neither in memory nor in any log.
//!
//! Bounds: [`MOST_PARKED`] entries, of which [`MOST_PARKED_IMAGES`] are images; one more is refused as [`ParkedError::TooMany`], and a full bucket as
//! [`ParkedError::Refused`]: whoever wanted to park must then not acknowledge anything. In memory an entry is a line of some
//! 300 bytes, so that listing, counting and looking for one read nothing. Entries of earlier versions are understood; one
//! that is not is listed with the reason [`UNREADABLE`], and stops nothing.

mod cargo;
mod entry;
mod error;
mod filter;
mod store;
mod why;

pub use cargo::Cargo;
pub use entry::{Parked, ParkedLine, UNREADABLE};
pub use error::ParkedError;
pub use filter::{ParkedFilter, ParkedKey};
pub use store::{HeldParked, MOST_PARKED, MOST_PARKED_IMAGES, ParkedPage, ParkedStore, Undeliverable};
pub use why::Why;
