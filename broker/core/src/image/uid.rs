//! DICOM unique identifiers.

use crate::{Digest, PatientId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr, sync::Arc};

/// A DICOM unique identifier (value representation UI): 1 to 64 of digits and dots, no part empty or with a leading zero.
/// It identifies a study or an image of a person, so it does not print itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uid(Arc<str>);

/// Not a unique identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a DICOM UID is 1 to 64 of 0-9 and dots, with no part that is empty or begins with a needless zero")]
pub struct UidError;

impl Uid {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier of the image that a file without one is of a patient. The same file of the same patient is the same
    /// image, however often it comes. DICOM PS3.5 B.2: a UUID as a number under 2.25; the UUID is of version 8 (RFC 9562).
    #[must_use]
    pub fn generate(what: &str, patient: PatientId, digest: Digest) -> Self {
        let mut hash = Sha256::new();
        for part in [what, "\0", &patient.to_string(), "\0", &digest.to_string()] {
            hash.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        bytes
            .iter_mut()
            .zip(hash.finalize())
            .for_each(|(byte, hashed)| *byte = hashed);
        let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
        Self(format!("2.25.{}", uuid.as_u128()).into())
    }
}

impl FromStr for Uid {
    type Err = UidError;

    /// DICOM pads to an even length with NUL, which some files hold on to.
    fn from_str(text: &str) -> Result<Self, UidError> {
        let text = text.trim_end_matches(['\0', ' ']);
        let is_part = |part: &str| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number && (part.len() == 1 || !part.starts_with('0'))
        };
        match text.len() <= 64 && text.split('.').all(is_part) {
            true => Ok(Self(text.into())),
            false => Err(UidError),
        }
    }
}

impl TryFrom<String> for Uid {
    type Error = UidError;

    fn try_from(text: String) -> Result<Self, UidError> {
        text.parse()
    }
}

impl From<Uid> for String {
    fn from(uid: Uid) -> Self {
        uid.0.as_ref().to_owned()
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_identifiers_are_taken() {
        for uid in [
            "1",
            "0.0",
            "1.2.840.10008.1.2\0",
            "2.25.329800735698586629295641978511506172918",
        ] {
            assert!(uid.parse::<Uid>().is_ok(), "{uid}");
        }
        for uid in [
            "",
            ".",
            "1.",
            "1..2",
            "01.2",
            "1.02",
            "1.a",
            &"1".repeat(65),
            "1.2 3",
        ] {
            assert_eq!(uid.parse::<Uid>(), Err(UidError), "{uid}");
        }
    }

    #[test]
    fn the_same_file_of_the_same_patient_is_the_same_image_and_of_another_patient_another() {
        let (one, other) = (PatientId::generate(), PatientId::generate());
        let file = Digest::of(b"a photograph");
        let uid = Uid::generate("instance", one, file);
        assert_eq!(uid, Uid::generate("instance", one, file));
        assert_eq!(uid.as_str().parse(), Ok(uid.clone()));
        let others = [
            Uid::generate("series", one, file),
            Uid::generate("instance", other, file),
            Uid::generate("instance", one, Digest::of(b"another")),
        ];
        assert!(!others.contains(&uid));
    }
}
