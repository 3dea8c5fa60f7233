//! The bytes of images, as streams: a gigabyte never sits in the connector's memory.
//!
//! ```no_run
//! use archwire_connector::{Disposition, Image, ImageObservation, http::Request, images};
//!
//! /// Reads back what the system shows of an image: only its digest is computed, nothing is stored.
//! fn shown(url: &str, id: &str, record: &str) -> Result<ImageObservation, Disposition> {
//!     let mut answer = Request::get(format!("{url}/images/{id}")).open()?.success()?;
//!     let mut measuring = images::measure()?;
//!     images::copy(&mut answer.body, &mut measuring)?;
//!     let image = Image { sha256: Some(measuring.finish()?), ..Image::default() };
//!     Ok(ImageObservation::new(id, record, image))
//! }
//! ```
//!
//! | Function | In which calls | What comes of it |
//! |---|---|---|
//! | [`open`] | `deliver_image`, only the image of that delivery | its bytes |
//! | [`create`] | `poll` | an image that is stored, to be told in the page |
//! | [`measure`] | `poll`, `deliver_image`, `fetch_image` | a digest, and nothing is stored |
//! | [`take_file`] | `poll`, `fetch_image` | a file of the folder that the administrator granted, stored or (in `fetch_image`) measured |
//! | [`hand_out`] | `deliver_image`, only the image of that delivery | host, path, user and password by which a program fetches it by SFTP |
//!
//! Everywhere else the answer is [`Error::Denied`]. At most 8 at the same time, at most 1,000 stored in one call, at most 4 GiB
//! each. Such a call may take 30 minutes, as long as bytes move; after 60 s without any the host ends it. These are the
//! broker's defaults. What is dropped before its end is as if it had never begun.

mod offer;

pub use offer::{Offer, OfferError, Way, hand_out};

use crate::bindings::archwire::connector::images as host;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::exchange::Disposition;
use crate::http;
use std::io::{self, Read, Write};
use std::time::Duration;

/// Bytes that are moved at a time: what the host takes in one go.
pub(crate) const PIECE: usize = 64 * 1024;

/// Why an image's bytes are not to be had or not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No image with that digest is stored, or there is no such file.
    #[error("there is no such image")]
    NotFound,
    /// The contract or the grants of this system do not allow it, it is not for this call, or this broker keeps no images.
    #[error("the image is not for this call")]
    Denied,
    /// The store or the folder failed.
    #[error("the store of images failed")]
    Unavailable,
    /// More bytes than an image may have.
    #[error("the image is too large")]
    TooLarge,
    /// No bytes at all.
    #[error("the image has no bytes")]
    Empty,
    /// The store has no room left.
    #[error("there is no room left for images")]
    Full,
    /// Too many at the same time, or in this call.
    #[error("there are too many images in this call")]
    TooMany,
}

impl Error {
    /// Stable and greppable.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => "image-not-found",
            Self::Denied => "image-denied",
            Self::Unavailable => "image-store-unavailable",
            Self::TooLarge => "image-too-large",
            Self::Empty => "image-empty",
            Self::Full => "image-store-full",
            Self::TooMany => "too-many-images",
        }
    }
}

impl From<host::ImageError> for Error {
    fn from(error: host::ImageError) -> Self {
        match error {
            host::ImageError::NotFound => Self::NotFound,
            host::ImageError::Denied => Self::Denied,
            host::ImageError::Unavailable => Self::Unavailable,
            host::ImageError::TooLarge => Self::TooLarge,
            host::ImageError::Empty => Self::Empty,
            host::ImageError::Full => Self::Full,
            host::ImageError::TooMany => Self::TooMany,
        }
    }
}

