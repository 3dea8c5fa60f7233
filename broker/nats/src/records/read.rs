//! Reading what is there of a subject, by requests to the store ("direct get", NATS ADR-31).

use super::{
    Records,
    batch::{Batch, Request},
};
use crate::Cause;
use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::{Stream, stream};
use std::time::SystemTime;

/// A record as the server hands it out.
pub(crate) struct Raw {
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) sequence: u64,
    /// When the server stored it.
    pub(crate) time: SystemTime,
    pub(crate) payload: Bytes,
}

impl Raw {
    /// Whether it is the record with this CloudEvents `id`.
    pub(crate) fn is(&self, id: &str) -> bool {
        self.headers
            .get("ce-id")
            .is_some_and(|found| found.as_str() == id)
    }
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

impl Records {
    /// The last record of `subject`, or of all that match it.
    pub(crate) async fn last(&self, subject: &str) -> Result<Option<Raw>, ReadError> {
        Ok(self.request(Request::last(subject)).await?.records.pop_front())
    }

    /// The first record of `subject`, or of all that match it, from sequence `from` on.
    pub(crate) async fn first(&self, subject: &str, from: u64) -> Result<Option<Raw>, ReadError> {
        Ok(self
            .request(Request::first(subject, from))
            .await?
            .records
            .pop_front())
    }

    /// The records of `subject` from sequence `from` on, oldest first. Ends at the last one, or after an error.
    pub(crate) fn read(
        &self,
        subject: String,
        from: u64,
    ) -> impl Stream<Item = Result<Raw, ReadError>> + Send + use<> {
        self.read_in_steps(subject, from, u32::MAX)
    }

    /// The same, with at most `step` records asked for at a time.
    pub(crate) fn read_in_steps(
        &self,
        subject: String,
        from: u64,
        step: u32,
    ) -> impl Stream<Item = Result<Raw, ReadError>> + Send + use<> {
        let reading = Reading {
            records: self.clone(),
            subject,
            step: step.max(1),
            next: from.max(1),
            batch: Batch::default(),
            ended: false,
        };
        stream::unfold(reading, |mut reading| async {
            let item = reading.advance().await.transpose()?;
            reading.ended |= item.is_err();
            Some((item, reading))
        })
    }
}

/// A reading under way.
struct Reading {
    records: Records,
    subject: String,
    /// Most records that are asked for at a time.
    step: u32,
    /// The sequence from which the next batch is asked for.
    next: u64,
    batch: Batch,
    ended: bool,
}

impl Reading {
    async fn advance(&mut self) -> Result<Option<Raw>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        loop {
            if let Some(raw) = self.batch.records.pop_front() {
                return Ok(Some(raw));
            }
            if self.batch.complete {
                return Ok(None);
            }
            self.batch = self
                .records
                .request(Request::some(&self.subject, self.next, self.step))
                .await?;
            self.next = self.batch.next.max(self.next);
        }
    }
}
