//! A record as its system wrote it.

use sha2::{Digest, Sha256};
use std::fmt;

/// A record verbatim, with its digest: the canonical form, from which the typed patient can be made again.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceRecord {
    media_type: String,
    format: String,
    data: Vec<u8>,
    sha256: [u8; 32],
}

/// Source bytes that the bus does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SourceRecordError {
    /// Too many bytes.
    #[error("a source record has at most 262144 bytes, this one has {0}")]
    TooLong(usize),
    /// The digest that came along is another's.
    #[error("the SHA-256 that came with the source record is not that of its bytes")]
    DigestMismatch,
    /// A media type or format that is not printable text of at most 128 bytes.
    #[error("media type and format of a source record are at most 128 printable ASCII characters")]
    Label,
}

impl SourceRecord {
    /// Most bytes in a source record: 256 KiB. Whatever is larger is an image and goes into the image store.
    pub const LONGEST: usize = 256 * 1024;

    /// Takes bytes as they came and computes their digest.
    ///
    /// # Errors
    /// When they are too many or the labels are not labels.
    pub fn new(media_type: &str, format: &str, data: Vec<u8>) -> Result<Self, SourceRecordError> {
        if data.len() > Self::LONGEST {
            return Err(SourceRecordError::TooLong(data.len()));
        }
        let label = |text: &str| {
            text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        };
        if !label(media_type) || !label(format) {
            return Err(SourceRecordError::Label);
        }
        let sha256 = Sha256::digest(&data).into();
        Ok(Self {
            media_type: media_type.to_owned(),
            format: format.to_owned(),
            data,
            sha256,
        })
    }

    /// As [`SourceRecord::new`], and the digest that came along must agree.
    ///
    /// # Errors
    /// Also when it does not.
    pub fn verified(
        media_type: &str,
        format: &str,
        data: Vec<u8>,
        sha256: &[u8],
    ) -> Result<Self, SourceRecordError> {
        let record = Self::new(media_type, format, data)?;
        if record.sha256 == sha256 {
            Ok(record)
        } else {
            Err(SourceRecordError::DigestMismatch)
        }
    }

    /// RFC 2046 media type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Format with version.
    #[must_use]
    pub fn format(&self) -> &str {
        &self.format
    }

    /// The bytes as they came.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Their SHA-256.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

impl fmt::Debug for SourceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceRecord({}, {} bytes)", self.format, self.data.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_other_bytes_is_refused() {
        let record = SourceRecord::new("application/json", "test/v1", b"{}".to_vec()).unwrap();
        let again = SourceRecord::verified("application/json", "test/v1", b"{}".to_vec(), record.sha256());
        assert_eq!(again.unwrap(), record);
        let other = SourceRecord::verified("application/json", "test/v1", b"[]".to_vec(), record.sha256());
        assert_eq!(other, Err(SourceRecordError::DigestMismatch));
    }

    #[test]
    fn more_than_256_kib_are_refused() {
        let longest = SourceRecord::new("application/json", "test/v1", vec![b' '; 262_144]);
        assert!(longest.is_ok());
        let too_long = SourceRecord::new("application/json", "test/v1", vec![b' '; 262_145]);
        assert_eq!(too_long, Err(SourceRecordError::TooLong(262_145)));
    }
}
