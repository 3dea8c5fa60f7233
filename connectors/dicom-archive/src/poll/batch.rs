//! What one call reads, and how much that may be.

use crate::archive::{Archive, Place};
use crate::file::Taken;
use crate::json::Dataset;
use crate::observed;
use crate::record::Record;
use crate::records;
use crate::uid::Uid;
use archwire_connector::{Disposition, ImageObservation, Observation};
use std::collections::BTreeMap;
use std::time::Duration;

/// Images of one call.
pub(super) const MOST_IMAGES: usize = 60;
/// Bytes of one call; the last image may go beyond.
pub(super) const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Time of one call; the last image may go beyond.
pub(super) const MOST_TIME: Duration = Duration::from_secs(20);
/// Patients of one call: each costs 1 to 11 requests.
pub(super) const MOST_RECORDS: usize = 12;
/// Requests of one call but those for patients; the host allows 256 in all.
const MOST_REQUESTS: u32 = 110;
/// What a call has read so far.
pub(super) struct Batch {
    pub(super) images: Vec<ImageObservation>,
    pub(super) records: BTreeMap<Record, Uid>,
    pub(super) bytes: u64,
    pub(super) until_ms: u64,
}

impl Batch {
    pub(super) fn new(now_ms: u64) -> Self {
        let time = u64::try_from(MOST_TIME.as_millis()).unwrap_or(u64::MAX);
        Self {
            images: Vec::new(),
            records: BTreeMap::new(),
            bytes: 0,
            until_ms: now_ms.saturating_add(time),
        }
    }

    pub(super) fn is_full(&self, archive: &Archive<'_>) -> bool {
        self.images.len() >= MOST_IMAGES
            || self.bytes >= MOST_BYTES
            || self.records.len() >= MOST_RECORDS
            || archive.asked() >= MOST_REQUESTS
            || archive.host.now_ms() >= self.until_ms
    }

    /// Takes an image in. One that is not there any more has nothing to say.
    pub(super) fn add(&mut self, taken: Option<Taken>, image: &Dataset, place: &Place) {
        let Some(taken) = taken else { return };
        self.bytes += taken.moved;
        let record = observed::record(image, &taken, place);
        self.images.push(observed::observation(&record, &taken, place));
        self.records.entry(record).or_insert_with(|| place.study.clone());
    }

    /// The patients of the images.
    pub(super) fn observations(&self, archive: &Archive<'_>) -> Result<Vec<Observation>, Disposition> {
        let mut observations = Vec::new();
        for (record, study) in &self.records {
            let read = records::read_with(archive, record, study)?;
            // A study that was removed a moment ago; what it had is still told, and waits for a person.
            observations.extend(read);
        }
        Ok(observations)
    }
}
