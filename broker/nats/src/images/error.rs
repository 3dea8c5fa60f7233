//! What can go wrong with the bytes of an image.

use crate::{ByteSize, Cause};
use archwire_core::Digest;

/// Why the bytes of an image are not stored, or not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ImageStoreError {
    /// The store has reached its size. Nothing of the upload is left in it, and nothing was removed to make room.
    #[error(
        "there is no room for images: raise `max-size` of `[images]` in the configuration, or the room on the disk"
    )]
    Full {
        /// The server's reason.
        source: Cause,
    },
    /// More bytes than an image may have. Nothing of it is left in the store.
    #[error("an image has at most {largest}, and this one is larger")]
    TooLarge {
        /// Most bytes of one image.
        largest: ByteSize,
    },
    /// No bytes at all.
    #[error("an image has at least one byte")]
    Empty,
    /// The bytes are other ones than were promised. Nothing of them is left in the store.
    #[error("the bytes are other ones than were promised: their SHA-256 differs")]
    DigestDiffers {
        /// SHA-256 of the bytes that came.
        found: Digest,
    },
    /// More or fewer bytes than were promised. What came of too few is kept for going on with, of too many nothing.
    #[error("{promised} bytes were promised, and {found} came")]
    SizeDiffers {
        /// How many were promised.
        promised: u64,
        /// How many came, or how many at least.
        found: u64,
    },
    /// Another upload of the same image by the same owner has begun, and goes on where this one ends.
    #[error("another upload of the same image has taken the place of this one")]
    Replaced,
    /// No image with that digest.
    #[error("there is no image with the digest {digest}")]
    Unknown {
        /// Which was asked for.
        digest: Digest,
    },
    /// The store does not give back what was put into it.
    #[error("the image {digest} is damaged in the store: {what}")]
    Damaged {
        /// Which.
        digest: Digest,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The server does not answer, or refuses for a reason of its own. An upload can be gone on with.
    #[error("the images in the NATS server cannot be reached")]
    Unavailable {
        /// What happened instead.
        source: Cause,
    },
    /// As many uploads at a time as there may be.
    #[error("{most} uploads of images are under way already, which is the most")]
    UploadsFull {
        /// How many there may be.
        most: usize,
    },
}

impl ImageStoreError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "images_full",
            Self::TooLarge { .. } => "image_too_large",
            Self::Empty => "image_empty",
            Self::DigestDiffers { .. } => "image_digest_differs",
            Self::SizeDiffers { .. } => "image_size_differs",
            Self::Replaced => "image_upload_replaced",
            Self::Unknown { .. } => "image_unknown",
            Self::Damaged { .. } => "image_damaged",
            Self::Unavailable { .. } => "images_unavailable",
            Self::UploadsFull { .. } => "image_uploads_full",
        }
    }

    pub(super) fn unavailable(error: impl std::fmt::Display) -> Self {
        Self::Unavailable {
            source: Cause::new(error),
        }
    }
}
