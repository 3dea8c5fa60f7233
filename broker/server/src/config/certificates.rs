//! The second stage of `client-certificates`: by which certificates vendors show who they are.

use super::{check::Check, model::Api, problem::ProblemKind, raw::RawVendor};
use std::collections::{BTreeMap, BTreeSet};

/// Certificates of one vendor: enough for several machines while each gets a new one.
const MOST: usize = 64;
const PREFIX: &str = "sha256:";

/// Which certificate stands where, so that no two vendors have the same.
pub(super) type Seen = BTreeMap<[u8; 32], String>;

/// Parses `client-certificates` of the vendor whose table is `key`.
pub(super) fn certificates(
    check: &mut Check<'_>,
    key: &str,
    written: Option<Vec<String>>,
    seen: &mut Seen,
) -> Option<BTreeSet<[u8; 32]>> {
    let written = written.unwrap_or_default();
    let list = format!("{key}.client-certificates");
    if written.len() > MOST {
        let way_out = "remove those that are not used any more";
        check.value(&list, format!("has more than {MOST} certificates"), way_out);
        return None;
    }
    let digests: Vec<_> = written
        .iter()
        .enumerate()
        .map(|(index, text)| certificate(check, &format!("{list}[{index}]"), text, seen))
        .collect();
    digests.into_iter().collect()
}

fn certificate(check: &mut Check<'_>, key: &str, written: &str, seen: &mut Seen) -> Option<[u8; 32]> {
    let Some(digest) = digest(written) else {
        let what = format!("\"{written}\" is no SHA-256 of a certificate");
        let way_out = "write \"sha256:\" and 64 hexadecimal digits, as of `openssl x509 -in FILE -outform der | sha256sum`";
        check.value(key, what, way_out);
        return None;
    };
    if let Some(other) = seen.insert(digest, key.to_owned()) {
        let what = format!("is the same as {other}");
        let way_out = "the certificate tells vendors apart: name it once";
        check.problem(key, ProblemKind::Conflict, what, way_out);
    }
    Some(digest)
}

/// With or without colons, as `openssl x509 -fingerprint` writes them.
fn digest(written: &str) -> Option<[u8; 32]> {
    let digits = written.strip_prefix(PREFIX)?.replace(':', "");
    hex::decode(digits).ok()?.try_into().ok()
}

/// Notes certificates for which no vendor is ever asked.
pub(super) fn nobody_asks(check: &mut Check<'_>, api: Option<&Api>, vendors: &BTreeMap<String, RawVendor>) {
    let asks = |api: &Api| api.tls.as_ref().is_some_and(|tls| tls.client_roots.is_some());
    if api.is_none_or(asks) {
        return;
    }
    let has_some =
        |certificates: &Option<Vec<String>>| certificates.as_ref().is_some_and(|list| !list.is_empty());
    for (name, _) in vendors
        .iter()
        .filter(|(_, vendor)| has_some(&vendor.client_certificates))
    {
        let what = "names certificates, and api.client-roots does not say who signs them";
        let way_out = "set api.client-roots, beside api.tls-certificate and api.tls-key";
        let key = format!("vendors.{name}.client-certificates");
        check.problem(&key, ProblemKind::Conflict, what, way_out);
    }
}
