//! What is kept of comparisons, in the bucket `reconciled`: the last [`MOST_REPORTS`] reports of each system, and the versions
//! of records that were found in agreement.
//!
//! | key | value |
//! |---|---|
//! | `SYSTEM.report.MILLISECONDS` | a report, as `archwire.admin.v1.Reconciliation`, by when its comparison began |
//! | `SYSTEM.versions.NUMBER` | records in agreement: local ids, hashed versions, revisions and days, at most 640 KiB in JSON |
//! | `SYSTEM.since` | when the nightly comparison of a system was first started, in milliseconds since 1970 |
//!
//! All of it may be lost: that costs reading every record once more. A set of versions whose writing was cut off is known
//! by its parts, which do not say the same time, and is used up to the first that does not belong.

use super::{
    ReconcileError,
    report::{began_at, packed, unpacked},
};
use archwire_core::{LocalId, RecordVersion, Revision, SystemName};
use archwire_nats::Bucket;
use archwire_proto::admin::v1::Reconciliation;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    mem,
    time::{SystemTime, UNIX_EPOCH},
};

/// Most reports of a system.
const MOST_REPORTS: usize = 30;
/// Most bytes of a part of the versions, before what it is wrapped in.
const LARGEST_PART: usize = 640 * 1024;
/// Every record is read again after this many days at the latest, whatever its version says: a program may change a record
/// without saying so.
const LONGEST_TRUST: u32 = 10;
/// And not before this many, so that not all of them are read again in one night.
const SHORTEST_TRUST: u32 = 4;

/// A record that was found in agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) version: RecordVersion,
    pub(super) revision: Revision,
    /// When it was compared, in days since 1970.
    pub(super) day: u32,
}

/// The records that were found in agreement.
pub(super) type Versions = HashMap<LocalId, Agreed>;

impl Agreed {
    /// Whether that can still be relied on.
    pub(super) fn holds(&self, local_id: &LocalId, now: &Self) -> bool {
        let mut hasher = DefaultHasher::new();
        local_id.as_str().hash(&mut hasher);
        let spread = u64::from(LONGEST_TRUST - SHORTEST_TRUST + 1);
        let spread = u32::try_from(hasher.finish() % spread).unwrap_or_default();
        let age = now.day.checked_sub(self.day);
        self.version == now.version
            && self.revision == now.revision
            && age.is_some_and(|age| age < SHORTEST_TRUST + spread)
    }
}

/// Part of the versions.
#[derive(Serialize, Deserialize)]
struct Part {
    at: u128,
    records: Vec<(String, u64, u64, u32)>,
}

/// What is kept.
#[derive(Clone)]
pub(super) struct Store(pub(super) Bucket);

impl Store {
    /// The last report of a system.
    pub(super) async fn last(&self, system: &SystemName) -> Result<Option<Reconciliation>, ReconcileError> {
        let Some(last) = self.reports(system).await?.pop() else {
            return Ok(None);
        };
        let report = self.0.get(&last).await?;
        report.map(|bytes| unpacked(&bytes)).transpose()
    }

    /// Keeps a report, and forgets the oldest beyond [`MOST_REPORTS`].
    pub(super) async fn keep(
        &self,
        system: &SystemName,
        report: Reconciliation,
    ) -> Result<(), ReconcileError> {
        let at = since_1970(began_at(&report));
        // As many digits as the year 2286 has, so that their order is that of time.
        let key = format!("{}{at:013}", prefix(system, "report"));
        self.0.put(&key, packed(report).into()).await?;
        let reports = self.reports(system).await?;
        let most = reports.len().saturating_sub(MOST_REPORTS);
        for old in reports.iter().take(most) {
            self.0.delete(old).await?;
        }
        Ok(())
    }

