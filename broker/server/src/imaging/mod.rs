//! Images on their way in: what their bytes are, what they show, and whom they name.
//!
//! | module | what it answers |
//! |---|---|
//! | [`mod@file`] | what kind of file the bytes are, whatever the sender says |
//! | [`dicom`] | what a DICOM file says of itself and of the patient; never looks at a pixel |
//! | [`photo`] | how large a picture is, and when it was taken |
//! | `views` | which orthodontic view the codes mean |
//! | [`describe`] | all of that and the sender's claim, as one [`archwire_core::Image`] |
//! | [`contradicts`] | whether the file can be the patient's |
//! | [`Intake`] | all of that for bytes that are stored, and what the registry makes of it |
//! | [`Content`], [`Room`] | where connectors' images come from and go to; whether the disk has room for more |
//! | [`Collector`] | which bytes nobody has, and removes them |
//!
//! Everything in the first six modules is pure: it looks at the first [`HEAD_BYTES`] and the last [`TAIL_BYTES`] of a file, in time and
//! memory bounded by them, and changes nothing.

mod acquired;
mod collector;
mod contradicts;
mod describe;
pub mod dicom;
pub mod file;
mod intake;
pub mod photo;
mod room;
mod store;
mod teeth;
mod views;

pub use collector::Collector;
pub use contradicts::contradicts;
pub use describe::{DescribeError, Described, describe};
pub use file::{Excerpt, FileKind, HEAD_BYTES, TAIL_BYTES, sniff};
pub use intake::{ImageArrived, Intake, IntakeError};
pub use room::{Room, RoomError};
pub use store::Content;
