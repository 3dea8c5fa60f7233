//! Which images were told lately, so that a study that grows is not read anew.
//!
//! The last [`MOST`] are kept, as hashes of 64 bits: in a list of that length two are the same by chance once in 10^13. What was
//! forgotten is read and told again, and the bus sees that nothing is new.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

/// 16 characters of the cursor each: 19 KB.
const MOST: usize = 1_200;

/// Images that were told, oldest first.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Sent(VecDeque<u64>);

impl Sent {
    /// Whether it was told.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains(&hash(key))
    }

    /// It is told now.
    pub fn add(&mut self, key: &str) {
        if self.has(key) {
            return;
        }
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(hash(key));
    }
}

/// A hash that stays the same as long as the connector does. When another version has another one, images are told once more.
#[must_use]
pub fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl From<String> for Sent {
    fn from(text: String) -> Self {
        let words = text.as_bytes().chunks(16);
        let hashes = words.filter_map(|word| u64::from_str_radix(str::from_utf8(word).ok()?, 16).ok());
        Self(hashes.collect())
    }
}

impl From<Sent> for String {
    fn from(sent: Sent) -> Self {
        sent.0.iter().fold(String::new(), |mut text, hash| {
            // Writing to memory does not fail.
            _ = write!(text, "{hash:016x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_known_after_a_cursor_and_the_oldest_is_forgotten() {
        let mut sent = Sent::default();
        for number in 0..=MOST {
            sent.add(&format!("1.2.{number}"));
            sent.add(&format!("1.2.{number}"));
        }
        let text = String::from(sent.clone());
        assert_eq!(text.len(), 16 * MOST);
        let again = Sent::from(text);
        assert!(again == sent);
        assert!(!again.has("1.2.0") && again.has("1.2.1") && again.has(&format!("1.2.{MOST}")));
    }
}
