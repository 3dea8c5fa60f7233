//! The index as a start finds it again: a snapshot in a bucket, so that a start need not read the whole log.
//!
//! Two generations take turns, each in numbered pieces; the manifest names the one that is whole, with the place in the
//! log up to which it goes and the SHA-256 of its bytes. A kill while one is written leaves the other. A snapshot that
//! cannot be read costs time and nothing else: the log has everything.

use super::{Index, ObserveError, Registry, index::Frozen};
use archwire_core::{Subject, SystemName, identity::Trust};
use archwire_nats::{Bucket, BucketError, ByteSize, Log};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::interval};
use tokio_util::sync::CancellationToken;

/// The bucket's name, and what it may hold: two generations of about 100,000 patients each.
pub(crate) const BUCKET: &str = "index";
pub(crate) const LARGEST: ByteSize = ByteSize::mebibytes(512);
const MANIFEST: &str = "manifest";
/// Changes whenever the rows do.
const VERSION: u32 = 9;
/// About so many bytes in a piece.
const PIECE: usize = 512 * 1024;
/// Pieces that are read at the same time.
const AT_A_TIME: usize = 8;
/// Records of the log after which a new snapshot is worth it: about a third of a second of reading.
const WORTH: u64 = 20_000;
/// The same at a stop, when there is time.
const WORTH_AT_STOP: u64 = 1_000;
/// How often that is looked at.
const EVERY: Duration = Duration::from_secs(30);

/// Where snapshots are kept.
pub(super) struct Snapshots {
    bucket: Bucket,
    /// Up to where the last one goes.
    reaches: AtomicU64,
    writing: Mutex<()>,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    version: u32,
    generation: u64,
    pieces: usize,
    sequence: u64,
    sha256: String,
}

fn piece_key(generation: u64, piece: usize) -> String {
    format!("{}.{piece}", generation % 2)
}

impl Snapshots {
    pub(super) async fn open(log: &Log) -> Result<Self, ObserveError> {
        let name: SystemName = BUCKET.parse().map_err(|_| ObserveError::Interrupted)?;
        let bucket = log.bucket_of(&name, LARGEST).await.map_err(ObserveError::Open)?;
        Ok(Self {
            bucket,
            reaches: AtomicU64::new(0),
            writing: Mutex::new(()),
        })
    }

    /// The index of the last snapshot; of nothing when there is none that can be used.
    pub(super) async fn load(&self, trust: &Trust) -> Index {
        match self.read(trust).await {
            Ok(Some(index)) => {
                self.reaches.store(index.sequence(), Ordering::Relaxed);
                index
            }
            Ok(None) => Index::new(trust.clone()),
            Err(why) => {
                tracing::warn!(
                    why,
                    "the snapshot of the index cannot be used; the whole log is read instead"
                );
                Index::new(trust.clone())
            }
        }
    }

    async fn manifest(&self) -> Result<Option<Manifest>, &'static str> {
        let bytes = self.bucket.get(MANIFEST).await.map_err(|_| "not readable")?;
        let manifest = bytes.map(|bytes| serde_json::from_slice::<Manifest>(&bytes));
        manifest.transpose().map_err(|_| "no manifest")
    }

    async fn read(&self, trust: &Trust) -> Result<Option<Index>, &'static str> {
        let Some(manifest) = self.manifest().await? else {
            return Ok(None);
        };
        if manifest.version != VERSION {
            return Err("of another version");
        }
        let mut index = Index::behind(trust.clone(), manifest.sequence);
        let mut hash = Sha256::new();
        let mut pieces = stream::iter(0..manifest.pieces)
            .map(|piece| async move { self.bucket.get(&piece_key(manifest.generation, piece)).await })
            .buffered(AT_A_TIME);
        while let Some(piece) = pieces.try_next().await.map_err(|_| "not readable")? {
            let piece = piece.ok_or("a piece is missing")?;
            hash.update(&piece);
            index.thaw(&piece).map_err(|_| "a piece is damaged")?;
        }
        if hex::encode(hash.finalize()) == manifest.sha256 {
            Ok(Some(index))
        } else {
            Err("damaged")
        }
    }

    /// Writes a snapshot beside the last one, and only then says that it is the one.
    async fn write(&self, frozen: Frozen) -> Result<(), BucketError> {
        let _one = self.writing.lock().await;
        let last = self.manifest().await.ok().flatten();
        let generation = last.map_or(0, |manifest| manifest.generation.wrapping_add(1));
        let mut hash = Sha256::new();
        let mut pieces = 0;
        for piece in frozen.pieces(PIECE) {
            hash.update(&piece);
            self.bucket
                .put(&piece_key(generation, pieces), piece.into())
                .await?;
            pieces += 1;
        }
        let manifest = Manifest {
            version: VERSION,
            generation,
            pieces,
            sequence: frozen.sequence(),
            sha256: hex::encode(hash.finalize()),
        };
        // A manifest is numbers and text, which always serialise.
        let json = serde_json::to_vec(&manifest).unwrap_or_default();
        self.bucket.put(MANIFEST, json.into()).await?;
        self.reaches.store(frozen.sequence(), Ordering::Relaxed);
        Ok(())
    }

    /// Forgets the snapshot: the next start reads the whole log, unless another one is written before.
    pub(super) async fn forget(&self) -> Result<(), BucketError> {
        self.reaches.store(0, Ordering::Relaxed);
        self.bucket.delete(MANIFEST).await
    }
}

impl Registry {
    /// Writes a snapshot whenever the log has grown enough since the last one, until `shutdown`, and goes on
    /// with merges that are half done or wait.
    pub async fn keep_snapshots(self: Arc<Self>, shutdown: CancellationToken) {
        let mut look = interval(EVERY);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = look.tick() => {
                    self.finish_halves().await;
                    self.finish_moves().await;
                    self.retry_merges().await;
                    self.snapshot_if_worth(WORTH).await;
                }
            }
        }
    }

    /// Waits until nothing is being written any more, and writes a last snapshot.
    pub async fn close(&self) {
        self.drain().await;
        self.snapshot_if_worth(WORTH_AT_STOP).await;
    }

    async fn snapshot_if_worth(&self, worth: u64) {
        let grown = self
            .index()
            .sequence()
            .saturating_sub(self.snapshots.reaches.load(Ordering::Relaxed));
        if grown >= worth
            && let Err(error) = self.snapshot().await
        {
            let code = error.code();
            tracing::warn!(
                code,
                "no snapshot of the index was written; the next start reads more of the log"
            );
        }
    }

    /// Writes a snapshot now. Not while the log may hold something that the index does not: the next start finds out. Nor
    /// when another broker has become the writer.
    ///
    /// # Errors
    /// When it cannot be stored; the last one stays.
    pub async fn snapshot(&self) -> Result<(), BucketError> {
        let frozen = {
            let _quiet = self.appending.write().await;
            if self.uncertain.load(Ordering::Relaxed) || self.take_in_others().await.is_err() {
                return Ok(());
            }
            self.index().freeze()
        };
        // Looked for after the index was frozen: up to here nobody else had appended.
        let writer = self.log.last_of(&Subject::Writer).await;
        let is_still_ours = writer
            .ok()
            .flatten()
            .is_some_and(|record| record.sequence == self.config.fence.sequence());
        if !is_still_ours {
            return Ok(());
        }
        self.snapshots.write(frozen).await
    }
}
