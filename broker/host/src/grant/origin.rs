//! Scheme, host and port: what a grant is for.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Without encryption: for programs in the practice's own network.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port of a server, in one spelling: host in lower case, port always there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

/// A text that names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not `http://` or `https://`.
    #[error("a host is granted as https://NAME or http://NAME, with :PORT if it is not the usual one")]
    Scheme,
    /// A path, query, fragment, user or password.
    #[error("a host is granted without path, query, user and password")]
    Extra,
    /// Not a host name or an IP address in its usual form.
    #[error("the host is neither a name nor an IP address in its usual form")]
    Host,
    /// Not 1 to 65535.
    #[error("a port is a number from 1 to 65535")]
    Port,
}

impl OriginError {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Scheme => "origin_scheme_invalid",
            Self::Extra => "origin_not_bare",
            Self::Host => "origin_host_invalid",
            Self::Port => "origin_port_invalid",
        }
    }
}

impl Origin {
    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host's name or address; an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as an address, where it is written as one.
    pub(crate) fn literal_address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Host and port as they stand in a URI: without the port where it is the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == self.scheme.default_port() {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// Of a URL that may go on with a path.
    ///
    /// # Errors
    /// When the part before the path is not scheme, host and port.
    pub fn of_url(url: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = split_scheme(url)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        Self::from_parts(scheme, rest.get(..end).unwrap_or(rest))
    }

    pub(crate) fn from_parts(scheme: Scheme, authority: &str) -> Result<Self, OriginError> {
        if authority.contains(['@', '/', '?', '#', '\\', ' ']) {
            return Err(OriginError::Extra);
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            None => scheme.default_port(),
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or(OriginError::Port)?,
            Some(_) => return Err(OriginError::Port),
        };
        Ok(Self { scheme, host, port })
    }
}

fn split_scheme(url: &str) -> Result<(Scheme, &str), OriginError> {
    let (scheme, rest) = url.split_once("://").ok_or(OriginError::Scheme)?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok((Scheme::Http, rest)),
        "https" => Ok((Scheme::Https, rest)),
        _ => Err(OriginError::Scheme),
    }
}

/// The host in its one spelling, and the port where there is one.
fn split_port(authority: &str) -> Result<(String, Option<&str>), OriginError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(OriginError::Host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| OriginError::Host)?;
        let port = if rest.is_empty() {
            None
        } else {
            Some(rest.strip_prefix(':').ok_or(OriginError::Port)?)
        };
        return Ok((address.to_string(), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    if is_host(&host) {
        Ok((host, port))
    } else {
        Err(OriginError::Host)
    }
}

/// A name of DNS, or an IPv4 address of four decimal numbers. Names that end in a number are refused, because resolvers
/// read `127.1` and `0x7f000001` as addresses.
fn is_host(host: &str) -> bool {
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let number = |label: &str| label.starts_with(|first: char| first.is_ascii_digit()) && is_number(label);
    host.len() <= 253 && host.split('.').all(label) && !host.rsplit('.').next().is_some_and(number)
}

fn is_number(label: &str) -> bool {
    let hexadecimal = label
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || label.bytes().all(|byte| byte.is_ascii_digit())
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = split_scheme(text)?;
        Self::from_parts(scheme, rest)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_spelling() {
        for text in [
            "https://API.example.com",
            "HTTPS://api.example.com:443",
            "https://api.example.com",
        ] {
            assert_eq!(
                text.parse::<Origin>().unwrap().to_string(),
                "https://api.example.com"
            );
        }
        assert_eq!(
            "http://[::0001]:8080".parse::<Origin>().unwrap().to_string(),
            "http://[::1]:8080"
        );
        assert_eq!(
            "http://127.0.0.1:80".parse::<Origin>().unwrap().to_string(),
            "http://127.0.0.1"
        );
    }

    #[test]
    fn what_names_no_server_is_refused() {
        let cases = [
            ("api.example.com", OriginError::Scheme),
            ("ftp://api.example.com", OriginError::Scheme),
            ("https://api.example.com/", OriginError::Extra),
            ("https://user@api.example.com", OriginError::Extra),
            ("https://api.example.com?x", OriginError::Extra),
            ("https://api.example.com.", OriginError::Host),
            ("https://", OriginError::Host),
            ("https://a b", OriginError::Extra),
            ("https://*.example.com", OriginError::Host),
            ("https://[fe80::1%25eth0]", OriginError::Host),
            ("https://api.example.com:0", OriginError::Port),
            ("https://api.example.com:+1", OriginError::Port),
            ("https://api.example.com:99999", OriginError::Port),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Origin>(), Err(error), "{text}");
        }
    }

    #[test]
    fn addresses_in_disguise_are_refused() {
        for host in [
            "127.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.01",
            "1.2.3.4.5",
            "example.1",
        ] {
            assert_eq!(
                format!("http://{host}").parse::<Origin>(),
                Err(OriginError::Host),
                "{host}"
            );
        }
    }

    #[test]
    fn a_url_with_a_path_still_has_an_origin() {
        assert_eq!(
            Origin::of_url("http://10.0.0.5:30222/api/v1?x=1")
                .unwrap()
                .to_string(),
            "http://10.0.0.5:30222"
        );
        assert_eq!(
            Origin::of_url("https://h.test@evil.test/"),
            Err(OriginError::Extra)
        );
    }
}
