//! Many records with one request: NATS ADR-31, "batched direct get", of which the client library does not know yet.
//!
//! The request names a subject filter, the sequence to begin at and how much at most; the server answers with one
//! message a record, each naming the sequence of the one before it, and closes with an empty message of status 204.
//! Bounds: 1,024 records or 4 MiB a batch, whichever comes first, and one record more. An answer that stays away for
//! 5 s, or that the connection loses, is asked for again, three times.

use super::{Raw, ReadError, Records};
use crate::{Cause, connection::Wire};
use async_nats::{HeaderMap, Message, StatusCode, Subscriber};
use futures_util::StreamExt;
use serde::Serialize;
use std::{collections::VecDeque, time::Duration, time::SystemTime};

const MOST_RECORDS: u32 = 1024;
const MOST_BYTES: u32 = 4 * 1024 * 1024;
const LONGEST_SILENCE: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 4;
const END_OF_BATCH: u16 = 204;

/// What is asked for.
#[derive(Serialize)]
pub(crate) struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_by_subj: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_by_subj: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<u32>,
}

impl<'a> Request<'a> {
    /// The records that match `subject`, from sequence `seq` on.
    pub(crate) fn from(subject: &'a str, seq: u64) -> Self {
        let (batch, max_bytes) = (Some(MOST_RECORDS), Some(MOST_BYTES));
        Self {
            seq: Some(seq),
            next_by_subj: Some(subject),
            last_by_subj: None,
            batch,
            max_bytes,
        }
    }

    /// At most `batch` records that match `subject`, from sequence `seq` on.
    pub(crate) fn some(subject: &'a str, seq: u64, batch: u32) -> Self {
        let batch = Some(batch.min(MOST_RECORDS));
        Self {
            batch,
            ..Self::from(subject, seq)
        }
    }

    /// The first record of `subject` from sequence `seq` on.
    pub(crate) fn first(subject: &'a str, seq: u64) -> Self {
        Self {
            seq: Some(seq),
            next_by_subj: Some(subject),
            last_by_subj: None,
            batch: None,
            max_bytes: None,
        }
    }

    /// The last record of `subject`.
    pub(crate) fn last(subject: &'a str) -> Self {
        Self {
            seq: None,
            next_by_subj: None,
            last_by_subj: Some(subject),
            batch: None,
            max_bytes: None,
        }
    }
}

/// What came.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) records: VecDeque<Raw>,
    /// The sequence to go on from.
    pub(crate) next: u64,
    /// Whether there was no more.
    pub(crate) complete: bool,
    /// The sequence of the last record; 0 when there was none.
    pub(crate) last: u64,
}

/// One message of an answer.
enum Part {
    Record,
    End {
        /// How many more there are.
        pending: u64,
        /// The sequence of the last record of the answer.
        last: u64,
    },
    Nothing,
}

impl Records {
    /// Asks, and takes the whole answer.
    pub(crate) async fn request(&self, request: Request<'_>) -> Result<Batch, ReadError> {
        let body = written(&request)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.once(&body, request.batch.is_some()).await {
                Err(ReadError::Unavailable { source }) if attempt < ATTEMPTS => {
                    tracing::warn!(%source, attempt, "a read is repeated");
                }
                outcome => return outcome,
            }
        }
    }

    async fn once(&self, body: &[u8], many: bool) -> Result<Batch, ReadError> {
        let connection = &self.connection;
        tokio::time::timeout(LONGEST_SILENCE, connection.connected())
            .await
            .map_err(unavailable)?;
        let mut wire = connection.wire();
        let inbox = connection.client.new_inbox();
        let answers = connection.client.subscribe(inbox.clone()).await;
        let mut answers = answers.map_err(unavailable)?;
        let subject = format!("$JS.API.DIRECT.GET.{}", self.stream.cached_info().config.name);
        let sent = connection
            .client
            .publish_with_reply(subject, inbox, body.to_vec().into())
            .await;
        sent.map_err(unavailable)?;
        let mut batch = Batch::default();
        loop {
            let message = next(&mut answers, &mut wire).await?;
            match part(&message)? {
                Part::Record => {
                    let raw = record(message, batch.last)?;
                    batch.last = raw.sequence;
                    batch.next = raw.sequence.saturating_add(1);
                    batch.records.push_back(raw);
                }
                Part::End { last, .. } if last != batch.last => return Err(lost()),
                Part::End { pending, .. } => {
                    batch.complete = pending == 0;
                    return Ok(batch);
                }
                Part::Nothing => {
                    batch.complete = true;
                    return Ok(batch);
                }
            }
            if !many {
                return Ok(batch);
            }
        }
    }
}

