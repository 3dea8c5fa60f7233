//! The beginning of a DICOM file (DICOM PS3.10): by which identifiers it goes, whose it says that it is, and whether this
//! connector made it around another file.
//!
//! Reads little endian with explicit and implicit value representations, which is how all but a few files are written, also
//! deflated; of the others (big endian) only what comes before the data set is told. Reads at most [`HEAD_BYTES`], inflates no
//! more than as many, never reads pixels, and stops at what it does not understand: what was read until then stands. Nesting is at
//! most 16.

mod reader;

use crate::uid::Uid;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use reader::{Element, Reader, UNDEFINED};

/// What is looked at of a file.
pub const HEAD_BYTES: usize = 256 * 1024;
/// Preamble and `DICM`.
const PREAMBLE: usize = 132;
/// The file meta information.
const META_GROUP: u16 = 2;

/// A tag: group and element.
pub type Tag = (u16, u16);

/// Tags by DICOM's own names, and the private ones of this connector.
pub mod tag {
    #![allow(missing_docs, reason = "the names are DICOM's own keywords (PS3.6)")]
    use super::Tag;

    pub const TRANSFER_SYNTAX_UID: Tag = (0x0002, 0x0010);
    pub const SPECIFIC_CHARACTER_SET: Tag = (0x0008, 0x0005);
    pub const SOP_CLASS_UID: Tag = (0x0008, 0x0016);
    pub const SOP_INSTANCE_UID: Tag = (0x0008, 0x0018);
    pub const PRIVATE_CREATOR: Tag = (0x0009, 0x0010);
    /// SHA-256 of the file within, 64 lower-case hexadecimal digits.
    pub const PAYLOAD_SHA256: Tag = (0x0009, 0x1001);
    /// Its size in bytes, in decimal.
    pub const PAYLOAD_SIZE: Tag = (0x0009, 0x1002);
    /// PatientID under which the file was made.
    pub const FILED_PATIENT_ID: Tag = (0x0009, 0x1003);
    /// Who issued that, where somebody is stated.
    pub const FILED_ISSUER: Tag = (0x0009, 0x1004);
    pub const PATIENT_NAME: Tag = (0x0010, 0x0010);
    pub const PATIENT_ID: Tag = (0x0010, 0x0020);
    pub const ISSUER_OF_PATIENT_ID: Tag = (0x0010, 0x0021);
    pub const PATIENT_BIRTH_DATE: Tag = (0x0010, 0x0030);
    pub const STUDY_INSTANCE_UID: Tag = (0x0020, 0x000D);
    pub const SERIES_INSTANCE_UID: Tag = (0x0020, 0x000E);
    pub const ENCAPSULATED_DOCUMENT: Tag = (0x0042, 0x0011);
    pub const PIXEL_DATA: Tag = (0x7FE0, 0x0010);
    pub const ITEM: Tag = (0xFFFE, 0xE000);
    pub const ITEM_DELIMITATION: Tag = (0xFFFE, 0xE00D);
    pub const SEQUENCE_DELIMITATION: Tag = (0xFFFE, 0xE0DD);
}

/// Who says that the private tags are this connector's.
pub const CREATOR: &str = "ARCHWIRE";

/// Explicit value representations, little endian.
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// What the beginning of a DICOM file says. Everything may be missing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// TransferSyntaxUID.
    pub transfer_syntax: Option<Uid>,
    /// SOPClassUID.
    pub sop_class: Option<Uid>,
    /// SOPInstanceUID.
    pub instance: Option<Uid>,
    /// StudyInstanceUID.
    pub study: Option<Uid>,
    /// SeriesInstanceUID.
    pub series: Option<Uid>,
    /// PatientName as it is written; `None` where its letters cannot be read here.
    pub patient_name: Option<String>,
    /// PatientBirthDate as it is written.
    pub birth_date: Option<String>,
    /// PatientID, empty when it is stated as such.
    pub patient_id: Option<String>,
    /// IssuerOfPatientID.
    pub issuer: Option<String>,
    /// The file within, when this connector made the DICOM file around it.
    pub payload: Option<Payload>,
}

