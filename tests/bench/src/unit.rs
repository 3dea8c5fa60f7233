//! Quantities and how people read them.

use serde::Serialize;
use std::time::Duration;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    Seconds,
    PerSecond,
    /// Millions of bytes.
    Megabytes,
    /// Millions of bytes a second.
    MegabytesPerSecond,
    /// How many times something else.
    Times,
    Count,
}

impl Unit {
    /// The number with its unit: `312 us`, `1,432 /s`, `36.1 MB`, `1.27x`.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Seconds => seconds(value),
            Self::PerSecond => format!("{} /s", thousands(value)),
            Self::Megabytes => format!("{value:.1} MB"),
            Self::MegabytesPerSecond => format!("{value:.0} MB/s"),
            Self::Times => format!("{value:.2}x"),
            Self::Count => format!("{value:.2}"),
        }
    }
}

fn seconds(value: f64) -> String {
    match value.abs() {
        ..1e-3 => format!("{:.0} us", value * 1e6),
        ..1.0 => format!("{:.2} ms", value * 1e3),
        _ => format!("{value:.2} s"),
    }
}

/// Whole numbers in groups of three.
fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{shown}")
}

/// The value below which this part (0 to 1) of the durations is, in seconds; 0 for none.
pub(crate) fn quantile(times: &mut [Duration], part: f64) -> f64 {
    times.sort_unstable();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list, from 0 to its length"
    )]
    let place = (times.len() as f64 * part) as usize;
    let found = times.get(place).or(times.last());
    found.copied().unwrap_or_default().as_secs_f64()
}

/// So many in that time.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_naturally() {
        let shown = [
            Unit::Seconds.show(0.000_312_4),
            Unit::Seconds.show(0.004_5),
            Unit::Seconds.show(-0.000_02),
            Unit::PerSecond.show(1_432_001.6),
            Unit::PerSecond.show(57.0),
            Unit::Times.show(1.266),
        ];
        assert_eq!(
            shown,
            ["312 us", "4.50 ms", "-20 us", "1,432,002 /s", "57 /s", "1.27x"]
        );
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let mut times: Vec<_> = (1..=100).rev().map(Duration::from_secs).collect();
        assert_eq!(quantile(&mut times, 0.5).to_string(), "51");
        assert_eq!(quantile(&mut times, 0.99).to_string(), "100");
        assert_eq!(quantile(&mut [], 0.5).to_string(), "0");
    }
}
