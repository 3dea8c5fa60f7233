//! Going on with an upload: whatever another attempt stored is read again and held against what its chunks say, and what
//! cannot be gone on from is removed.
//!
//! An upload of several chunks is claimed first. A claim ends the attempt before it wherever that is, in this process or
//! another one, or in bytes that the network still holds: each of its chunks names the claim it was sent under, and the server
//! refuses those of an older one. So nothing is added to what is read here but by the one that reads it. A claim outlives its
//! upload until it is collected, and so keeps bytes away that the network gives up later than that.

use super::{
    ImageStoreError, Inner,
    chunks::{Chunks, check},
    layout::{CHUNK, ChunkHead, chunks_in},
    name::Name,
    wire::Refusal,
    writing::{Fence, Progress},
};
use archwire_core::{Digest, SystemName};
use async_nats::{HeaderMap, header};
use sha2::Digest as _;
use std::sync::Arc;

/// How a promised upload begins.
pub(super) enum Begun {
    /// There is nothing to do: the image is there.
    Stored(Name),
    /// With what is there of it.
    Writing(Fence, Progress),
}

impl Inner {
    /// Begins a promised upload.
    pub(super) async fn resume(
        self: &Arc<Self>,
        owner: &SystemName,
        nuid: &str,
        (digest, size): (Digest, u64),
    ) -> Result<Begun, ImageStoreError> {
        if let Some(name) = self.named(&digest).await? {
            return Ok(Begun::Stored(name));
        }
        let mut fence = Fence::OneChunk;
        if size > CHUNK as u64 {
            fence = Fence::Claim(self.claim(owner, nuid).await?);
            // The attempt that was ended may have been just about to be through.
            if let Some(name) = self.named(&digest).await? {
                return Ok(Begun::Stored(name));
            }
        }
        let progress = match self.last(&self.layout.chunks(nuid)).await? {
            None => Progress::default(),
            Some(last) => self.read_again(nuid, (digest, size), last.sequence).await?,
        };
        Ok(Begun::Writing(fence, progress))
    }

    /// How many bytes there are of a promised upload, by what its last chunk says.
    pub(super) async fn stored_of(&self, nuid: &str, size: u64) -> Result<u64, ImageStoreError> {
        let Some(last) = self.last(&self.layout.chunks(nuid)).await? else {
            return Ok(0);
        };
        let head = ChunkHead::read(&last.headers);
        let end = head.map(|head| head.offset.saturating_add(last.payload.len() as u64));
        Ok(end.filter(|end| *end <= size).unwrap_or(0))
    }

    async fn claim(&self, owner: &SystemName, nuid: &str) -> Result<u64, ImageStoreError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_ROLLUP, "sub");
        let owner = owner.to_string().into_bytes().into();
        let claimed = match self.send(self.layout.claim(nuid), headers, owner).await {
            Ok(sent) => sent.stored().await,
            Err(refusal) => Err(refusal),
        };
        claimed.map_err(|refusal| match refusal {
            Refusal::Full(source) => ImageStoreError::Full { source },
            Refusal::Guard => ImageStoreError::unavailable("a claim has no guard, and was refused by one"),
            Refusal::Unavailable(source) => ImageStoreError::Unavailable { source },
        })
    }

    /// Reads what is there up to the chunk with sequence `last`. When it cannot be gone on from it is removed.
    async fn read_again(
        self: &Arc<Self>,
        nuid: &str,
        (digest, size): (Digest, u64),
        last: u64,
    ) -> Result<Progress, ImageStoreError> {
        let mut progress = Progress::default();
        let mut chunks = Chunks::of(self.clone(), nuid, 1, chunks_in(size).saturating_add(1));
        while progress.last != last {
            let Some(raw) = chunks.expected().await? else {
                return self.begin_anew(nuid, "its last chunk is not to be had").await;
            };
            let length = raw.payload.len() as u64;
            let end = progress.offset.saturating_add(length);
            let is_whole = length == CHUNK as u64 || (length < CHUNK as u64 && end == size);
            let hash = match check(&raw, progress.offset) {
                Ok(hash) => hash,
                Err(what) => return self.begin_anew(nuid, what).await,
            };
            if !is_whole || end > size {
                return self.begin_anew(nuid, "a chunk has an odd size").await;
            }
            progress.hash.update(&raw.payload);
            progress.seal = progress.seal.and(hash);
            progress.offset = end;
            progress.chunks += 1;
            progress.first = if progress.first == 0 {
                raw.sequence
            } else {
                progress.first
            };
            progress.last = raw.sequence;
        }
        let found = Digest::from_bytes(progress.hash.clone().finalize().into());
        if progress.offset == size && found != digest {
            return self.begin_anew(nuid, "its digest is another").await;
        }
        Ok(progress)
    }

    async fn begin_anew(&self, nuid: &str, what: &'static str) -> Result<Progress, ImageStoreError> {
        tracing::info!(
            nuid,
            what,
            "what is stored of an upload cannot be gone on from, and is removed"
        );
        self.remove_chunks(nuid).await?;
        Ok(Progress::default())
    }

    /// Removes the chunks of an upload that is given up, and its claim if it is still that of this attempt.
    pub(super) async fn remove_upload(&self, nuid: &str, fence: Fence) -> Result<(), ImageStoreError> {
        self.remove_chunks(nuid).await?;
        match fence {
            Fence::Claim(sequence) => self.remove(&self.layout.claim(nuid), Some(sequence)).await,
            Fence::None | Fence::OneChunk => Ok(()),
        }
    }

    /// Removes the chunks of an upload, and its claim where it has one.
    pub(super) async fn remove_all_of(&self, nuid: &str) -> Result<(), ImageStoreError> {
        self.remove_chunks(nuid).await?;
        self.remove(&self.layout.claim(nuid), None).await
    }
}