    async fn reports(&self, system: &SystemName) -> Result<Vec<String>, ReconcileError> {
        self.keys(&prefix(system, "report")).await
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, ReconcileError> {
        let mut keys = self.0.keys().await?;
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        Ok(keys)
    }

    /// The records that were found in agreement.
    pub(super) async fn versions(&self, system: &SystemName) -> Result<Versions, ReconcileError> {
        let (mut versions, mut at) = (Versions::new(), None);
        for number in 0.. {
            let Some(bytes) = self.0.get(&part_key(system, number)).await? else {
                break;
            };
            let Ok(part) = serde_json::from_slice::<Part>(&bytes) else {
                break;
            };
            if *at.get_or_insert(part.at) != part.at {
                break;
            }
            versions.extend(part.records.into_iter().filter_map(agreed));
        }
        Ok(versions)
    }

    /// Remembers the records that were found in agreement, instead of those before.
    pub(super) async fn remember(
        &self,
        system: &SystemName,
        versions: &Versions,
    ) -> Result<(), ReconcileError> {
        let at = since_1970(SystemTime::now());
        let (mut number, mut records, mut size) = (0, Vec::new(), 0);
        for (local_id, agreed) in versions {
            // Two numbers of 64 bits, one of 32, and what stands between them.
            size += 2 * local_id.as_str().len() + 64;
            let Agreed {
                version,
                revision,
                day,
            } = *agreed;
            records.push((
                local_id.as_str().to_owned(),
                version.number(),
                revision.get(),
                day,
            ));
            if size >= LARGEST_PART {
                self.put_part(system, number, at, mem::take(&mut records)).await?;
                (number, size) = (number + 1, 0);
            }
        }
        self.put_part(system, number, at, records).await?;
        for key in self.keys(&prefix(system, "versions")).await? {
            let of = key.rsplit_once('.').and_then(|(_, of)| of.parse::<usize>().ok());
            if of.is_none_or(|of| of > number) {
                self.0.delete(&key).await?;
            }
        }
        Ok(())
    }

    async fn put_part(
        &self,
        system: &SystemName,
        number: usize,
        at: u128,
        records: Vec<(String, u64, u64, u32)>,
    ) -> Result<(), ReconcileError> {
        // Texts and numbers always serialise.
        let json = serde_json::to_vec(&Part { at, records }).unwrap_or_default();
        Ok(self.0.put(&part_key(system, number), json.into()).await?)
    }

    /// Since when a system is compared at night; now, when it has not been until now.
    pub(super) async fn since(
        &self,
        system: &SystemName,
        now: Timestamp,
    ) -> Result<Timestamp, ReconcileError> {
        let key = format!("{system}.since");
        let stored = self.0.get(&key).await?;
        let stored = stored.and_then(|bytes| str::from_utf8(&bytes).ok()?.parse::<i64>().ok());
        let since = stored.and_then(|since| Timestamp::from_millisecond(since).ok());
        if let Some(since) = since {
            return Ok(since);
        }
        self.0.put(&key, now.as_millisecond().to_string().into()).await?;
        Ok(now)
    }
}

fn prefix(system: &SystemName, what: &str) -> String {
    format!("{system}.{what}.")
}

fn part_key(system: &SystemName, number: usize) -> String {
    format!("{}{number}", prefix(system, "versions"))
}

fn agreed((local_id, version, revision, day): (String, u64, u64, u32)) -> Option<(LocalId, Agreed)> {
    let agreed = Agreed {
        version: version.into(),
        revision: Revision::new(revision),
        day,
    };
    Some((local_id.parse().ok()?, agreed))
}

pub(super) fn since_1970(at: SystemTime) -> u128 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(version: &str, revision: u64, day: u32) -> Agreed {
        Agreed {
            version: RecordVersion::of(version),
            revision: Revision::new(revision),
            day,
        }
    }

    #[test]
    fn a_record_is_read_again_after_some_days_and_not_all_of_them_at_once() {
        let before = agreed("monday", 3, 20_000);
        let ids: Vec<LocalId> = (0..1_000).map(|id| id.to_string().parse().unwrap()).collect();
        let trusted = |after: u32| {
            let now = agreed("monday", 3, 20_000 + after);
            ids.iter().filter(|id| before.holds(id, &now)).count()
        };
        assert_eq!((trusted(0), trusted(SHORTEST_TRUST - 1)), (1_000, 1_000));
        assert_eq!(trusted(LONGEST_TRUST), 0);
        for day in SHORTEST_TRUST..=LONGEST_TRUST {
            let read = trusted(day - 1) - trusted(day);
            assert!((80..=220).contains(&read), "{read} on day {day}");
        }
    }

    #[test]
    fn a_record_is_read_again_when_it_or_its_patient_changed_or_the_clock_went_back() {
        let id: LocalId = "1".parse().unwrap();
        let before = agreed("monday", 3, 20_000);
        assert!(before.holds(&id, &agreed("monday", 3, 20_001)));
        for now in [
            agreed("tuesday", 3, 20_001),
            agreed("monday", 4, 20_001),
            agreed("monday", 3, 19_999),
        ] {
            assert!(!before.holds(&id, &now));
        }
    }
}
