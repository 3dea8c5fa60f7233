//! Places in the log: where it ends, what stands at one, and where a time begins.

use super::{Filter, Log, Stored};
use crate::records::{Raw, ReadError};
use archwire_core::{PatientId, Subject};
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
        let (events, last) = (Filter::Events.subject(self), self.last_event().await?);
        // The server counts its time forward.
        let earlier = self.last_where(&events, last, |raw| raw.time < time).await?;
        Ok(earlier.map_or(0, |raw| raw.sequence))
    }

    /// The last of a patient's events, up to the place `last`, whose payload is as asked for. Those that are so have to come
    /// before all that are not. Asks for about as many events as `last` has binary digits.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn last_of_patient_where(
        &self,
        patient: PatientId,
        last: u64,
        is_so: impl Fn(&[u8]) -> bool + Send + Sync,
    ) -> Result<Option<Stored>, ReadError> {
        let events = Subject::Patient(patient).name(&self.inner.practice);
        let found = self.last_where(&events, last, |raw| is_so(&raw.payload)).await?;
        Ok(found.and_then(|raw| Stored::from_raw(&self.inner.practice, raw)))
    }

    async fn last_where(
        &self,
        subject: &str,
        last: u64,
        is_so: impl Fn(&Raw) -> bool + Send + Sync,
    ) -> Result<Option<Raw>, ReadError> {
        let (mut before, mut behind, mut found) = (0, last.saturating_add(1), None);
        // Records up to `before` are so, those from `behind` on are not.
        while behind - before > 1 {
            let middle = before + (behind - before) / 2;
            match self.inner.records.first(subject, middle).await? {
                Some(raw) if raw.sequence < behind && is_so(&raw) => {
                    before = raw.sequence;
                    found = Some(raw);
                }
                // Between the middle and that one there is no record.
                _ => behind = middle,
            }
        }
        Ok(found)
    }
}
