//! The second stage of `[audit]`: how much the audit may take, and how long it is kept.

use super::{check::Check, model::Audit, raw::RawAudit, units::ByteSize};
use std::{ops::RangeInclusive, time::Duration};

const MAX_SIZE: RangeInclusive<ByteSize> =
    ByteSize::from_mebibytes(64)..=ByteSize::from_mebibytes(64 * 1024 * 1024);
const DAY: u64 = 24 * 3600;
/// A year as `humantime` counts it: 365.25 days.
const YEAR: u64 = 31_557_600;
const KEEP: RangeInclusive<Duration> = Duration::from_secs(30 * DAY)..=Duration::from_secs(100 * YEAR);
/// As long as a patient may ask to whom something was disclosed (45 CFR 164.528).
const DEFAULT_KEEP: Duration = Duration::from_secs(6 * YEAR);

/// Parses `[audit]`.
pub(super) fn audit(check: &mut Check<'_>, raw: &RawAudit) -> Option<Audit> {
    let max_size = match &raw.max_size {
        Some(written) => check.size("audit.max-size", written, MAX_SIZE).map(Some),
        None => Some(None),
    };
    let keep = match &raw.keep {
        Some(written) => check.duration("audit.keep", written, KEEP),
        None => Some(DEFAULT_KEEP),
    };
    Some(Audit {
        max_size: max_size?,
        keep: keep?,
    })
}
