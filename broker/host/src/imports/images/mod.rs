//! `images`: the bytes of images, streamed between the connector and where they are kept.
//!
//! Which function may be used in which call is in `wit/host.wit`; [`access`] decides it. Per call at most 8 images are open at
//! the same time and at most 1,000 are stored, each with at most [`Limits::image_bytes`](crate::Limits::image_bytes). In the
//! host waits one piece for each stream: what the store gave last, or what the connector wrote last (64 KiB). What the
//! connector drops before its end, or holds when the call ends, is abandoned.

mod access;
mod folder;
mod measure;
mod offer;
mod source;
mod upload;

pub(crate) use access::{CallImages, ImageCall, SystemImages};
pub(crate) use folder::Folder;
#[allow(
    unreachable_pub,
    reason = "the generated bindings export it again, from a private module"
)]
pub use offer::Offer;
#[allow(
    unreachable_pub,
    reason = "the generated bindings export it again, from a private module"
)]
pub use upload::Upload;

use crate::{
    ImageContentError, ImageOfferError,
    bindings::archwire::connector::images::{self, ImageError, OfferError},
    imports::Context,
    sandbox::Sandbox,
};
use access::Opened;
use archwire_core::SystemName;
use measure::Measure;
use source::Source;
use std::error::Error;
use tracing::{Dispatch, dispatcher};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

/// What the connector gets to see.
fn told(error: &ImageContentError) -> ImageError {
    match error {
        ImageContentError::Unknown => ImageError::NotFound,
        ImageContentError::Denied => ImageError::Denied,
        ImageContentError::TooLarge => ImageError::TooLarge,
        ImageContentError::Empty => ImageError::Empty,
        ImageContentError::Full => ImageError::Full,
        ImageContentError::Unavailable(_) => ImageError::Unavailable,
    }
}

/// What the connector gets to see of an image that is not handed out.
fn told_offer(error: &ImageOfferError) -> OfferError {
    match error {
        ImageOfferError::NotConfigured => OfferError::NotConfigured,
        ImageOfferError::NotGranted => OfferError::NotGranted,
        ImageOfferError::Unknown => OfferError::NotFound,
        ImageOfferError::TooMany => OfferError::TooMany,
        ImageOfferError::Unavailable(_) => OfferError::Unavailable,
    }
}

/// Tells the administrator what is wrong with the store, in the log of the call.
struct Teller {
    log: Dispatch,
    system: SystemName,
}

impl Teller {
    /// What the connector does to itself is not told.
    fn failed(&self, error: &ImageContentError) {
        if let ImageContentError::Unavailable(_) | ImageContentError::Full = error {
            self.store_failed(error.code(), error);
        }
    }

    /// What the administrator wrote is told by the connector.
    fn not_handed_out(&self, error: &ImageOfferError) {
        if let ImageOfferError::Unavailable(_) | ImageOfferError::TooMany = error {
            self.store_failed(error.code(), error);
        }
    }

    fn store_failed(&self, error_code: &'static str, error: &(dyn Error + 'static)) {
        let system = self.system.as_str();
        dispatcher::with_default(&self.log, || {
            tracing::warn!(
                target: "archwire::connector", system, error_code, error,
                event = "image-store-failed"
            );
        });
    }
}

impl Context {
    fn teller(&self) -> Teller {
        Teller {
            log: self.log.dispatch(),
            system: self.system.clone(),
        }
    }

    fn image_failed(&self, error: &ImageContentError) -> ImageError {
        self.teller().failed(error);
        told(error)
    }

    async fn open_image(&mut self, sha256: &str) -> Result<Source, ImageError> {
        let (content, digest) = self.images.may_open(sha256)?;
        let place = self.images.place()?;
        match content.open(&self.system, digest).await {
            Ok(bytes) => Ok(Source::new(bytes, self.teller(), self.activity.clone(), place)),
            Err(error) => Err(self.image_failed(&error)),
        }
    }

    async fn create_image(&mut self) -> Result<Upload, ImageError> {
        let content = self.images.may_create()?;
        let place = self.images.place()?;
        match content.create(&self.system).await {
            Ok(sink) => Ok(self.upload(sink, place)),
            Err(error) => Err(self.image_failed(&error)),
        }
    }

    fn measure_image(&mut self) -> Result<Upload, ImageError> {
        self.images.may_measure()?;
        let place = self.images.place()?;
        Ok(self.upload(Box::new(Measure::default()), place))
    }

    fn upload(&self, sink: Box<dyn crate::ImageSink>, place: Opened) -> Upload {
        Upload::new(sink, self.images.largest(), self.activity.clone(), place)
    }

    async fn take_image_file(&mut self, path: &str) -> Result<String, ImageError> {
        let folder = self.images.may_take()?;
        let upload = match self.images.stores_files() {
            true => self.create_image().await?,
            false => self.measure_image()?,
        };
        let mut file = folder.open(path.to_owned()).await?;
        while let Some(piece) = file.next().await? {
            if upload.put(piece).await.is_err() {
                break;
            }
        }
        self.finish_image(upload).await
    }

    async fn finish_image(&self, upload: Upload) -> Result<String, ImageError> {
        match upload.finish().await {
            Ok(stored) => Ok(stored.digest.to_string()),
            Err(error) => Err(self.image_failed(&error)),
        }
    }
}

impl images::Host for Sandbox {
    async fn open(
        &mut self,
        sha256: String,
    ) -> wasmtime::Result<Result<Resource<DynInputStream>, ImageError>> {
        match self.context()?.open_image(&sha256).await {
            Ok(source) => Ok(Ok(self.table.push(Box::new(source) as DynInputStream)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn create(&mut self) -> wasmtime::Result<Result<Resource<Upload>, ImageError>> {
        match self.context()?.create_image().await {
            Ok(upload) => Ok(Ok(self.table.push(upload)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn measure(&mut self) -> wasmtime::Result<Result<Resource<Upload>, ImageError>> {
        match self.context()?.measure_image() {
            Ok(upload) => Ok(Ok(self.table.push(upload)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn take_file(&mut self, path: String) -> wasmtime::Result<Result<String, ImageError>> {
        Ok(self.context()?.take_image_file(&path).await)
    }

    async fn hand_out(
        &mut self,
        sha256: String,
        extension: String,
    ) -> wasmtime::Result<Result<Resource<Offer>, OfferError>> {
        match self.context()?.hand_image_out(&sha256, &extension).await {
            Ok(offer) => Ok(Ok(self.table.push(offer)?)),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl images::HostUpload for Sandbox {
    async fn content(
        &mut self,
        upload: Resource<Upload>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ImageError>> {
        match self.table.get_mut(&upload)?.content() {
            Some(content) => Ok(Ok(self.table.push(Box::new(content) as DynOutputStream)?)),
            None => Ok(Err(ImageError::TooMany)),
        }
    }

    async fn finish(&mut self, upload: Resource<Upload>) -> wasmtime::Result<Result<String, ImageError>> {
        let upload = self.table.delete(upload)?;
        Ok(self.context()?.finish_image(upload).await)
    }

    async fn drop(&mut self, upload: Resource<Upload>) -> wasmtime::Result<()> {
        self.table.delete(upload)?;
        Ok(())
    }
}
