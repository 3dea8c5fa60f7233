//! Sizes and durations as people write them: `64MiB`, `5s`.

use std::{fmt, str::FromStr, time::Duration};

/// A number of bytes. Written as a whole number and a unit: B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB
/// (powers of 1024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// A text that is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a size is a whole number with a unit, such as 64MiB; units are B, kB, MB, GB, TB, KiB, MiB, GiB, TiB"
)]
pub struct ByteSizeError;

impl ByteSizeError {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        "byte_size_invalid"
    }
}

impl ByteSize {
    /// This many bytes.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// This many times 1024 * 1024 bytes; the largest size when it is more than fits.
    #[must_use]
    pub const fn from_mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes.saturating_mul(1024 * 1024))
    }

    /// As a number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let split = text
            .find(|letter: char| !letter.is_ascii_digit())
            .ok_or(ByteSizeError)?;
        let (number, unit) = text.split_at_checked(split).ok_or(ByteSizeError)?;
        let number: u64 = number.parse().map_err(|_| ByteSizeError)?;
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| *name == unit.trim_start())
            .ok_or(ByteSizeError)?;
        number.checked_mul(*factor).map(Self).ok_or(ByteSizeError)
    }
}

impl fmt::Display for ByteSize {
    /// With the largest binary unit that leaves a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = UNITS
            .iter()
            .take(4)
            .find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor));
        match binary {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A duration as `humantime` writes it, without looking at its bounds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

#[cfg(test)]
mod tests {
    use super::ByteSize;

    #[test]
    fn sizes_are_read_with_binary_and_decimal_units_and_shown_again() {
        for (text, bytes, shown) in [
            ("64MiB", 64 << 20, "64MiB"),
            ("10 GiB", 10 << 30, "10GiB"),
            ("1kB", 1000, "1000B"),
            ("2048B", 2048, "2KiB"),
            ("0B", 0, "0B"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string()), (bytes, shown.to_owned()));
        }
    }

    #[test]
    fn a_size_without_a_unit_or_too_large_to_count_is_refused() {
        for text in [
            "",
            "64",
            "MiB",
            "64 apples",
            "-1MiB",
            "1.5GiB",
            "99999999TiB",
            "64mib",
        ] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
