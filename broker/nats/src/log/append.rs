//! Appending to the log: a record, and what has to hold for it to be taken.

use super::Log;
use crate::{
    Fence,
    records::{AppendError, Appended, CloudEvent, Guard, Outgoing},
};
use archwire_core::Subject;
use bytes::Bytes;
use std::fmt;

/// A record to be appended.
#[derive(Clone)]
pub struct Entry {
    /// Where it is filed.
    pub subject: Subject,
    /// What it is.
    pub attributes: CloudEvent,
    /// What has to hold for it to be taken.
    pub expected: Expected,
    /// The record, stored as it is.
    pub payload: Bytes,
}

impl fmt::Debug for Entry {
    /// The payload is about a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            attributes,
            expected,
            payload,
        } = self;
        write!(
            f,
            "Entry({subject:?}, {attributes:?}, {expected:?}, {} bytes)",
            payload.len()
        )
    }
}

/// What has to hold for the append to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever there is.
    Anything,
    /// No record of the subject.
    Nothing,
    /// The last record of the subject is the one with this sequence.
    Sequence(u64),
    /// The broker that appends is still the writer of the log, whatever there is of the subject. In a cluster such
    /// appends are made one at a time, because it takes no more.
    Writer(Fence),
}

impl Log {
    /// Appends a record. Success means that it is stored, and flushed where the server promises that.
    ///
    /// Takes at most the configuration's `append_timeout`. Dropping the future leaves open whether the record is
    /// stored.
    ///
    /// # Errors
    /// When it is not stored, or when that is unknown: see [`AppendError`].
    pub async fn append(&self, entry: Entry) -> Result<Appended, AppendError> {
        self.append_with(entry, None).await
    }

    /// The same, with what was asked for beside it: see [`Stored::requests`](super::Stored::requests).
    ///
    /// # Errors
    /// As [`Log::append`]; also when that is not visible ASCII.
    #[tracing::instrument(name = "log.append", level = "debug", skip_all)]
    pub async fn append_with(&self, entry: Entry, requests: Option<String>) -> Result<Appended, AppendError> {
        let Entry {
            subject,
            attributes,
            expected,
            payload,
        } = entry;
        let practice = &self.inner.practice;
        let guard = match expected {
            Expected::Anything => Guard::Nothing,
            Expected::Nothing => Guard::Own(0),
            Expected::Sequence(sequence) => Guard::Own(sequence),
            Expected::Writer(fence) => Guard::Other {
                subject: Subject::Writer.name(practice),
                sequence: fence.sequence(),
            },
        };
        let subject = subject.name(practice);
        self.inner
            .records
            .append(Outgoing {
                subject,
                attributes,
                requests,
                guard,
                payload,
            })
            .await
    }
}
