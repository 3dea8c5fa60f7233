//! The elements of a DICOM data set that the bus asks about, found without trusting a length (PS3.5, chapter 7).
//!
//! Works on bytes that are there: a length is only ever compared with them, and never allocated. Of sequences that nobody asks
//! about the items are passed over, without recursion and at most [`DEEPEST`] deep; the others are kept, at most
//! [`DEEPEST_KEPT`] deep and [`MOST_KEPT`] elements and items in all, of at most [`LONGEST_KEPT`] bytes each. So the time is
//! that of one look at the bytes, and the memory at most about 1 MB.

use super::{
    HeaderError,
    wanted::{ELEMENTS, SEQUENCES},
};
use dicom_core::{Tag, VR, dictionary::stub::StubDataDictionary, header::Header as _};
use dicom_dictionary_std::tags;
use dicom_encoding::decode::{
    Decode, explicit_be::ExplicitVRBigEndianDecoder, explicit_le::ExplicitVRLittleEndianDecoder,
    implicit_le::ImplicitVRLittleEndianDecoder,
};
use std::collections::BTreeMap;

/// Levels of sequences and items that are passed over.
const DEEPEST: usize = 128;
/// Levels of sequences that are kept.
const DEEPEST_KEPT: usize = 8;
/// Elements and items that are kept.
const MOST_KEPT: usize = 4096;
/// Bytes of an element that is kept; a longer one counts as not there.
const LONGEST_KEPT: usize = 16 * 1024;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// What is kept of a data set.
#[derive(Default)]
pub(super) struct DataSet<'a>(BTreeMap<Tag, Value<'a>>);

enum Value<'a> {
    Bytes(&'a [u8]),
    Items(Vec<DataSet<'a>>),
}

/// How elements are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Little endian, with value representations.
    Explicit,
    /// Little endian, without.
    Implicit,
    /// Big endian, with value representations; retired.
    BigEndian,
}

/// What stands before the value of an element.
#[derive(Clone, Copy)]
pub(super) struct ElementHeader {
    pub(super) tag: Tag,
    /// `None` when a delimiter ends it.
    pub(super) length: Option<u32>,
    /// Bytes of the header itself.
    pub(super) size: usize,
    vr: VR,
}

/// How a data set ended.
pub(super) enum End {
    /// At its pixels, of which this is the header, and the place where their value begins.
    Pixels(ElementHeader, usize),
    /// With the last element.
    Complete,
    /// With the bytes, in the midst of an element.
    Cut,
}

/// Why an element was not read.
enum Stop {
    /// It goes on where there are no bytes.
    Cut,
    Wrong(HeaderError),
}

impl From<HeaderError> for Stop {
    fn from(error: HeaderError) -> Self {
        Self::Wrong(error)
    }
}

impl<'a> DataSet<'a> {
    /// The bytes of an element.
    pub(super) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match self.0.get(&tag)? {
            Value::Bytes(bytes) => Some(bytes),
            Value::Items(_) => None,
        }
    }

    /// The text of an element that has no letters beyond ASCII, trimmed; `None` when it has some, or nothing.
    pub(super) fn ascii(&self, tag: Tag) -> Option<&'a str> {
        let text = std::str::from_utf8(self.bytes(tag)?)
            .ok()
            .filter(|text| text.is_ascii())?
            .trim_matches(['\0', ' ']);
        (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
    }

    /// The items of a sequence.
    pub(super) fn items(&self, tag: Tag) -> &[Self] {
        match self.0.get(&tag) {
            Some(Value::Items(items)) => items,
            Some(Value::Bytes(_)) | None => &[],
        }
    }

    /// Whether the element is there.
    pub(super) fn has(&self, tag: Tag) -> bool {
        self.0.contains_key(&tag)
    }
}

