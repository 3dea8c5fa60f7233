//! Reading the bytes of an image.

use super::ImageStoreError;
use bytes::Bytes;
use futures_util::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Which part of an image is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImageRange {
    /// From which byte on; from the end on there is nothing.
    pub offset: u64,
    /// How many bytes at most; `None` for all up to the end.
    pub length: Option<u64>,
}

impl ImageRange {
    /// All of it.
    pub const WHOLE: Self = Self {
        offset: 0,
        length: None,
    };
}

/// The bytes of an image, in order: a stream of parts of at most 512 KiB.
pub struct ImageReader {
    size: u64,
}

impl ImageReader {
    /// How many bytes the whole image has, whatever part of it is read.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Stream for ImageReader {
    type Item = Result<Bytes, ImageStoreError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}