/// A file within a DICOM file.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// SHA-256, 64 lower-case hexadecimal digits, as it was when the DICOM file was made.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Where it begins in the DICOM file.
    pub offset: u64,
    /// PatientID and issuer under which the DICOM file was made; the latter is empty where none was stated. `None` where that
    /// cannot be read.
    pub filed: Option<(String, String)>,
}

impl Header {
    /// Whether this connector made the DICOM file around another one, and it is still of the patient under whom it was made: staff
    /// give an image to somebody else in the archive, and it keeps its identifier and its mark then.
    #[must_use]
    pub fn is_where_it_was_put(&self) -> bool {
        let filed = self.payload.as_ref().and_then(|payload| payload.filed.as_ref());
        filed.is_some_and(|(id, issuer)| {
            self.patient_id.as_ref() == Some(id) && self.issuer.as_deref().unwrap_or_default() == issuer
        })
    }

    /// Reads the first [`HEAD_BYTES`] of a file, or all of it when it is shorter. `None` when it is no DICOM file.
    #[must_use]
    pub fn read(head: &[u8]) -> Option<Self> {
        if head.get(PREAMBLE - 4..PREAMBLE) != Some(b"DICM") {
            return None;
        }
        let mut reader = Reader {
            bytes: head,
            at: PREAMBLE,
            explicit: true,
        };
        let mut found = Found::default();
        // Each element moves on by 8 bytes at least; what cannot be read ends the reading.
        while found.take(&mut reader).is_some() {}
        if !found.is_deflated() {
            return Some(found.header);
        }
        let set = inflated(head.get(reader.at..).unwrap_or_default());
        let mut reader = Reader {
            bytes: &set,
            at: 0,
            explicit: true,
        };
        found.is_inflated = true;
        while found.take(&mut reader).is_some() {}
        // A place in what was inflated is none of the file.
        found.header.payload = None;
        Some(found.header)
    }
}

/// What comes out of the beginning of deflated bytes, at most [`HEAD_BYTES`]; nothing of what was never deflated.
fn inflated(bytes: &[u8]) -> Vec<u8> {
    match decompress_to_vec_with_limit(bytes, HEAD_BYTES) {
        Ok(set) => set,
        Err(error) => match error.status {
            TINFLStatus::HasMoreOutput
            | TINFLStatus::NeedsMoreInput
            | TINFLStatus::FailedCannotMakeProgress => error.output,
            _ => Vec::new(),
        },
    }
}

#[derive(Default)]
struct Found {
    header: Header,
    is_inflated: bool,
    latin_1: bool,
    ours: bool,
    sha256: Option<String>,
    size: Option<u64>,
    filed: Option<String>,
    filed_issuer: Option<String>,
}

impl Found {
    /// Takes the next element in. `None` ends the reading.
    fn take(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        if reader.next_group()? != META_GROUP {
            self.begin_data_set(reader)?;
        }
        let element = reader.element()?;
        let is_payload = matches!(element.tag, tag::ENCAPSULATED_DOCUMENT | tag::PIXEL_DATA);
        if is_payload {
            self.payload(reader, &element);
            return None;
        }
        if element.length == UNDEFINED {
            return reader.skip_sequence(0);
        }
        let value = reader.value(element.length)?;
        self.note(element.tag, value);
        Some(())
    }

    fn is_deflated(&self) -> bool {
        self.header.transfer_syntax.as_ref().map(Uid::as_str) == Some(DEFLATED)
    }

    /// Where the file meta information ends, the transfer syntax begins to count.
    fn begin_data_set(&self, reader: &mut Reader<'_>) -> Option<()> {
        match self.header.transfer_syntax.as_ref().map(Uid::as_str) {
            Some(BIG_ENDIAN) => None,
            _ if self.is_deflated() && !self.is_inflated => None,
            syntax => {
                reader.explicit = syntax != Some(IMPLICIT);
                Some(())
            }
        }
    }

