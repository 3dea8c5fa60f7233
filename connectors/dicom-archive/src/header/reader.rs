//! Data elements one after the other (DICOM PS3.5, 7.1): nothing is believed beyond the bytes that are there.

use super::{Tag, tag};

/// Sequences within sequences.
pub(super) const DEEPEST: usize = 16;
/// A length that says "until the delimiter".
pub(super) const UNDEFINED: u32 = u32::MAX;

pub(super) struct Element {
    pub(super) tag: Tag,
    pub(super) length: u32,
}

pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) explicit: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    pub(super) fn next_group(&self) -> Option<u16> {
        let group = self.bytes.get(self.at..)?.first_chunk::<2>()?;
        Some(u16::from_le_bytes(*group))
    }

    pub(super) fn tag(&mut self) -> Option<Tag> {
        let [a, b, c, d] = self.take::<4>()?;
        Some((u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))
    }

    pub(super) fn element(&mut self) -> Option<Element> {
        let tag = self.tag()?;
        let length = if !self.explicit || tag.0 == tag::ITEM.0 {
            u32::from_le_bytes(self.take()?)
        } else if is_long(self.take()?) {
            let [_, _, rest @ ..] = self.take::<6>()?;
            u32::from_le_bytes(rest)
        } else {
            u16::from_le_bytes(self.take()?).into()
        };
        Some(Element { tag, length })
    }

    pub(super) fn value(&mut self, length: u32) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        let value = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(value)
    }

    /// The length of an item that comes next.
    pub(super) fn item(&mut self) -> Option<u32> {
        let item = self.element()?;
        if item.length == 0 {
            return (item.tag == tag::ITEM).then_some(0);
        }
        (item.tag == tag::ITEM && item.length != UNDEFINED).then_some(item.length)
    }

    pub(super) fn skip_sequence(&mut self, depth: usize) -> Option<()> {
        loop {
            let item = self.element()?;
            match item.tag {
                tag::SEQUENCE_DELIMITATION => return Some(()),
                tag::ITEM if item.length == UNDEFINED => self.skip_item(depth)?,
                tag::ITEM => self.value(item.length).map(drop)?,
                _ => return None,
            }
        }
    }

    fn skip_item(&mut self, depth: usize) -> Option<()> {
        if depth >= DEEPEST {
            return None;
        }
        loop {
            let element = self.element()?;
            match element.tag {
                tag::ITEM_DELIMITATION => return Some(()),
                _ if element.length == UNDEFINED => self.skip_sequence(depth + 1)?,
                _ => self.value(element.length).map(drop)?,
            }
        }
    }
}

/// Value representations with a length of four bytes after two that are reserved (DICOM PS3.5, 7.1.2).
fn is_long(vr: [u8; 2]) -> bool {
    matches!(
        &vr,
        b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV"
    )
}
