//! The second stage of `[audit]`: how much the audit may take.

use super::{check::Check, model::Audit, raw::RawAudit, units::ByteSize};
use std::ops::RangeInclusive;

const MAX_SIZE: RangeInclusive<ByteSize> =
    ByteSize::from_mebibytes(64)..=ByteSize::from_mebibytes(64 * 1024 * 1024);
/// About ten million records.
const DEFAULT_MAX_SIZE: ByteSize = ByteSize::from_mebibytes(4 * 1024);

/// Parses `[audit]`.
pub(super) fn audit(check: &mut Check<'_>, raw: &RawAudit) -> Option<Audit> {
    let max_size = match &raw.max_size {
        Some(written) => check.size("audit.max-size", written, MAX_SIZE),
        None => Some(DEFAULT_MAX_SIZE),
    };
    Some(Audit { max_size: max_size? })
}
