//! Reading the bytes of an image. Nothing is handed out that is not what was put in: each chunk is held against its own hash, and
//! of a whole image the last chunk is held back until its chunks are those that its name was written for.

use super::{
    ImageStoreError, Inner,
    chunks::{ALTERED, Chunks, MISPLACED, MISSING, check},
    desk::Hold,
    layout::ChunkHead,
    name::Name,
    seal::Seal,
};
use crate::records::Raw;
use archwire_core::Digest;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// A search among the chunks of one upload takes no more steps: with each the chunk is nearer by half at least.
const MOST_STEPS: u32 = 128;
/// So many steps guess where the chunk would be if they lay evenly; they mostly lie side by side.
const GUESSES: u32 = 8;

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

/// The bytes of an image, in order: a stream of parts of at most 512 KiB. Holds at most 6 MiB, however slowly it is read, and
/// keeps the image from being collected.
pub struct ImageReader {
    size: u64,
    parts: Pin<Box<dyn Stream<Item = Result<Bytes, ImageStoreError>> + Send>>,
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

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.parts.poll_next_unpin(context)
    }
}

/// A reading under way.
struct Reading {
    store: Arc<Inner>,
    chunks: Chunks,
    digest: Digest,
    /// Where the next chunk begins.
    position: u64,
    from: u64,
    until: u64,
    size: u64,
    /// Of a whole image: that of the chunks so far, and that of all.
    seals: Option<(Seal, Seal)>,
    _hold: Hold,
}

impl Inner {
    /// Begins to read.
    pub(super) async fn read(
        self: &Arc<Self>,
        digest: &Digest,
        range: ImageRange,
    ) -> Result<ImageReader, ImageStoreError> {
        let hold = self.desk.hold(*digest).await;
        let unknown = ImageStoreError::Unknown { digest: *digest };
        let name = self.entry(digest).await?.name.ok_or(unknown)?;
        let from = range.offset.min(name.size);
        let length = range.length.unwrap_or(u64::MAX);
        let until = from.saturating_add(length).min(name.size);
        let size = name.size;
        if from == until {
            let parts = Box::pin(stream::empty());
            return Ok(ImageReader { size, parts });
        }
        let (first, last) = (from / name.chunk, (until - 1) / name.chunk);
        let start = self.find(&name, first).await?;
        let is_whole = from == 0 && until == size;
        let reading = Reading {
            store: self.clone(),
            chunks: Chunks::of(self.clone(), &name.nuid, start, last - first + 1),
            digest: *digest,
            position: first * name.chunk,
            from,
            until,
            size,
            seals: is_whole.then(|| (Seal::default(), name.seal)),
            _hold: hold,
        };
        let parts = stream::unfold(Some(reading), |reading| async {
            let mut reading = reading?;
            match reading.advance().await {
                Ok(Some(part)) => Some((Ok(part), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(ImageReader {
            size,
            parts: Box::pin(parts),
        })
    }

    /// Reads an image through, where it is there; false, and noted, when it is damaged. One that is not there is not.
    pub(super) async fn is_sound(self: &Arc<Self>, digest: &Digest) -> Result<bool, ImageStoreError> {
        if self.named(digest).await?.is_none() {
            return Ok(!self.desk.is_damaged(digest));
        }
        let read = async {
            let mut parts = self.read(digest, ImageRange::WHOLE).await?;
            while let Some(part) = parts.next().await {
                part?;
            }
            Ok(())
        };
        match read.await {
            Ok(()) | Err(ImageStoreError::Unknown { .. }) => Ok(true),
            Err(ImageStoreError::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Notes that an image is damaged, so that the next upload of it replaces it.
    fn damaged(&self, digest: Digest, what: &'static str) -> ImageStoreError {
        tracing::error!(%digest, what, "an image is damaged in the store");
        self.desk.note(digest, true);
        ImageStoreError::Damaged { digest, what }
    }

    /// The sequence of chunk number `wanted` of an image, counted from 0, or one between it and the chunk before it.
    async fn find(&self, name: &Name, wanted: u64) -> Result<u64, ImageStoreError> {
        let damaged = |what| self.damaged(name.digest, what);
        let subject = self.layout.chunks(&name.nuid);
        let (mut low, mut high) = ((0, name.first), (name.chunks.saturating_sub(1), name.last));
        let mut cap = u64::MAX;
        for step in 0..MOST_STEPS {
            // Each chunk lies at least one sequence behind the one before it.
            let earliest = low.1.saturating_add(wanted.saturating_sub(low.0));
            let latest = high.1.saturating_sub(high.0.saturating_sub(wanted)).min(cap);
            if wanted == high.0 {
                return Ok(high.1);
            }
            if wanted == low.0 || earliest >= latest {
                return Ok(earliest);
            }
            let guess = match step {
                0..GUESSES => earliest + between(latest - earliest, (wanted - low.0, high.0 - low.0)),
                _ => earliest + (latest - earliest).div_ceil(2),
            };
            let found = self.records.first(&subject, guess).await;
            let found = found.map_err(ImageStoreError::unavailable)?;
            let found = found.ok_or_else(|| damaged(MISSING))?;
            let head = ChunkHead::read(&found.headers).ok_or_else(|| damaged(MISPLACED))?;
            let number = head.offset / name.chunk;
            match number.cmp(&wanted) {
                std::cmp::Ordering::Equal => return Ok(found.sequence),
                std::cmp::Ordering::Less => low = (number, found.sequence),
                std::cmp::Ordering::Greater => {
                    high = (number, found.sequence);
                    cap = guess.saturating_sub(1);
                }
            }
        }
        Err(damaged(MISPLACED))
    }
}

/// That part of `length`.
fn between(length: u64, (part, whole): (u64, u64)) -> u64 {
    let scaled = u128::from(length) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(length).min(length)
}

impl Reading {
    async fn advance(&mut self) -> Result<Option<Bytes>, ImageStoreError> {
        if self.position >= self.until {
            return Ok(None);
        }
        let raw = self.chunks.expected().await?;
        let raw = raw.ok_or_else(|| self.damaged(MISSING))?;
        let begin = self.position;
        let end = begin.saturating_add(raw.payload.len() as u64);
        if end > self.size || end == begin {
            return Err(self.damaged(MISPLACED));
        }
        self.verify(&raw, end)?;
        self.position = end;
        let skipped = self.from.saturating_sub(begin);
        let kept = self.until.min(end).saturating_sub(begin);
        match (usize::try_from(skipped), usize::try_from(kept)) {
            (Ok(skipped), Ok(kept)) if skipped <= kept => Ok(Some(raw.payload.slice(skipped..kept))),
            _ => Err(self.damaged(MISPLACED)),
        }
    }

    fn verify(&mut self, raw: &Raw, end: u64) -> Result<(), ImageStoreError> {
        let hash = check(raw, self.position).map_err(|what| self.damaged(what))?;
        let Some((found, whole)) = &mut self.seals else {
            return Ok(());
        };
        *found = found.and(hash);
        match end < self.size || found == whole {
            true => Ok(()),
            false => Err(self.damaged(ALTERED)),
        }
    }

    fn damaged(&self, what: &'static str) -> ImageStoreError {
        self.store.damaged(self.digest, what)
    }
}
