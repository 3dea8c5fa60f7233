//! Bytes of an image from any place.
//!
//! Programs ask for many pieces ahead of what they got, one after the other, and seldom go back. So there is one reading that
//! goes on, and what it gave last is kept: at most [`KEPT`] and one piece more. What lies further off begins a new reading.
//! Read from its beginning to its end, an image is held against its SHA-256, and its last piece comes only when that is right;
//! of a reading that begins further on, each piece is.

use archwire_core::Digest;
use archwire_nats::{ImageRange, ImageReader, ImageStore, ImageStoreError};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use std::collections::VecDeque;

/// Bytes that are kept after they were read.
const KEPT: u64 = 1024 * 1024;
/// How far ahead a reading goes on rather than a new one begins.
const AHEAD: u64 = 1024 * 1024;

/// An image, open to be read.
pub(super) struct Window {
    store: ImageStore,
    digest: Digest,
    size: u64,
    reader: Option<ImageReader>,
    /// What was read last, in order and without a gap.
    kept: VecDeque<Bytes>,
    /// Where the first of it begins.
    from: u64,
    /// Where the last of it ends, and the reading goes on.
    until: u64,
}

impl Window {
    pub(super) fn new(store: ImageStore, digest: Digest, size: u64) -> Self {
        Self {
            store,
            digest,
            size,
            reader: None,
            kept: VecDeque::new(),
            from: 0,
            until: 0,
        }
    }

    /// As many bytes as are wanted, fewer only at the end of the image, none behind it.
    pub(super) async fn read(&mut self, offset: u64, length: u32) -> Result<Bytes, ImageStoreError> {
        let end = offset.saturating_add(u64::from(length)).min(self.size);
        if offset >= end {
            return Ok(Bytes::new());
        }
        if self.reader.is_none() || offset < self.from || offset > self.until.saturating_add(AHEAD) {
            self.begin(offset).await?;
        }
        while self.until < end {
            self.go_on(offset).await?;
        }
        Ok(self.cut(offset, end))
    }

    async fn begin(&mut self, offset: u64) -> Result<(), ImageStoreError> {
        let range = ImageRange { offset, length: None };
        self.forget();
        self.reader = Some(self.store.read(&self.digest, range).await?);
        (self.from, self.until) = (offset, offset);
        Ok(())
    }

    fn forget(&mut self) {
        self.reader = None;
        self.kept.clear();
    }

    /// Reads the next piece, and lets go of what is not wanted again.
    async fn go_on(&mut self, offset: u64) -> Result<(), ImageStoreError> {
        let piece = match &mut self.reader {
            Some(reader) => reader.next().await,
            None => None,
        };
        let piece = piece.unwrap_or(Err(ImageStoreError::Unknown { digest: self.digest }));
        let piece = piece.inspect_err(|_| self.forget())?;
        self.until = self.until.saturating_add(piece.len() as u64);
        self.kept.push_back(piece);
        let keep_from = offset.min(self.until.saturating_sub(KEPT));
        while let Some(first) = self.kept.front() {
            let end = self.from.saturating_add(first.len() as u64);
            if end > keep_from {
                break;
            }
            self.from = end;
            self.kept.pop_front();
        }
        Ok(())
    }

    /// A part of what is kept.
    fn cut(&self, offset: u64, end: u64) -> Bytes {
        let mut found = BytesMut::new();
        let mut begin = self.from;
        for piece in &self.kept {
            let until = begin.saturating_add(piece.len() as u64);
            let (first, last) = (offset.clamp(begin, until), end.clamp(begin, until));
            let within = |at: u64| usize::try_from(at - begin).unwrap_or(usize::MAX);
            if let Some(part) = piece.get(within(first)..within(last)) {
                found.extend_from_slice(part);
            }
            begin = until;
        }
        found.freeze()
    }
}
