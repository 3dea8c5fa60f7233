//! Whether a file is all there: one that was cut in the middle is found by what its header says of its pixels, and by its end.

use super::{
    HeaderError,
    data_set::{ElementHeader, Syntax},
};
use crate::imaging::Excerpt;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
/// [`SEQUENCE_END`] as it is written after compressed pixels, which are little endian.
const SEQUENCE_END_BYTES: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];

/// SOP classes, or the beginnings of families of them, whose files have pixels (PS3.4, table B.5-1): computed and digital
/// radiography, intra-oral, mammography; CT; ultrasound; MR; nuclear medicine; secondary capture; angiography; cone beam;
/// photographs and video; PET; radiotherapy.
const WITH_PIXELS: [&str; 20] = [
    "1.2.840.10008.5.1.4.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.",
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2.",
    "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.7.",
    "1.2.840.10008.5.1.4.1.1.12.",
    "1.2.840.10008.5.1.4.1.1.13.1.",
    "1.2.840.10008.5.1.4.1.1.20",
    "1.2.840.10008.5.1.4.1.1.77.1.1",
    "1.2.840.10008.5.1.4.1.1.77.1.2",
    "1.2.840.10008.5.1.4.1.1.77.1.4",
    "1.2.840.10008.5.1.4.1.1.77.1.5.1",
    "1.2.840.10008.5.1.4.1.1.77.1.5.2",
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.481.1",
];

/// SOP classes of encapsulated documents begin with this: PDF, CDA, STL, OBJ, MTL.
const WITH_A_DOCUMENT: &str = "1.2.840.10008.5.1.4.1.1.104.";

/// Whether files of a SOP class have pixels.
pub(super) fn has_pixels(sop_class: &str) -> bool {
    WITH_PIXELS
        .iter()
        .any(|class| sop_class == *class || class.ends_with('.') && sop_class.starts_with(class))
}

/// Whether files of a SOP class have a document.
pub(super) fn has_document(sop_class: &str) -> bool {
    sop_class.starts_with(WITH_A_DOCUMENT)
}

/// Checks that the pixels, whose value begins at `at`, and what comes after them are there as far as that can be seen.
pub(super) fn check_pixels(
    excerpt: &Excerpt<'_>,
    header: ElementHeader,
    at: usize,
    syntax: Syntax,
) -> Result<(), HeaderError> {
    let file = File(excerpt);
    let end = match header.length {
        Some(length) => at as u64 + u64::from(length),
        None => file.fragments_end(at as u64)?,
    };
    match end <= excerpt.size {
        true => file.check_rest(end, syntax),
        false => Err(HeaderError::Truncated),
    }
}

struct File<'a>(&'a Excerpt<'a>);

/// Bytes at some place of a file.
enum Bytes<'a> {
    /// At least as many as were asked for.
    Here(&'a [u8]),
    /// Between the beginning and the end that are looked at.
    Unseen,
    /// The file is not that long.
    Missing,
}

impl<'a> File<'a> {
    fn at(&self, place: u64, count: u64) -> Bytes<'a> {
        let Excerpt { head, tail, size, .. } = *self.0;
        let from = |bytes: &'a [u8], begins: u64| {
            let start = usize::try_from(place.checked_sub(begins)?).ok()?;
            bytes.get(start..).filter(|rest| rest.len() as u64 >= count)
        };
        if place.saturating_add(count) > size {
            return Bytes::Missing;
        }
        from(head, 0)
            .or_else(|| from(tail, size.saturating_sub(tail.len() as u64)))
            .map_or(Bytes::Unseen, Bytes::Here)
    }

    /// Where the fragments of compressed pixels end: by their lengths while these are seen, else by the delimiter.
    fn fragments_end(&self, from: u64) -> Result<u64, HeaderError> {
        let mut place = from;
        loop {
            let bytes = match self.at(place, 8) {
                Bytes::Here(bytes) => bytes,
                Bytes::Missing => return Err(HeaderError::Truncated),
                Bytes::Unseen => return self.last_delimiter(),
            };
            let header = Syntax::Explicit.header(bytes).ok_or(HeaderError::Truncated)?;
            place = place.saturating_add(8);
            match (header.tag, header.length) {
                (SEQUENCE_END, _) => return Ok(place),
                (ITEM, Some(length)) => place = place.saturating_add(u64::from(length)),
                _ => return Err(HeaderError::Malformed),
            }
        }
    }

    fn last_delimiter(&self) -> Result<u64, HeaderError> {
        let tail = self.0.tail;
        let found = tail
            .windows(SEQUENCE_END_BYTES.len())
            .rposition(|bytes| bytes == SEQUENCE_END_BYTES)
            .ok_or(HeaderError::Truncated)?;
        let after = tail.len() - found - SEQUENCE_END_BYTES.len();
        Ok(self.0.size - after as u64)
    }

    /// Checks what comes after the pixels, as far as it is seen: padding, signatures.
    fn check_rest(&self, from: u64, syntax: Syntax) -> Result<(), HeaderError> {
        let mut place = from;
        while place < self.0.size {
            let bytes = match self.at(place, 8) {
                Bytes::Here(bytes) => bytes,
                Bytes::Missing => return Err(HeaderError::Truncated),
                Bytes::Unseen => return Ok(()),
            };
            // Some programs leave bytes behind the last element, which are nothing.
            let header = syntax
                .header(bytes)
                .filter(|header| header.tag >= tags::PIXEL_DATA);
            let Some((header, length)) = header.and_then(|header| Some((header, header.length?))) else {
                return Ok(());
            };
            place = place.saturating_add(header.size as u64 + u64::from(length));
        }
        match place == self.0.size {
            true => Ok(()),
            false => Err(HeaderError::Truncated),
        }
    }
}
