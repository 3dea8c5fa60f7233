//! Why a value does not fit the raw structs. Holds the kinds of values, never the values: one may be a secret.

use serde::de;
use std::fmt;

/// The first thing at which reading stopped.
#[derive(Debug)]
pub(super) struct Flaw {
    /// The key's path. Filled in by the reader, which knows where it is.
    pub(super) key: String,
    /// What does not fit.
    pub(super) kind: FlawKind,
}

#[derive(Debug)]
pub(super) enum FlawKind {
    /// The raw struct has no such field.
    UnknownKey {
        /// The fields that it has.
        known: &'static [&'static str],
    },
    /// The raw struct's field has another type.
    WrongType {
        /// What was there.
        found: &'static str,
        /// What the field takes.
        wanted: String,
    },
    /// Anything else that serde may say.
    Other(String),
}

impl Flaw {
    fn new(kind: FlawKind) -> Self {
        Self {
            key: String::new(),
            kind,
        }
    }

    /// At `key`, unless a place further inside is known already.
    pub(super) fn at(mut self, key: &str) -> Self {
        if self.key.is_empty() {
            self.key.push_str(key);
        }
        self
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not fit", self.key)
    }
}

impl std::error::Error for Flaw {}

impl de::Error for Flaw {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(FlawKind::Other(message.to_string()))
    }

    fn invalid_type(found: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::new(FlawKind::WrongType {
            found: words_found(&found),
            wanted: words_wanted(wanted),
        })
    }

    fn invalid_value(found: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::invalid_type(found, wanted)
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(FlawKind::UnknownKey { known })
    }
}

/// Serde's word for what was found, in the words of the file.
fn words_found(found: &de::Unexpected<'_>) -> &'static str {
    match found {
        de::Unexpected::Bool(_) => "true or false",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) => "a whole number",
        de::Unexpected::Float(_) => "a number with a fraction",
        de::Unexpected::Str(_) => "text",
        de::Unexpected::Seq => "a list",
        de::Unexpected::Map => "a table",
        _ => "something else",
    }
}

/// What serde's own visitors want, in the words of the file. The raw structs say it themselves.
fn words_wanted(wanted: &dyn de::Expected) -> String {
    match wanted.to_string().as_str() {
        "a string" => "text in quotes".to_owned(),
        "a boolean" => "true or false, without quotes".to_owned(),
        "i64" => "a whole number, without quotes".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        other => other.to_owned(),
    }
}
