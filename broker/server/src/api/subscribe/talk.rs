//! What a vendor says in its stream, and what follows from it.

use super::{
    argument,
    credit::Credit,
    held::{LONGEST_DELAY, SHORTEST_DELAY, USUAL_DELAY},
    progress::Progress,
};
use crate::{
    api::status::{invalid, refuse},
    wire::WireError,
};
use archwire_proto::v1::{
    Ack, Credit as Allowed, Nack, SubscribeRequest, ack::What, subscribe_request::Request,
};
use std::time::Duration;
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};

/// What follows from a request.
pub(super) enum Heeded {
    GoOn,
    /// The vendor does not want the subscription any more.
    Forget,
}

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

    /// Does what the vendor asks for.
    pub(super) fn heed(&mut self, request: SubscribeRequest) -> Result<Heeded, Status> {
        match request.request {
            Some(Request::Credit(Allowed { events })) => self.credit.grant(events)?,
            Some(Request::Ack(Ack { what })) => match what {
                Some(What::Through(sequence)) => self.progress.acknowledge_through(sequence)?,
                Some(What::Only(sequence)) => self.progress.acknowledge_only(sequence)?,
                None => return Err(invalid(&WireError::Missing("ack.what"))),
            },
            Some(Request::Nack(nack)) => self.refuse(&nack)?,
            Some(Request::Forget(_)) => return Ok(Heeded::Forget),
            Some(Request::Open(_)) => {
                return Err(refuse(
                    Code::InvalidArgument,
                    "open_twice",
                    "`open` comes first, once",
                ));
            }
            None => return Err(invalid(&WireError::Missing("request"))),
        }
        Ok(Heeded::GoOn)
    }

    /// The vendor cannot take an event now.
    fn refuse(&mut self, nack: &Nack) -> Result<(), Status> {
        let delay = match nack.delay {
            None => USUAL_DELAY,
            Some(delay) => Duration::try_from(delay)
                .ok()
                .filter(|delay| *delay <= LONGEST_DELAY)
                .map(|delay| delay.max(SHORTEST_DELAY))
                .ok_or_else(|| argument("nack.delay", "`nack.delay` must be 0 to 3,600 s"))?,
        };
        self.progress.refuse(nack.sequence, Instant::now() + delay)
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
