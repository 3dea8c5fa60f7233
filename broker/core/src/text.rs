//! Text about a person, which does not print itself.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Text about a person: a name, a phone number, a street.
///
/// There is no `Display`, and `Debug` shows nothing, not even the length: whoever needs the characters asks for them
/// with [`Text::as_str`], which is easy to find in a review.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    /// The characters, to be sent to somebody who may see them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The characters, by value.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_text() {
        assert_eq!(format!("{:?}", Text::from("Lovelace")), "[redacted]");
    }
}
