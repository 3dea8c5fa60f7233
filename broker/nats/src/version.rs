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
    /// The oldest server that will do. Flushing on every write came with 2.10 and reading many records with one request
    /// with 2.11.0. A guard by another subject is heeded whatever the order of the headers since 2.11.7 (nats-server
    /// #7065), and a record that a cluster refused for being busy is taken when it is sent again since 2.12.0. Before
    /// 2.12.4 an encrypted store could not be read any more after a kill, a start, a stop in order and another start
    /// (#7678). An older server accepts options that it does not know and drops them without a word, so it has to be
    /// told by its version.
    pub const OLDEST: Self = Self {
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
        let plain: ServerVersion = "2.12.4".parse().unwrap();
        assert_eq!(plain, ServerVersion::OLDEST);
        assert_eq!("v2.12.4-RC.2\n".parse(), Ok(plain));
        for text in ["", "2.11", "dev", "2.11.0.1", "2.x.0"] {
            assert_eq!(text.parse::<ServerVersion>(), Err(ServerVersionError), "{text}");
        }
    }

    #[test]
    fn versions_compare_by_number_and_not_by_letter() {
        let debian: ServerVersion = "2.9.10".parse().unwrap();
        assert!(debian < ServerVersion::OLDEST);
        assert!(ServerVersion::OLDEST < "2.15.1".parse().unwrap());
    }
}
