//! The file around a data set (PS3.10, chapter 7): preamble, file meta information, and how the rest is written.

use super::{
    HeaderError,
    data_set::{End, Syntax, read},
};
use crate::imaging::{Excerpt, HEAD_BYTES};
use archwire_core::Uid;
use dicom_dictionary_std::{tags, uids};
use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF},
};
use std::borrow::Cow;

/// Where the prefix ends with which the file meta information begins.
const META: usize = 132;
/// The group of the file meta information.
const META_GROUP: u16 = 0x0002;

/// A file opened as far as to its data set.
pub(super) struct Opened<'a> {
    /// TransferSyntaxUID (0002,0010).
    pub(super) transfer_syntax: Uid,
    /// How the data set is written.
    pub(super) syntax: Syntax,
    /// The bytes in which the data set is: those of the file, or what came out of deflated ones, at most [`HEAD_BYTES`].
    pub(super) bytes: Cow<'a, [u8]>,
    /// Where it begins in them.
    pub(super) start: usize,
    /// How many bytes there would be, if all were there; `None` when nobody knows, as of long deflated ones.
    pub(super) size: Option<u64>,
}

impl Opened<'_> {
    /// Whether the data set was deflated, so that places in it are none of the file.
    pub(super) fn is_deflated(&self) -> bool {
        matches!(self.bytes, Cow::Owned(_))
    }
}

/// Opens a file as far as to its data set.
pub(super) fn open<'a>(excerpt: &Excerpt<'a>) -> Result<Opened<'a>, HeaderError> {
    let head = excerpt.head;
    if head.get(META - 4..META) != Some(b"DICM") {
        return Err(HeaderError::NotPart10);
    }
    let end = meta_end(head)?;
    let meta_bytes = head.get(..end).unwrap_or_default();
    let (meta, ended) = read(meta_bytes, META, Syntax::Explicit, Some(end as u64))?;
    let transfer_syntax = meta.ascii(tags::TRANSFER_SYNTAX_UID);
    let transfer_syntax = match (transfer_syntax, ended) {
        (Some(uid), End::Complete) => uid.parse::<Uid>().map_err(|_| HeaderError::Malformed)?,
        (None, End::Complete) if end as u64 == excerpt.size => return Err(HeaderError::Truncated),
        _ => return Err(HeaderError::Malformed),
    };
    let rest = head.get(end..).unwrap_or_default();
    let opened = |syntax| Opened {
        transfer_syntax: transfer_syntax.clone(),
        syntax,
        bytes: Cow::Borrowed(head),
        start: end,
        size: Some(excerpt.size),
    };
    match transfer_syntax.as_str() {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => Ok(opened(Syntax::Implicit)),
        #[allow(deprecated, reason = "retired from the standard, and still in archives")]
        uids::EXPLICIT_VR_BIG_ENDIAN => Ok(opened(Syntax::BigEndian)),
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN | uids::JPIP_REFERENCED_DEFLATE => {
            let (bytes, size) = inflate(rest, head.len() as u64 == excerpt.size)?;
            Ok(Opened {
                transfer_syntax,
                syntax: Syntax::Explicit,
                bytes: Cow::Owned(bytes),
                start: 0,
                size,
            })
        }
        // All others that there are, and that will be (PS3.5, A.4).
        _ => Ok(opened(Syntax::of_explicit(rest))),
    }
}

/// Where the file meta information ends: where the group of the elements changes, whatever its own length says.
fn meta_end(head: &[u8]) -> Result<usize, HeaderError> {
    let mut at = META;
    loop {
        let rest = head.get(at..).unwrap_or_default();
        let group = rest.get(..2).and_then(|bytes| bytes.try_into().ok());
        let Some(group) = group.map(u16::from_le_bytes) else {
            return match rest.is_empty() {
                true => Ok(at),
                false => Err(HeaderError::Truncated),
            };
        };
        if group != META_GROUP {
            return Ok(at);
        }
        let header = Syntax::Explicit.header(rest).ok_or(HeaderError::Truncated)?;
        let length = header.length.ok_or(HeaderError::Malformed)?;
        let end = u64::from(length) + (at + header.size) as u64;
        at = usize::try_from(end)
            .ok()
            .filter(|end| *end <= head.len())
            .ok_or(HeaderError::Truncated)?;
    }
}

/// What comes out of deflated bytes, at most [`HEAD_BYTES`], and how much it would be, where it is all.
fn inflate(bytes: &[u8], is_all: bool) -> Result<(Vec<u8>, Option<u64>), HeaderError> {
    let mut out = vec![0; HEAD_BYTES];
    let mut state = Box::<DecompressorOxide>::default();
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, _, written) = decompress(&mut state, bytes, &mut out, 0, flags);
    out.truncate(written);
    match status {
        TINFLStatus::Done => Ok((out, Some(written as u64))),
        TINFLStatus::HasMoreOutput => Ok((out, None)),
        TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress if is_all => {
            Err(HeaderError::Truncated)
        }
        TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => Ok((out, None)),
        _ => Err(HeaderError::Malformed),
    }
}
