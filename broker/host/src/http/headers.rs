//! Headers that a connector can neither set nor read.
//!
//! Setting one fails in the connector with `header-error.forbidden`, before there is a request; in responses they are
//! left out. Besides what speaks about the connection itself, these are headers that some servers take as a better
//! word for method, path or host than the request line, which is what the grant was compared with.

use http::{HeaderName, header};
use std::{collections::HashSet, sync::Arc};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;

/// Beyond [`DEFAULT_FORBIDDEN_HEADERS`], which are the hop-by-hop headers, `Host` and `Proxy-Authorization`.
const FORBIDDEN: [&str; 11] = [
    "te",
    "trailer",
    "forwarded",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-override-url",
    "alt-used",
];

/// The headers that one system's connector can neither set nor read.
#[derive(Clone)]
pub(crate) struct ForbiddenHeaders(Arc<HashSet<HeaderName>>);

impl ForbiddenHeaders {
    /// The usual ones, `Authorization`, and the one in which the system's credential is sent.
    pub(crate) fn new(credential: Option<&HeaderName>) -> Self {
        let own = FORBIDDEN.into_iter().map(HeaderName::from_static);
        let names = DEFAULT_FORBIDDEN_HEADERS
            .into_iter()
            .chain(own)
            .chain([header::AUTHORIZATION]);
        Self(Arc::new(names.chain(credential.cloned()).collect()))
    }

    pub(crate) fn contains(&self, name: &HeaderName) -> bool {
        let text = name.as_str();
        self.0.contains(name) || text.starts_with("proxy-") || text.starts_with("x-forwarded-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_sets_itself_is_forbidden() {
        let own = HeaderName::from_static("x-api-key");
        let forbidden = ForbiddenHeaders::new(Some(&own));
        for name in [
            "host",
            "authorization",
            "x-api-key",
            "proxy-authorization",
            "proxy-foo",
            "connection",
            "upgrade",
            "transfer-encoding",
            "x-http-method-override",
            "x-original-url",
            "x-forwarded-host",
            "te",
        ] {
            assert!(forbidden.contains(&HeaderName::from_static(name)), "{name}");
        }
    }

    #[test]
    fn ordinary_headers_are_not() {
        let forbidden = ForbiddenHeaders::new(None);
        for name in [
            "accept",
            "content-type",
            "content-length",
            "if-none-match",
            "x-api-key",
            "user-agent",
        ] {
            assert!(!forbidden.contains(&HeaderName::from_static(name)), "{name}");
        }
    }
}
