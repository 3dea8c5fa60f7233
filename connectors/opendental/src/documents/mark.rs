//! The mark by which an uploaded image is found again: `(aw 3f2a91bc)` at the end of the document's description.
//!
//! It stands for the image and its bytes: 40 bits of FNV-1a over the bus's image id and the SHA-256, in 8 characters. It is
//! looked for among one patient's documents only; of 1,000 images, two have the same mark once in two million patients.
//! Staff may edit the description, and the mark with it: what is known by its number does not need it.

use std::fmt;

/// 32 characters, without those that are read for others.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BEGIN: &str = "(aw ";
const CHARACTERS: usize = 8;

/// The mark of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// The mark of an image with these bytes.
    #[must_use]
    pub fn of(image_id: &str, sha256: &str) -> Self {
        let bytes = image_id.bytes().chain([b' ']).chain(sha256.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        // The upper bits take part too.
        let folded = hash ^ (hash >> 40);
        let letter = |place: usize| {
            let index = usize::try_from(folded >> (5 * place) & 31).unwrap_or(0);
            LETTERS.get(index).copied().map_or('0', char::from)
        };
        Self((0..CHARACTERS).map(letter).collect())
    }

    /// The eight characters: what a key of the state may hold.
    #[must_use]
    pub fn letters(&self) -> &str {
        &self.0
    }

    /// Whether a description has this mark.
    #[must_use]
    pub fn is_in(&self, description: &str) -> bool {
        description.contains(&self.to_string())
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEGIN}{})", self.0)
    }
}

/// Whether a description has any mark: an image that the bus brought.
#[must_use]
pub fn is_marked(description: &str) -> bool {
    strip(description).is_some()
}

/// The mark that a description has.
#[must_use]
pub fn of(description: &str) -> Option<Mark> {
    split(description).map(|(_, letters, _)| Mark(letters.to_owned()))
}

/// The description without its mark, when it has one.
#[must_use]
pub fn strip(description: &str) -> Option<String> {
    split(description).map(|(before, _, after)| {
        format!("{}{}", before.trim_end(), after.trim_end())
            .trim()
            .to_owned()
    })
}

/// What stands before the mark, its letters, and what stands behind it.
fn split(description: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = description.rsplit_once(BEGIN)?;
    let (letters, after) = rest.split_once(')')?;
    let is_mark = letters.len() == CHARACTERS && letters.bytes().all(|letter| LETTERS.contains(&letter));
    is_mark.then_some((before, letters, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_for_the_image_and_its_bytes() {
        let mark = Mark::of("0199/3", "ab");
        assert_eq!(mark, Mark::of("0199/3", "ab"));
        assert_ne!(mark, Mark::of("0199/4", "ab"));
        assert_ne!(mark, Mark::of("0199/3", "ac"));
        assert!(mark.is_in(&format!("Pano {mark}")));
        assert!(!mark.is_in("Pano"));
        assert!(
            mark.letters()
                .bytes()
                .all(|letter| letter.is_ascii_alphanumeric() && !letter.is_ascii_uppercase())
        );
    }

    #[test]
    fn many_images_have_many_marks() {
        let marks: std::collections::BTreeSet<_> = (0..10_000)
            .map(|number| Mark::of(&format!("0199a1b2-c3d4-7000-8000-000000000000/{number}"), "ab").0)
            .collect();
        assert_eq!(marks.len(), 10_000);
    }

    #[test]
    fn a_description_is_told_from_its_mark() {
        let mark = Mark::of("1/1", "ab");
        assert_eq!(
            strip(&format!("Pano, initial {mark}")).as_deref(),
            Some("Pano, initial")
        );
        assert_eq!(
            strip(&format!("REPLACED: Pano {mark} kept")).as_deref(),
            Some("REPLACED: Pano kept")
        );
        for other in [
            "Pano",
            "Pano (aw 12)",
            "(aw 1234567!)",
            "see (aw 12345678",
            "(AW 12345678)",
        ] {
            assert!(!is_marked(other), "{other}");
        }
    }
}
