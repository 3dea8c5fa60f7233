//! Writing data elements: little endian with explicit value representations (DICOM PS3.5, 7.1).
//!
//! Elements have to be written in the order of their tags; that is the caller's business, and a test's. A text that is longer
//! than its representation allows is cut at a character.

use crate::header::Tag;

/// A data set as it grows.
#[derive(Default)]
pub struct Elements(Vec<u8>);

impl Elements {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// Text of a short representation (CS, DA, DS, DT, IS, LO, SH, TM, PN, UI), with its padding; an empty one is written as such.
    pub fn text(&mut self, tag: Tag, vr: &[u8; 2], value: &str) {
        let padding = if vr == b"UI" { 0 } else { b' ' };
        let mut bytes = fitting(vr, value).as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(padding);
        }
        self.short(tag, vr, &bytes);
    }

    /// Text, if there is any.
    pub fn stated(&mut self, tag: Tag, vr: &[u8; 2], value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.text(tag, vr, value);
        }
    }

    /// Two values of representation CS.
    pub fn pair(&mut self, tag: Tag, one: &str, other: &str) {
        let mut bytes = format!("{one}\\{other}").into_bytes();
        if bytes.len() % 2 == 1 {
            bytes.push(b' ');
        }
        self.short(tag, b"CS", &bytes);
    }

    /// Text of representation UC, which may be long.
    pub fn long_text(&mut self, tag: Tag, value: &str) {
        let mut bytes = value.replace('\\', " ").into_bytes();
        if bytes.len() % 2 == 1 {
            bytes.push(b' ');
        }
        self.long(tag, b"UC", &bytes);
    }

    /// An unsigned number of two bytes.
    pub fn number(&mut self, tag: Tag, value: u16) {
        self.short(tag, b"US", &value.to_le_bytes());
    }

    /// An unsigned number of four bytes.
    pub fn long_number(&mut self, tag: Tag, value: u32) {
        self.short(tag, b"UL", &value.to_le_bytes());
    }

    /// Bytes of a long representation. `value` has to be of even length.
    pub fn long(&mut self, tag: Tag, vr: &[u8; 2], value: &[u8]) {
        self.long_head(tag, vr, u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.0.extend(value);
    }

    /// The head of an element of a long representation whose value follows elsewhere.
    pub fn long_head(&mut self, tag: Tag, vr: &[u8; 2], length: u32) {
        self.tag(tag);
        self.0.extend(vr);
        self.0.extend([0, 0]);
        self.0.extend(length.to_le_bytes());
    }

    /// A sequence of these items, each with its length.
    pub fn sequence(&mut self, tag: Tag, items: impl IntoIterator<Item = Elements>) {
        let mut value = Elements::new();
        for item in items {
            value.item_head(u32::try_from(item.0.len()).unwrap_or(u32::MAX));
            value.0.extend(item.0);
        }
        self.long(tag, b"SQ", &value.0);
    }

    /// The head of an item whose value follows elsewhere.
    pub fn item_head(&mut self, length: u32) {
        self.tag(crate::header::tag::ITEM);
        self.0.extend(length.to_le_bytes());
    }

    /// What ends a sequence of undefined length.
    pub fn end_of_sequence(&mut self) {
        self.tag(crate::header::tag::SEQUENCE_DELIMITATION);
        self.0.extend([0; 4]);
    }

    fn short(&mut self, tag: Tag, vr: &[u8; 2], value: &[u8]) {
        self.tag(tag);
        self.0.extend(vr);
        self.0
            .extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.0.extend(value);
    }

    fn tag(&mut self, (group, element): Tag) {
        self.0.extend(group.to_le_bytes());
        self.0.extend(element.to_le_bytes());
    }
}

/// The text as far as its representation allows (DICOM PS3.5, table 6.2-1). A backslash would begin another value, and control
/// characters have no place in these.
fn fitting(vr: &[u8; 2], value: &str) -> String {
    let most = match vr {
        b"SH" | b"CS" | b"DS" => 16,
        b"ST" => 1_024,
        b"LT" => 10_240,
        _ => 64,
    };
    let allowed = |character: &char| *character != '\\' && !character.is_control();
    value.chars().filter(allowed).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(vr: &[u8; 2], value: &str) -> Vec<u8> {
        let mut elements = Elements::new();
        elements.text((0x10, 0x20), vr, value);
        elements.bytes()
    }

    #[test]
    fn text_is_padded_to_an_even_length_as_its_representation_wants() {
        assert_eq!(text(b"LO", "abc"), b"\x10\0\x20\0LO\x04\0abc ");
        assert_eq!(text(b"UI", "1.2"), b"\x10\0\x20\0UI\x04\x001.2\0");
        assert_eq!(text(b"LO", ""), b"\x10\0\x20\0LO\0\0");
    }

    #[test]
    fn text_is_cut_at_a_character_and_holds_no_second_value() {
        assert_eq!(text(b"LO", &"ä".repeat(70)).len(), 8 + 128);
        assert_eq!(text(b"SH", "a\\b\r\nc"), b"\x10\0\x20\0SH\x04\0abc ");
    }

    #[test]
    fn a_sequence_has_its_items_with_their_lengths() {
        let mut item = Elements::new();
        item.number((0x28, 0x10), 1);
        let mut elements = Elements::new();
        elements.sequence((0x54, 0x220), [item]);
        let bytes = elements.bytes();
        assert_eq!(
            bytes[..20],
            *b"\x54\0\x20\x02SQ\0\0\x12\0\0\0\xFE\xFF\0\xE0\x0a\0\0\0"
        );
        assert_eq!(bytes.len(), 30);
    }
}
