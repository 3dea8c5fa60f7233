//! The second stage of `[identity]`: by what the bus may tell that two records are one person.

use super::{check::Check, model::Identity, raw::RawIdentity};
use std::collections::BTreeSet;

/// Most namespaces that can be trusted.
const MAX_TRUSTED: usize = 64;
/// Longest namespace, in bytes.
const MAX_NAMESPACE: usize = 1024;

/// Parses `[identity]`.
pub(super) fn identity(check: &mut Check<'_>, raw: RawIdentity) -> Option<Identity> {
    let Some(written) = raw.trusted_identifiers else {
        return Some(Identity {
            trusted_identifiers: None,
        });
    };
    let key = "identity.trusted-identifiers";
    if written.len() > MAX_TRUSTED {
        let what = format!("has {} namespaces", written.len());
        check.value(key, what, format!("list at most {MAX_TRUSTED}"));
        return None;
    }
    let namespaces: Vec<_> = written
        .into_iter()
        .enumerate()
        .map(|(index, namespace)| {
            let good = is_uri(&namespace);
            if !good {
                let way_out =
                    "write the identifiers' namespace as records show it: \"http://hl7.org/fhir/sid/us-ssn\"";
                check.value(
                    &format!("{key}[{index}]"),
                    "is not a URI of at most 1024 bytes",
                    way_out,
                );
            }
            good.then_some(namespace)
        })
        .collect();
    Some(Identity {
        trusted_identifiers: Some(namespaces.into_iter().collect::<Option<BTreeSet<_>>>()?),
    })
}

/// A scheme, a colon and something, by the grammar of RFC 3986 as far as it can be told without the scheme's own.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.len() <= MAX_NAMESPACE
        && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
}
