//! Bodies that are not held in memory: what is sent in parts, and what is read as it comes.

use super::wire::Exchange;
use super::{Error, Response};
use crate::exchange::Disposition;
use std::io::{self, Cursor, Read};

/// A part of a request's body.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes of the image of this delivery.
    Image {
        /// Its SHA-256.
        sha256: String,
        /// How many bytes it has.
        size: u64,
    },
    /// The same in base64 (RFC 4648, with padding), for systems that take files within JSON.
    Base64Image {
        /// Its SHA-256.
        sha256: String,
        /// How many bytes it has, before they are encoded.
        size: u64,
    },
}

impl Part {
    /// The bytes of the image of this delivery.
    #[must_use]
    pub fn image(sha256: impl Into<String>, size: u64) -> Self {
        let sha256 = sha256.into();
        Self::Image { sha256, size }
    }

    /// The same in base64.
    #[must_use]
    pub fn base64_image(sha256: impl Into<String>, size: u64) -> Self {
        let sha256 = sha256.into();
        Self::Base64Image { sha256, size }
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Image { size, .. } => *size,
            Self::Base64Image { size, .. } => size.div_ceil(3).saturating_mul(4),
        }
    }
}

impl From<Vec<u8>> for Part {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

/// The beginning of an answer; its body is still to be read.
pub struct Incoming {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case. A value that is not UTF-8 has replacement characters.
    pub headers: Vec<(String, String)>,
    /// The body as it comes.
    pub body: Body,
}

impl Incoming {
    /// Most bytes of a refusal that are read.
    const LONGEST_REFUSAL: u64 = 64 * 1024;

    /// An answer that is here already, for tests.
    #[must_use]
    pub fn of(response: Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: Body(Source::Here(Cursor::new(response.body))),
        }
    }

    /// The first value of a header; any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        super::header(&self.headers, name)
    }

    /// How many bytes the system announced.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    /// Reads the rest, at most `limit` bytes.
    ///
    /// # Errors
    /// When there is no complete answer, or it is larger.
    pub fn whole(mut self, limit: usize) -> Result<Response, Error> {
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let mut body = Vec::new();
        (&mut self.body)
            .take(most)
            .read_to_end(&mut body)
            .map_err(|error| of_io(&error))?;
        if body.len() > limit {
            return Err(Error::TooLarge);
        }
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body,
        })
    }

    /// The answer itself when its status is 2xx.
    ///
    /// # Errors
    /// As [`Response::success`], with the first 64 KiB of the body at hand.
    pub fn success(mut self) -> Result<Self, Disposition> {
        if matches!(self.status, 200..=299) {
            return Ok(self);
        }
        let mut body = Vec::new();
        // What cannot be read of a refusal does not change that it is one.
        _ = (&mut self.body)
            .take(Self::LONGEST_REFUSAL)
            .read_to_end(&mut body);
        let refusal = Response {
            status: self.status,
            headers: self.headers,
            body,
        };
        match refusal.success() {
            Err(disposition) => Err(disposition),
            Ok(_) => Err(Error::Failed.into()),
        }
    }
}

/// The body of an answer. Read to its end or dropped; when it ends earlier than the system announced, the last read fails.
pub struct Body(Source);

enum Source {
    Here(Cursor<Vec<u8>>),
    Coming(Exchange),
}

impl Body {
    pub(super) fn coming(exchange: Exchange) -> Self {
        Self(Source::Coming(exchange))
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        match &mut self.0 {
            Source::Here(bytes) => bytes.read(buffer),
            Source::Coming(exchange) => {
                let piece = exchange.piece(buffer.len())?.unwrap_or_default();
                // A host gives at most what it was asked for.
                let start = buffer.get_mut(..piece.len()).ok_or(Error::Failed)?;
                start.copy_from_slice(&piece);
                Ok(piece.len())
            }
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

/// What [`Body`] said when it could not be read.
fn of_io(error: &io::Error) -> Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    cause.copied().unwrap_or(Error::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(status: u16, body: &str) -> Incoming {
        Incoming::of(Response {
            status,
            headers: vec![("content-length".into(), body.len().to_string())],
            body: body.into(),
        })
    }

    #[test]
    fn the_length_of_every_part_is_known_beforehand() {
        assert_eq!(Part::from("abc").length(), 3);
        assert_eq!(Part::image("0a", 7).length(), 7);
        for (size, length) in [(0, 0), (1, 4), (2, 4), (3, 4), (4, 8)] {
            assert_eq!(Part::base64_image("0a", size).length(), length);
        }
    }

    #[test]
    fn an_answer_is_read_up_to_a_bound() {
        assert_eq!(incoming(200, "four").content_length(), Some(4));
        assert_eq!(incoming(200, "four").whole(4).unwrap().body, b"four");
        assert_eq!(incoming(200, "four").whole(3), Err(Error::TooLarge));
    }

    #[test]
    fn a_refusal_keeps_its_words_for_the_administrator() {
        let refusal = incoming(415, "no such format").success().err().unwrap();
        assert_eq!(refusal.reason().detail.as_deref(), Some("no such format"));
        assert_eq!(refusal.reason().status, Some(415));
        assert!(incoming(204, "").success().is_ok());
    }
}
