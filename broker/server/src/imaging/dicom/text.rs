//! Text in the character set that a file names: SpecificCharacterSet (0008,0005), with code extensions by escape sequences
//! (PS3.5, 6.1.2.5; PS3.3, C.12.1.1.2).
//!
//! What cannot be read is not there: a name with question marks in it would be another name.

use dicom_encoding::text::{SpecificCharacterSet, TextCodec as _};

/// The first byte of an escape sequence.
const ESCAPE: u8 = 0x1B;
/// Most values of SpecificCharacterSet that are read.
const MOST_SETS: usize = 16;

/// How the text of a file is written.
pub(super) struct Charset {
    /// What is meant before any escape sequence.
    first: Set,
    /// Whether there may be escape sequences.
    is_extended: bool,
}

#[derive(Clone)]
enum Set {
    /// ASCII, which is all that a file without a character set may have. Some have more: it is UTF-8 where it can be, else Latin-1.
    Unstated,
    Utf8,
    /// Latin-1 with six letters of Turkish, which the library does not know.
    Turkish,
    Known(SpecificCharacterSet),
    Unknown,
}

impl Charset {
    /// What SpecificCharacterSet says; `None` when it is not there.
    pub(super) fn of(value: Option<&str>) -> Self {
        let mut sets = value
            .unwrap_or_default()
            .split('\\')
            .map(str::trim)
            .take(MOST_SETS);
        let first = sets.next().unwrap_or_default();
        Self {
            first: Set::of(first),
            is_extended: sets.next().is_some() || first.starts_with("ISO 2022"),
        }
    }

