//! Reading what is there: the current state of a patient, one patient's history, everything from a point on.
//!
//! State and history are requests to the store ("direct get", NATS ADR-31) that leave nothing behind in the server: no
//! consumer, no state; any number may run at once. In a cluster the answer may come from a replica that is a moment
//! behind; the expected sequence of an append guards against acting on it. A replay is a follower that ends: it is
//! twice as fast, and has a consumer in the server while it lasts.

use super::{Log, Stored, follow};
use crate::{Cause, records::ReadError};
use archwire_core::{PatientId, Subject, SystemName};
use futures_util::{Stream, StreamExt, TryFutureExt, TryStreamExt};

/// Which records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Everything that the log holds.
    Everything,
    /// Events of patients.
    Events,
    /// Events of one patient.
    Patient(PatientId),
    /// What systems were seen to hold, and how deliveries to them ended.
    Sightings {
        /// Of this system; of all where it is `None`.
        system: Option<SystemName>,
        /// Of this patient; of all where it is `None`.
        patient: Option<PatientId>,
    },
}

impl Log {
    /// The last event of a patient, which holds the current state; `None` when the bus does not know the patient.
    ///
    /// # Errors
    /// When the server cannot be asked.
    #[tracing::instrument(name = "log.last", level = "debug", skip_all)]
    pub async fn last(&self, patient: PatientId) -> Result<Option<Stored>, ReadError> {
        self.last_of(&Subject::Patient(patient)).await
    }

    /// The last record of a subject.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn last_of(&self, subject: &Subject) -> Result<Option<Stored>, ReadError> {
        let subject = subject.name(&self.inner.practice);
        let last = self.inner.records.last(&subject).await?;
        Ok(last.and_then(|raw| Stored::from_raw(&self.inner.practice, raw)))
    }

    /// The sequence of the log's last record; 0 when there is none.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn last_sequence(&self) -> Result<u64, ReadError> {
        let info = self.inner.records.stream.get_info().await;
        let info = info.map_err(|error| ReadError::Unavailable {
            source: Cause::new(error),
        })?;
        Ok(info.state.last_sequence)
    }

    /// The events of a patient behind `after`, oldest first; 0 for all of them. Ends at the last one.
    ///
    /// Ends after the first error.
    pub fn history(
        &self,
        patient: PatientId,
        after: u64,
    ) -> impl Stream<Item = Result<Stored, ReadError>> + Send + use<> {
        self.history_in_steps(patient, after, u32::MAX)
    }

    /// The same, with so many events asked for at a time: for who takes a page of a long history.
    pub fn history_in_steps(
        &self,
        patient: PatientId,
        after: u64,
        step: u32,
    ) -> impl Stream<Item = Result<Stored, ReadError>> + Send + use<> {
        let subject = Subject::Patient(patient).name(&self.inner.practice);
        let practice = self.inner.practice.clone();
        let records = self
            .inner
            .records
            .read_in_steps(subject, after.saturating_add(1), step);
        records.try_filter_map(move |raw| std::future::ready(Ok(Stored::from_raw(&practice, raw))))
    }

    /// The records from sequence `from` on, oldest first. Ends at what is the last one when the reading begins.
    ///
    /// Ends after the first error, which can only come instead of the first record; from then on a server that cannot
    /// be reached is waited for. At least 50,000 records a second.
    pub fn replay(
        &self,
        from: u64,
        filter: Filter,
    ) -> impl Stream<Item = Result<Stored, ReadError>> + Send + use<> {
        let (log, subject) = (self.clone(), filter.subject(self));
        let opened = async move {
            let last = log
                .inner
                .records
                .last(&subject)
                .await?
                .map_or(0, |raw| raw.sequence);
            let after = from.saturating_sub(1);
            Ok(follow::records(&log, subject, after, Some(last)).map(Ok))
        };
        opened.try_flatten_stream()
    }
}

impl Filter {
    pub(super) fn subject(self, log: &Log) -> String {
        let practice = &log.inner.practice;
        match self {
            Self::Everything => Subject::everything(practice),
            Self::Events => Subject::all_patients(practice),
            Self::Patient(patient) => Subject::Patient(patient).name(practice),
            Self::Sightings { system, patient } => Subject::sightings(practice, system.as_ref(), patient),
        }
    }
}
