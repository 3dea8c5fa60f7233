//! What was sent lately, so that the overlap of two passes is not sent twice.
//!
//! A row is the same as long as its key, its change time and its content are; the content too, because change times are
//! whole seconds and a record can be changed, read and changed again within one. Only rows within the overlap can come again, so only
//! those are kept, and at most [`Seen::MOST_BYTES`] of them: the cursor has 64 KiB. At that bound the oldest are
//! forgotten and, if they do come again, sent again, which the bus finds unchanged. Rows are kept by change time,
//! because what fills this memory is the office rewriting thousands of balances within the same second.

use crate::clock::OfficeTime;
use crate::row::{Digest, PatNum, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rows by the time of their last change.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seen(BTreeMap<OfficeTime, BTreeMap<PatNum, Digest>>);

impl Seen {
    /// Most bytes in the cursor, as JSON: about 2,400 rows.
    pub const MOST_BYTES: usize = 48 * 1024;

    /// Whether this state of the row was sent. A row without a change time is never known.
    #[must_use]
    pub fn has(&self, row: &Row<'_>) -> bool {
        let known = row.stamp.and_then(|stamp| self.0.get(&stamp)?.get(&row.pat_num));
        known == Some(&row.digest)
    }

    /// Keeps a row in mind.
    pub fn add(&mut self, row: &Row<'_>) {
        if let Some(stamp) = row.stamp {
            self.0.entry(stamp).or_default().insert(row.pat_num, row.digest);
        }
    }

    /// Forgets what changed before `oldest`, and then the oldest until the rest is within the bound.
    pub fn forget_before(&mut self, oldest: OfficeTime) {
        self.0 = self.0.split_off(&oldest);
        let rows: usize = self.0.values().flat_map(BTreeMap::keys).map(row_bytes).sum();
        let mut bytes = rows + self.0.len() * KEY_BYTES;
        while bytes > Self::MOST_BYTES {
            let Some(mut group) = self.0.first_entry() else {
                break;
            };
            bytes -= group
                .get_mut()
                .pop_first()
                .map_or(0, |(pat_num, _)| row_bytes(&pat_num));
            if group.get().is_empty() {
                group.remove();
                bytes -= KEY_BYTES;
            }
        }
    }
}

/// Bytes of a change time as a key, with quotes, colon, braces and comma.
const KEY_BYTES: usize = 20;

/// Bytes of a number as a key with its digest.
fn row_bytes(pat_num: &PatNum) -> usize {
    let digits = pat_num.get().checked_ilog10().unwrap_or(0) as usize + 1;
    digits + "\"\":4294967295,".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> OfficeTime {
        OfficeTime::parse(text).unwrap()
    }

    fn json(number: u64, stamp: &str, phone: &str) -> String {
        format!(r#"{{"PatNum":{number},"HmPhone":"{phone}","DateTStamp":"{stamp}"}}"#)
    }

    fn add(seen: &mut Seen, number: u64, stamp: &str) {
        seen.add(&Row::parse(&json(number, stamp, "")).unwrap());
    }

    fn has(seen: &Seen, number: u64, stamp: &str) -> bool {
        seen.has(&Row::parse(&json(number, stamp, "")).unwrap())
    }

    #[test]
    fn a_row_is_the_same_as_long_as_its_time_and_its_content_are() {
        let mut seen = Seen::default();
        add(&mut seen, 7, "2026-11-01 10:00:00");
        assert!(has(&seen, 7, "2026-11-01 10:00:00"));
        assert!(!has(&seen, 7, "2026-11-01 10:00:01"));
        assert!(!has(&seen, 8, "2026-11-01 10:00:00"));
        assert!(!seen.has(&Row::parse(&json(7, "2026-11-01 10:00:00", "555-0100")).unwrap()));
    }

    #[test]
    fn what_cannot_come_again_is_forgotten() {
        let mut seen = Seen::default();
        add(&mut seen, 1, "2026-11-01 09:59:59");
        add(&mut seen, 2, "2026-11-01 10:00:00");
        seen.forget_before(at("2026-11-01 10:00:00"));
        assert!(!has(&seen, 1, "2026-11-01 09:59:59"));
        assert!(has(&seen, 2, "2026-11-01 10:00:00"));
    }

    #[test]
    fn the_memory_stays_within_its_bound_and_keeps_the_newest() {
        let mut seen = Seen::default();
        for number in 1..=20_000 {
            add(&mut seen, number, "2026-11-01 03:00:00");
        }
        for second in 0..60 {
            add(&mut seen, u64::MAX / 2, &format!("2026-11-01 03:01:{second:02}"));
        }
        seen.forget_before(at("2026-11-01 03:00:00"));
        let json = serde_json::to_string(&seen).unwrap();
        assert!(json.len() <= Seen::MOST_BYTES, "{} bytes", json.len());
        assert!(json.len() > Seen::MOST_BYTES / 2, "{} bytes", json.len());
        assert!(has(&seen, u64::MAX / 2, "2026-11-01 03:01:00"));
        assert!(has(&seen, 20_000, "2026-11-01 03:00:00"));
        let read: Seen = serde_json::from_str(&json).unwrap();
        assert!(read == seen);
    }
}
