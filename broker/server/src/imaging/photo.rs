//! How large a picture is, and when and with what it was taken, as the headers of JPEG and PNG files say.
//!
//! Looks only at the bytes that it is given, allocates no more than the texts that it returns, and never decodes a pixel. What it
//! does not understand it leaves out; nothing fails.

mod exif;

use archwire_core::{AcquiredAt, Text};

/// What a picture says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Photo {
    /// Rows of pixels.
    pub rows: Option<u32>,
    /// Columns of pixels.
    pub columns: Option<u32>,
    /// Whether it was compressed with loss.
    pub lossy: Option<bool>,
    /// When it was taken.
    pub acquired_at: Option<AcquiredAt>,
    /// The camera.
    pub device: Option<Text>,
}

/// Most segments of a JPEG file that are looked at.
const MOST_SEGMENTS: usize = 1024;

/// Reads the header of a JPEG file (ITU-T T.81, annex B), with EXIF where there is some.
#[must_use]
pub fn jpeg(head: &[u8]) -> Photo {
    let mut photo = Photo::default();
    let mut rest = head.get(2..).unwrap_or_default();
    for _ in 0..MOST_SEGMENTS {
        let Some((marker, payload, after)) = segment(rest) else {
            break;
        };
        rest = after;
        match marker {
            0xE1 => {
                if let Some(tiff) = payload
                    .strip_prefix(b"Exif\0\0")
                    .filter(|_| photo.acquired_at.is_none())
                {
                    exif::read(tiff, &mut photo);
                }
            }
            // Frames, of which 3, 7, 11 and 15 are lossless; the others in between are tables.
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let number = |at: usize| Some(u16::from_be_bytes([*payload.get(at)?, *payload.get(at + 1)?]));
                // No rows means that their number comes later.
                photo.rows = number(1).filter(|rows| *rows > 0).map(u32::from);
                photo.columns = number(3).map(u32::from);
                photo.lossy = Some(marker & 3 != 3);
                break;
            }
            // Pixels, and the end.
            0xDA | 0xD9 => break,
            _ => {}
        }
    }
    photo
}

/// The next marker of a JPEG file with what belongs to it, and what comes after.
fn segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let rest = bytes.strip_prefix(b"\xFF")?;
    // A marker may be preceded by any number of these.
    let fill = rest.iter().position(|byte| *byte != 0xFF)?;
    let (marker, rest) = rest.get(fill..)?.split_first()?;
    if matches!(marker, 0x01 | 0xD0..=0xD7) {
        return Some((*marker, &[], rest));
    }
    let length = u16::from_be_bytes([*rest.first()?, *rest.get(1)?]);
    let (payload, after) = rest.split_at_checked(usize::from(length))?;
    Some((*marker, payload.get(2..)?, after))
}

/// Reads the header of a PNG file (ISO/IEC 15948, 11.2.2).
#[must_use]
pub fn png(head: &[u8]) -> Photo {
    let number = |at: usize| {
        let bytes: [u8; 4] = head.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    match head.get(12..16) {
        Some(b"IHDR") => Photo {
            columns: number(16),
            rows: number(20),
            ..Photo::default()
        },
        _ => Photo::default(),
    }
}

#[cfg(test)]
mod tests;
