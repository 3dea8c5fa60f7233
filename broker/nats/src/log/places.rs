//! Places in the log: where it ends, what stands at one, and where a time begins.

use super::{Filter, Log, Stored};
use crate::records::ReadError;
use archwire_core::Subject;
use std::time::SystemTime;

impl Log {
    /// The sequence of the last event of a patient; 0 when there is none yet.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn last_event(&self) -> Result<u64, ReadError> {
        let events = Filter::Events.subject(self);
        let last = self.inner.records.last(&events).await?;
        Ok(last.map_or(0, |raw| raw.sequence))
    }

    /// The record at a place; `None` when there is none, or none of ours.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn at(&self, sequence: u64) -> Result<Option<Stored>, ReadError> {
        let everything = Subject::everything(&self.inner.practice);
        let found = self.inner.records.first(&everything, sequence.max(1)).await?;
        let found = found.filter(|raw| raw.sequence == sequence);
        Ok(found.and_then(|raw| Stored::from_raw(&self.inner.practice, raw)))
    }

    /// The last place before the first event that was stored at this time or later: 0 when that is the first one, the last
    /// event's when there is none. Asks for about as many events as their number has binary digits.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn before(&self, time: SystemTime) -> Result<u64, ReadError> {
        let events = Filter::Events.subject(self);
        let (mut earlier, mut later) = (0, self.last_event().await?.saturating_add(1));
        // Events up to `earlier` are earlier, those from `later` on are not, as the server counts its time forward.
        while later - earlier > 1 {
            let middle = earlier + (later - earlier) / 2;
            match self.inner.records.first(&events, middle).await? {
                Some(raw) if raw.sequence < later && raw.time < time => earlier = raw.sequence,
                // Between the middle and that one there is no event.
                _ => later = middle,
            }
        }
        Ok(earlier)
    }
}
