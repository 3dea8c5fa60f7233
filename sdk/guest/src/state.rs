//! Small values that outlive the call, kept as JSON: an office's clock offset, ids learnt once. One set for each
//! system. Not for patient data.
//!
//! At most 64 keys of 64 bytes (`a-z 0-9 -`) with 16 KiB each. Written when the call ends well, which a returned
//! disposition is too, and dropped when it traps.

use crate::bindings::archwire::connector::state as host;
use crate::exchange::Disposition;
use serde::{Serialize, de::DeserializeOwned};

/// Why a value could not be read or kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not 1 to 64 of `a-z 0-9 -`.
    #[error("the key of a state value is not 1 to 64 of a-z, 0-9 and dashes")]
    InvalidKey,
    /// More than 16 KiB.
    #[error("a state value is larger than 16 KiB")]
    TooLarge,
    /// More than 64 keys.
    #[error("there are 64 state values already")]
    TooManyKeys,
    /// The stored value is not what this version of the connector expects, or the new one cannot be written as JSON.
    #[error("a state value is not of the expected shape")]
    Unreadable,
}

impl Error {
    /// Stable and greppable.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidKey => "state-invalid-key",
            Self::TooLarge => "state-too-large",
            Self::TooManyKeys => "state-too-many-keys",
            Self::Unreadable => "state-unreadable",
        }
    }
}

impl From<Error> for Disposition {
    fn from(error: Error) -> Self {
        Self::rejected(error.code())
    }
}

/// A value kept by an earlier call.
///
/// # Errors
/// [`Error::Unreadable`] when it is of another shape: an older version of the connector wrote it.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let Some(bytes) = host::get(key) else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|_| Error::Unreadable)
}

/// Keeps a value for later calls.
///
/// # Errors
/// When a bound is reached; the value that was there before stays.
pub fn set<T: Serialize>(key: &str, value: &T) -> Result<(), Error> {
    let bytes = serde_json::to_vec(value).map_err(|_| Error::Unreadable)?;
    host::set(key, &bytes).map_err(|error| match error {
        host::StateError::InvalidKey => Error::InvalidKey,
        host::StateError::ValueTooLarge => Error::TooLarge,
        host::StateError::TooManyKeys => Error::TooManyKeys,
    })
}

/// Forgets a value. Nothing happens when there is none.
pub fn delete(key: &str) {
    host::delete(key);
}
