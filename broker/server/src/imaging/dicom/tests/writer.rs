//! Writes DICOM files by hand, also such as no program would.

use crate::imaging::{Excerpt, HEAD_BYTES, TAIL_BYTES};
use archwire_core::Digest;
use dicom_core::Tag;

/// How data sets are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging) enum How {
    Explicit,
    Implicit,
    BigEndian,
    Deflated,
}

impl How {
    fn uid(self) -> &'static str {
        match self {
            Self::Explicit => "1.2.840.10008.1.2.1",
            Self::Implicit => "1.2.840.10008.1.2",
            Self::BigEndian => "1.2.840.10008.1.2.2",
            Self::Deflated => "1.2.840.10008.1.2.1.99",
        }
    }
}

/// A data set in the making.
#[derive(Clone)]
pub(in crate::imaging) struct Writer {
    how: How,
    pub(in crate::imaging) bytes: Vec<u8>,
}

impl Writer {
    pub(in crate::imaging) fn new(how: How) -> Self {
        Self {
            how,
            bytes: Vec::new(),
        }
    }

    fn short(&self, number: u16) -> [u8; 2] {
        match self.how {
            How::BigEndian => number.to_be_bytes(),
            _ => number.to_le_bytes(),
        }
    }

    fn long(&self, number: u32) -> [u8; 4] {
        match self.how {
            How::BigEndian => number.to_be_bytes(),
            _ => number.to_le_bytes(),
        }
    }

    /// Only the header of an element, with any length.
    pub(in crate::imaging) fn header(mut self, tag: Tag, vr: &str, length: u32) -> Self {
        for part in [self.short(tag.0), self.short(tag.1)] {
            self.bytes.extend(part);
        }
        let is_long = ["OB", "OW", "SQ", "UN", "UT", "UC"].contains(&vr);
        match (self.how, is_long) {
            _ if tag.0 == 0xFFFE => self.bytes.extend(self.long(length)),
            (How::Implicit, _) => self.bytes.extend(self.long(length)),
            (_, true) => {
                self.bytes.extend(vr.bytes().chain([0, 0]));
                self.bytes.extend(self.long(length));
            }
            (_, false) => {
                self.bytes.extend(vr.bytes());
                self.bytes.extend(self.short(u16::try_from(length).unwrap()));
            }
        }
        self
    }

    pub(in crate::imaging) fn raw(mut self, tag: Tag, vr: &str, value: &[u8]) -> Self {
        let length = value.len().next_multiple_of(2);
        self = self.header(tag, vr, u32::try_from(length).unwrap());
        self.bytes.extend(value);
        let padding = if vr == "UI" { 0 } else { b' ' };
        self.bytes
            .resize(self.bytes.len() + length - value.len(), padding);
        self
    }

    pub(in crate::imaging) fn text(self, tag: Tag, vr: &str, value: &str) -> Self {
        self.raw(tag, vr, value.as_bytes())
    }

    pub(in crate::imaging) fn number(self, tag: Tag, value: u16) -> Self {
        let bytes = self.short(value);
        self.raw(tag, "US", &bytes)
    }

    /// A sequence of which the length is told.
    pub(in crate::imaging) fn sequence(self, tag: Tag, items: Vec<Writer>) -> Self {
        let mut content = Writer::new(self.how);
        for item in items {
            let length = u32::try_from(item.bytes.len()).unwrap();
            content = content.header(Tag(0xFFFE, 0xE000), "", length);
            content.bytes.extend(item.bytes);
        }
        let mut written = self.header(tag, "SQ", u32::try_from(content.bytes.len()).unwrap());
        written.bytes.extend(content.bytes);
        written
    }

    /// A sequence that delimiters end.
    pub(in crate::imaging) fn open_sequence(self, tag: Tag, items: Vec<Writer>) -> Self {
        let mut written = self.header(tag, "SQ", u32::MAX);
        for item in items {
            written = written.header(Tag(0xFFFE, 0xE000), "", u32::MAX);
            written.bytes.extend(item.bytes);
            written = written.header(Tag(0xFFFE, 0xE00D), "", 0);
        }
        written.header(Tag(0xFFFE, 0xE0DD), "", 0)
    }

    /// An item with a code.
    pub(in crate::imaging) fn code(how: How, scheme: &str, value: &str) -> Self {
        Writer::new(how)
            .text(Tag(0x0008, 0x0100), "SH", value)
            .text(Tag(0x0008, 0x0102), "SH", scheme)
            .text(Tag(0x0008, 0x0104), "LO", "meaning")
    }

