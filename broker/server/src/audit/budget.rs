//! How much of the audit one vendor may take, so that no vendor keeps the practice from acting.
//!
//! What a vendor is told is written down, so that whoever asks for very much fills the audit. A vendor may take a [`SHARE`]th of the
//! audit's size in 24 hours, and [`LEAST`] at least: 256 MiB of the usual 4 GiB, which is five million events or half a million calls.
//! Beyond that it is told nothing until that time is over. And the last [`RESERVED`]th of the audit is not for what vendors are told: it is
//! left to people, to what they revoke and change, and to what systems are brought.
//!
//! Counted in memory, by what is handed over, not by what the server makes of it; a start begins anew.

use super::{AuditError, room::number};
use archwire_core::metric;
use archwire_nats::ByteSize;
use archwire_proto::admin::v1::AuditRecord;
use prost::Message as _;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Which part of the audit's size a vendor may take in [`WINDOW`].
const SHARE: u64 = 16;
/// And so much at least.
const LEAST: u64 = 16 * 1024 * 1024;
const WINDOW: Duration = Duration::from_secs(24 * 3600);
/// Which part is left to others.
const RESERVED: u64 = 8;
/// What an event of a subscription takes: the patient's id, its place and kind.
const EVENT: u64 = 48;
/// What a record takes beside what it says: its share of a block, and its check.
const BESIDE: u64 = 24;

/// What vendors have taken.
#[derive(Default)]
pub(super) struct Budget {
    used: AtomicU64,
    most: AtomicU64,
    vendors: Mutex<BTreeMap<String, Spent>>,
}

struct Spent {
    since: Instant,
    bytes: u64,
}

impl Budget {
    /// As the server says that the audit is.
    pub(super) fn measured(&self, used: ByteSize, most: ByteSize) {
        self.used.store(used.get(), Ordering::Relaxed);
        self.most.store(most.get(), Ordering::Relaxed);
        metrics::gauge!(metric::AUDIT_BYTES).set(number(used));
        metrics::gauge!(metric::AUDIT_MOST_BYTES).set(number(most));
    }

    /// So much was appended since.
    pub(super) fn grew(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A vendor is about to be told what these records say.
    pub(super) fn records(&self, vendor: &str, records: &[AuditRecord]) -> Result<(), AuditError> {
        let sizes = records
            .iter()
            .map(|record| u64::try_from(record.encoded_len()).unwrap_or(u64::MAX));
        self.spend(
            vendor,
            sizes.map(|size| size.saturating_add(BESIDE)).sum(),
            Instant::now(),
        )
    }

    /// A vendor is about to be sent so many events of a subscription.
    pub(super) fn events(&self, vendor: &str, count: u32) -> Result<(), AuditError> {
        self.spend(vendor, u64::from(count) * EVENT, Instant::now())
    }

    fn spend(&self, vendor: &str, bytes: u64, now: Instant) -> Result<(), AuditError> {
        let (used, most) = (
            self.used.load(Ordering::Relaxed),
            self.most.load(Ordering::Relaxed),
        );
        if used.saturating_add(bytes) > most - most / RESERVED {
            return Err(AuditError::Reserved);
        }
        let mut vendors = self.vendors.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = vendors
            .entry(vendor.to_owned())
            .or_insert(Spent { since: now, bytes: 0 });
        if now.duration_since(spent.since) >= WINDOW {
            *spent = Spent { since: now, bytes: 0 };
        }
        let bytes = spent.bytes.saturating_add(bytes);
        if bytes > (most / SHARE).max(LEAST) {
            let over = WINDOW.saturating_sub(now.duration_since(spent.since));
            return Err(AuditError::TooMuch { over });
        }
        spent.bytes = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(used: u64, most: u64) -> Budget {
        let budget = Budget::default();
        budget.measured(ByteSize::bytes(used), ByteSize::bytes(most));
        budget
    }

    #[test]
    fn a_vendor_may_take_its_share_and_the_next_day_again_and_others_have_theirs() {
        let (day, share) = (Instant::now(), 256 << 20);
        let budget = budget(0, 4 << 30);
        budget.spend("tracer", share - 1, day).unwrap();
        let refused = budget
            .spend("tracer", 2, day + Duration::from_secs(3600))
            .unwrap_err();
        assert_eq!(refused.code(), "too_much_disclosed");
        assert!(
            matches!(refused, AuditError::TooMuch { over } if over == WINDOW - Duration::from_secs(3600))
        );
        budget.spend("tracer", 1, day).unwrap();
        budget.spend("scanner", share, day).unwrap();
        budget.spend("tracer", share, day + WINDOW).unwrap();
    }

    #[test]
    fn vendors_leave_something_to_people() {
        let budget = budget(0, 64 << 20);
        budget.grew(56 << 20);
        let refused = budget.spend("tracer", 1, Instant::now()).unwrap_err();
        assert_eq!(refused.code(), "audit_unavailable");
        budget.measured(ByteSize::mebibytes(55), ByteSize::mebibytes(64));
        budget.spend("tracer", 1, Instant::now()).unwrap();
    }
}
