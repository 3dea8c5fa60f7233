//! Absolute URLs, taken apart as `wasi:http` wants them, and percent-encoding.

use crate::http::Error;
use std::fmt::Write as _;

/// A URL in the parts of a request.
#[derive(PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) secure: bool,
    pub(super) authority: &'a str,
    pub(super) path_with_query: String,
}

/// Takes an absolute URL apart. Credentials in it, fragments, blanks and control characters are refused.
pub(super) fn split(url: &str) -> Result<Parts<'_>, Error> {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(Error::InvalidRequest),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let strange = |character: char| character == '#' || character == '\\' || !character.is_ascii_graphic();
    if authority.is_empty() || authority.contains('@') || rest.contains(strange) {
        return Err(Error::InvalidRequest);
    }
    let path_with_query = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    Ok(Parts {
        secure,
        authority,
        path_with_query,
    })
}

/// Percent-encodes everything but RFC 3986's unreserved characters: right for a query value and for a path segment.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            // Writing to a string cannot fail.
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(bool, String, String)> {
        split(url)
            .ok()
            .map(|parts| (parts.secure, parts.authority.to_owned(), parts.path_with_query))
    }

    #[test]
    fn urls_are_taken_apart() {
        let expected =
            |secure, authority: &str, path: &str| Some((secure, authority.to_owned(), path.to_owned()));
        assert_eq!(
            parts("http://localhost:30223/api/v1/patients?Limit=1"),
            expected(false, "localhost:30223", "/api/v1/patients?Limit=1")
        );
        assert_eq!(
            parts("https://api.opendental.com"),
            expected(true, "api.opendental.com", "/")
        );
        assert_eq!(parts("http://[::1]:80?a=b"), expected(false, "[::1]:80", "/?a=b"));
    }

    #[test]
    fn what_is_no_plain_url_is_refused() {
        for url in [
            "",
            "ftp://x/",
            "http://",
            "http:///path",
            "http://user:pw@host/",
            "http://host/a b",
            "http://h/#f",
        ] {
            assert!(parts(url).is_none(), "{url} was taken");
        }
    }
}
