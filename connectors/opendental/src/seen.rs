//! What was sent lately, so that the overlap of two passes is not sent twice.
//!
//! A row is the same as long as its key and its change time are. Only rows within the overlap can come again, so only
//! those are kept, and at most [`Seen::MOST_BYTES`] of them: the cursor has 64 KiB. At that bound the oldest are
//! forgotten and, if they do come again, sent again, which the bus finds unchanged. Rows are kept by change time,
//! because what fills this memory is the office rewriting thousands of balances within the same second.

use crate::clock::OfficeTime;
use crate::row::PatNum;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Rows by the time of their last change.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seen(BTreeMap<OfficeTime, BTreeSet<PatNum>>);

impl Seen {
    /// Most bytes in the cursor, as JSON: about 6,000 rows.
    pub const MOST_BYTES: usize = 48 * 1024;

    /// Whether this state of the row was sent.
    #[must_use]
    pub fn has(&self, stamp: OfficeTime, pat_num: PatNum) -> bool {
        self.0.get(&stamp).is_some_and(|rows| rows.contains(&pat_num))
    }

    /// Keeps a row in mind.
    pub fn add(&mut self, stamp: OfficeTime, pat_num: PatNum) {
        self.0.entry(stamp).or_default().insert(pat_num);
    }

    /// Forgets what changed before `oldest`, and then the oldest until the rest is within the bound.
    pub fn forget_before(&mut self, oldest: OfficeTime) {
        self.0 = self.0.split_off(&oldest);
        let mut bytes: usize =
            self.0.values().flatten().map(digits).sum::<usize>() + self.0.len() * KEY_BYTES;
        while bytes > Self::MOST_BYTES {
            let Some(mut group) = self.0.first_entry() else {
                break;
            };
            bytes -= group.get_mut().pop_first().as_ref().map_or(0, digits);
            if group.get().is_empty() {
                group.remove();
                bytes -= KEY_BYTES;
            }
        }
    }
}

/// Bytes of a change time as a key, with quotes, colon, brackets and comma.
const KEY_BYTES: usize = 20;

/// Bytes of a number with its comma.
fn digits(pat_num: &PatNum) -> usize {
    pat_num.get().checked_ilog10().unwrap_or(0) as usize + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> OfficeTime {
        OfficeTime::parse(text).unwrap()
    }

    fn row(number: u64) -> PatNum {
        PatNum::parse(&number.to_string()).unwrap()
    }

    #[test]
    fn a_row_is_the_same_as_long_as_its_time_is() {
        let mut seen = Seen::default();
        seen.add(at("2026-11-01 10:00:00"), row(7));
        assert!(seen.has(at("2026-11-01 10:00:00"), row(7)));
        assert!(!seen.has(at("2026-11-01 10:00:01"), row(7)));
        assert!(!seen.has(at("2026-11-01 10:00:00"), row(8)));
    }

    #[test]
    fn what_cannot_come_again_is_forgotten() {
        let mut seen = Seen::default();
        seen.add(at("2026-11-01 09:59:59"), row(1));
        seen.add(at("2026-11-01 10:00:00"), row(2));
        seen.forget_before(at("2026-11-01 10:00:00"));
        assert!(!seen.has(at("2026-11-01 09:59:59"), row(1)));
        assert!(seen.has(at("2026-11-01 10:00:00"), row(2)));
    }

    #[test]
    fn the_memory_stays_within_its_bound_and_keeps_the_newest() {
        let mut seen = Seen::default();
        for number in 1..=20_000 {
            seen.add(at("2026-11-01 03:00:00"), row(number));
        }
        for number in 1..=500 {
            seen.add(at("2026-11-01 03:00:00").minus(-number), row(u64::MAX / 2));
        }
        seen.forget_before(at("2026-11-01 03:00:00"));
        let json = serde_json::to_string(&seen).unwrap();
        assert!(json.len() <= Seen::MOST_BYTES, "{} bytes", json.len());
        assert!(json.len() > Seen::MOST_BYTES / 2, "{} bytes", json.len());
        assert!(seen.has(at("2026-11-01 03:00:01"), row(u64::MAX / 2)));
        assert!(seen.has(at("2026-11-01 03:00:00"), row(20_000)));
        assert_eq!(
            serde_json::from_str::<Seen>(&json).map(|read| read == seen).ok(),
            Some(true)
        );
    }
}
