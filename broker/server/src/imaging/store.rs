//! The content store as connectors' sandboxes reach it: streams in and out, in pieces of at most 512 KiB.
//!
//! An upload of a connector cannot be gone on with: what a call does not finish is removed when the call ends. The room on the disk
//! is looked at with every 512 KiB; where there is none nothing of the upload is left. Every system may
//! read every image whose digest it knows, and the bus names to a connector only those that it delivers to it.

use super::room::Room;
use crate::sftp::Offers;
use archwire_core::{Digest, SystemName};
use archwire_host::{
    HandOut, ImageBytes, ImageContent, ImageContentError, ImageOffer, ImageOfferError, ImageSink, StoredImage,
};
use archwire_nats::{ImageRange, ImageStore, ImageStoreError, Upload, UploadKey};
use bytes::Bytes;
use futures_util::{StreamExt as _, future::BoxFuture};

/// The content store for the sandboxes.
#[derive(Clone)]
pub struct Content {
    store: ImageStore,
    room: Room,
    offering: Offering,
}

/// Whether images are handed out to the systems' own programs.
#[derive(Clone)]
enum Offering {
    NotConfigured,
    NotGranted(Offers),
    Granted(Offers),
}

impl Content {
    /// The images of a store, on a disk with or without room. With `offers` they can be handed out, by those who may.
    #[must_use]
    pub fn new(store: ImageStore, room: Room, offers: Option<Offers>) -> Self {
        let offering = offers.map_or(Offering::NotConfigured, Offering::NotGranted);
        Self {
            store,
            room,
            offering,
        }
    }

    /// For a system that may have them handed out.
    #[must_use]
    pub fn handing_out(self) -> Self {
        let offering = match self.offering {
            Offering::NotGranted(offers) => Offering::Granted(offers),
            other => other,
        };
        Self { offering, ..self }
    }
}

impl ImageContent for Content {
    fn open<'a>(
        &'a self,
        _: &'a SystemName,
        digest: Digest,
    ) -> BoxFuture<'a, Result<ImageBytes, ImageContentError>> {
        Box::pin(async move {
            let bytes = self
                .store
                .read(&digest, ImageRange::WHOLE)
                .await
                .map_err(failed)?;
            Ok(bytes.map(|piece| piece.map_err(failed)).boxed())
        })
    }

    fn create<'a>(
        &'a self,
        system: &'a SystemName,
    ) -> BoxFuture<'a, Result<Box<dyn ImageSink>, ImageContentError>> {
        Box::pin(async move {
            self.room.has(0).map_err(|_| ImageContentError::Full)?;
            let key = UploadKey {
                owner: system.clone(),
                promised: None,
            };
            let upload = self.store.upload(key).await.map_err(failed)?;
            let sink = Sink {
                upload: Some(upload),
                room: self.room.clone(),
                unseen: 0,
            };
            Ok(Box::new(sink) as Box<dyn ImageSink>)
        })
    }

    fn hand_out<'a>(
        &'a self,
        _: &'a SystemName,
        what: HandOut,
    ) -> BoxFuture<'a, Result<Box<dyn ImageOffer>, ImageOfferError>> {
        Box::pin(async move {
            match &self.offering {
                Offering::NotConfigured => Err(ImageOfferError::NotConfigured),
                Offering::NotGranted(_) => Err(ImageOfferError::NotGranted),
                Offering::Granted(offers) => offers.hand_out(what).await,
            }
        })
    }
}

/// How many bytes may be written before the room on the disk is looked at again.
const UNSEEN: usize = 512 * 1024;

struct Sink {
    /// `None` once the disk was full.
    upload: Option<Upload>,
    room: Room,
    /// Bytes since the room was looked at.
    unseen: usize,
}

impl Sink {
    async fn take(&mut self, bytes: Bytes) -> Result<(), ImageContentError> {
        self.unseen = self.unseen.saturating_add(bytes.len());
        if self.unseen >= UNSEEN {
            self.unseen = 0;
            if let Err(full) = self.room.has(UNSEEN as u64) {
                tracing::warn!(code = full.code(), "{full}");
                self.give_up().await;
            }
        }
        let upload = self.upload.as_mut().ok_or(ImageContentError::Full)?;
        upload.write(bytes).await.map_err(failed)
    }

    async fn give_up(&mut self) {
        let Some(upload) = self.upload.take() else {
            return;
        };
        if let Err(error) = upload.abandon().await {
            let code = error.code();
            tracing::warn!(code, "what is left of an upload is left to the collector");
        }
    }
}

impl ImageSink for Sink {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ImageContentError>> {
        Box::pin(self.take(bytes))
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<StoredImage, ImageContentError>> {
        Box::pin(async {
            let upload = self.upload.ok_or(ImageContentError::Full)?;
            let stored = upload.finish().await.map_err(failed)?;
            Ok(StoredImage {
                digest: stored.digest,
                size: stored.size,
            })
        })
    }
}

fn failed(error: ImageStoreError) -> ImageContentError {
    match error {
        ImageStoreError::Unknown { .. } => ImageContentError::Unknown,
        ImageStoreError::TooLarge { .. } => ImageContentError::TooLarge,
        ImageStoreError::Empty => ImageContentError::Empty,
        ImageStoreError::Full { .. } => ImageContentError::Full,
        error => {
            tracing::warn!(code = error.code(), "the store of images fails a connector");
            ImageContentError::Unavailable(Box::new(error))
        }
    }
}
