//! When and with what a photograph was taken: the few tags of EXIF 2.32 that say so.

use super::Photo;
use crate::imaging::acquired;
use archwire_core::Text;

const MAKE: u16 = 0x010F;
const MODEL: u16 = 0x0110;
const EXIF: u16 = 0x8769;
const TAKEN: u16 = 0x9003;
const OFFSET: u16 = 0x9011;
/// Entries of a directory that are looked at.
const MOST_ENTRIES: u16 = 512;
/// Bytes of a text that is read.
const LONGEST: usize = 128;
/// The type of ASCII texts.
const ASCII: u16 = 2;

/// Reads a block of EXIF, which is a TIFF file without a picture.
pub(super) fn read(bytes: &[u8], into: &mut Photo) {
    let is_little = match bytes.get(..4) {
        Some(b"II\x2A\0") => true,
        Some(b"MM\0\x2A") => false,
        _ => return,
    };
    let tiff = Tiff { bytes, is_little };
    let Some(first) = tiff.long(4) else { return };
    let words: Vec<_> = [MAKE, MODEL]
        .into_iter()
        .filter_map(|tag| tiff.text(tiff.entry(first, tag)?))
        .collect();
    into.device = Some(Text::from(words.join(" "))).filter(|device| !device.is_empty());
    let exif = tiff.entry(first, EXIF).and_then(|entry| tiff.long(entry + 8));
    let text = |tag| tiff.text(tiff.entry(exif?, tag)?);
    into.acquired_at = text(TAKEN).and_then(|taken| acquired::exif(&taken, text(OFFSET).as_deref()));
}

struct Tiff<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl Tiff<'_> {
    fn short(&self, at: usize) -> Option<u16> {
        let bytes: [u8; 2] = self.bytes.get(at..)?.get(..2)?.try_into().ok()?;
        Some(match self.is_little {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes: [u8; 4] = self.bytes.get(at..)?.get(..4)?.try_into().ok()?;
        let number = match self.is_little {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        };
        usize::try_from(number).ok()
    }

    /// Where a directory has the entry of a tag.
    fn entry(&self, directory: usize, tag: u16) -> Option<usize> {
        let count = self.short(directory)?.min(MOST_ENTRIES);
        (0..usize::from(count))
            .map(|place| directory + 2 + place * 12)
            .find(|entry| self.short(*entry) == Some(tag))
    }

    /// The text of an entry, as far as it is ASCII and no longer than a name.
    fn text(&self, entry: usize) -> Option<String> {
        let count = self
            .long(entry + 4)
            .filter(|_| self.short(entry + 2) == Some(ASCII))?;
        let at = if count <= 4 {
            entry + 8
        } else {
            self.long(entry + 8)?
        };
        let bytes = self.bytes.get(at..)?.get(..count.min(LONGEST))?;
        let text = std::str::from_utf8(bytes.split(|byte| *byte == 0).next()?)
            .ok()?
            .trim();
        (!text.is_empty() && text.is_ascii() && !text.contains(char::is_control)).then(|| text.to_owned())
    }
}
