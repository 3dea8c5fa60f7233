//! Where the bytes of images are, as the sandbox sees it: streams in and streams out, by content. What lies behind is the
//! broker's business.
//!
//! Nothing here holds a whole image: whoever implements [`ImageContent`] takes and gives pieces of at most some hundred KiB,
//! and waits where the other side is slow.

use crate::{HandOut, ImageOffer, ImageOfferError};
use archwire_core::{Digest, SystemName};
use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::BoxStream};
use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// The bytes of an image, piece by piece. After an error nothing more comes.
pub type ImageBytes = BoxStream<'static, Result<Bytes, ImageContentError>>;

/// Where the bytes of all images are.
pub trait ImageContent: Send + Sync + 'static {
    /// The bytes of an image. They are the image's when the stream ends without an error.
    fn open<'a>(
        &'a self,
        system: &'a SystemName,
        digest: Digest,
    ) -> BoxFuture<'a, Result<ImageBytes, ImageContentError>>;

    /// Begins to store an image that `system` shows. What the sink is dropped with is abandoned.
    fn create<'a>(
        &'a self,
        system: &'a SystemName,
    ) -> BoxFuture<'a, Result<Box<dyn ImageSink>, ImageContentError>>;

    /// Hands an image out to the program of `system` until what comes back is dropped. Nobody has to.
    fn hand_out<'a>(
        &'a self,
        _: &'a SystemName,
        _: HandOut,
    ) -> BoxFuture<'a, Result<Box<dyn ImageOffer>, ImageOfferError>> {
        Box::pin(async { Err(ImageOfferError::NotConfigured) })
    }
}

/// An image on its way in. Dropped before its end, it is abandoned.
pub trait ImageSink: Send + 'static {
    /// Takes some more bytes; waits where there is no room for them yet.
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ImageContentError>>;

    /// That was all: the image is stored when this comes back.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<StoredImage, ImageContentError>>;
}

/// An image that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredImage {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
}

/// Why bytes of an image were not given or not taken.
#[derive(Debug, thiserror::Error)]
pub enum ImageContentError {
    /// No image with that digest is stored.
    #[error("no image with that digest is stored")]
    Unknown,
    /// The system may not, or this broker keeps no images.
    #[error("images are not for this system")]
    Denied,
    /// More bytes than an image may have.
    #[error("the image is larger than an image may be")]
    TooLarge,
    /// No bytes.
    #[error("the image has no bytes")]
    Empty,
    /// There is no room left.
    #[error("there is no room left for images")]
    Full,
    /// The store failed, or what it has is damaged.
    #[error("the store of images failed")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl ImageContentError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "image_unknown",
            Self::Denied => "image_denied",
            Self::TooLarge => "image_too_large",
            Self::Empty => "image_empty",
            Self::Full => "images_full",
            Self::Unavailable(_) => "images_unavailable",
        }
    }
}

/// Keeps images for as long as the process lives, whole in memory: for tests, and for trying a connector out.
#[derive(Default, Clone)]
pub struct MemoryImages(Arc<Mutex<BTreeMap<Digest, Bytes>>>);

impl MemoryImages {
    /// Stores an image.
    pub fn insert(&self, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.lock().insert(digest, bytes);
        digest
    }

    /// The bytes of an image.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<Bytes> {
        self.lock().get(digest).cloned()
    }

    /// How many images there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryImages({})", self.len())
    }
}

impl ImageContent for MemoryImages {
    fn open<'a>(
        &'a self,
        _: &'a SystemName,
        digest: Digest,
    ) -> BoxFuture<'a, Result<ImageBytes, ImageContentError>> {
        const PIECE: usize = 64 * 1024;
        let pieces = self.get(&digest).ok_or(ImageContentError::Unknown).map(|bytes| {
            let starts = (0..bytes.len()).step_by(PIECE);
            let pieces: Vec<_> = starts
                .map(|start| Ok(bytes.slice(start..bytes.len().min(start + PIECE))))
                .collect();
            Box::pin(futures_util::stream::iter(pieces)) as ImageBytes
        });
        Box::pin(async move { pieces })
    }

    fn create<'a>(
        &'a self,
        _: &'a SystemName,
    ) -> BoxFuture<'a, Result<Box<dyn ImageSink>, ImageContentError>> {
        let sink = MemorySink {
            images: self.clone(),
            bytes: Vec::new(),
        };
        Box::pin(async move { Ok(Box::new(sink) as Box<dyn ImageSink>) })
    }
}

struct MemorySink {
    images: MemoryImages,
    bytes: Vec<u8>,
}

impl ImageSink for MemorySink {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ImageContentError>> {
        self.bytes.extend_from_slice(&bytes);
        Box::pin(async { Ok(()) })
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<StoredImage, ImageContentError>> {
        Box::pin(async move {
            if self.bytes.is_empty() {
                return Err(ImageContentError::Empty);
            }
            let size = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
            let digest = self.images.insert(self.bytes);
            Ok(StoredImage { digest, size })
        })
    }
}
