//! Reading what is there: the current state of a patient, one patient's history, everything from a point on.
//!
//! State and history are requests to the store ("direct get", NATS ADR-31) that leave nothing behind in the server: no
//! consumer, no state; any number may run at once. In a cluster the answer may come from a replica that is a moment
//! behind; the expected sequence of an append guards against acting on it. A replay is a follower that ends: it is
//! twice as fast, and has a consumer in the server while it lasts.

use super::{
    Log, Stored,
    batch::{self, Batch},
    follow,
};
use crate::Cause;
use archwire_core::{PatientId, Subject};
use futures_util::{Stream, StreamExt, TryFutureExt, stream};

/// Which records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Events and sightings.
    Everything,
    /// Events of patients.
    Events,
}

/// A record that cannot be read now.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The server does not answer, after several attempts.
    #[error("the NATS server does not answer")]
    Unavailable {
        /// What happened instead.
        source: Cause,
    },
    /// The server answers something else than it should.
    #[error("the NATS server's answer cannot be understood: {what}")]
    Answer {
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ReadError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "log_unavailable",
            Self::Answer { .. } => "log_answer_invalid",
        }
    }
}

impl Log {
    /// The last event of a patient, which holds the current state; `None` when the bus does not know the patient.
    ///
    /// # Errors
    /// When the server cannot be asked.
    #[tracing::instrument(name = "log.last", level = "debug", skip_all)]
    pub async fn last(&self, patient: PatientId) -> Result<Option<Stored>, ReadError> {
        let subject = Subject::Patient(patient).name(&self.inner.practice);
        let mut answered = batch::request(self, batch::Request::last(&subject)).await?;
        Ok(answered.records.pop_front())
    }

    /// The sequence of the log's last record; 0 when there is none.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn last_sequence(&self) -> Result<u64, ReadError> {
        let info = self.inner.stream.get_info().await;
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
        let subject = Subject::Patient(patient).name(&self.inner.practice);
        records(Reading {
            log: self.clone(),
            subject,
            next: after.saturating_add(1),
            batch: Batch::default(),
            ended: false,
        })
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
            let last = batch::request(&log, batch::Request::last(&subject)).await?.last;
            let after = from.saturating_sub(1);
            Ok(follow::records(&log, subject, after, Some(last)).map(Ok))
        };
        opened.try_flatten_stream()
    }
}

impl Filter {
    pub(super) fn subject(self, log: &Log) -> String {
        match self {
            Self::Everything => Subject::everything(&log.inner.practice),
            Self::Events => Subject::all_patients(&log.inner.practice),
        }
    }
}

/// A reading under way.
struct Reading {
    log: Log,
    subject: String,
    /// The sequence from which the next batch is asked for.
    next: u64,
    batch: Batch,
    ended: bool,
}

fn records(reading: Reading) -> impl Stream<Item = Result<Stored, ReadError>> + Send {
    stream::unfold(reading, |mut reading| async {
        let item = reading.advance().await.transpose()?;
        reading.ended |= item.is_err();
        Some((item, reading))
    })
}

impl Reading {
    async fn advance(&mut self) -> Result<Option<Stored>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        loop {
            if let Some(stored) = self.batch.records.pop_front() {
                return Ok(Some(stored));
            }
            if self.batch.complete {
                return Ok(None);
            }
            self.batch = batch::request(&self.log, batch::Request::from(&self.subject, self.next)).await?;
            self.next = self.batch.next.max(self.next);
        }
    }
}