impl Syntax {
    /// The header at the beginning of some bytes; `None` when they are too few.
    pub(super) fn header(self, bytes: &[u8]) -> Option<ElementHeader> {
        let mut source = bytes;
        let decoded = match self {
            Self::Explicit => ExplicitVRLittleEndianDecoder::default().decode_header(&mut source),
            Self::Implicit => {
                ImplicitVRLittleEndianDecoder::with_dict(StubDataDictionary).decode_header(&mut source)
            }
            Self::BigEndian => ExplicitVRBigEndianDecoder::default().decode_header(&mut source),
        };
        let (header, size) = decoded.ok()?;
        Some(ElementHeader {
            tag: header.tag(),
            length: header.len.get(),
            size,
            vr: header.vr(),
        })
    }

    /// The syntax in which bytes are written that say that they have value representations: some programs leave them out.
    pub(super) fn of_explicit(bytes: &[u8]) -> Self {
        match bytes.get(4..6) {
            Some(&[first, second]) if VR::from_binary([first, second]).is_none() => Self::Implicit,
            _ => Self::Explicit,
        }
    }
}

/// Reads the elements from `start` to the pixels, or to the end of the bytes, or while they are of one group. What `size` says is
/// how many bytes there would be, if all were there; `None` when nobody knows.
pub(super) fn read(
    bytes: &[u8],
    start: usize,
    syntax: Syntax,
    size: Option<u64>,
) -> Result<(DataSet<'_>, End), HeaderError> {
    let mut reader = Reader {
        bytes,
        at: start,
        size,
        kept: 0,
    };
    let mut found = DataSet::default();
    loop {
        let rest = bytes.get(reader.at..).unwrap_or_default();
        if rest.is_empty() && size == Some(reader.at as u64) {
            return Ok((found, End::Complete));
        }
        let Some(header) = syntax.header(rest) else {
            return Ok((found, End::Cut));
        };
        reader.at += header.size;
        if header.tag.group() >= tags::PIXEL_DATA.group() {
            return Ok((found, End::Pixels(header, reader.at)));
        }
        match reader.element(header, syntax, &mut found, bytes.len(), 0) {
            Ok(()) => {}
            Err(Stop::Cut) => return Ok((found, End::Cut)),
            Err(Stop::Wrong(error)) => return Err(error),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    size: Option<u64>,
    kept: usize,
}

impl<'a> Reader<'a> {
    /// Reads the value of an element whose header was read, up to `limit`.
    fn element(
        &mut self,
        header: ElementHeader,
        syntax: Syntax,
        into: &mut DataSet<'a>,
        limit: usize,
        depth: usize,
    ) -> Result<(), Stop> {
        // A sequence that says that it is none is passed over, and so is a value that says that it is a sequence.
        let may_be_sequence = syntax == Syntax::Implicit || matches!(header.vr, VR::SQ | VR::UN);
        let is_kept = ELEMENTS.contains(&header.tag) && header.vr != VR::SQ;
        let value = match (header.length, may_be_sequence && SEQUENCES.contains(&header.tag)) {
            (None, false) => return self.pass_undefined(header, syntax, limit),
            (Some(length), false) => {
                let value = self.value(length, limit)?;
                (is_kept && value.len() <= LONGEST_KEPT).then_some(Value::Bytes(value))
            }
            (length, true) => {
                // What has no value representation that the writer knew is written without any (PS3.5, 6.2.2, note 2).
                let syntax = match header.vr {
                    VR::UN if syntax == Syntax::Explicit => Syntax::Implicit,
                    _ => syntax,
                };
                Some(Value::Items(self.items(length, syntax, limit, depth + 1)?))
            }
        };
        let Some(value) = value else {
            return Ok(());
        };
        self.keep()?;
        let same = |other: &Value<'_>| matches!((&value, other), (Value::Bytes(one), Value::Bytes(two)) if one == two);
        match into.0.get(&header.tag) {
            // Of two names nobody could tell which is meant.
            Some(other) if !same(other) => return Err(HeaderError::Malformed.into()),
            _ => into.0.insert(header.tag, value),
        };
        Ok(())
    }

    /// Where a value of this length ends.
    fn end(&self, length: u32, limit: usize) -> Result<usize, Stop> {
        let end = self.at as u64 + u64::from(length);
        if self.size.is_some_and(|size| end > size) {
            return Err(HeaderError::Truncated.into());
        }
        match usize::try_from(end).ok().filter(|end| *end <= limit) {
            Some(end) => Ok(end),
            None => Err(self.beyond(limit)),
        }
    }

    /// What it means that something goes on beyond `limit`: that of the bytes, or that of a sequence or item.
    fn beyond(&self, limit: usize) -> Stop {
        match limit == self.bytes.len() {
            true => Stop::Cut,
            false => Stop::Wrong(HeaderError::Malformed),
        }
    }

    fn value(&mut self, length: u32, limit: usize) -> Result<&'a [u8], Stop> {
        let end = self.end(length, limit)?;
        let value = self.bytes.get(self.at..end).ok_or(Stop::Cut)?;
        self.at = end;
        Ok(value)
    }

    fn header(&mut self, syntax: Syntax, limit: usize) -> Result<ElementHeader, Stop> {
        let rest = self.bytes.get(self.at..limit).unwrap_or_default();
        let header = syntax.header(rest).ok_or_else(|| self.beyond(limit))?;
        self.at += header.size;
        Ok(header)
    }

    fn keep(&mut self) -> Result<(), HeaderError> {
        self.kept += 1;
        match self.kept <= MOST_KEPT {
            true => Ok(()),
            false => Err(HeaderError::TooManyElements),
        }
    }

    /// The items of a sequence.
    fn items(
        &mut self,
        length: Option<u32>,
        syntax: Syntax,
        limit: usize,
        depth: usize,
    ) -> Result<Vec<DataSet<'a>>, Stop> {
        if depth > DEEPEST_KEPT {
            return Err(HeaderError::TooDeep.into());
        }
        let end = length.map(|length| self.end(length, limit)).transpose()?;
        let mut items = Vec::new();
        while end.is_none_or(|end| self.at < end) {
            let header = self.header(syntax, end.unwrap_or(limit))?;
            match header.tag {
                SEQUENCE_END if end.is_none() => break,
                ITEM => {
                    self.keep()?;
                    items.push(self.item(header.length, syntax, end.unwrap_or(limit), depth)?);
                }
                _ => return Err(HeaderError::Malformed.into()),
            }
        }
        Ok(items)
    }

    fn item(
        &mut self,
        length: Option<u32>,
        syntax: Syntax,
        limit: usize,
        depth: usize,
    ) -> Result<DataSet<'a>, Stop> {
        let end = length.map(|length| self.end(length, limit)).transpose()?;
        let mut item = DataSet::default();
        while end.is_none_or(|end| self.at < end) {
            let header = self.header(syntax, end.unwrap_or(limit))?;
            match header.tag {
                ITEM_END if end.is_none() => break,
                ITEM | ITEM_END | SEQUENCE_END => {
                    return Err(HeaderError::Malformed.into());
                }
                _ => self.element(header, syntax, &mut item, end.unwrap_or(limit), depth)?,
            }
        }
        Ok(item)
    }

    /// Passes over a value that a delimiter ends, with all that is in it.
    fn pass_undefined(&mut self, header: ElementHeader, syntax: Syntax, limit: usize) -> Result<(), Stop> {
        let mut depth = 1;
        let mut implicit_from = (header.vr == VR::UN).then_some(1);
        while depth > 0 {
            let inner = match implicit_from {
                Some(_) if syntax == Syntax::Explicit => Syntax::Implicit,
                _ => syntax,
            };
            let header = self.header(inner, limit)?;
            match (header.tag, header.length) {
                (ITEM_END | SEQUENCE_END, _) => {
                    depth -= 1;
                    implicit_from = implicit_from.filter(|from| depth >= *from);
                }
                (_, Some(length)) => {
                    self.value(length, limit)?;
                }
                (tag, None) => {
                    depth += 1;
                    if tag != ITEM && header.vr == VR::UN {
                        implicit_from = implicit_from.or(Some(depth));
                    }
                    if depth > DEEPEST {
                        return Err(HeaderError::TooDeep.into());
                    }
                }
            }
        }
        Ok(())
    }
}
