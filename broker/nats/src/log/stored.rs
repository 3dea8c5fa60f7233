//! A record as the log holds it.

use crate::records::{REQUESTS, Raw, TRACEPARENT};
use archwire_core::{PracticeName, Subject};
use async_nats::HeaderMap;
use bytes::Bytes;
use std::{fmt, time::SystemTime};

/// A record of the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the log, from 1.
    pub sequence: u64,
    /// Where it is filed.
    pub subject: Subject,
    /// CloudEvents `id`.
    pub id: String,
    /// CloudEvents `type`.
    pub kind: String,
    /// When the server stored it.
    pub time: SystemTime,
    /// In which span it was made (W3C Trace Context), where traces were collected then. As it was written: whoever reads
    /// it has to look whether it is one.
    pub traceparent: Option<String>,
    /// Which requests are answered by it, as whoever appended it wrote them. No part of the record: whoever is told of the record
    /// is not told of them.
    pub requests: Option<String>,
    /// The record, as it came.
    pub payload: Bytes,
}

impl fmt::Debug for Stored {
    /// The payload is about a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sequence,
            subject,
            kind,
            payload,
            ..
        } = self;
        write!(
            f,
            "Stored({sequence}, {subject:?}, {kind}, {} bytes)",
            payload.len()
        )
    }
}

impl Stored {
    pub(super) fn from_raw(practice: &PracticeName, raw: Raw) -> Option<Self> {
        Self::read(
            practice,
            &raw.subject,
            &raw.headers,
            raw.sequence,
            raw.time,
            raw.payload,
        )
    }

    /// Takes a message for a record; `None`, and an error in the log, when it is none of ours.
    ///
    /// Records cannot be removed, so one that some other program or a newer Archwire wrote must not stop the reading
    /// of all that follow it. It is not lost: it stays where it is.
    pub(super) fn read(
        practice: &PracticeName,
        subject: &str,
        headers: &HeaderMap,
        sequence: u64,
        time: SystemTime,
        payload: Bytes,
    ) -> Option<Self> {
        let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        let parsed = Subject::parse(subject, practice).ok();
        match (parsed, header("ce-id"), header("ce-type")) {
            (Some(subject), Some(id), Some(kind)) => Some(Self {
                sequence,
                subject,
                id,
                kind,
                time,
                traceparent: header(TRACEPARENT),
                requests: header(REQUESTS),
                payload,
            }),
            _ => {
                tracing::error!(
                    sequence,
                    "the log holds a record that this version does not know; it is passed over"
                );
                None
            }
        }
    }
}
