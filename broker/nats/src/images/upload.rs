//! Writing the bytes of an image.

use super::ImageStoreError;
use archwire_core::{Digest, SystemName};
use bytes::Bytes;

/// Whose upload it is, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UploadKey {
    /// Who uploads.
    pub owner: SystemName,
    /// SHA-256 and size in bytes of what will come. Without a promise an upload cannot be gone on with.
    pub promised: Option<(Digest, u64)>,
}

/// An image that is stored, and flushed where the server promises that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredImage {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// An upload under way. Dropping it leaves what is stored for going on with, if it was promised, else for the collector.
pub struct Upload {
    offset: u64,
}

impl Upload {
    /// From which byte on the upload goes on: as many are there already.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the next bytes. Waits while as many are on their way as may be.
    ///
    /// # Errors
    /// When they cannot be stored; the upload has ended then.
    pub async fn write(&mut self, _bytes: Bytes) -> Result<(), ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// Stores the rest, holds it against what was promised, and only then makes the image be there.
    ///
    /// # Errors
    /// When it is not stored.
    pub async fn finish(self) -> Result<StoredImage, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// Ends the upload and removes what it stored.
    ///
    /// # Errors
    /// When it may not have been removed; the collector does that then.
    pub async fn abandon(self) -> Result<(), ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }
}
