//! The version of a NATS server, and the oldest one that does what the log relies on.

use std::{fmt, str::FromStr};

/// The version of a NATS server; compares by age. A pre-release counts as its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

/// Text that is not a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a NATS server's version looks like 2.15.1")]
pub struct ServerVersionError;

impl ServerVersion {
    /// The oldest server that will do. Flushing on every write came with 2.10, reading many records with one request
    /// with 2.11.0, and guarding an append by another subject works since 2.11.7. An older server
    /// accepts options that it does not know and drops them without a word, so it has to be told by its version.
    pub const OLDEST: Self = Self {
        major: 2,
        minor: 11,
        patch: 7,
    };
    /// The oldest server that will do with encryption at rest, as one of our own has it: older ones that were killed,
    /// started again and then stopped in order cannot read their store any more (nats-server #7678).
    pub const OLDEST_ENCRYPTING: Self = Self {
        major: 2,
        minor: 12,
        patch: 4,
    };
}

impl FromStr for ServerVersion {
    type Err = ServerVersionError;

    /// Reads `2.15.1`, `v2.15.1`, and either with a pre-release behind it.
    fn from_str(text: &str) -> Result<Self, ServerVersionError> {
        let core = text
            .trim()
            .trim_start_matches('v')
            .split(['-', '+'])
            .next()
            .unwrap_or_default();
        let mut parts = core.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Ok(Self { major, minor, patch }),
            _ => Err(ServerVersionError),
        }
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_and_without_ornament() {
        let plain: ServerVersion = "2.11.7".parse().unwrap();
        assert_eq!(plain, ServerVersion::OLDEST);
        assert_eq!("v2.11.7-RC.2\n".parse(), Ok(plain));
        for text in ["", "2.11", "dev", "2.11.0.1", "2.x.0"] {
            assert_eq!(text.parse::<ServerVersion>(), Err(ServerVersionError), "{text}");
        }
    }

    #[test]
    fn versions_compare_by_number_and_not_by_letter() {
        let debian: ServerVersion = "2.9.10".parse().unwrap();
        assert!(debian < ServerVersion::OLDEST);
        assert!(ServerVersion::OLDEST < ServerVersion::OLDEST_ENCRYPTING);
        assert!(ServerVersion::OLDEST_ENCRYPTING < "2.15.1".parse().unwrap());
    }
}
