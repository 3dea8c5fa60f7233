//! Grants, as far as their text says whether they can be right. What they allow is decided by the host.

use super::{
    check::{Check, nearest},
    model::{Grant, Scheme},
    raw::RawGrant,
};
use std::{net::Ipv6Addr, num::NonZeroUsize, time::Duration};

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// Longest spacing between two requests.
pub(super) const MAX_SPACING: Duration = Duration::from_secs(3600);
const DEFAULT_IN_FLIGHT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// Parses the grant at `key`.
pub(super) fn grant(check: &mut Check<'_>, key: &str, raw: RawGrant) -> Option<Grant> {
    let private_addresses = raw.private_addresses.unwrap_or(false);
    let to_key = format!("{key}.to");
    let to = check.required(
        &to_key,
        raw.to,
        "write scheme and host: to = \"https://api.example.com\"",
    );
    let to = to.and_then(|to| origin(check, &to_key, &to));
    if matches!(to, Some((Scheme::Http, ..))) && !private_addresses {
        let way_out =
            "use https, or set private-addresses = true when the host is in the office's own network";
        check.value(
            &to_key,
            "http would carry patients and keys over the internet in clear",
            way_out,
        );
    }
    let methods = methods(check, &format!("{key}.methods"), raw.methods);
    let paths = paths(check, &format!("{key}.paths"), raw.paths);
    let spacing = match raw.spacing {
        Some(written) => check.duration(&format!("{key}.spacing"), &written, Duration::ZERO..=MAX_SPACING),
        None => Some(Duration::ZERO),
    };
    let in_flight = match raw.in_flight {
        Some(written) => check
            .number(&format!("{key}.in-flight"), written, 1..=64)
            .and_then(NonZeroUsize::new),
        None => Some(DEFAULT_IN_FLIGHT),
    };
    let (scheme, host, port) = to?;
    Some(Grant {
        scheme,
        host,
        port,
        methods: methods?,
        paths: paths?,
        private_addresses,
        spacing: spacing?,
        in_flight: in_flight?,
    })
}

fn origin(check: &mut Check<'_>, key: &str, written: &str) -> Option<(Scheme, String, u16)> {
    let parsed = parse_origin(written);
    if let Err(what) = parsed {
        // The text is not shown: an address may have a password in it.
        check.value(
            key,
            what,
            "write scheme, host and, where it is not the usual one, port: \"https://api.example.com\"",
        );
    }
    parsed.ok()
}

fn parse_origin(written: &str) -> Result<(Scheme, String, u16), &'static str> {
    let (scheme, rest) = written
        .split_once("://")
        .ok_or("has no scheme: neither http:// nor https://")?;
    let (scheme, usual_port) = match scheme {
        "http" => (Scheme::Http, 80),
        "https" => (Scheme::Https, 443),
        _ => return Err("has another scheme than http or https"),
    };
    if rest.contains('@') {
        return Err("has a user or password in it; credentials are secrets of the system");
    }
    if rest.contains(['/', '?', '#']) {
        return Err("has a path; paths belong into `paths`");
    }
    if rest.contains('*') {
        return Err("has a wildcard; every host is granted by its full name");
    }
    let (host, port) = match rest.rsplit_once(':') {
        // The colons inside of brackets are an IPv6 address's own.
        Some((host, port)) if !port.ends_with(']') => (
            host,
            port.parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or("has a port that is none")?,
        ),
        _ => (rest, usual_port),
    };
    if is_host(host) {
        Ok((scheme, host.to_ascii_lowercase(), port))
    } else {
        Err("has no host that can be one")
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            host.len() <= 253
                && host
                    .split('.')
                    .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(letters))
        }
    }
}

fn methods(check: &mut Check<'_>, key: &str, written: Option<Vec<String>>) -> Option<Vec<String>> {
    let written = check.required(key, written, "write what may be done there: methods = [\"GET\"]")?;
    if written.is_empty() {
        check.value(
            key,
            "is an empty list, which grants nothing",
            "name at least one method, or remove the grant",
        );
        return None;
    }
    let mut all_known = true;
    for (index, method) in written.iter().enumerate() {
        if !METHODS.contains(&method.as_str()) {
            let way_out = match nearest(&method.to_ascii_uppercase(), METHODS.into_iter()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("methods are {}", METHODS.join(", ")),
            };
            check.value(
                &format!("{key}[{index}]"),
                "is not a method that can be granted",
                way_out,
            );
            all_known = false;
        }
    }
    all_known.then_some(written)
}

fn paths(check: &mut Check<'_>, key: &str, written: Option<Vec<String>>) -> Option<Vec<String>> {
    let written = check.required(key, written, "write where: paths = [\"/api/v1/patients/**\"]")?;
    if written.is_empty() {
        check.value(
            key,
            "is an empty list, which grants nothing",
            "name at least one path, or remove the grant",
        );
        return None;
    }
    let mut all_good = true;
    for (index, path) in written.iter().enumerate() {
        if let Err(what) = check_path(path) {
            let way_out =
                "`*` stands for one segment, `**` at the end for any number of them: \"/api/v1/patients/**\"";
            check.value(&format!("{key}[{index}]"), what, way_out);
            all_good = false;
        }
    }
    all_good.then_some(written)
}

fn check_path(path: &str) -> Result<(), &'static str> {
    let segments = path.strip_prefix('/').ok_or("does not begin with /")?;
    if path.contains(['?', '#']) {
        return Err("has a query or a fragment; a path is granted with every query");
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has a space, or a letter that is not ASCII; write it percent-encoded");
    }
    let count = segments.split('/').count();
    for (index, segment) in segments.split('/').enumerate() {
        let last = index + 1 == count;
        match segment {
            "**" if last => {}
            "*" => {}
            "" if last => {}
            "" => return Err("has an empty segment"),
            "." | ".." => return Err("has a segment that is . or .."),
            other if other.contains('*') => {
                return Err("has a * that is not a whole segment, or a ** before the end");
            }
            _ => {}
        }
    }
    Ok(())
}
