//! The bytes of images: a JetStream Object Store in which an image is called by its SHA-256.
//!
//! What it promises: an image that is there is whole, is stored and flushed, and was held against what its sender promised; one that
//! is not whole cannot be seen. The same bytes are stored once. What is read is what was written, or an error. An upload that is
//! cut off can be gone on with, also after a restart of the broker or of the server. When the store is full uploads fail loudly and
//! leave nothing behind; nothing is removed to make room. Images that nobody uses and uploads that nobody goes on with are
//! removed by [`ImageStore::collect`], after a grace period.
//!
//! Bounds: 16 uploads at a time, each with at most 2.5 MiB in memory; a reader holds at most 6 MiB. Names and subjects hold digests
//! and random numbers: nothing by which a person could be identified. The bytes are not compressed; they are encrypted where
//! the server encrypts.

mod chunks;
mod collect;
mod desk;
mod error;
mod layout;
mod name;
mod pull;
mod read;
mod resume;
mod seal;
mod upload;
mod wire;
mod writing;

pub use error::ImageStoreError;
pub use read::{ImageRange, ImageReader};
pub use upload::{StoredImage, Upload, UploadKey};

use crate::{ByteSize, Cause, Log, OpenError, log, records::Records};
use archwire_core::Digest;
use async_nats::jetstream::stream;
use bytes::{Bytes, BytesMut};
use collect::Mode;
use desk::Desk;
use futures_util::TryStreamExt;
use layout::{LEAST_PAYLOAD, Layout};
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

/// Removing the chunks of a large image, or listing everything there is, takes a server longer than another request.
const LONGEST_REMOVAL: Duration = Duration::from_secs(60);

/// The bytes of images, by their SHA-256; cheap to clone.
#[derive(Clone)]
pub struct ImageStore {
    inner: Arc<Inner>,
}

struct Inner {
    records: Records,
    /// The same stream, with more patience.
    removing: stream::Stream<()>,
    layout: Layout,
    largest: ByteSize,
    replicas: usize,
    desk: Arc<Desk>,
    /// How many readers have a consumer.
    readers: AtomicU64,
}

/// How much the images may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageStoreConfig {
    /// Most bytes of all images; the server reserves them, so that they have to fit into its store beside everything else.
    pub max_bytes: ByteSize,
    /// Most bytes of one image.
    pub largest: ByteSize,
}

/// What a collection removed, or would remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Images that nobody uses.
    pub images: u64,
    /// Uploads that nobody went on with.
    pub uploads: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// How much the images take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageUsage {
    /// Bytes in the server's store, uploads under way included.
    pub bytes: ByteSize,
    /// Images that are whole.
    pub images: u64,
    /// Most bytes.
    pub max: ByteSize,
}

impl Log {
    /// Opens the images of the log's practice; makes the store when there is none yet. Verified like the log itself.
    ///
    /// A process opens it once and clones it: who reads and uploads is known to one store and its clones, and the collector
    /// removes nothing from under them.
    ///
    /// # Errors
    /// When it cannot be relied on.
    #[tracing::instrument(name = "log.images", skip_all)]
    pub async fn images(&self, config: &ImageStoreConfig) -> Result<ImageStore, OpenError> {
        let layout = Layout::of(self.practice());
        let connection = &self.inner.records.connection;
        let replicas = self.inner.replicas;
        let wanted = layout.stream(replicas, config.max_bytes.as_limit());
        let name = wanted.name.clone();
        let largest_message = connection.client.server_info().max_payload;
        if largest_message < LEAST_PAYLOAD {
            let source = Cause::new(format!(
                "its `max_payload` is {largest_message} bytes, and images need {LEAST_PAYLOAD}"
            ));
            return Err(OpenError::Refused { stream: name, source });
        }
        let stream = log::open_stream(&connection.jetstream, wanted).await?;
        let mut patient = connection.jetstream.clone();
        patient.set_timeout(LONGEST_REMOVAL);
        let removing = patient.get_stream_no_info(&name).await;
        let removing = removing.map_err(|error| OpenError::Unavailable {
            stream: name,
            source: Cause::new(error),
        })?;
        let inner = Inner {
            records: self.inner.records.beside(stream),
            removing,
            layout,
            largest: config.largest,
            replicas,
            desk: Arc::new(Desk::default()),
            readers: AtomicU64::new(0),
        };
        Ok(ImageStore {
            inner: Arc::new(inner),
        })
    }
}

impl ImageStore {
    /// Begins an upload, or goes on with one of the same key, which ends that one. What is there of it is read again before that,
    /// which takes as long as reading it does.
    ///
    /// # Errors
    /// When it cannot begin.
    pub async fn upload(&self, key: UploadKey) -> Result<Upload, ImageStoreError> {
        let nuid = layout::nuid(&key);
        Upload::begin(self.inner.clone(), key, &nuid).await
    }

