//! What has to be known of a file that is no DICOM file before it can be put into one: what it is, and for a JPEG how it is
//! coded. Looks at the first bytes only and decodes nothing.

/// What a file is, as far as DICOM has a form for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A DICOM file already.
    Dicom,
    /// A JPEG of the baseline or extended process.
    Jpeg(Jpeg),
    /// A PDF.
    Pdf,
    /// A surface as binary STL.
    Stl,
}

/// How a JPEG is coded (ITU-T T.81, B.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jpeg {
    /// Lines.
    pub rows: u16,
    /// Samples of a line.
    pub columns: u16,
    /// What the samples mean.
    pub colour: Colour,
    /// Whether the process is the extended one rather than baseline.
    pub extended: bool,
}

/// What the samples mean, in the words of PhotometricInterpretation (0028,0004).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// MONOCHROME2.
    Grey,
    /// YBR_FULL_422: the colours are coarser than the brightness.
    Coarse,
    /// YBR_FULL.
    Full,
    /// RGB, as the marker of Adobe says.
    Rgb,
}

/// Why DICOM has no form for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoForm {
    /// A kind of file that DICOM encapsulates nowhere.
    #[error("DICOM encapsulates JPEG, PDF and binary STL only")]
    Kind,
    /// Progressive, lossless or arithmetic coding, other than 8 bits, or four colours.
    #[error("the JPEG is not of the baseline or extended process with 8 bits and one or three components")]
    Coding,
    /// No frame header within what is looked at.
    #[error("the JPEG does not begin as one does")]
    Damaged,
}

/// Looks at a file's first bytes.
///
/// # Errors
/// When DICOM has no form for it.
pub fn look(head: &[u8], size: u64) -> Result<Content, NoForm> {
    if head.get(128..132) == Some(b"DICM") {
        return Ok(Content::Dicom);
    }
    if head.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return jpeg(head).map(Content::Jpeg);
    }
    // The header may be anywhere in the first KiB (ISO 32000-1, annex H).
    if head.starts_with(b"%PDF-") {
        return Ok(Content::Pdf);
    }
    match is_binary_stl(head, size) {
        true => Ok(Content::Stl),
        false => Err(NoForm::Kind),
    }
}

/// 80 bytes of anything, the number of triangles, and 50 bytes for each.
fn is_binary_stl(head: &[u8], size: u64) -> bool {
    let count = head.get(80..84).and_then(|count| count.first_chunk::<4>());
    count.is_some_and(|count| size == 84 + 50 * u64::from(u32::from_le_bytes(*count)))
}

fn jpeg(head: &[u8]) -> Result<Jpeg, NoForm> {
    let (mut at, mut adobe) = (2, None);
    loop {
        let rest = head.get(at..).ok_or(NoForm::Damaged)?;
        let [0xFF, marker, high, low] = *rest.first_chunk::<4>().ok_or(NoForm::Damaged)? else {
            return Err(NoForm::Damaged);
        };
        if marker == 0xFF {
            at += 1;
            continue;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length.max(2)).ok_or(NoForm::Damaged)?;
        match marker {
            0xC0 | 0xC1 => return frame(segment, marker == 0xC1, adobe),
            // Define Huffman tables, JPEG extensions and arithmetic conditioning are not frames.
            0xC4 | 0xC8 | 0xCC => {}
            0xC2..=0xCF => return Err(NoForm::Coding),
            0xEE if segment.starts_with(b"Adobe") => adobe = segment.get(11).copied(),
            // The picture itself, or its end, before any frame header.
            0xDA | 0xD9 | 0x00 | 0x01 | 0xD0..=0xD8 => return Err(NoForm::Damaged),
            _ => {}
        }
        at += 2 + length;
    }
}