    fn note(&mut self, tag: Tag, value: &[u8]) {
        let header = &mut self.header;
        match tag {
            tag::TRANSFER_SYNTAX_UID => header.transfer_syntax = uid(value),
            tag::SPECIFIC_CHARACTER_SET => self.latin_1 = plain(value) == "ISO_IR 100",
            tag::SOP_CLASS_UID => header.sop_class = uid(value),
            tag::SOP_INSTANCE_UID => header.instance = uid(value),
            tag::STUDY_INSTANCE_UID => header.study = uid(value),
            tag::SERIES_INSTANCE_UID => header.series = uid(value),
            tag::PATIENT_NAME => header.patient_name = text(value, self.latin_1),
            tag::PATIENT_BIRTH_DATE => header.birth_date = Some(plain(value)),
            tag::PATIENT_ID => header.patient_id = text(value, self.latin_1),
            tag::ISSUER_OF_PATIENT_ID => {
                header.issuer = text(value, self.latin_1).filter(|text| !text.is_empty());
            }
            tag::PRIVATE_CREATOR => self.ours = plain(value) == CREATOR,
            tag::PAYLOAD_SHA256 => self.sha256 = Some(plain(value)).filter(|digest| is_digest(digest)),
            tag::PAYLOAD_SIZE => self.size = plain(value).parse().ok(),
            tag::FILED_PATIENT_ID => self.filed = text(value, self.latin_1),
            tag::FILED_ISSUER => self.filed_issuer = text(value, self.latin_1),
            _ => {}
        }
    }

    /// A document's bytes are the value; a picture's are the item after that with the table of offsets, which we leave empty.
    fn payload(&mut self, reader: &mut Reader<'_>, element: &Element) {
        let (true, Some(sha256), Some(size)) = (self.ours, self.sha256.take(), self.size) else {
            return;
        };
        if element.length == UNDEFINED {
            let table = reader.item();
            let frame = reader.item();
            if table != Some(0) || frame.is_none_or(|length| u64::from(length) < size) {
                return;
            }
        } else if u64::from(element.length) < size {
            return;
        }
        let offset = u64::try_from(reader.at).unwrap_or(u64::MAX);
        let issuer = self.filed_issuer.take().unwrap_or_default();
        self.header.payload = Some(Payload {
            sha256,
            size,
            offset,
            filed: self.filed.take().map(|id| (id, issuer)),
        });
    }
}

fn uid(value: &[u8]) -> Option<Uid> {
    Uid::parse(&plain(value)).ok()
}

fn plain(value: &[u8]) -> String {
    String::from_utf8_lossy(value)
        .trim_matches([' ', '\0'])
        .to_owned()
}

