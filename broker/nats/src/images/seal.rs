//! What binds the chunks of an image to its name: a chain of the hashes of the chunks, in order, of which the name has the end.
//!
//! Whether an image is what was put in is known of old by its SHA-256, which the upload was held against. To find out on the way
//! out whether it still is, a hash that takes a third of the time does as well.

use std::str::FromStr;

/// The chain up to some chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal(blake3::Hash);

impl Default for Seal {
    fn default() -> Self {
        Self(blake3::hash(b"archwire image"))
    }
}

impl Seal {
    /// The chain with one more chunk, of which this is the hash.
    pub(super) fn and(self, chunk: blake3::Hash) -> Self {
        let mut link = blake3::Hasher::new();
        link.update(self.0.as_bytes()).update(chunk.as_bytes());
        Self(link.finalize())
    }
}

impl std::fmt::Display for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.to_hex().fmt(f)
    }
}

impl FromStr for Seal {
    type Err = blake3::HexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_chunks_or_another_order_is_another_seal() {
        let [one, two] = [b"1", b"2"].map(|chunk| blake3::hash(chunk));
        let seal = Seal::default().and(one).and(two);
        for other in [
            Seal::default().and(two).and(one),
            Seal::default().and(one),
            Seal::default(),
        ] {
            assert_ne!(seal, other);
        }
    }

    #[test]
    fn a_seal_is_read_as_it_was_written() {
        let seal = Seal::default().and(blake3::hash(b"x"));
        assert_eq!(seal.to_string().parse().ok(), Some(seal));
    }
}