    /// How many bytes an upload would go on from: the size when the image is stored, 0 without a promise. The upload itself
    /// may find less of use: what it says counts.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn offset(&self, key: &UploadKey) -> Result<u64, ImageStoreError> {
        let Some((digest, size)) = &key.promised else {
            return Ok(0);
        };
        match self.inner.named(digest).await? {
            Some(name) => Ok(name.size),
            None => self.inner.stored_of(&layout::nuid(key), *size).await,
        }
    }

    /// The size of an image in bytes; `None` when it is not there, or was found damaged, so that it should be sent again.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn contains(&self, digest: &Digest) -> Result<Option<u64>, ImageStoreError> {
        Ok(self.inner.named(digest).await?.map(|name| name.size))
    }

    /// Whether an image is as it was stored: it is read through, which takes as long as reading it does. One that is damaged counts
    /// as not there from then on, so that the next upload of it replaces it. True of one that is not there.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn is_sound(&self, digest: &Digest) -> Result<bool, ImageStoreError> {
        self.inner.is_sound(digest).await
    }

    /// Whether the image is there by an upload of this key: who asks has had all of its bytes.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn is_by(&self, key: &UploadKey) -> Result<bool, ImageStoreError> {
        let Some((digest, _)) = &key.promised else {
            return Ok(false);
        };
        let name = self.inner.named(digest).await?;
        Ok(name.is_some_and(|name| name.nuid == layout::nuid(key)))
    }

    /// The bytes of an image.
    ///
    /// # Errors
    /// When it is not there, or cannot be read. The reader fails in the middle, and ends with that, when the server is not back
    /// within 25 s or the image is damaged.
    pub async fn read(&self, digest: &Digest, range: ImageRange) -> Result<ImageReader, ImageStoreError> {
        self.inner.read(digest, range).await
    }

    /// The first bytes of an image, `most` of them or as many as there are, all in memory.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub async fn head(&self, digest: &Digest, most: usize) -> Result<Bytes, ImageStoreError> {
        let range = ImageRange {
            offset: 0,
            length: Some(most as u64),
        };
        all(self.read(digest, range).await?).await
    }

    /// The last bytes of an image, `most` of them or as many as there are, all in memory.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub async fn tail(&self, digest: &Digest, most: usize) -> Result<Bytes, ImageStoreError> {
        let unknown = ImageStoreError::Unknown { digest: *digest };
        let name = self.inner.entry(digest).await?.name.ok_or(unknown)?;
        let range = ImageRange {
            offset: name.size.saturating_sub(most as u64),
            length: None,
        };
        all(self.read(digest, range).await?).await
    }

    /// Removes images that `in_use` does not know and what is left of uploads that nobody went on with, both older than
    /// `grace`; what is left of uploads that cannot be gone on with stays 10 minutes at most. Goes on after what could not be removed. `in_use` has to be true of everything that may still be asked for, from less than `grace` after its upload on.
    ///
    /// # Errors
    /// When not all of it was removed.
    pub async fn collect(
        &self,
        grace: Duration,
        in_use: impl Fn(&Digest) -> bool,
    ) -> Result<Collected, ImageStoreError> {
        let collected = self.inner.collect(grace, &in_use, Mode::Remove).await?;
        if collected != Collected::default() {
            let Collected {
                images,
                uploads,
                bytes,
            } = collected;
            tracing::info!(images, uploads, bytes, "images that nobody needs were removed");
        }
        Ok(collected)
    }

    /// What [`collect`](Self::collect) would remove.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn collectable(
        &self,
        grace: Duration,
        in_use: impl Fn(&Digest) -> bool,
    ) -> Result<Collected, ImageStoreError> {
        self.inner.collect(grace, &in_use, Mode::Count).await
    }

    /// How much the images take. The server lists all names for that: meant for a person who looks, not for every request.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn usage(&self) -> Result<ImageUsage, ImageStoreError> {
        let info = self.inner.records.stream.get_info().await;
        let info = info.map_err(ImageStoreError::unavailable)?;
        Ok(ImageUsage {
            bytes: ByteSize::bytes(info.state.bytes),
            images: self.inner.names().await?,
            max: ByteSize::bytes(info.config.max_bytes.unsigned_abs()),
        })
    }
}

impl Inner {
    fn check_size(&self, size: u64) -> Result<(), ImageStoreError> {
        match size {
            0 => Err(ImageStoreError::Empty),
            size if size > self.largest.get() => Err(ImageStoreError::TooLarge {
                largest: self.largest,
            }),
            _ => Ok(()),
        }
    }
}

async fn all(reader: ImageReader) -> Result<Bytes, ImageStoreError> {
    let gather = |mut all: BytesMut, part: Bytes| async move {
        all.extend_from_slice(&part);
        Ok(all)
    };
    Ok(reader.try_fold(BytesMut::new(), gather).await?.freeze())
}
