//! A sink that keeps nothing but the digest of what went into it.

use crate::{ImageContentError, ImageSink, StoredImage};
use archwire_core::Digest;
use bytes::Bytes;
use futures_util::future::{BoxFuture, ready};
use sha2::{Digest as _, Sha256};

/// Keeps nothing but the digest.
#[derive(Default)]
pub(super) struct Measure {
    hash: Sha256,
    size: u64,
}

impl ImageSink for Measure {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ImageContentError>> {
        self.hash.update(&bytes);
        self.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Box::pin(ready(Ok(())))
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<StoredImage, ImageContentError>> {
        let measured = match self.size {
            0 => Err(ImageContentError::Empty),
            size => Ok(StoredImage {
                digest: Digest::from_bytes(self.hash.finalize().into()),
                size,
            }),
        };
        Box::pin(ready(measured))
    }
}
