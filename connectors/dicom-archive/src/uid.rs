//! DICOM unique identifiers, checked before they become part of an address.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A DICOM unique identifier (DICOM PS3.5, 6.2, UI): 1 to 64 of digits and dots. It identifies an image of a person, so it does
/// not print itself in a log; [`Uid::as_str`] does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uid(String);

/// Not a unique identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a DICOM UID is 1 to 64 of 0-9 and dots, with no empty part")]
pub struct UidError;

impl Uid {
    /// Reads one; the padding that some files hold on to is left out.
    ///
    /// # Errors
    /// When it is none. Needless zeros are tolerated: archives hold such files.
    pub fn parse(text: &str) -> Result<Self, UidError> {
        let text = text.trim_end_matches(['\0', ' ']);
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        match text.len() <= 64 && text.split('.').all(is_part) {
            true => Ok(Self(text.to_owned())),
            false => Err(UidError),
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Uid {
    type Error = UidError;

    fn try_from(text: String) -> Result<Self, UidError> {
        Self::parse(&text)
    }
}

impl From<Uid> for String {
    fn from(uid: Uid) -> Self {
        uid.0
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uid([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_lead_an_address_elsewhere_is_no_uid() {
        for text in [
            "",
            ".",
            "1..2",
            "1.2/../3",
            "1.2?x",
            "1.a",
            "1.2 3",
            &"1".repeat(65),
        ] {
            assert_eq!(Uid::parse(text), Err(UidError), "{text:?}");
        }
        assert_eq!(Uid::parse("1.2.840\0").unwrap().as_str(), "1.2.840");
        assert_eq!(Uid::parse(&"1".repeat(64)).unwrap().as_str().len(), 64);
    }
}
