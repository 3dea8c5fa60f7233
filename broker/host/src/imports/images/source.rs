//! The bytes of an image as an input stream of the connector. The store is asked for the next piece when the last one is read.

use super::{Teller, access::Opened};
use crate::{ImageBytes, ImageContentError, activity::Activity};
use bytes::Bytes;
use futures_util::StreamExt as _;
use wasmtime_wasi::{
    async_trait,
    p2::{InputStream, Pollable, StreamError, StreamResult},
};

/// The bytes of an image.
pub(super) struct Source {
    /// `None` once nothing more comes.
    coming: Option<ImageBytes>,
    here: Bytes,
    failed: Option<ImageContentError>,
    teller: Teller,
    activity: Activity,
    _place: Opened,
}

impl Source {
    pub(super) fn new(coming: ImageBytes, teller: Teller, activity: Activity, place: Opened) -> Self {
        Self {
            coming: Some(coming),
            here: Bytes::new(),
            failed: None,
            teller,
            activity,
            _place: place,
        }
    }
}

#[async_trait]
impl Pollable for Source {
    /// Given up and asked again, nothing is lost: the stream is where it was.
    async fn ready(&mut self) {
        while self.here.is_empty() && self.failed.is_none() {
            let Some(coming) = &mut self.coming else { return };
            match coming.next().await {
                Some(Ok(piece)) => self.here = piece,
                Some(Err(error)) => {
                    self.teller.failed(&error);
                    self.failed = Some(error);
                }
                None => self.coming = None,
            }
        }
    }
}

impl InputStream for Source {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if !self.here.is_empty() {
            self.activity.moved();
            return Ok(self.here.split_to(size.min(self.here.len())));
        }
        if let Some(error) = self.failed.take() {
            self.coming = None;
            return Err(StreamError::LastOperationFailed(wasmtime::Error::msg(
                error.code(),
            )));
        }
        match self.coming {
            Some(_) => Ok(Bytes::new()),
            None => Err(StreamError::Closed),
        }
    }
}