/// Text in Unicode or in Latin letters. `None` for other character sets: their text is only known once it is decoded.
fn text(value: &[u8], latin_1: bool) -> Option<String> {
    let text = match latin_1 {
        true => value.iter().map(|byte| char::from(*byte)).collect(),
        false => String::from_utf8(value.to_vec()).ok()?,
    };
    let is_escaped = text.contains('\u{1b}');
    (!is_escaped).then(|| text.trim_matches([' ', '\0']).to_owned())
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::reader::DEEPEST;

    fn file(syntax: &str, data_set: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 128];
        file.extend(b"DICM");
        file.extend(short((2, 0x10), b"UI", syntax.as_bytes()));
        file.extend(data_set);
        file
    }

    fn short(tag: Tag, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
        let mut bytes = written(tag);
        bytes.extend(vr);
        bytes.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        bytes.extend(value);
        bytes
    }

    fn plain_length(tag: Tag, length: u32) -> Vec<u8> {
        let mut bytes = written(tag);
        bytes.extend(length.to_le_bytes());
        bytes
    }

    fn written(tag: Tag) -> Vec<u8> {
        [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat()
    }

    fn sequence(depth: usize) -> Vec<u8> {
        let mut bytes = written((8, 0x1140));
        bytes.extend(b"SQ\0\0");
        bytes.extend(UNDEFINED.to_le_bytes());
        bytes.extend(plain_length(tag::ITEM, UNDEFINED));
        match depth {
            0 => bytes.extend(short(tag::PATIENT_ID, b"LO", b"WRONG ")),
            _ => bytes.extend(sequence(depth - 1)),
        }
        bytes.extend(plain_length(tag::ITEM_DELIMITATION, 0));
        bytes.extend(plain_length(tag::SEQUENCE_DELIMITATION, 0));
        bytes
    }

    #[test]
    fn identifiers_are_read_past_sequences() {
        let set = [
            short((8, 0x18), b"UI", b"1.2.3\0"),
            sequence(3),
            short(tag::PATIENT_ID, b"LO", b"P1"),
            short(tag::ISSUER_OF_PATIENT_ID, b"LO", b""),
            short(tag::STUDY_INSTANCE_UID, b"UI", b"1.4\0"),
        ];
        let header = Header::read(&file(EXPLICIT, &set.concat())).unwrap();
        assert!(header.instance == Uid::parse("1.2.3").ok() && header.study == Uid::parse("1.4").ok());
        assert_eq!(header.patient_id.as_deref(), Some("P1"));
        assert_eq!(header.issuer, None);
        assert!(header.payload.is_none());
    }

    #[test]
    fn implicit_files_are_read_too() {
        let mut set = plain_length(tag::PATIENT_ID, 2);
        set.extend(b"P1");
        let header = Header::read(&file("1.2.840.10008.1.2\0", &set)).unwrap();
        assert_eq!(header.patient_id.as_deref(), Some("P1"));
    }

    #[test]
    fn deflated_files_are_read_as_far_as_they_come_and_no_further_than_the_bound() {
        let mut set = short(tag::PATIENT_ID, b"LO", b"P1");
        set.extend(short(tag::STUDY_INSTANCE_UID, b"UI", b"1.4\0"));
        // More than is inflated.
        let mut noise = 1_u32;
        for _ in 0..3 * HEAD_BYTES / 1_000 {
            let value = (0..992).map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noise.to_le_bytes()[3]
            });
            set.extend(short((0x0021, 0x1001), b"UN", &[]).get(..6).unwrap());
            set.extend([0, 0]);
            set.extend(992_u32.to_le_bytes());
            set.extend(value);
        }
        let deflated = miniz_oxide::deflate::compress_to_vec(&set, 6);
        let whole = file(DEFLATED, &deflated);
        for end in [whole.len(), HEAD_BYTES, 2_000] {
            let header = Header::read(&whole[..end]).unwrap();
            assert_eq!(header.patient_id.as_deref(), Some("P1"), "{end}");
            assert!(header.study == Uid::parse("1.4").ok(), "{end}");
        }
        assert_eq!(inflated(&deflated).len(), HEAD_BYTES);
        let bomb = miniz_oxide::deflate::compress_to_vec(&vec![0; 8 << 20], 9);
        assert_eq!(inflated(&bomb).len(), HEAD_BYTES);
        // What is none of it says nothing of anybody.
        let header = Header::read(&file(DEFLATED, &set)).unwrap();
        assert!(header.patient_id.is_none() && header.transfer_syntax.is_some());
    }

    #[test]
    fn latin_letters_are_read_and_others_are_left_to_who_knows_them() {
        let number = |charset: &[u8], value: &[u8]| {
            let set = [
                short(tag::SPECIFIC_CHARACTER_SET, b"CS", charset),
                short(tag::PATIENT_ID, b"LO", value),
            ];
            Header::read(&file(EXPLICIT, &set.concat())).unwrap().patient_id
        };
        assert_eq!(number(b"ISO_IR 100", b"\xC4").as_deref(), Some("Ä"));
        assert_eq!(number(b"ISO_IR 192", "Ä".as_bytes()).as_deref(), Some("Ä"));
        assert_eq!(number(b"ISO_IR 144", b"\xC4"), None);
        assert_eq!(number(b"\\ISO 2022 IR 87", b"\x1b$B"), None);
    }

    #[test]
    fn what_cannot_be_read_ends_the_reading_and_nothing_else() {
        let start = short((8, 0x18), b"UI", b"1.2.3\0");
        let wild: [&[u8]; 5] = [
            &plain_length((8, 0x20), UNDEFINED),
            &[0xFF; 7],
            &sequence(DEEPEST + 2),
            &[8, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0x7F],
            b"",
        ];
        for rest in wild {
            let header = Header::read(&file(EXPLICIT, &[&start[..], rest].concat())).unwrap();
            assert!(header.instance.is_some() && header.patient_id.is_none());
        }
        for syntax in [DEFLATED, "1.2.840.10008.1.2.2\0"] {
            assert!(Header::read(&file(syntax, &start)).unwrap().instance.is_none());
        }
        assert!(Header::read(b"\xFF\xD8\xFF").is_none());
        assert!(Header::read(&[0; 200]).is_none());
    }
}
