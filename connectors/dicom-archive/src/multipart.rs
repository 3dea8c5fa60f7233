//! `multipart/related`: how DICOM files go over HTTP (DICOM PS3.18, 8.6; RFC 2387).
//!
//! One file a message, either way. What is read streams: at most [`BUFFER`] bytes are held, however long the file is. A part
//! that states its length is taken at its word, and what follows has to be a delimiter; without a stated length, the delimiter
//! is searched for.

use std::io::{self, ErrorKind, Read};

/// What is held of a message while it is read.
const BUFFER: usize = 64 * 1024;
/// Most bytes of a part's own header.
const MOST_HEADER: usize = 8 * 1024;

/// The parts around one file in a message that is sent.
pub struct Frame {
    /// `Content-Type` of the message.
    pub content_type: String,
    /// Goes before the file.
    pub head: Vec<u8>,
    /// Goes after it.
    pub tail: Vec<u8>,
}

impl Frame {
    /// Around one DICOM file. The boundary has to be unlikely in the file: it is made of the image's digest.
    #[must_use]
    pub fn around(sha256: &str) -> Self {
        let boundary = format!("archwire-{}", sha256.get(..48).unwrap_or(sha256));
        Self {
            content_type: format!(r#"multipart/related; type="application/dicom"; boundary={boundary}"#),
            head: format!("--{boundary}\r\nContent-Type: application/dicom\r\n\r\n").into_bytes(),
            tail: format!("\r\n--{boundary}--\r\n").into_bytes(),
        }
    }
}

/// The boundary that a `Content-Type` names; `None` when the message has no parts.
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/related") {
        return None;
    }
    let parameter = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    Some(parameter.trim().trim_matches('"')).filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// The first part of a message, read to its end.
pub struct Part<R> {
    message: R,
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    /// What of the buffer was given away.
    given: usize,
    rest: Rest,
    ended: bool,
}

/// How much of the part is still to come.
enum Rest {
    Stated(u64),
    UntilDelimiter,
    Over,
}

impl<R: Read> Part<R> {
    /// Reads up to the first byte of the first part.
    ///
    /// # Errors
    /// When the message breaks off before, or has no part.
    pub fn open(message: R, boundary: &str) -> io::Result<Self> {
        let mut part = Self {
            message,
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // So that a delimiter at the very beginning is one like every other.
            buffer: b"\r\n".to_vec(),
            given: 0,
            rest: Rest::UntilDelimiter,
            ended: false,
        };
        // A preamble is allowed, and nobody sends one.
        let start = part.find_in_front(&part.delimiter.clone())?;
        part.given = start + part.delimiter.len();
        let end = part.find_in_front(b"\r\n\r\n")?;
        let header = part.buffer.get(part.given..end).unwrap_or_default();
        part.rest = stated_length(header).map_or(Rest::UntilDelimiter, Rest::Stated);
        part.given = end + 4;
        Ok(part)
    }

    /// Where a text is in what is still to be given, reading on within the bound of a header.
    fn find_in_front(&mut self, wanted: &[u8]) -> io::Result<usize> {
        loop {
            if let Some(found) = find(self.front(), wanted) {
                return Ok(self.given + found);
            }
            if self.front().len() > MOST_HEADER || !self.fill()? {
                return Err(malformed());
            }
        }
    }

    fn front(&self) -> &[u8] {
        self.buffer.get(self.given..).unwrap_or_default()
    }

