//! What kind of file some bytes are: told by the bytes, never by a name.

use archwire_core::Digest;

/// How many of the first bytes of a file are looked at, at most.
pub const HEAD_BYTES: usize = 1024 * 1024;
/// How many of the last bytes of a file are looked at, at most.
pub const TAIL_BYTES: usize = 64 * 1024;

/// What is looked at of a stored file. Its bytes are patient data: does not print itself.
#[derive(Clone, Copy)]
pub struct Excerpt<'a> {
    /// The first bytes: all of them, or [`HEAD_BYTES`].
    pub head: &'a [u8],
    /// The last bytes: all of them, or [`TAIL_BYTES`]. May overlap the first.
    pub tail: &'a [u8],
    /// How many bytes there are in all.
    pub size: u64,
    /// SHA-256 of all of them.
    pub digest: Digest,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// DICOM Part 10.
    Dicom,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// PDF.
    Pdf,
    /// STL, as text or binary.
    Stl,
    /// Something else.
    Other,
}

impl FileKind {
    /// The kind that a media type names, without parameters and in lower case; `None` for one that is not known.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        match content_type {
            "application/dicom" => Some(Self::Dicom),
            "image/jpeg" | "image/jpg" | "image/pjpeg" => Some(Self::Jpeg),
            "image/png" | "image/x-png" => Some(Self::Png),
            "application/pdf" | "application/x-pdf" => Some(Self::Pdf),
            "model/stl"
            | "model/x.stl-ascii"
            | "model/x.stl-binary"
            | "application/sla"
            | "application/vnd.ms-pki.stl" => Some(Self::Stl),
            _ => None,
        }
    }

    /// Its media type, of which [`FileKind::Other`] has none of its own.
    #[must_use]
    pub fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Dicom => Some("application/dicom"),
            Self::Jpeg => Some("image/jpeg"),
            Self::Png => Some("image/png"),
            Self::Pdf => Some("application/pdf"),
            Self::Stl => Some("model/stl"),
            Self::Other => None,
        }
    }
}

/// What kind of file some bytes are.
#[must_use]
pub fn sniff(excerpt: &Excerpt<'_>) -> FileKind {
    let head = excerpt.head;
    let is_binary_stl = || {
        let triangles = head.get(80..84)?.try_into().ok().map(u32::from_le_bytes)?;
        Some(excerpt.size == 84 + u64::from(triangles) * 50)
    };
    if head.get(128..132) == Some(b"DICM") {
        FileKind::Dicom
    } else if head.starts_with(b"\xFF\xD8\xFF") {
        FileKind::Jpeg
    } else if head.starts_with(b"\x89PNG\r\n\x1A\n") {
        FileKind::Png
    } else if head.starts_with(b"%PDF-") {
        FileKind::Pdf
    } else if is_text_stl(head) || is_binary_stl() == Some(true) {
        FileKind::Stl
    } else {
        FileKind::Other
    }
}

fn is_text_stl(head: &[u8]) -> bool {
    // Binary files may begin with the same word, but not go on with a facet.
    let beginning = head.get(..head.len().min(1024)).unwrap_or_default();
    let text = String::from_utf8_lossy(beginning).to_ascii_lowercase();
    text.trim_start().starts_with("solid") && (text.contains("facet") || text.contains("endsolid"))
}
