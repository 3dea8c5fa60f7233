//! Between the contract's messages (`archwire.v1`) and the types of `archwire-core`.
//!
//! Reading checks everything: a message from outside may hold anything. Writing cannot fail. What is wrong is told by
//! the field's path and never by its value.

mod decision;
mod event;
mod image;
mod image_news;
mod merge;
mod packed;
mod parts;
mod patient;
mod receipt;
mod request_key;
mod review;
mod view;

pub use decision::{read_verdict, write_verdict};
pub(crate) use event::read_event_kind;
pub use event::{decode_event, decode_sighting, encode_event, encode_sighting};
pub use image::{read_digest, read_image, read_image_claim, read_uid, write_digest, write_image};
pub use image_news::write_image_news;
pub use merge::{read_merge, read_standing, write_merge, write_standing};
pub use packed::Packed;
pub use patient::{read_patient, write_patient};
pub use receipt::{read_receipt_outcome, write_receipt, write_receipt_outcome};
pub use request_key::{RequestKey, RequestKeyError};
pub use review::{decode_review, encode_review, read_review_kind, write_review, write_review_kind};
pub(crate) use view::read_said_time;
pub use view::{read_observation, timestamp};

use archwire_core::{ImageBoundError, NameError, PartialDateError, PatientBoundError, SourceRecordError};

/// A message that says something the bus cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes are no such message.
    #[error("the bytes are not a message of archwire.v1")]
    NotAMessage,
    /// A field that must be set is not.
    #[error("`{0}` is required")]
    Missing(&'static str),
    /// An enum value that this version of the contract does not have.
    #[error("`{0}` has a value that archwire.v1 does not have")]
    UnknownValue(&'static str),
    /// A text longer than the bus carries.
    #[error("`{0}` is longer than 4096 bytes or holds control characters")]
    Text(&'static str),
    /// Not a date.
    #[error("`{0}` is not a date")]
    Date(&'static str, #[source] PartialDateError),
    /// Not a name or id.
    #[error("`{0}` is not valid")]
    Name(&'static str, #[source] NameError),
    /// More of something than the bus carries.
    #[error("the patient is too large")]
    Bound(#[source] PatientBoundError),
    /// More of something than the bus carries of an image.
    #[error("the description of the image is too large")]
    Image(#[source] ImageBoundError),
    /// Not what the field is for.
    #[error("`{0}` is not well formed")]
    Malformed(&'static str),
    /// The source record cannot be taken.
    #[error("`observation.source` cannot be taken")]
    Source(#[source] SourceRecordError),
    /// More bytes than the log carries.
    #[error("the patient with its source has {0} bytes, more than the 983040 that the log carries")]
    TooLarge(usize),
    /// A time before 1970, after 9999 or with parts of a second that are none.
    #[error("`{0}` is not a time between 1970 and 9999")]
    Time(&'static str),
}

impl WireError {
    /// The field that is to blame, by its path in the message; none where it is no single one.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Missing(field)
            | Self::UnknownValue(field)
            | Self::Text(field)
            | Self::Date(field, _)
            | Self::Name(field, _)
            | Self::Malformed(field)
            | Self::Time(field) => Some(field),
            Self::Source(_) => Some("observation.source"),
            Self::NotAMessage | Self::Bound(_) | Self::Image(_) | Self::TooLarge(_) => None,
        }
    }
}
