//! What a system's connector may reach. Nothing unless a grant says so.
//!
//! Parsing and matching are pure: no name is resolved and no request is made here. What is decided here is the text of
//! a request (origin, method, path); what its name resolves to is checked again at the time of connecting, with
//! [`AddressPolicy`].

mod address;
mod method;
mod origin;
mod path;

pub(crate) use address::AddressPolicy;
pub use method::{Method, MethodError};
pub use origin::{Origin, OriginError, Scheme};
pub use path::{PathPattern, PathPatternError};

use std::{num::NonZeroUsize, time::Duration};

/// One thing that the administrator allows a system's connector to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Scheme, host and port.
    pub to: Origin,
    /// The methods; none means nothing is allowed.
    pub methods: Vec<Method>,
    /// The paths; none means nothing is allowed.
    pub paths: Vec<PathPattern>,
    /// Whether the host may resolve to loopback and private addresses: a program in the practice's own network.
    /// Link-local, multicast and metadata addresses stay out of reach either way.
    pub private_addresses: bool,
    /// Least time between the starts of two requests, over everything that shares an [account](crate::Account) with this: an
    /// account has the pace of its strictest grant.
    pub spacing: Duration,
    /// Requests at the same time; shared in the same way. A request ends when its response body
    /// is read to the end or dropped.
    pub in_flight: NonZeroUsize,
}

/// Why a request is not allowed. Holds nothing of the request: a path may hold a patient's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Denial {
    /// No grant is for that scheme, host and port.
    Origin,
    /// A grant is for that origin, but none with that path.
    Path,
    /// A grant is for that origin and path, but none with that method.
    Method,
    /// The path can be read in more than one way.
    PathForm,
}

impl Denial {
    /// Stable code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Origin => "origin_not_granted",
            Self::Path => "path_not_granted",
            Self::Method => "method_not_granted",
            Self::PathForm => "path_ambiguous",
        }
    }
}

/// The first of the grants that allows the request.
pub(crate) fn decide<'a>(
    mut grants: impl Iterator<Item = (usize, &'a Grant)>,
    origin: &Origin,
    method: &Method,
    path: &str,
) -> Result<usize, Denial> {
    if !path::is_plain(path) {
        return Err(Denial::PathForm);
    }
    let mut closest = Denial::Origin;
    let granted = grants.find(|(_, grant)| {
        let reason = if grant.to != *origin {
            Denial::Origin
        } else if !grant.paths.iter().any(|pattern| pattern.matches(path)) {
            Denial::Path
        } else if !grant.methods.contains(method) {
            Denial::Method
        } else {
            return true;
        };
        closest = closest.max(reason);
        false
    });
    granted.map(|(index, _)| index).ok_or(closest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(to: &str, methods: &[&str], paths: &[&str]) -> Grant {
        Grant {
            to: to.parse().unwrap(),
            methods: methods.iter().map(|method| method.parse().unwrap()).collect(),
            paths: paths.iter().map(|path| path.parse().unwrap()).collect(),
            private_addresses: false,
            spacing: Duration::ZERO,
            in_flight: NonZeroUsize::MIN,
        }
    }

    fn ask(grants: &[Grant], origin: &str, method: &str, path: &str) -> Result<usize, Denial> {
        decide(
            grants.iter().enumerate(),
            &origin.parse().unwrap(),
            &method.parse().unwrap(),
            path,
        )
    }

    #[test]
    fn without_a_grant_nothing_is_allowed() {
        assert_eq!(
            ask(&[], "https://api.example.com", "GET", "/"),
            Err(Denial::Origin)
        );
    }

    #[test]
    fn what_is_granted_is_allowed_and_nothing_else_of_the_same_host() {
        let grants = [grant("https://api.example.com", &["GET"], &["/patients/*"])];
        assert_eq!(
            ask(&grants, "https://api.example.com", "GET", "/patients/7"),
            Ok(0)
        );
        assert_eq!(
            ask(&grants, "https://api.example.com:443", "GET", "/patients/7"),
            Ok(0)
        );
        assert_eq!(
            ask(&grants, "https://api.example.com", "PUT", "/patients/7"),
            Err(Denial::Method)
        );
        assert_eq!(
            ask(&grants, "https://api.example.com", "GET", "/patients"),
            Err(Denial::Path)
        );
        assert_eq!(
            ask(&grants, "https://api.example.com", "GET", "/patients/7/notes"),
            Err(Denial::Path)
        );
    }

    #[test]
    fn another_scheme_port_or_host_is_not_granted() {
        let grants = [grant("https://api.example.com", &["GET"], &["/**"])];
        for origin in [
            "http://api.example.com",
            "https://api.example.com:8443",
            "https://example.com",
            "https://api.example.com.evil.test",
            "https://xapi.example.com",
        ] {
            assert_eq!(ask(&grants, origin, "GET", "/"), Err(Denial::Origin), "{origin}");
        }
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_refused_even_when_everything_is_granted() {
        let grants = [grant("https://api.example.com", &["GET"], &["/**"])];
        for path in [
            "/a/../b",
            "/a//b",
            "/a%2fb",
            "/a%2Fb",
            "/%2e%2e/b",
            "/a%5cb",
            "/a%00",
            "/a/..;x/b",
            "/a%252fb",
        ] {
            assert_eq!(
                ask(&grants, "https://api.example.com", "GET", path),
                Err(Denial::PathForm),
                "{path}"
            );
        }
    }

    #[test]
    fn the_grant_that_fits_is_found_among_several_for_one_host() {
        let grants = [
            grant("https://api.example.com", &["GET"], &["/**"]),
            grant(
                "https://api.example.com",
                &["POST", "PUT"],
                &["/patients", "/patients/*"],
            ),
        ];
        assert_eq!(ask(&grants, "https://api.example.com", "GET", "/anything"), Ok(0));
        assert_eq!(
            ask(&grants, "https://api.example.com", "PUT", "/patients/7"),
            Ok(1)
        );
        assert_eq!(
            ask(&grants, "https://api.example.com", "POST", "/other"),
            Err(Denial::Method)
        );
    }
}
