//! Images: whose they are, what is told of them, and what systems have of them. Hops 2 to 5 and 8 for what has bytes.
//!
//! An image stands on the subject of the patient of whom it was first told, for good: [`archwire_core::ImageId`]. Its events take
//! revisions of that patient and change nothing else about him or her. What systems have of it stands in their sightings. The
//! bytes are in the content store; nothing in here reads them.
//!
//! One image is taken at a time: an append of about a millisecond, after which the same image, or another one of the same
//! identifier, is known. A patient has at most [`MOST_IMAGES`] images; beyond that, images are refused.

mod due;
mod filed;
mod held;
mod judge;
mod moves;
mod outcome;
mod retract;
mod settle;
mod take;
mod tell;
mod told;
mod wake;
mod whose;

pub use due::{ImageDoubt, ImageDue, KnownImage, KnownImageCopy};
pub use outcome::ImageTaken;
pub use settle::ImageSettlement;
pub(crate) use told::ImageEvent;

/// Most images of one patient: at about 1.2 KB at hand each, 120 MB.
const MOST_IMAGES: u32 = 100_000;
