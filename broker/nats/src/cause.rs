//! What the client library says went wrong.

use std::{error::Error, fmt};

/// The client library's own words. Its errors print their causes along with themselves, so they are kept as text: one
/// that hands out its cause as well would be told twice by whoever prints the chain.
#[derive(Debug)]
pub struct Cause(String);

impl Cause {
    pub(crate) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {}
