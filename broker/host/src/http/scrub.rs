//! Keeps secrets that a server says back out of what the connector reads.
//!
//! Servers quote keys in error messages, and some have an echo. Each occurrence is overwritten with as many asterisks,
//! so that lengths stay true. This is a second line: it does not find a secret that the server compresses or encodes
//! otherwise. The first line is that the secret goes to granted hosts only. Secrets of fewer than 6 bytes are not
//! looked for, because what they match would be somebody's house number.
//!
//! An image has to stay as it is. Where one comes out, nothing is overwritten: a secret in it ends the body.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName};
use memchr::memmem::Finder;
use std::sync::Arc;

/// Fewest bytes of a secret that is looked for.
const SHORTEST: usize = 6;

/// What to look for. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Scrubber(Arc<[Finder<'static>]>);

/// What becomes of a body with a secret in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnFind {
    /// The secret is overwritten.
    Mask,
    /// The body ends.
    End,
}

/// A body that has to stay as it is has a secret in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecretInBody;

/// The state of one body: the bytes at its end that may be the beginning of a secret, held back until more is there.
/// Never more than the secrets are long together.
pub(crate) struct Scrubbing {
    scrubber: Scrubber,
    on_find: OnFind,
    held: Bytes,
}

impl Scrubber {
    pub(crate) fn new(secrets: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST);
        Self(long.map(|secret| Finder::new(&secret).into_owned()).collect())
    }

    /// Takes out every header with a secret in its value.
    pub(crate) fn scrub_headers(&self, headers: &mut HeaderMap) {
        let telling = |value: &http::HeaderValue| {
            self.0
                .iter()
                .any(|finder| finder.find(value.as_bytes()).is_some())
        };
        let names: Vec<HeaderName> = headers
            .iter()
            .filter(|(_, value)| telling(value))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            headers.remove(name);
        }
    }

    /// Begins with a body, of which the secrets are overwritten.
    pub(crate) fn body(&self) -> Scrubbing {
        self.begin(OnFind::Mask)
    }

    /// Begins with a body that has to stay as it is, and ends where a secret is in it.
    pub(crate) fn exact_body(&self) -> Scrubbing {
        self.begin(OnFind::End)
    }

    fn begin(&self, on_find: OnFind) -> Scrubbing {
        Scrubbing {
            scrubber: self.clone(),
            on_find,
            held: Bytes::new(),
        }
    }

    /// From where to where the secrets are.
    fn finds(&self, data: &[u8]) -> Vec<(usize, usize)> {
        let find = |finder: &Finder<'static>| {
            let length = finder.needle().len();
            finder
                .find_iter(data)
                .map(move |start| (start, start + length))
                .collect::<Vec<_>>()
        };
        self.0.iter().flat_map(find).collect()
    }

    /// From where on the data may be the beginning of a secret.
    fn beginning(&self, data: &[u8]) -> usize {
        let longest_end = |finder: &Finder<'static>| {
            let most = data.len().min(finder.needle().len() - 1);
            (1..=most)
                .rev()
                .find(|length| finder.needle().starts_with(tail(data, *length)))
                .unwrap_or(0)
        };
        data.len() - self.0.iter().map(longest_end).max().unwrap_or(0)
    }
}

fn tail(data: &[u8], length: usize) -> &[u8] {
    data.get(data.len() - length..).unwrap_or_default()
}

impl Scrubbing {
    /// What can be passed on after some more of the body came. May be empty. Nothing of a secret ever is, not even its
    /// beginning.
    pub(crate) fn pass(&mut self, data: Bytes) -> Result<Bytes, SecretInBody> {
        if self.scrubber.0.is_empty() {
            return Ok(data);
        }
        let mut data = if self.held.is_empty() {
            data
        } else {
            [self.held.as_ref(), data.as_ref()].concat().into()
        };
        let finds = self.scrubber.finds(&data);
        if self.on_find == OnFind::End && !finds.is_empty() {
            self.held = Bytes::new();
            return Err(SecretInBody);
        }
        let mut cut = self.scrubber.beginning(&data);
        // A secret that is cut in two would not be found again.
        while let Some((start, _)) = finds.iter().find(|(start, end)| *start < cut && cut < *end) {
            cut = *start;
        }
        self.held = data.split_off(cut);
        Ok(mask(data, &finds))
    }

    /// What was held back, once nothing more comes. It holds a whole secret only where secrets are overwritten.
    pub(crate) fn finish(&mut self) -> Bytes {
        let data = std::mem::take(&mut self.held);
        let finds = self.scrubber.finds(&data);
        mask(data, &finds)
    }
}