    /// Reads on. Tells whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.given);
        self.given = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + BUFFER, 0);
        let room = self.buffer.get_mut(held..).unwrap_or_default();
        let read = loop {
            match self.message.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.buffer.truncate(held + read);
        self.ended = read == 0;
        Ok(read > 0)
    }

    /// How many bytes in front are the part's, having read on if need be. 0 at its end.
    fn ready(&mut self) -> io::Result<usize> {
        loop {
            match self.rest {
                Rest::Over => return Ok(0),
                Rest::Stated(0) => self.expect_delimiter()?,
                Rest::Stated(left) if !self.front().is_empty() => {
                    return Ok(self
                        .front()
                        .len()
                        .min(usize::try_from(left).unwrap_or(usize::MAX)));
                }
                Rest::UntilDelimiter => {
                    // The last bytes may be the beginning of the delimiter.
                    let sure = match find(self.front(), &self.delimiter) {
                        Some(0) => {
                            self.rest = Rest::Over;
                            continue;
                        }
                        Some(found) => found,
                        None => (self.front().len() + 1).saturating_sub(self.delimiter.len()),
                    };
                    if sure > 0 {
                        return Ok(sure);
                    }
                }
                Rest::Stated(_) => {}
            }
            if !matches!(self.rest, Rest::Over) && !self.fill()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn expect_delimiter(&mut self) -> io::Result<()> {
        while self.front().len() < self.delimiter.len() && self.fill()? {}
        if !self.front().starts_with(&self.delimiter) {
            return Err(malformed());
        }
        self.rest = Rest::Over;
        Ok(())
    }
}

impl<R: Read> Read for Part<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        let ready = self.ready()?.min(room.len());
        let from = self.front().get(..ready).unwrap_or_default();
        room.get_mut(..ready).unwrap_or_default().copy_from_slice(from);
        self.given += ready;
        if let Rest::Stated(left) = &mut self.rest {
            *left = left.saturating_sub(u64::try_from(ready).unwrap_or(u64::MAX));
        }
        Ok(ready)
    }
}

fn stated_length(header: &[u8]) -> Option<u64> {
    let header = str::from_utf8(header).ok()?;
    header.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let (first, _) = wanted.split_first()?;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| byte == first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn malformed() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        "the message has no part where one should be",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most so many bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(room.len());
            self.0.read(&mut room[..most])
        }
    }

    fn read(message: &[u8], drip: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Part::open(Drip(message, drip), "b")?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn message(length: Option<usize>, body: &[u8]) -> Vec<u8> {
        let stated = length.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
        let head = format!("--b\r\nContent-Type: application/dicom\r\n{stated}MIME-Version: 1.0\r\n\r\n");
        [head.as_bytes(), body, b"\r\n--b--\r\n"].concat()
    }

    #[test]
    fn a_part_comes_out_as_it_was_put_in() {
        let bodies: [&[u8]; 5] = [b"", b"x", b"\r\n--", b"ends with \r\n", &[b'\r'; 200_000]];
        for body in bodies {
            for drip in [1, 7, 100_000] {
                if body.len() > 1_000 && drip < 1_000 {
                    continue;
                }
                for length in [None, Some(body.len())] {
                    assert!(
                        read(&message(length, body), drip).unwrap() == body,
                        "{drip} {length:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_stated_length_is_heeded_even_if_the_boundary_is_in_the_file() {
        let body = b"a\r\n--b\r\nc";
        assert_eq!(read(&message(Some(body.len()), body), 5).unwrap(), body);
        assert_eq!(read(&message(None, body), 5).unwrap(), b"a");
    }

    #[test]
    fn a_message_that_breaks_off_or_lies_about_a_length_is_an_error() {
        let whole = message(None, b"some bytes");
        for end in 0..whole.len() - 4 {
            assert!(read(&whole[..end], 3).is_err(), "{end}");
        }
        assert!(read(&message(Some(3), b"some bytes"), 100).is_err());
        assert!(read(&message(Some(30), b"some bytes"), 100).is_err());
        assert!(read(&[b'x'; 100_000], 1_000).is_err());
    }

    #[test]
    fn a_frame_is_read_back_by_the_reader() {
        let frame = Frame::around(&"ab".repeat(32));
        let message = [&frame.head[..], b"file", &frame.tail].concat();
        let boundary = boundary(&frame.content_type).unwrap();
        let mut bytes = Vec::new();
        let mut part = Part::open(&message[..], boundary).unwrap();
        part.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"file");
        assert_eq!(boundary.len(), 57);
    }

    #[test]
    fn boundaries_are_found_in_any_spelling() {
        let of = boundary;
        assert_eq!(
            of(r#"Multipart/Related; type="application/dicom"; Boundary="x y""#),
            Some("x y")
        );
        assert_eq!(of("multipart/related;boundary=abc"), Some("abc"));
        assert_eq!(of("application/dicom"), None);
        assert_eq!(of("multipart/related; type=x"), None);
        assert_eq!(of("multipart/related; boundary="), None);
    }
}
