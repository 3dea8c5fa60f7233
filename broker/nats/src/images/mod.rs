//! The bytes of images.

mod error;
mod read;
mod upload;

pub use error::ImageStoreError;
pub use read::{ImageRange, ImageReader};
pub use upload::{StoredImage, Upload, UploadKey};

use crate::{ByteSize, Log, OpenError};
use archwire_core::Digest;
use bytes::Bytes;
use std::time::Duration;

/// The bytes of images, by their SHA-256; cheap to clone.
#[derive(Clone)]
pub struct ImageStore;

/// How much the images may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageStoreConfig {
    /// Most bytes of all images; the server reserves them.
    pub max_bytes: ByteSize,
    /// Most bytes of one image.
    pub largest: ByteSize,
}

/// What a collection removed, or would remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Images that nobody uses.
    pub images: u64,
    /// Uploads that nobody went on with.
    pub uploads: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// How much the images take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageUsage {
    /// Bytes on the disk, uploads under way included.
    pub bytes: ByteSize,
    /// Images that are whole.
    pub images: u64,
    /// Most bytes.
    pub max: ByteSize,
}

impl Log {
    /// Opens the images of the log's practice; makes the store when there is none yet. Verified like the log itself.
    ///
    /// # Errors
    /// When it cannot be relied on.
    pub async fn images(&self, _config: &ImageStoreConfig) -> Result<ImageStore, OpenError> {
        Ok(ImageStore)
    }
}

impl ImageStore {
    /// Begins an upload, or goes on with one of the same key, which ends that one.
    ///
    /// # Errors
    /// When it cannot begin.
    pub async fn upload(&self, _key: UploadKey) -> Result<Upload, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// How many bytes an upload would go on from: the size when the image is stored.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn offset(&self, _key: &UploadKey) -> Result<u64, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// The size of an image in bytes; `None` when it is not there.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn contains(&self, _digest: &Digest) -> Result<Option<u64>, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// The bytes of an image.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub async fn read(&self, _digest: &Digest, _range: ImageRange) -> Result<ImageReader, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// The first bytes of an image, at most `most`.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub async fn head(&self, _digest: &Digest, _most: usize) -> Result<Bytes, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// The last bytes of an image, at most `most`.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub async fn tail(&self, _digest: &Digest, _most: usize) -> Result<Bytes, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// Removes what nobody needs and what is older than `grace`.
    ///
    /// # Errors
    /// When not all of it was removed.
    pub async fn collect(
        &self,
        _grace: Duration,
        _in_use: impl Fn(&Digest) -> bool,
    ) -> Result<Collected, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// What [`collect`](Self::collect) would remove.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn collectable(
        &self,
        _grace: Duration,
        _in_use: impl Fn(&Digest) -> bool,
    ) -> Result<Collected, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }

    /// How much the images take.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn usage(&self) -> Result<ImageUsage, ImageStoreError> {
        Err(ImageStoreError::unavailable("not there yet"))
    }
}
