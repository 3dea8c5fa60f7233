//! Versions of Open Dental, as the vendor's pages write them ("Added in version 24.4.13").
//!
//! An office runs one version; every method, parameter and field has the version that added it. Comparing the two
//! is the whole purpose of this module. Parsing fails only on text that is not one to four numbers with dots.

use std::fmt;
use std::str::FromStr;

/// A version of Open Dental: major, minor, build. A fourth number, which the vendor rarely writes, is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16, pub u16, pub u16);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a version is written like 25.3 or 25.3.14")]
pub struct BadVersion;

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let numbers: Vec<u16> = text
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| BadVersion)?;
        match numbers.as_slice() {
            [major] => Ok(Self(*major, 0, 0)),
            [major, minor] => Ok(Self(*major, *minor, 0)),
            [major, minor, build] | [major, minor, build, _] => Ok(Self(*major, *minor, *build)),
            _ => Err(BadVersion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number_and_not_by_text() {
        assert!("25.10".parse::<Version>().unwrap() > "25.9.99".parse().unwrap());
        assert_eq!("23.2.5.0".parse(), Ok(Version(23, 2, 5)));
        assert_eq!("new".parse::<Version>(), Err(BadVersion));
    }
}
