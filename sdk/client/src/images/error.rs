//! Why an image was not put on the bus, or not got from it.

use crate::error::ClientError;
use std::{io, time::Duration};

/// An image that did not go all the way.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file to send cannot be read.
    #[error("the image cannot be read")]
    Read(#[source] io::Error),
    /// The file to write cannot be written.
    #[error("the image cannot be written")]
    Write(#[source] io::Error),
    /// The bus refused, or cannot be used as it is.
    #[error(transparent)]
    Bus(#[from] ClientError),
    /// Nothing moved any more. What the bus has of an upload, it keeps for a day, for going on with.
    #[error("nothing moved for {patience:?}")]
    GaveUp {
        /// How long was waited.
        patience: Duration,
        /// What happened last.
        source: Box<ClientError>,
    },
    /// The bytes that came are not those that the bus told of.
    #[error("the bytes that came are not those of the image")]
    Damaged,
    /// The image was changed while it was read.
    #[error("the image was changed while it was read: get it again")]
    Changed,
}

impl ImageError {
    /// Stable code. For what the bus refused, the bus's own (`images_full`, `image_unknown`, ...).
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Read(_) => "image_unreadable",
            Self::Write(_) => "image_unwritable",
            Self::Bus(error) => error.code(),
            Self::GaveUp { .. } => "image_gave_up",
            Self::Damaged => "image_damaged",
            Self::Changed => "image_changed",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Bus(error) => error.is_retryable(),
            Self::GaveUp { .. } | Self::Damaged | Self::Changed => true,
            Self::Read(_) | Self::Write(_) => false,
        }
    }
}