fn mask(data: Bytes, finds: &[(usize, usize)]) -> Bytes {
    if finds.is_empty() {
        return data;
    }
    let mut masked = BytesMut::from(data.as_ref());
    for (start, end) in finds {
        let end = (*end).min(masked.len());
        if let Some(found) = masked.get_mut(*start..end) {
            found.fill(b'*');
        }
    }
    masked.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scrubbed(secrets: &[&str], chunks: &[&[u8]]) -> Vec<u8> {
        let scrubber = Scrubber::new(secrets.iter().map(|secret| secret.as_bytes().to_vec()));
        let mut body = scrubber.body();
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend_from_slice(&body.pass(Bytes::copy_from_slice(chunk)).unwrap());
        }
        out.extend_from_slice(&body.finish());
        out
    }

    /// The body in pieces, cut at these places.
    fn pieces(body: &str, cuts: Vec<usize>) -> Vec<&[u8]> {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.sort_unstable();
        let mut start = 0;
        let piece = |cut| {
            let piece = &body.as_bytes()[start..cut];
            start = cut;
            piece
        };
        cuts.into_iter().chain([body.len()]).map(piece).collect()
    }

    #[test]
    fn a_secret_is_overwritten_and_the_length_stays() {
        assert_eq!(
            scrubbed(&["secret-key"], &[b"bad key 'secret-key'!"]),
            b"bad key '**********'!"
        );
    }

    #[test]
    fn short_secrets_and_ordinary_text_are_left_alone() {
        assert_eq!(
            scrubbed(&["12345"], &[b"12345 Main Street"]),
            b"12345 Main Street"
        );
        assert_eq!(scrubbed(&["secret-key"], &[b"secret-", b"door"]), b"secret-door");
    }

    #[test]
    fn what_cannot_begin_a_secret_is_not_held_back() {
        let mut body = Scrubber::new([b"secret-key".to_vec()]).body();
        for (came, passed) in [("{\"a\":1}", "{\"a\":1}"), ("xsec", "x"), ("ond", "second")] {
            assert_eq!(body.pass(Bytes::from_static(came.as_bytes())).unwrap(), passed);
        }
    }

    #[test]
    fn a_header_with_a_secret_is_taken_out() {
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", "Bearer secret-key".parse().unwrap());
        headers.insert("content-type", "text/plain".parse().unwrap());
        Scrubber::new([b"secret-key".to_vec()]).scrub_headers(&mut headers);
        assert!(!headers.contains_key("x-echo") && headers.contains_key("content-type"));
    }

    proptest! {
        #[test]
        fn a_secret_is_found_wherever_the_body_is_cut(
            before in "[a-c]{0,12}", after in "[a-c]{0,12}", cuts in proptest::collection::vec(0_usize..40, 0..6)
        ) {
            let (secret, longer) = ("abcabcab", "cab abcabcab");
            let body = format!("{before}{secret}{after}{longer}");
            let out = scrubbed(&[secret, longer], &pieces(&body, cuts));
            prop_assert_eq!(out.len(), body.len());
            let out = String::from_utf8(out).unwrap();
            prop_assert!(!out.contains(secret), "{}", out);
        }

        #[test]
        fn a_body_that_stays_as_it_is_ends_before_a_secret_wherever_it_is_cut(
            before in "[a-c]{0,12}", after in "[a-c]{0,12}", has_secret: bool,
            cuts in proptest::collection::vec(0_usize..40, 0..6)
        ) {
            let secret = "abcabcab";
            let body = format!("{before}{}{after}", if has_secret { secret } else { "-abcabca-" });
            let mut scrubbing = Scrubber::new([secret.into()]).exact_body();
            let mut out = Vec::new();
            let ended = pieces(&body, cuts).into_iter().try_for_each(|chunk| {
                out.extend_from_slice(&scrubbing.pass(Bytes::copy_from_slice(chunk))?);
                Ok::<_, SecretInBody>(())
            });
            out.extend_from_slice(&scrubbing.finish());
            let out = String::from_utf8(out).unwrap();
            match body.find(secret) {
                Some(start) => {
                    prop_assert_eq!(ended, Err(SecretInBody));
                    prop_assert!(body.starts_with(&out) && out.len() <= start, "{}", out);
                }
                None => {
                    prop_assert_eq!(ended, Ok(()));
                    prop_assert_eq!(out, body);
                }
            }
        }
    }
}