    /// The text of an element, with spaces for control characters; `None` where it cannot be read or there is none.
    pub(super) fn text(&self, bytes: &[u8]) -> Option<String> {
        let mut text = String::new();
        let mut rest = bytes;
        let mut set = self.first.clone();
        while !rest.is_empty() {
            let end = rest.iter().skip(1).position(|byte| *byte == ESCAPE);
            let end = end
                .filter(|_| self.is_extended)
                .map_or(rest.len(), |place| place + 1);
            let (segment, after) = rest.split_at_checked(end)?;
            match segment.first() {
                Some(&ESCAPE) if self.is_extended => {
                    let (next, skipped) = escaped(segment)?;
                    set = next;
                    text.push_str(&set.decode(segment.get(skipped..)?)?);
                }
                _ => text.push_str(&set.decode(segment)?),
            }
            rest = after;
        }
        if text.contains(ESCAPE as char) {
            return None;
        }
        // No text of the bus has them, and a person's name may not vanish for one of them.
        let text = text.replace(char::is_control, " ");
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Set {
    fn of(name: &str) -> Self {
        match name {
            "" | "ISO_IR 6" | "ISO_IR_6" | "ISO 2022 IR 6" => Self::Unstated,
            "ISO_IR 192" | "ISO_IR_192" => Self::Utf8,
            "ISO_IR 148" | "ISO 2022 IR 148" => Self::Turkish,
            name => SpecificCharacterSet::from_code(name).map_or(Self::Unknown, Self::Known),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Option<String> {
        let utf8 = || std::str::from_utf8(bytes).ok().map(str::to_owned);
        match self {
            // Letters of ASCII are the same in all of them, but for those that escape sequences call into their place.
            Self::Unknown => utf8().filter(|text| text.is_ascii()),
            Self::Utf8 | Self::Unstated => utf8().or_else(|| Some(latin_1(bytes))),
            Self::Turkish => Some(latin_1(bytes).chars().map(turkish).collect()),
            Self::Known(set) => {
                let text = set.decode(bytes).ok()?;
                // A byte that is no letter comes out as a backslash and its number.
                let made_up = text.contains('\\') && !bytes.contains(&b'\\');
                (!made_up && !text.contains('\u{FFFD}')).then_some(text)
            }
        }
    }
}

/// Which set an escape sequence at the beginning calls, and how many bytes of it are not for the set's own decoder.
fn escaped(segment: &[u8]) -> Option<(Set, usize)> {
    // The decoder of ISO-2022-JP wants to see these.
    let japanese: [&[u8]; 6] = [b"(J", b"(I", b"$B", b"$@", b"$(D", b"(B"];
    let others: [(&[u8], &str); 14] = [
        (b")I", "ISO 2022 IR 13"),
        (b"$)C", "ISO 2022 IR 149"),
        (b"$)A", "ISO 2022 IR 58"),
        (b"-A", "ISO 2022 IR 100"),
        (b"-B", "ISO 2022 IR 101"),
        (b"-C", "ISO 2022 IR 109"),
        (b"-D", "ISO 2022 IR 110"),
        (b"-L", "ISO 2022 IR 144"),
        (b"-G", "ISO 2022 IR 127"),
        (b"-F", "ISO 2022 IR 126"),
        (b"-H", "ISO 2022 IR 138"),
        (b"-M", "ISO 2022 IR 148"),
        (b"-T", "ISO 2022 IR 166"),
        (b"-b", "ISO 2022 IR 203"),
    ];
    let code = segment.get(1..)?;
    if japanese.iter().any(|name| code.starts_with(name)) {
        return Some((Set::of("ISO 2022 IR 87"), 0));
    }
    let (name, set) = others.iter().find(|(name, _)| code.starts_with(name))?;
    Some((Set::of(set), 1 + name.len()))
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn turkish(letter: char) -> char {
    match letter {
        'Ð' => 'Ğ',
        'Ý' => 'İ',
        'Þ' => 'Ş',
        'ð' => 'ğ',
        'ý' => 'ı',
        'þ' => 'ş',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_in_the_sets_that_their_files_name() {
        for (set, bytes, text) in [
            ("", &b"Smith^John "[..], "Smith^John"),
            ("ISO_IR 100", b"Buc^J\xE9r\xF4me", "Buc^Jérôme"),
            ("ISO_IR 192", "Wang^XiaoDong=王^小東=\0".as_bytes(), "Wang^XiaoDong=王^小東="),
            ("ISO_IR 192", b"Buc^J\xE9r\xF4me", "Buc^Jérôme"),
            ("", "Zoë".as_bytes(), "Zoë"),
            ("", b"Zo\xEB", "Zoë"),
            ("ISO_IR 148", b"I\xDEIK^\xDDpek", "IŞIK^İpek"),
            ("ISO_IR 144", b"\xB8\xD2\xD0\xDD\xDE\xD2", "\u{418}\u{432}\u{430}\u{43D}\u{43E}\u{432}"),
            ("ISO_IR 13", b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
            (
                "\\ISO 2022 IR 87",
                b"Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B=\x1B$B$d$^$@\x1B(B^\x1B$B$?$m$&\x1B(B",
                "Yamada^Tarou=山田^太郎=やまだ^たろう",
            ),
            (
                "ISO 2022 IR 13\\ISO 2022 IR 87",
                b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1B$B;3ED\x1B(J^\x1B$BB@O:\x1B(J",
                "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
            ),
            (
                "\\ISO 2022 IR 149",
                b"Hong^Gildong=\x1B$)C\xFB\xF3^\x1B$)C\xD1\xCE\xD4\xD7=\x1B$)C\xC8\xAB^\x1B$)C\xB1\xE6\xB5\xBF",
                "Hong^Gildong=洪^吉洞=홍^길동",
            ),
            ("GB18030", b"Wang^XiaoDong=\xCD\xF5^\xD0\xA1\xB6\xAB", "Wang^XiaoDong=王^小东"),
            ("ISO_IR 203", b"Smith", "Smith"),
            ("nonsense", b"Smith", "Smith"),
        ] {
            let read = Charset::of(Some(set)).text(bytes);
            assert_eq!(read.as_deref(), Some(text), "{set}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_there() {
        for (set, bytes) in [
            ("nonsense", &b"Zo\xEB"[..]),
            ("ISO_IR 203", b"Zo\xEB"),
            ("ISO_IR 87", b"Smith\x1B"),
            ("\\ISO 2022 IR 87", b"Smith\x1BX"),
            ("\\ISO 2022 IR 87", b"\x1B$B;"),
            ("GB18030", b"Wang\xFF\xFF"),
            ("", b""),
            ("", b" \0 "),
        ] {
            assert_eq!(Charset::of(Some(set)).text(bytes), None, "{set}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_in_any_set_are_too_odd(
            set in "(|ISO_IR 13|ISO_IR 87|ISO_IR 100|ISO_IR 109|ISO_IR 149|ISO_IR 166|ISO_IR 192|GB18030|GBK|\\PC{0,20})",
            second in "(|\\\\ISO 2022 IR 87|\\\\ISO 2022 IR 149|\\\\ISO 2022 IR 58)",
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), Just(ESCAPE), Just(b'$'), Just(b'('), Just(b')'), Just(b'B'), Just(b'C')],
                0..40,
            ),
        ) {
            let text = Charset::of(Some(&format!("{set}{second}"))).text(&bytes);
            prop_assert!(text.is_none_or(|text| text.len() <= 8 * bytes.len()));
        }
    }
}
