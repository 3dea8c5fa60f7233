//! The chunks of one upload, in order, as they lie in the store. Whoever uses them up slowly holds nobody up and makes nothing
//! grow: at most 8 chunks (4 MiB together) are on this side or on their way to it.
//!
//! A server reads a block of its store before it sends the first chunk of it, and is the slowest of those who take part, so it
//! has to have the next request at hand when it is through with one. Where the next batch begins is known only when the one
//! before it has come; but chunks that lie side by side, as they do unless several uploads came at the same time, go on where
//! it is expected.

use super::{
    ImageStoreError, Inner,
    layout::{CHUNK, ChunkHead},
};
use crate::{
    ReadError,
    records::{Asked, Raw, Request, Step},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Chunks that may be on this side or on their way to it.
const MOST: u32 = 8;
/// Requests that a server has at hand while chunks lie side by side; each is for an equal part of the most.
const AT_HAND: u32 = 2;
/// How often a request that is not answered is repeated, in a row.
const ATTEMPTS: u32 = 4;
/// How often a member of a cluster that does not have a chunk yet is asked again.
const LATE_ATTEMPTS: u32 = 25;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(200);

/// A reading of chunks.
pub(super) struct Chunks {
    store: Arc<Inner>,
    subject: String,
    /// The sequence of the chunk that came last, or one before the first.
    last: u64,
    /// What is asked for, in order.
    asked: VecDeque<Asking>,
    /// Whether the chunks of the batch that came last lay side by side.
    is_dense: bool,
    /// How many more are wanted.
    wanted: u64,
}

/// A request under way.
struct Asking {
    answer: Asked,
    /// The sequence from which on it asks.
    from: u64,
    /// For how many chunks.
    count: u32,
}

impl Chunks {
    /// The chunks of an upload from sequence `from` on, `wanted` at most.
    pub(super) fn of(store: Arc<Inner>, nuid: &str, from: u64, wanted: u64) -> Self {
        let subject = store.layout.chunks(nuid);
        Self {
            store,
            subject,
            last: from.saturating_sub(1),
            asked: VecDeque::new(),
            is_dense: false,
            wanted,
        }
    }

    /// The next chunk; `None` where there is none, or none wanted any more.
    pub(super) async fn next(&mut self) -> Result<Option<Raw>, ImageStoreError> {
        let mut attempt = 1;
        while self.wanted > 0 {
            match self.step().await {
                Ok(Step::Record(raw)) => return Ok(Some(raw)),
                Ok(Step::End { complete: true }) => return Ok(None),
                Ok(Step::End { complete: false }) => {}
                Err(ReadError::Unavailable { source }) if attempt < ATTEMPTS => {
                    tracing::warn!(%source, attempt, "a read is repeated");
                    attempt += 1;
                    self.asked.clear();
                }
                Err(error) => return Err(ImageStoreError::unavailable(error)),
            }
        }
        Ok(None)
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

    /// Takes a chunk that has not come yet, or comes to the end of a request.
    async fn step(&mut self) -> Result<Step, ReadError> {
        self.ask().await?;
        let last = self.last;
        while let Some(asking) = self.asked.front_mut() {
            match asking.answer.next().await? {
                // The chunks lay less close than was expected, and the request before brought it.
                Step::Record(raw) if raw.sequence <= last => {}
                Step::Record(raw) => {
                    self.last = raw.sequence;
                    self.wanted -= 1;
                    return Ok(Step::Record(raw));
                }
                Step::End { complete } => {
                    self.is_dense = self.last.saturating_add(1) == asking.from + u64::from(asking.count);
                    self.asked.pop_front();
                    if complete {
                        self.asked.clear();
                    }
                    return Ok(Step::End { complete });
                }
            }
        }
        Ok(Step::End { complete: false })
    }

    /// Keeps as many requests under way as may be.
    async fn ask(&mut self) -> Result<(), ReadError> {
        let at_hand = if self.is_dense { AT_HAND } else { 1 };
        while self.asked.len() < at_hand as usize {
            let under_way: u64 = self.asked.iter().map(|asking| u64::from(asking.count)).sum();
            let count = self
                .wanted
                .saturating_sub(under_way)
                .min(u64::from(MOST / at_hand));
            let Ok(count @ 1..) = u32::try_from(count) else {
                return Ok(());
            };
            let from = match self.asked.back() {
                Some(before) => before.from + u64::from(before.count),
                None => self.last.saturating_add(1),
            };
            let request = Request::some(&self.subject, from, count);
            let answer = self.store.records.ask(&request).await?;
            self.asked.push_back(Asking { answer, from, count });
        }
        Ok(())
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
    if head.offset != offset || raw.payload.len() > CHUNK {
        return Err(MISPLACED);
    }
    match blake3::hash(&raw.payload) == head.hash {
        true => Ok(head.hash),
        false => Err(ALTERED),
    }
}