impl From<Error> for Disposition {
    /// What a connector says unless it knows better.
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable | Error::Full => Self::retry(error.code(), Duration::from_secs(60)),
            _ => Self::rejected(error.code()),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

impl From<io::Error> for Disposition {
    /// What broke a stream: an error of [`crate::images`] or of [`crate::http`] as that one says, anything else `rejected`.
    fn from(error: io::Error) -> Self {
        let cause = error.get_ref();
        let image = cause.and_then(|cause| cause.downcast_ref::<Error>().copied());
        let exchange = cause.and_then(|cause| cause.downcast_ref::<http::Error>().copied());
        match (image, exchange) {
            (Some(error), _) => error.into(),
            (None, Some(error)) => error.into(),
            (None, None) => Self::rejected("stream-failed").with_detail(error.kind().to_string()),
        }
    }
}

/// The bytes of the image of this delivery, by its SHA-256.
///
/// # Errors
/// [`Error::Denied`] for any other image.
pub fn open(sha256: &str) -> Result<Content, Error> {
    Ok(Content(host::open(sha256)?))
}

/// Begins to store an image that the system shows.
///
/// # Errors
/// [`Error::Denied`] outside of `poll`.
pub fn create() -> Result<Upload, Error> {
    Upload::begin(host::create()?)
}

/// Begins to compute a digest. Nothing is stored.
///
/// # Errors
/// [`Error::Denied`] in calls that have nothing to do with images.
pub fn measure() -> Result<Upload, Error> {
    Upload::begin(host::measure()?)
}

/// Takes a file of the folder that the administrator granted, by its path within the folder (`Smith/4711.jpg`), and returns
/// its SHA-256. In `poll` it is stored, in `fetch_image` only measured.
///
/// # Errors
/// [`Error::Denied`] without a folder, for paths that lead out of it, and for what is no regular file.
pub fn take_file(path: &str) -> Result<String, Error> {
    Ok(host::take_file(path)?)
}

/// Moves everything from one to the other with 64 KiB of memory, and says how many bytes that was.
///
/// # Errors
/// The first that either of them has.
pub fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    let mut piece = vec![0; PIECE];
    let mut moved = 0;
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => return Ok(moved),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(piece.get(..count).unwrap_or_default())?;
        moved += u64::try_from(count).unwrap_or(u64::MAX);
    }
}

/// An image's bytes on their way to the connector.
#[derive(Debug)]
pub struct Content(InputStream);

impl Content {
    /// At least one byte and at most `most`; `None` at the end.
    pub(crate) fn piece(&mut self, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        match self.0.blocking_read(most) {
            Ok(piece) => Ok(Some(piece)),
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(_)) => Err(Error::Unavailable),
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let piece = self.piece(buffer.len())?.unwrap_or_default();
        // A host gives at most what it was asked for.
        let Some(start) = buffer.get_mut(..piece.len()) else {
            return Err(Error::Unavailable.into());
        };
        start.copy_from_slice(&piece);
        Ok(piece.len())
    }
}

/// An image's bytes on their way to the host. Ends with [`Upload::finish`]; dropped before that, it never was.
#[derive(Debug)]
pub struct Upload {
    // In this order: the stream goes before what it belongs to.
    content: OutputStream,
    upload: Option<host::Upload>,
    failed: Option<Error>,
}

impl Upload {
    fn begin(upload: host::Upload) -> Result<Self, Error> {
        Ok(Self {
            content: upload.content()?,
            upload: Some(upload),
            failed: None,
        })
    }

    /// That was all. Waits until it is stored, and returns its SHA-256, 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// When it was not stored.
    pub fn finish(mut self) -> Result<String, Error> {
        match self.upload.take() {
            Some(upload) => Ok(host::Upload::finish(upload)?),
            None => Err(self.failed.unwrap_or(Error::Unavailable)),
        }
    }

    /// Why a write failed: what the host says at the end.
    fn failure(&mut self) -> Error {
        let said = self.upload.take().map(host::Upload::finish);
        let error = match (said, self.failed) {
            (Some(Err(error)), _) => error.into(),
            (_, Some(error)) => error,
            _ => Error::Unavailable,
        };
        self.failed = Some(error);
        error
    }

    fn room(&self) -> Result<usize, StreamError> {
        loop {
            match self.content.check_write()? {
                0 => self.content.subscribe().block(),
                room => return Ok(usize::try_from(room).unwrap_or(usize::MAX)),
            }
        }
    }

    fn put(&self, bytes: &[u8]) -> Result<usize, StreamError> {
        let room = self.room()?.min(bytes.len());
        self.content.write(bytes.get(..room).unwrap_or_default())?;
        Ok(room)
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.put(bytes).map_err(|_| self.failure().into())
    }

    /// What was written is stored by [`Upload::finish`], not before.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_broke_says_what_the_cause_says() {
        let of = |error: io::Error| Disposition::from(error);
        assert_eq!(
            of(Error::TooLarge.into()),
            Disposition::rejected("image-too-large")
        );
        assert_eq!(of(Error::Full.into()).reason().code, "image-store-full");
        assert!(matches!(of(Error::Unavailable.into()), Disposition::Retry(_)));
        assert!(matches!(of(http::Error::Closed.into()), Disposition::Retry(_)));
        let other = of(io::Error::new(io::ErrorKind::InvalidData, "Lovelace"));
        assert_eq!(other.reason().code, "stream-failed");
        assert!(!format!("{:?}", other.reason().detail).contains("Lovelace"));
    }

    #[test]
    fn everything_is_copied_whatever_its_size() {
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let mut copied = Vec::new();
            let moved = copy(&mut bytes.as_slice(), &mut copied).unwrap();
            assert!(copied == bytes && moved == u64::try_from(size).unwrap());
        }
    }
}
