//! An image that the broker hands out by SFTP, to a program that fetches a file only from a server whose password it is told.

use crate::bindings::archwire::connector::images as host;
use crate::exchange::Disposition;
use std::fmt;
use std::time::Duration;

/// Why an image is not handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Not in this call, or another image than the delivery's.
    #[error("the image is not for this call")]
    Denied,
    /// The administrator set no `[images.sftp]`.
    #[error("this broker hands out no images: [images.sftp] is not set")]
    NotConfigured,
    /// The administrator did not set `hand-out-images` for this system.
    #[error("images are not handed out to this system: hand-out-images is not set")]
    NotGranted,
    /// The bytes of the image are not stored.
    #[error("there is no such image")]
    NotFound,
    /// The store failed.
    #[error("the store of images failed")]
    Unavailable,
    /// One is handed out in this call already, or the broker hands out as many as it can.
    #[error("too many images are handed out at the same time")]
    TooMany,
    /// The extension is not a dot and 1 to 8 of `a-z 0-9`.
    #[error("the extension is none")]
    InvalidExtension,
}

impl OfferError {
    /// Stable and greppable.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Denied => "image-denied",
            Self::NotConfigured => "image-offers-not-configured",
            Self::NotGranted => "image-offers-not-granted",
            Self::NotFound => "image-not-found",
            Self::Unavailable => "image-store-unavailable",
            Self::TooMany => "too-many-image-offers",
            Self::InvalidExtension => "image-extension-invalid",
        }
    }
}

impl From<host::OfferError> for OfferError {
    fn from(error: host::OfferError) -> Self {
        match error {
            host::OfferError::Denied => Self::Denied,
            host::OfferError::NotConfigured => Self::NotConfigured,
            host::OfferError::NotGranted => Self::NotGranted,
            host::OfferError::NotFound => Self::NotFound,
            host::OfferError::Unavailable => Self::Unavailable,
            host::OfferError::TooMany => Self::TooMany,
            host::OfferError::InvalidExtension => Self::InvalidExtension,
        }
    }
}

impl From<OfferError> for Disposition {
    /// What a connector says unless it knows better.
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::Unavailable | OfferError::TooMany => {
                Self::retry(error.code(), Duration::from_secs(60))
            }
            _ => Self::rejected(error.code()).with_detail(error.to_string()),
        }
    }
}

/// Where and how a program gets the file. Worth nothing once the [`Offer`] is gone.
#[derive(Clone, PartialEq, Eq)]
pub struct Way {
    /// The host, without a port: SFTP has port 22.
    pub host: String,
    /// The path of the file, without a slash at its beginning: `folder/file.jpg`.
    pub path: String,
    /// The name to log in with.
    pub user: String,
    /// The password to log in with.
    pub password: String,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way([redacted])")
    }
}

/// An image that is handed out for as long as this lives, and not longer than the call.
#[derive(Debug)]
pub struct Offer(host::Offer);

impl Offer {
    /// Where and how a program gets the file.
    #[must_use]
    pub fn way(&self) -> Way {
        Way {
            host: self.0.host(),
            path: self.0.path(),
            user: self.0.user(),
            password: self.0.password(),
        }
    }

    /// How many bytes were taken until now; those that were taken twice count twice.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.0.taken()
    }
}

/// Hands the image of this delivery out. `extension` is how the file's name ends: `.jpg`.
///
/// # Errors
/// [`OfferError::NotConfigured`] and [`OfferError::NotGranted`] as long as the administrator does not want it.
pub fn hand_out(sha256: &str, extension: &str) -> Result<Offer, OfferError> {
    Ok(Offer(host::hand_out(sha256, extension)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_prints_a_password() {
        let way = Way {
            host: "broker".into(),
            path: "a/b.jpg".into(),
            user: "u5er".into(),
            password: "pa55word".into(),
        };
        assert_eq!(format!("{way:?}"), "Way([redacted])");
    }

    #[test]
    fn what_an_administrator_has_to_set_is_said() {
        let disposition = Disposition::from(OfferError::NotGranted);
        assert_eq!(disposition.reason().code, "image-offers-not-granted");
        assert!(
            disposition
                .reason()
                .detail
                .as_deref()
                .is_some_and(|detail| detail.contains("hand-out-images"))
        );
        assert!(matches!(OfferError::TooMany.into(), Disposition::Retry(_)));
    }
}
