//! The chunks of one upload, in order, as they lie in the store. Whoever uses them up slowly holds nobody up and makes nothing
//! grow: there are at most two batches of 4 chunks (4 MiB together) on this side, of which one is used up while the other one is
//! on its way.

use super::{ImageStoreError, Inner, layout::ChunkHead};
use crate::records::{Asked, Raw, Request};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Chunks asked for with one request.
const BATCH: u32 = 4;
/// How often a member of a cluster that does not have a chunk yet is asked again.
const LATE_ATTEMPTS: u32 = 25;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(200);

/// A reading of chunks.
pub(super) struct Chunks {
    store: Arc<Inner>,
    subject: String,
    /// The sequence from which the next batch is asked for.
    next: u64,
    ready: VecDeque<Raw>,
    asked: Option<Asked>,
    /// How many more are wanted.
    wanted: u64,
}

impl Chunks {
    /// The chunks of an upload from sequence `from` on, `wanted` at most.
    pub(super) fn of(store: Arc<Inner>, nuid: &str, from: u64, wanted: u64) -> Self {
        let subject = store.layout.chunks(nuid);
        let (ready, asked) = (VecDeque::new(), None);
        Self {
            store,
            subject,
            next: from.max(1),
            ready,
            asked,
            wanted,
        }
    }

    /// The next chunk; `None` where there is none, or none wanted any more.
    pub(super) async fn next(&mut self) -> Result<Option<Raw>, ImageStoreError> {
        if self.wanted == 0 {
            return Ok(None);
        }
        if self.ready.is_empty() {
            self.fill().await.map_err(ImageStoreError::unavailable)?;
        }
        let next = self.ready.pop_front();
        self.wanted -= u64::from(next.is_some());
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

    async fn fill(&mut self) -> Result<(), crate::ReadError> {
        let records = self.store.records.clone();
        let answered = match self.asked.take() {
            Some(asked) => asked.take().await.ok(),
            None => None,
        };
        let batch = match answered {
            Some(batch) => batch,
            None => records.request(self.request()).await?,
        };
        self.next = batch.next.max(self.next);
        self.ready = batch.records;
        let left = self.wanted.saturating_sub(self.ready.len() as u64);
        if !batch.complete && left > 0 {
            // Not being able to ask now is found out by asking again.
            let request = Request::some(&self.subject, self.next, count(left));
            self.asked = records.ask(&request).await.ok();
        }
        Ok(())
    }

    fn request(&self) -> Request<'_> {
        Request::some(&self.subject, self.next, count(self.wanted))
    }
}

fn count(wanted: u64) -> u32 {
    u32::try_from(wanted).unwrap_or(BATCH).min(BATCH)
}

/// Why a chunk is not the one that has to follow.
pub(super) const MISPLACED: &str = "its chunks are not in order";
/// Why a chunk is not as it was.
pub(super) const ALTERED: &str = "a chunk has other bytes than were put into it";
/// Why there is no chunk.
pub(super) const MISSING: &str = "a chunk is missing";

/// Holds a chunk against what it says of itself: it has to begin at `offset`.
pub(super) fn check(raw: &Raw, offset: u64) -> Result<(), &'static str> {
    let head = ChunkHead::read(&raw.headers).ok_or(MISPLACED)?;
    if head.offset != offset {
        return Err(MISPLACED);
    }
    match archwire_core::Digest::of(&raw.payload) == head.digest {
        true => Ok(()),
        false => Err(ALTERED),
    }
}