    /// The whole file.
    pub(in crate::imaging) fn file(self) -> Vec<u8> {
        let how = self.how;
        match how {
            How::Deflated => file(how.uid(), &miniz_oxide::deflate::compress_to_vec(&self.bytes, 6)),
            _ => file(how.uid(), &self.bytes),
        }
    }
}

/// A file around a data set in some transfer syntax.
pub(in crate::imaging) fn file(transfer_syntax: &str, data_set: &[u8]) -> Vec<u8> {
    let meta = Writer::new(How::Explicit)
        .raw(Tag(0x0002, 0x0001), "OB", &[0, 1])
        .text(Tag(0x0002, 0x0010), "UI", transfer_syntax);
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes.extend([2, 0, 0, 0, b'U', b'L', 4, 0]);
    bytes.extend(u32::try_from(meta.bytes.len()).unwrap().to_le_bytes());
    bytes.extend(meta.bytes);
    bytes.extend(data_set);
    bytes
}

/// What is looked at of some bytes.
pub(in crate::imaging) fn excerpt(bytes: &[u8]) -> Excerpt<'_> {
    Excerpt {
        head: &bytes[..bytes.len().min(HEAD_BYTES)],
        tail: &bytes[bytes.len().saturating_sub(TAIL_BYTES)..],
        size: bytes.len() as u64,
        digest: Digest::of(bytes),
    }
}

/// A radiograph without its pixels: a side view of an invented person's head.
pub(in crate::imaging) fn radiograph(how: How) -> Writer {
    Writer::new(how)
        .text(Tag(0x0008, 0x0005), "CS", "ISO_IR 192")
        .text(Tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.1.1")
        .text(Tag(0x0008, 0x0018), "UI", "1.2.826.0.1.3680043.8.498.3")
        .text(Tag(0x0008, 0x002A), "DT", "20260301093000.25+0100")
        .text(Tag(0x0008, 0x0050), "SH", "A-1")
        .text(Tag(0x0008, 0x0060), "CS", "DX")
        .text(Tag(0x0008, 0x0070), "LO", "Example Imaging")
        .text(Tag(0x0008, 0x1070), "PN", "Doe^Jane")
        .text(Tag(0x0008, 0x1090), "LO", "Ceph 9")
        .open_sequence(
            Tag(0x0008, 0x2112),
            vec![Writer::new(how).text(Tag(0x0008, 0x1155), "UI", "1.2.3.4")],
        )
        .sequence(Tag(0x0008, 0x2218), vec![Writer::code(how, "SCT", "774007")])
        .raw(Tag(0x0009, 0x0010), "LO", b"EXAMPLE PRIVATE")
        .raw(Tag(0x0009, 0x1001), "UN", &[7; 300])
        .text(Tag(0x0010, 0x0010), "PN", "Lovelace^Ada^Maria=山田^太郎")
        .text(Tag(0x0010, 0x0020), "LO", "C-7")
        .text(Tag(0x0010, 0x0021), "LO", "Example Practice")
        .text(Tag(0x0010, 0x0030), "DA", "20121210")
        .text(Tag(0x0010, 0x0040), "CS", "F")
        .text(Tag(0x0018, 0x1164), "DS", "0.125\\0.125")
        .text(Tag(0x0020, 0x000D), "UI", "1.2.826.0.1.3680043.8.498.1")
        .text(Tag(0x0020, 0x000E), "UI", "1.2.826.0.1.3680043.8.498.2")
        .text(Tag(0x0020, 0x0062), "CS", "U")
        .number(Tag(0x0028, 0x0010), 20)
        .number(Tag(0x0028, 0x0011), 30)
        .text(Tag(0x0028, 0x0301), "CS", "NO")
        .text(Tag(0x0028, 0x2110), "CS", "00")
        .sequence(Tag(0x0054, 0x0220), vec![Writer::code(how, "SCT", "399198007")])
}

const PIXELS: Tag = Tag(0x7FE0, 0x0010);

/// The radiograph with its pixels.
pub(in crate::imaging) fn with_pixels(how: How) -> Vec<u8> {
    radiograph(how).raw(PIXELS, "OW", &[0x55; 600]).file()
}

/// The radiograph with pixels in compressed fragments.
pub(in crate::imaging) fn with_fragments(fragments: &[&[u8]]) -> Vec<u8> {
    let mut data_set = radiograph(How::Explicit).header(PIXELS, "OB", u32::MAX);
    data_set = data_set.raw(Tag(0xFFFE, 0xE000), "", &[]);
    for fragment in fragments {
        data_set = data_set.raw(Tag(0xFFFE, 0xE000), "", fragment);
    }
    data_set = data_set.header(Tag(0xFFFE, 0xE0DD), "", 0);
    file("1.2.840.10008.1.2.4.50", &data_set.bytes)
}
