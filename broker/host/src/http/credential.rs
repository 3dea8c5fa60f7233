//! The header in which the host sends a system's secrets. The connector names the header and the format; the values
//! stay in here.

use super::scrub::Scrubber;
use crate::description;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;

/// Fewest bytes of a single secret that is looked for in images. A shorter one is a user name or a word, which may well be
/// in a file, and by itself opens nothing.
const SHORTEST_IN_IMAGES: usize = 16;

/// A header with secrets in it. Does not print itself.
pub(crate) struct Credential {
    header: HeaderName,
    value: HeaderValue,
    scrubber: Scrubber,
    image_scrubber: Scrubber,
}

/// Secrets that cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialError {
    /// The header is not one that can carry a credential.
    Header,
    /// The format asks for a secret that was not given.
    Format,
    /// A secret has characters that a header cannot carry.
    Value,
}

impl Credential {
    /// Puts the secrets into the format.
    pub(crate) fn new(
        wanted: &description::Credential,
        secrets: &BTreeMap<String, SecretString>,
    ) -> Result<Self, CredentialError> {
        let header = header_name(&wanted.header).ok_or(CredentialError::Header)?;
        let mut value = String::new();
        let mut names = Vec::new();
        for piece in pieces(&wanted.format).ok_or(CredentialError::Format)? {
            match piece {
                Piece::Text(text) => value.push_str(text),
                Piece::Secret(name) => {
                    value.push_str(secrets.get(name).ok_or(CredentialError::Format)?.expose_secret());
                    names.push(name);
                }
            }
        }
        let secrets = names.into_iter().filter_map(|name| secrets.get(name));
        let secrets = secrets.map(|secret| secret.expose_secret().as_bytes().to_vec());
        let long = secrets
            .clone()
            .filter(|secret| secret.len() >= SHORTEST_IN_IMAGES);
        let image_scrubber = Scrubber::new(long.chain([value.clone().into_bytes()]));
        let scrubber = Scrubber::new(secrets.chain([value.clone().into_bytes()]));
        let mut value = HeaderValue::from_str(&value).map_err(|_| CredentialError::Value)?;
        value.set_sensitive(true);
        Ok(Self {
            header,
            value,
            scrubber,
            image_scrubber,
        })
    }

    pub(crate) fn header(&self) -> &HeaderName {
        &self.header
    }

    pub(crate) fn value(&self) -> HeaderValue {
        self.value.clone()
    }

    /// What keeps the secrets out of responses.
    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// What looks for the secrets in images: for the whole value of the header, and for every secret in it that is long
    /// enough to be in a file for one reason only.
    pub(crate) fn image_scrubber(&self) -> &Scrubber {
        &self.image_scrubber
    }
}

/// The header, unless it is one by which servers and proxies find the end of a message or the host.
pub(crate) fn header_name(name: &str) -> Option<HeaderName> {
    let header = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let message = [
        "content-length",
        "content-type",
        "content-encoding",
        "accept",
        "accept-encoding",
        "expect",
        "range",
    ];
    let own =
        wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS.contains(&header) || message.contains(&header.as_str());
    (!own).then_some(header)
}

enum Piece<'a> {
    Text(&'a str),
    Secret(&'a str),
}

/// The names of the secrets in a format, or `None` where a brace is not closed.
pub(crate) fn names_in(format: &str) -> Option<Vec<&str>> {
    let name = |piece| match piece {
        Piece::Secret(name) => Some(name),
        Piece::Text(_) => None,
    };
    Some(pieces(format)?.into_iter().filter_map(name).collect())
}

fn pieces(mut format: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    while let Some((text, rest)) = format.split_once('{') {
        let (name, rest) = rest.split_once('}')?;
        pieces.extend([Piece::Text(text), Piece::Secret(name)]);
        format = rest;
    }
    pieces.push(Piece::Text(format));
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(header: &str, format: &str) -> description::Credential {
        description::Credential {
            header: header.to_owned(),
            format: format.to_owned(),
        }
    }

    fn secrets(list: &[(&str, &str)]) -> BTreeMap<String, SecretString> {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), SecretString::from(*value)))
            .collect()
    }

    #[test]
    fn each_name_in_braces_becomes_its_secret() {
        let secrets = secrets(&[("developer-key", "abc"), ("customer-key", "xyz")]);
        let wanted = wanted("Authorization", "ODFHIR {developer-key}/{customer-key}");
        let credential = Credential::new(&wanted, &secrets).ok().unwrap();
        assert_eq!(credential.value(), "ODFHIR abc/xyz");
        assert!(credential.value().is_sensitive());
    }

    #[test]
    fn an_image_may_hold_a_short_secret_and_not_a_long_one_or_the_whole_header() {
        let long = "0123456789abcdef";
        let secrets = secrets(&[("user", "orthanc"), ("password", long)]);
        let credential = Credential::new(&wanted("X-Key", "{user}:{password}"), &secrets)
            .ok()
            .unwrap();
        let passes =
            |scrubber: &Scrubber, text: &str| scrubber.exact_body().pass(text.to_owned().into()).is_ok();
        for (text, may) in [("by orthanc", true), ("of 0123456789abcdef", false), ("x", true)] {
            assert_eq!(passes(credential.image_scrubber(), text), may, "{text}");
        }
        let short = Credential::new(&wanted("X-Key", "Key {user}"), &secrets)
            .ok()
            .unwrap();
        for (text, may) in [("by orthanc", true), ("as Key orthanc", false)] {
            assert_eq!(passes(short.image_scrubber(), text), may, "{text}");
        }
    }

    #[test]
    fn a_secret_that_would_end_the_header_is_refused() {
        let wanted = wanted("Authorization", "{key}");
        let error = Credential::new(&wanted, &secrets(&[("key", "a\r\nHost: evil.test")])).err();
        assert_eq!(error, Some(CredentialError::Value));
        assert_eq!(
            Credential::new(&wanted, &secrets(&[])).err(),
            Some(CredentialError::Format)
        );
    }

    #[test]
    fn headers_that_mean_something_to_the_message_carry_no_credential() {
        for header in [
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "a b",
            "",
        ] {
            assert!(header_name(header).is_none(), "{header}");
        }
        assert!(header_name("X-Api-Key").is_some());
    }
}