async fn next(answers: &mut Subscriber, wire: &mut Wire) -> Result<Message, ReadError> {
    let message = tokio::select! {
        message = tokio::time::timeout(LONGEST_SILENCE, answers.next()) => message,
        () = wire.made_anew() => return Err(unavailable("the connection was lost")),
    };
    let message = message.map_err(unavailable)?;
    message.ok_or_else(|| unavailable("the connection is closed"))
}

fn written(request: &Request<'_>) -> Result<Vec<u8>, ReadError> {
    serde_json::to_vec(request).map_err(|_| ReadError::Answer {
        what: "the request cannot be written",
    })
}

fn unavailable(error: impl std::fmt::Display) -> ReadError {
    ReadError::Unavailable {
        source: Cause::new(error),
    }
}

/// An answer of which not everything arrived; it is asked for again.
fn lost() -> ReadError {
    unavailable("a record of the answer got lost")
}

fn part(message: &Message) -> Result<Part, ReadError> {
    match message.status {
        None => Ok(Part::Record),
        Some(StatusCode::NOT_FOUND) => Ok(Part::Nothing),
        Some(StatusCode::NO_RESPONDERS) => Err(ReadError::Unavailable {
            source: Cause::new("no server serves the log"),
        }),
        Some(status) if status.as_u16() == END_OF_BATCH => {
            let headers = message.headers.as_ref().ok_or(ReadError::Answer {
                what: "an end without headers",
            })?;
            Ok(Part::End {
                pending: number(headers, "Nats-Num-Pending")?,
                last: number(headers, "Nats-Last-Sequence")?,
            })
        }
        Some(_) => Err(ReadError::Answer {
            what: "an unknown status",
        }),
    }
}

/// The record in a message, of which the one before it in the same answer had the sequence `last`.
fn record(message: Message, last: u64) -> Result<Raw, ReadError> {
    let headers = message.headers.ok_or(ReadError::Answer {
        what: "a record without headers",
    })?;
    let sequence = number(&headers, "Nats-Sequence")?;
    // A batch says of each record which one came before it: one that got lost on the way shows.
    let before = headers
        .get("Nats-Last-Sequence")
        .map(|_| number(&headers, "Nats-Last-Sequence"))
        .transpose()?;
    if before.is_some_and(|before| before != last) {
        return Err(lost());
    }
    let subject = headers.get("Nats-Subject").ok_or(ReadError::Answer {
        what: "a record without subject",
    })?;
    let (subject, time) = (subject.as_str().to_owned(), time(&headers)?);
    Ok(Raw {
        subject,
        headers,
        sequence,
        time,
        payload: message.payload,
    })
}

fn number(headers: &HeaderMap, name: &str) -> Result<u64, ReadError> {
    let value = headers.get(name).and_then(|value| value.as_str().parse().ok());
    value.ok_or(ReadError::Answer {
        what: "a number is missing",
    })
}

fn time(headers: &HeaderMap) -> Result<SystemTime, ReadError> {
    let value = headers
        .get("Nats-Time-Stamp")
        .and_then(|value| value.as_str().parse::<jiff::Timestamp>().ok());
    value.map(SystemTime::from).ok_or(ReadError::Answer {
        what: "a time is missing",
    })
}
