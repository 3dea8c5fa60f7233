//! Handing one image out to a program that fetches it by itself, as the sandbox sees it. How it is handed out is the broker's
//! business.
//!
//! What a connector learns of it opens that one image, which it may read anyway, and is worth nothing once the offer is dropped.
//! It is still a password, so nothing here prints it.

use archwire_core::Digest;
use secrecy::SecretString;
use std::{error::Error, fmt, sync::Arc};

/// What is to be handed out.
#[derive(Clone)]
pub struct HandOut {
    /// Which image.
    pub digest: Digest,
    /// How the name of the file ends: `.jpg`, a dot and 1 to 8 of `a-z 0-9`.
    pub extension: String,
    /// To be called whenever bytes were taken: the connector's call is ended when nothing moves for long.
    pub moved: Arc<dyn Fn() + Send + Sync>,
}

/// Where and how the program gets the file.
#[derive(Debug, Clone)]
pub struct ImageWay {
    /// The host as the administrator wrote it.
    pub host: String,
    /// The path of the file, without a slash at its beginning.
    pub path: String,
    /// The name to log in with.
    pub user: String,
    /// The password to log in with.
    pub password: SecretString,
}

/// An image that is handed out for as long as this lives.
pub trait ImageOffer: Send + Sync + 'static {
    /// Where and how.
    fn way(&self) -> &ImageWay;

    /// How many bytes were taken until now; those that were taken twice count twice.
    fn taken(&self) -> u64;
}

/// Why an image is not handed out.
#[derive(Debug, thiserror::Error)]
pub enum ImageOfferError {
    /// The broker hands out no images.
    #[error("this broker hands out no images")]
    NotConfigured,
    /// Not those of this system.
    #[error("images are not handed out to this system")]
    NotGranted,
    /// No image with that digest is stored.
    #[error("no image with that digest is stored")]
    Unknown,
    /// Too many at the same time.
    #[error("too many images are handed out at the same time")]
    TooMany,
    /// The store failed.
    #[error("the store of images failed")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl ImageOfferError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured => "image_offers_not_configured",
            Self::NotGranted => "image_offers_not_granted",
            Self::Unknown => "image_unknown",
            Self::TooMany => "image_offers_too_many",
            Self::Unavailable(_) => "images_unavailable",
        }
    }
}

impl fmt::Debug for HandOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandOut")
            .field("digest", &self.digest)
            .field("extension", &self.extension)
            .finish_non_exhaustive()
    }
}