fn frame(segment: &[u8], extended: bool, adobe: Option<u8>) -> Result<Jpeg, NoForm> {
    let [bits, a, b, c, d, components] = *segment.first_chunk::<6>().ok_or(NoForm::Damaged)?;
    let sampling: Vec<u8> = segment
        .get(6..)
        .unwrap_or_default()
        .chunks_exact(3)
        .filter_map(|component| component.get(1).copied())
        .collect();
    if sampling.len() < components.into() {
        return Err(NoForm::Damaged);
    }
    let colour = match (bits, components, adobe) {
        (8, 1, _) => Colour::Grey,
        (8, 3, Some(0)) => Colour::Rgb,
        (8, 3, _) if sampling.windows(2).all(|pair| pair.first() == pair.last()) => Colour::Full,
        (8, 3, _) => Colour::Coarse,
        _ => return Err(NoForm::Coding),
    };
    let (rows, columns) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    // A number of lines that only comes after the picture is nothing that cameras do.
    if rows == 0 || columns == 0 {
        return Err(NoForm::Coding);
    }
    Ok(Jpeg {
        rows,
        columns,
        colour,
        extended,
    })
}

#[cfg(test)]
pub(crate) mod samples {
    //! The beginnings of pictures.

    /// A JPEG up to its frame header, with an application segment before it.
    pub(crate) fn jpeg(frame: u8, sampling: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 6, b'E', b'x', b'i', b'f'];
        let count = u8::try_from(sampling.len()).unwrap();
        bytes.extend([0xFF, frame, 0, 8 + 3 * count, 8, 0x02, 0x01, 0x03, 0x00, count]);
        for (number, sampling) in (1..).zip(sampling) {
            bytes.extend([number, *sampling, 0]);
        }
        bytes.extend([0xFF, 0xDA, 0, 2, 1, 2, 3, 0xFF, 0xD9]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::samples::jpeg;
    use super::*;

    #[test]
    fn a_jpeg_tells_its_size_and_colours() {
        let told = |frame, sampling: &[u8]| look(&jpeg(frame, sampling), 100);
        let picture = |colour, extended| {
            let jpeg = Jpeg {
                rows: 0x0201,
                columns: 0x0300,
                colour,
                extended,
            };
            Ok(Content::Jpeg(jpeg))
        };
        assert_eq!(told(0xC0, &[0x11]), picture(Colour::Grey, false));
        assert_eq!(told(0xC0, &[0x22, 0x11, 0x11]), picture(Colour::Coarse, false));
        assert_eq!(told(0xC1, &[0x11, 0x11, 0x11]), picture(Colour::Full, true));
        let mut adobe = jpeg(0xC0, &[0x11, 0x11, 0x11]);
        adobe.splice(
            2..2,
            [
                0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 0,
            ],
        );
        assert_eq!(look(&adobe, 100), picture(Colour::Rgb, false));
    }

    #[test]
    fn codings_without_a_form_and_damaged_pictures_are_told_apart() {
        for frame in [0xC2, 0xC3, 0xC9] {
            assert_eq!(look(&jpeg(frame, &[0x11]), 100), Err(NoForm::Coding));
        }
        assert_eq!(look(&jpeg(0xC0, &[0x11; 4]), 100), Err(NoForm::Coding));
        let whole = jpeg(0xC0, &[0x11]);
        for end in 3..whole.len() - 9 {
            assert_eq!(look(&whole[..end], 100), Err(NoForm::Damaged), "{end}");
        }
        assert_eq!(look(&[0xFF; 1_000], 1_000), Err(NoForm::Kind));
        assert_eq!(look(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 0], 6), Err(NoForm::Damaged));
    }

    #[test]
    fn other_files_are_told_by_their_content() {
        let mut dicom = vec![0; 128];
        dicom.extend(b"DICM");
        assert_eq!(look(&dicom, 132), Ok(Content::Dicom));
        assert_eq!(look(b"%PDF-1.7\n", 100), Ok(Content::Pdf));
        let mut stl = b"solid".to_vec();
        stl.resize(80, b' ');
        stl.extend(2_u32.to_le_bytes());
        assert_eq!(look(&stl, 184), Ok(Content::Stl));
        assert_eq!(look(&stl, 185), Err(NoForm::Kind));
        assert_eq!(look(b"solid\n facet normal 0 0 1", 2_000), Err(NoForm::Kind));
        assert_eq!(look(b"\x89PNG\r\n\x1a\n", 100), Err(NoForm::Kind));
        assert_eq!(look(b"", 0), Err(NoForm::Kind));
    }
}
