//! The bytes of an upload on their way into chunks. At most 4 chunks (2 MiB) are on their way at a time and one is being filled;
//! what comes then waits. In a cluster a promised upload of several chunks has one on its way at a time, because a cluster
//! takes one message at a time of those that are guarded by the same claim.

use super::{
    ImageStoreError, Inner,
    layout::{CHUNK, ChunkHead},
    name::Name,
    seal::Seal,
    wire::{Refusal, Sent},
};
use crate::records::GUARDING_SUBJECT;
use archwire_core::Digest;
use async_nats::{HeaderMap, HeaderValue, header};
use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use std::{collections::VecDeque, sync::Arc};

/// Chunks on their way at a time.
const WINDOW: usize = 4;

/// What keeps chunks from being stored that should not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fence {
    /// Nothing: nobody else knows the upload.
    None,
    /// There is one chunk only, and it has to be the first.
    OneChunk,
    /// The claim with this sequence has to be the last one.
    Claim(u64),
}

/// What is stored of an upload.
#[derive(Clone, Default)]
pub(super) struct Progress {
    /// Bytes.
    pub(super) offset: u64,
    pub(super) chunks: u64,
    /// The sequence of the first chunk.
    pub(super) first: u64,
    /// The sequence of the last chunk.
    pub(super) last: u64,
    pub(super) hash: Sha256,
    pub(super) seal: Seal,
}

/// Bytes on their way into chunks.
pub(super) struct Writing {
    store: Arc<Inner>,
    nuid: String,
    fence: Fence,
    buffer: BytesMut,
    on_their_way: VecDeque<Sent>,
    /// What was sent.
    progress: Progress,
}

impl Writing {
    pub(super) fn new(store: Arc<Inner>, nuid: String, fence: Fence, progress: Progress) -> Self {
        let (buffer, on_their_way) = (BytesMut::new(), VecDeque::new());
        Self {
            store,
            nuid,
            fence,
            buffer,
            on_their_way,
            progress,
        }
    }

    /// How many bytes came so far.
    pub(super) fn taken(&self) -> u64 {
        self.progress.offset.saturating_add(self.buffer.len() as u64)
    }

    /// Takes bytes, and sends what fills a chunk. The last full chunk waits for more, since it may be the last one of all.
    pub(super) async fn take(&mut self, mut bytes: Bytes) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            if self.buffer.len() == CHUNK {
                let full = self.buffer.split().freeze();
                self.send(full).await?;
            }
            if self.buffer.is_empty() && bytes.len() > CHUNK {
                let full = bytes.split_to(CHUNK);
                self.send(full).await?;
                continue;
            }
            let room = CHUNK - self.buffer.len();
            let part = bytes.split_to(room.min(bytes.len()));
            self.buffer.extend_from_slice(&part);
        }
        Ok(())
    }

    /// Sends the rest and waits until all of it is stored. Gives what the image would be called by.
    pub(super) async fn complete(&mut self) -> Result<Name, Refusal> {
        if !self.buffer.is_empty() {
            let rest = self.buffer.split().freeze();
            self.send(rest).await?;
        }
        while !self.on_their_way.is_empty() {
            self.settle_oldest().await?;
        }
        let Progress {
            offset,
            chunks,
            first,
            last,
            hash,
            seal,
        } = self.progress.clone();
        Ok(Name {
            digest: Digest::from_bytes(hash.finalize().into()),
            size: offset,
            nuid: self.nuid.clone(),
            chunks,
            chunk: CHUNK as u64,
            first,
            last,
            seal,
        })
    }

    /// Removes everything, once nothing is on its way any more.
    pub(super) async fn discard(&mut self) -> Result<(), ImageStoreError> {
        self.buffer.clear();
        while let Some(sent) = self.on_their_way.pop_front() {
            // Whether it was stored does not matter: it is removed.
            if let Err(refusal) = sent.stored().await {
                tracing::debug!(?refusal, "a chunk of an upload that is given up");
            }
        }
        self.store.remove_upload(&self.nuid, self.fence).await
    }

    async fn send(&mut self, chunk: Bytes) -> Result<(), Refusal> {
        if self.on_their_way.len() >= self.window() {
            self.settle_oldest().await?;
        }
        let progress = &mut self.progress;
        let head = ChunkHead {
            offset: progress.offset,
            hash: blake3::hash(&chunk),
        };
        progress.hash.update(&chunk);
        progress.seal = progress.seal.and(head.hash);
        progress.offset = progress.offset.saturating_add(chunk.len() as u64);
        progress.chunks += 1;
        let (headers, subject) = (self.guarded(head.write())?, self.store.layout.chunks(&self.nuid));
        self.on_their_way
            .push_back(self.store.send(subject, headers, chunk).await?);
        Ok(())
    }

    async fn settle_oldest(&mut self) -> Result<(), Refusal> {
        let Some(sent) = self.on_their_way.pop_front() else {
            return Ok(());
        };
        let sequence = sent.stored().await?;
        let progress = &mut self.progress;
        // They are stored in the order in which they were sent.
        progress.first = if progress.first == 0 {
            sequence
        } else {
            progress.first
        };
        progress.last = sequence;
        Ok(())
    }

    fn window(&self) -> usize {
        match self.fence {
            Fence::Claim(_) if self.store.replicas > 1 => 1,
            _ => WINDOW,
        }
    }

    fn guarded(&self, mut headers: HeaderMap) -> Result<HeaderMap, Refusal> {
        let last = match self.fence {
            Fence::None => return Ok(headers),
            Fence::OneChunk => 0,
            Fence::Claim(sequence) => {
                let claim = self.store.layout.claim(&self.nuid);
                let claim: HeaderValue = claim.parse().map_err(Refusal::unavailable)?;
                headers.insert(GUARDING_SUBJECT, claim);
                sequence
            }
        };
        headers.insert(
            header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
            HeaderValue::from(last),
        );
        Ok(headers)
    }
}
