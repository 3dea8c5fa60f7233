//! The chunks of one upload, in order, as they lie in the store. Whoever uses them up slowly holds nobody up and makes nothing
//! grow: at most 12 chunks (6 MiB together) are on this side or on their way to it.
//!
//! A few come with one request; many come by a consumer. What a consumer does not have, or does not hand out, is asked for with a
//! request, which knows better: of a block that is damaged on the disk a server goes on to count what it cannot hand out.

use super::{
    ImageStoreError, Inner,
    layout::{ChunkHead, LARGEST_CHUNK},
    pull::Pull,
};
use crate::{
    ReadError,
    records::{Raw, Request},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Chunks that are not worth a consumer. As many as one answer has room for.
const FEW: u32 = 8;
/// How often a member of a cluster that does not have a chunk yet is asked again.
const LATE_ATTEMPTS: u32 = 25;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(200);

/// A reading of chunks.
pub(super) struct Chunks {
    store: Arc<Inner>,
    subject: String,
    /// The sequence of the chunk that came last, or one before the first.
    last: u64,
    /// How many more are wanted.
    wanted: u64,
    /// What came with a request and was not handed out.
    few: VecDeque<Raw>,
    many: Option<Pull>,
}

impl Chunks {
    /// The chunks of an upload from sequence `from` on, `wanted` at most.
    pub(super) fn of(store: Arc<Inner>, nuid: &str, from: u64, wanted: u64) -> Self {
        let subject = store.layout.chunks(nuid);
        Self {
            store,
            subject,
            last: from.saturating_sub(1),
            wanted,
            few: VecDeque::new(),
            many: None,
        }
    }

    /// The next chunk; `None` where there is none, or none wanted any more.
    pub(super) async fn next(&mut self) -> Result<Option<Raw>, ImageStoreError> {
        if self.wanted == 0 {
            return Ok(None);
        }
        let next = self.take().await.map_err(ImageStoreError::unavailable)?;
        if let Some(raw) = &next {
            self.last = raw.sequence;
            self.wanted -= 1;
        }
        Ok(next)
    }

    /// The next chunk, of those that must be there.
    pub(super) async fn expected(&mut self) -> Result<Option<Raw>, ImageStoreError> {
        let mut attempt = 1;
        loop {
            let next = self.next().await?;
            let is_late = next.is_none() && self.wanted > 0 && self.store.replicas > 1;
            if !is_late || attempt == LATE_ATTEMPTS {
                return Ok(next);
            }
            attempt += 1;
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
    }

    async fn take(&mut self) -> Result<Option<Raw>, ReadError> {
        if self.few.is_empty() && (self.many.is_some() || self.wanted > u64::from(FEW)) {
            match self.pull().await {
                Ok(Some(raw)) => return Ok(Some(raw)),
                Ok(None) => {}
                Err(ReadError::Unavailable { source }) => {
                    tracing::warn!(%source, "the next chunks of an image are read by a request");
                }
                Err(error) => return Err(error),
            }
            self.many = None;
        }
        if self.few.is_empty() {
            let count = u32::try_from(self.wanted).unwrap_or(FEW).min(FEW);
            let request = Request::some(&self.subject, self.last.saturating_add(1), count);
            self.few = self.store.records.request(request).await?.records;
        }
        Ok(self.few.pop_front())
    }

    /// The next chunk from a consumer.
    async fn pull(&mut self) -> Result<Option<Raw>, ReadError> {
        let many = match &mut self.many {
            Some(many) => many,
            None => {
                let from = self.last.saturating_add(1);
                let many = Pull::begin(&self.store, &self.subject, from).await?;
                self.many.insert(many)
            }
        };
        many.next(self.wanted).await
    }
}

/// Why a chunk is not the one that has to follow.
pub(super) const MISPLACED: &str = "its chunks are not in order";
/// Why a chunk is not as it was.
pub(super) const ALTERED: &str = "a chunk has other bytes than were put into it";
/// Why there is no chunk.
pub(super) const MISSING: &str = "a chunk is missing";

/// Holds a chunk against what it says of itself: it has to begin at `offset`. Tells its hash.
pub(super) fn check(raw: &Raw, offset: u64) -> Result<blake3::Hash, &'static str> {
    let head = ChunkHead::read(&raw.headers).ok_or(MISPLACED)?;
    if head.offset != offset || raw.payload.len() > LARGEST_CHUNK {
        return Err(MISPLACED);
    }
    match blake3::hash(&raw.payload) == head.hash {
        true => Ok(head.hash),
        false => Err(ALTERED),
    }
}
