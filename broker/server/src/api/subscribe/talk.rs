//! What a vendor says in its stream, and what follows from it.

use super::{
    argument,
    credit::Credit,
    held::{LONGEST_DELAY, MOST_KEPT, USUAL_DELAY},
    progress::Progress,
};
use crate::{
    api::status::{come_again, invalid, refuse, unreadable},
    wire::WireError,
};
use archwire_core::{PatientId, Subject};
use archwire_nats::Log;
use archwire_proto::v1::{Nack, SubscribeRequest, subscribe_request::Request};
use futures_util::StreamExt as _;
use std::{pin::pin, time::Duration};
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};

/// How long nothing may come until a heartbeat does, where the vendor does not say.
const USUAL_SILENCE: Duration = Duration::from_secs(15);
const SHORTEST_SILENCE: Duration = Duration::from_secs(1);
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

/// One side of the conversation, and what is agreed so far.
pub(super) struct Talk {
    pub(super) requests: Streaming<SubscribeRequest>,
    pub(super) credit: Credit,
    pub(super) progress: Progress,
    silence: Duration,
    said_at: Instant,
}

impl Talk {
    pub(super) fn new(requests: Streaming<SubscribeRequest>, progress: Progress, silence: Duration) -> Self {
        Self {
            requests,
            credit: Credit::default(),
            progress,
            silence,
            said_at: Instant::now(),
        }
    }

    /// The bus says something.
    pub(super) fn says(&mut self) {
        self.said_at = Instant::now();
    }

    /// When the bus has been silent for as long as it may.
    pub(super) fn heartbeat_at(&self) -> Instant {
        self.said_at + self.silence
    }

    /// Does what the vendor asks for. Not to be broken off: what is half done would be lost.
    pub(super) async fn heed(&mut self, request: SubscribeRequest, log: &Log) -> Result<(), Status> {
        match request.request {
            Some(Request::Credit(credit)) => self.credit.grant(credit),
            Some(Request::Ack(sequence)) => self.progress.acknowledge(sequence),
            Some(Request::Nack(nack)) => self.refuse(&nack, log).await,
            Some(Request::Open(_)) => Err(refuse(
                Code::InvalidArgument,
                "open_twice",
                "`open` comes first, once",
            )),
            None => Err(invalid(&WireError::Missing("request"))),
        }
    }

    /// The vendor cannot take an event now.
    async fn refuse(&mut self, nack: &Nack, log: &Log) -> Result<(), Status> {
        let delay = match nack.delay {
            None => USUAL_DELAY,
            Some(delay) => Duration::try_from(delay)
                .ok()
                .filter(|delay| *delay <= LONGEST_DELAY)
                .ok_or_else(|| argument("nack.delay", "`nack.delay` must be 0 to 3,600 s"))?,
        };
        if !self.progress.may_refuse(nack.sequence)? {
            return Ok(());
        }
        let refused = log.at(nack.sequence).await.map_err(|error| unreadable(&error))?;
        let patient = match refused.map(|stored| stored.subject) {
            Some(Subject::Patient(patient)) => patient,
            // Nothing that was ever sent.
            Some(_) => return Ok(()),
            None => return Err(unread()),
        };
        let sequences = self.sent_since(nack.sequence, patient, log).await?;
        let due = Instant::now() + delay;
        let held = self.progress.held.refuse(patient, sequences, due);
        held.map_err(|error| come_again(Code::ResourceExhausted, "nacks_full", error.to_string(), delay))
    }

    /// A refused event, and the later ones of its patient that were looked at.
    async fn sent_since(&self, refused: u64, patient: PatientId, log: &Log) -> Result<Vec<u64>, Status> {
        let through = self.progress.considered();
        let mut sequences = Vec::new();
        let mut history = pin!(log.history(patient, refused.saturating_sub(1)));
        while let Some(stored) = history.next().await {
            let sequence = stored.map_err(|error| unreadable(&error))?.sequence;
            if sequence > through || sequences.len() > MOST_KEPT {
                break;
            }
            sequences.push(sequence);
        }
        // Whoever answered may be a moment behind; then the stream begins again where nothing is done yet.
        match sequences.first() == Some(&refused) {
            true => Ok(sequences),
            false => Err(unread()),
        }
    }
}

/// How long nothing may come until a heartbeat does.
pub(super) fn heartbeat(said: Option<&prost_types::Duration>) -> Result<Duration, Status> {
    let Some(said) = said else {
        return Ok(USUAL_SILENCE);
    };
    Duration::try_from(*said)
        .ok()
        .filter(|silence| (SHORTEST_SILENCE..=LONGEST_SILENCE).contains(silence))
        .ok_or_else(|| argument("open.heartbeat", "`open.heartbeat` must be 1 to 300 s"))
}

/// An event that was sent cannot be read again.
pub(super) fn unread() -> Status {
    refuse(
        Code::Unavailable,
        "log_unavailable",
        "an event that was sent cannot be read again now; try again",
    )
}
