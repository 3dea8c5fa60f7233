//! The bytes of an upload that nobody has opened yet, out of the row's note.
//!
//! They lie there as `_rawBase64_:.jpg_` and base64 text until somebody clicks on the document (Open Dental API, Documents POST
//! Upload), and ShortQuery reads them: so what was uploaded can be compared with what was meant. The answer is read as it
//! comes, with some KiB of memory. Once the document was opened, only its file has the bytes.

use crate::api::{Api, Error};
use crate::documents::row::DocNum;
use crate::host::Host;
use archwire_connector::http::Error as HttpError;
use std::io::{self, BufReader, Bytes, Read};

/// What stands before the extension.
const BEGIN: &[u8] = b"_rawBase64_:";
/// Longest extension that is looked past.
const LONGEST_EXTENSION: usize = 16;

/// The SHA-256 of an upload that lies in the note; `None` where none does, or where ShortQuery is not to be had.
///
/// # Errors
/// When that may be known later.
pub fn digest(host: &dyn Host, api: &Api<'_>, doc_num: DocNum) -> Result<Option<String>, Error> {
    let sql = format!("SELECT Note FROM document WHERE DocNum = {doc_num}");
    let answer = match api.open(&api.short_query(&sql)) {
        Ok(answer) => answer,
        Err(error) if error.is_lasting() => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut upload = Upload::new(answer.body);
    if !upload.find().map_err(broken)? {
        return Ok(None);
    }
    match host.measure(&mut upload) {
        Ok(digest) => Ok(Some(digest)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(broken(error)),
    }
}

fn broken(error: io::Error) -> Error {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<HttpError>().copied());
    Error::Http(cause.unwrap_or(HttpError::Closed))
}

/// The bytes within a JSON text with base64 in it.
struct Upload<R> {
    text: Bytes<BufReader<R>>,
    /// Decoded, and not yet given: the first `rest` of three, in reverse.
    group: [u8; 3],
    rest: usize,
    ended: bool,
}

impl<R: Read> Upload<R> {
    fn new(body: R) -> Self {
        Self {
            text: BufReader::new(body).bytes(),
            group: [0; 3],
            rest: 0,
            ended: false,
        }
    }

    /// Reads up to the base64 text. False where there is none.
    fn find(&mut self) -> io::Result<bool> {
        let mut matched = 0;
        for byte in &mut self.text {
            let byte = byte?;
            matched = match BEGIN.get(matched) {
                Some(expected) if *expected == byte => matched + 1,
                _ => usize::from(BEGIN.first() == Some(&byte)),
            };
            if matched == BEGIN.len() {
                return self.pass_extension();
            }
        }
        Ok(false)
    }

    fn pass_extension(&mut self) -> io::Result<bool> {
        for byte in (&mut self.text).take(LONGEST_EXTENSION) {
            if byte? == b'_' {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next character of the base64 text; `None` at its end.
    fn character(&mut self) -> io::Result<Option<u8>> {
        match self.text.next().transpose()? {
            Some(b'"') => Ok(None),
            Some(b'\\') => self.escaped().map(Some),
            Some(character) => Ok(Some(character)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// JSON libraries escape `/`, `+` and `=` at their pleasure.
    fn escaped(&mut self) -> io::Result<u8> {
        let mut next = || {
            self.text
                .next()
                .transpose()?
                .ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))
        };
        match next()? {
            b'/' => Ok(b'/'),
            b'u' => {
                let digits = [next()?, next()?, next()?, next()?];
                let code = str::from_utf8(&digits)
                    .ok()
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                code.ok_or_else(invalid)
            }
            _ => Err(invalid()),
        }
    }

    /// Decodes four characters.
    fn decode(&mut self) -> io::Result<()> {
        let mut bits = 0_u32;
        let mut count = 0;
        while count < 4 {
            let Some(character) = self.character()? else {
                self.ended = true;
                break;
            };
            if character == b'=' {
                continue;
            }
            bits = bits << 6 | u32::from(value(character).ok_or_else(invalid)?);
            count += 1;
        }
        // As if the missing characters were there.
        let [_, first, second, third] = (bits << (6 * (4 - count))).to_be_bytes();
        (self.group, self.rest) = match count {
            0 => ([0; 3], 0),
            2 => ([first, 0, 0], 1),
            3 => ([second, first, 0], 2),
            4 => ([third, second, first], 3),
            _ => return Err(invalid()),
        };
        Ok(())
    }
}

impl<R: Read> Read for Upload<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        for place in buffer {
            if self.rest == 0 && !self.ended {
                self.decode()?;
            }
            let Some(rest) = self.rest.checked_sub(1) else {
                break;
            };
            self.rest = rest;
            *place = self.group.get(rest).copied().unwrap_or_default();
            count += 1;
        }
        Ok(count)
    }
}

fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::double::Double;

    fn decoded(text: &str) -> io::Result<Vec<u8>> {
        let mut upload = Upload::new(text.as_bytes());
        assert!(upload.find()?);
        let mut bytes = Vec::new();
        upload.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn bytes_of_every_length_come_out_of_their_text() {
        for (text, bytes) in [
            ("", ""),
            ("YQ==", "a"),
            ("YWI=", "ab"),
            ("YWJj", "abc"),
            ("YWJjZA==", "abcd"),
            ("YWJjZGU=", "abcde"),
            ("YWJjZGVm", "abcdef"),
        ] {
            assert_eq!(
                decoded(&format!(r#"[{{"Note":"_rawBase64_:.jpg_{text}"}}]"#)).unwrap(),
                bytes.as_bytes()
            );
        }
        assert_eq!(decoded(r#""_rawBase64_:.dcm_+/+/""#).unwrap(), [0xfb, 0xff, 0xbf]);
        assert_eq!(
            decoded(r#""_rawBase64_:.dcm_\u002B\/\u002b\/""#).unwrap(),
            [0xfb, 0xff, 0xbf]
        );
    }

    #[test]
    fn a_text_that_is_cut_off_or_is_none_is_an_error() {
        for text in [
            r#""_rawBase64_:.jpg_YWJj"#,
            r#""_rawBase64_:.jpg_YWJj!Q==""#,
            r#""_rawBase64_:.jpg_YWJjY""#,
        ] {
            assert!(decoded(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_note_without_an_upload_has_no_digest() {
        for body in [
            "[]",
            r#"[{"Note":""}]"#,
            r#"[{"Note":"_raw_rawBase64"}]"#,
            r#"[{"Note":"_download_:http"}]"#,
        ] {
            let host = Double::new().answer(200, body);
            let api = Api::new(&host, "http://localhost:30223/api/v1");
            assert!(
                digest(&host, &api, DocNum::parse("3").unwrap())
                    .unwrap()
                    .is_none(),
                "{body}"
            );
        }
        let host = Double::new().answer(401, "\"\"");
        let api = Api::new(&host, "http://localhost:30223/api/v1");
        assert!(
            digest(&host, &api, DocNum::parse("3").unwrap())
                .unwrap()
                .is_none()
        );
        let host = Double::new().answer(500, "");
        let api = Api::new(&host, "http://localhost:30223/api/v1");
        assert!(digest(&host, &api, DocNum::parse("3").unwrap()).is_err());
    }

    #[test]
    fn the_digest_is_of_what_was_uploaded() {
        let host = Double::new().answer(200, r#"[{"Note":"_rawBase64_:.jpg_YWJj"}]"#);
        let api = Api::new(&host, "http://localhost:30223/api/v1");
        let digest = digest(&host, &api, DocNum::parse("3").unwrap()).unwrap();
        assert_eq!(
            digest.as_deref(),
            Some("abc"),
            "the double's digest is the text itself"
        );
        assert!(host.asked()[0].contains("SELECT Note FROM document WHERE DocNum = 3"));
    }
}
