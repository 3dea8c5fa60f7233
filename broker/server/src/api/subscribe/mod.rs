//! `Subscribe`: the log in its own order, as fast as the subscriber grants credit, from where its name stopped.
//!
//! A subscription's position is the place up to which its reader has done everything, kept in the bucket `subscriptions`. What was
//! sent and is not done comes again after a reconnection, in the same order. The position is stored at most 100 ms after an
//! acknowledgement, so that a crash of the broker repeats a little rather than loses anything.
//!
//! | file | what |
//! |---|---|
//! | `positions` | how far each name has come |
//! | `cursor`, `begin` | where a name begins |
//! | `wanted`, `sight` | which events a stream is sent, and what of them |
//! | `credit`, `progress`, `held` | how much may be sent, what is done, what waits because the vendor refused it |
//! | `witness` | whether the log is still the one in which a position or a cursor was given |
//! | `talk`, `line`, `outgoing` | the vendor's end of one stream |
//! | `reader`, `storing` | one stream while it lasts |

mod begin;
mod credit;
mod cursor;
mod held;
mod line;
mod outgoing;
mod positions;
mod progress;
mod reader;
mod sight;
mod storing;
mod talk;
#[cfg(test)]
mod tests;
mod wanted;
mod witness;

use super::status::{invalid, not_audited, refuse, refuse_field, unreadable};
use crate::{
    audit::{Audit, AuditError, Disclosing, Terms},
    registry::Registry,
    vendors::Admitted,
    wire::WireError,
};
use archwire_core::SystemName;
use archwire_nats::{Bucket, BucketError};
use archwire_proto::v1::{
    Open, Opened, SubscribeRequest, SubscribeResponse, subscribe_request::Request,
    subscribe_response::Response,
};
use begin::Beginning;
pub(super) use cursor::{Cursors, Owner};
use futures_util::Stream;
use line::{Line, replaced, stopping};
use outgoing::outgoing;
use positions::{Claim, Key, NotPut, Positions};
use progress::Progress;
use reader::Reader;
use sight::Sight;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use storing::Storing;
use talk::{Talk, heartbeat};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Code, Status, Streaming};
use wanted::Wanted;
use witness::Place;

/// How long a reader waits for the audit.
const AUDIT_PATIENCE: Duration = Duration::from_secs(10);

/// How long a stream may take to say what it wants.
const OPENING: Duration = Duration::from_secs(30);
/// How long a reader waits until the one before it has stored its position.
const SETTLING: Duration = Duration::from_secs(5);

/// The subscriptions of one practice.
pub struct Subscriptions {
    registry: Arc<Registry>,
    positions: Positions,
    cursors: Cursors,
    audit: Audit,
    readers: Mutex<HashMap<Key, (CancellationToken, CancellationToken)>>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Subscriptions {
    /// The subscriptions, whose positions are kept in `positions`, and of which `audit` tells. They end when `shutdown` comes.
    ///
    /// # Errors
    /// When the key of the cursors, which is kept beside the positions, can neither be read nor made.
    pub async fn new(
        registry: Arc<Registry>,
        positions: Bucket,
        audit: Audit,
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>, BucketError> {
        Ok(Arc::new(Self {
            registry,
            cursors: Cursors::open(&positions).await?,
            positions: Positions::open(positions).await?,
            audit,
            readers: Mutex::default(),
            tasks: TaskTracker::new(),
            shutdown,
        }))
    }

    /// What vendors are told is written there.
    pub(super) fn audit(&self) -> &Audit {
        &self.audit
    }

    /// What seals cursors, and what else a vendor is given to bring back.
    pub(super) fn cursors(&self) -> &Cursors {
        &self.cursors
    }

    /// Waits until every reader has ended and its position is stored.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Opens a subscription for a vendor.
    pub(super) async fn open(
        self: Arc<Self>,
        admitted: Admitted,
        mut requests: Streaming<SubscribeRequest>,
    ) -> Result<impl Stream<Item = Result<SubscribeResponse, Status>> + Send + use<>, Status> {
        let open = tokio::select! {
            open = timeout(OPENING, first(&mut requests)) => open.unwrap_or_else(|_| Err(late()))?,
            () = self.shutdown.cancelled() => return Err(stopping()),
        };
        let key = Key::of(admitted.vendor(), &open)?;
        let silence = heartbeat(open.heartbeat.as_ref())?;
        let wanted = Wanted::read(open.filter.as_ref())?;
        let sight = Sight::of(&self.registry, &admitted, wanted)?;
        let owner = Owner::of(admitted.vendor());
        let last = self.registry.log().last_event().await;
        let last = last.map_err(|error| unreadable(&error))?;
        let begin = self.begins(&key, &open, &sight, &owner, last).await?;
        let disclosing = self
            .discloses(&sight.terms(), &open.name, begin.place().sequence)
            .await?;
        // Whoever may not be told anything does not end the reader that there is.
        let turn = self.replace_reader(&key).await;
        let (place, claim) = self.claim(&key, admitted.vendor(), begin).await?;
        let after = place.sequence;
        let (mut outgoing, answers) = outgoing();
        let opened = Response::Opened(Opened {
            after,
            last: last.max(after),
            cursor: self.cursors.give(&owner, place),
        });
        // It is new and empty, so this cannot fail.
        _ = outgoing.send(opened);
        let line = Line {
            subscriptions: Arc::clone(&self),
            owner,
            turn,
            admitted,
            talk: Talk::new(requests, Progress::behind(after), silence),
            outgoing,
            witness: place.witness,
            is_told_of_terms: false,
        };
        let reader = Reader {
            subscriptions: Arc::clone(&self),
            name: open.name,
            line,
            sight,
            disclosing,
            store: Storing::new(Arc::clone(&self), key, claim),
            has_new_terms: false,
        };
        self.tasks.spawn(reader.run());
        Ok(answers)
    }

    /// Where a stream begins.
    async fn begins(
        &self,
        key: &Key,
        open: &Open,
        sight: &Sight,
        owner: &Owner,
        last: u64,
    ) -> Result<Begin, Status> {
        let beginning = Beginning {
            registry: &self.registry,
            view: sight.view(),
            cursors: &self.cursors,
            owner,
            last,
        };
        if !open.seen.is_empty() {
            beginning.of_cursor("open.seen", &open.seen).await?;
        }
        let (known, _) = self.positions.get(key).await?;
        match known.filter(|_| !open.reset) {
            Some(position) => {
                let position = position.is_of(self.registry.log(), "open").await;
                position.map(Begin::Behind)
            }
            None => beginning.place(open.start.as_ref()).await.map(Begin::Anew),
        }
    }

    /// Makes a subscription this reader's: whoever had it before can store nothing of it any more.
    async fn claim(&self, key: &Key, vendor: &SystemName, begin: Begin) -> Result<(Place, Claim), Status> {
        let (known, claim) = self.positions.get(key).await?;
        let after = match begin {
            Begin::Anew(place) => place,
            // What the reader before had acknowledged by now need not come again.
            Begin::Behind(place) => known
                .filter(|known| known.sequence > place.sequence)
                .unwrap_or(place),
        };
        if known.is_none() {
            self.positions.take_name(vendor)?;
        }
        let put = self.positions.put(key, after, claim).await;
        if put.is_err() && known.is_none() {
            self.positions.give_name_back(vendor);
        }
        match put {
            Ok(claim) => Ok((after, claim)),
            Err(NotPut::Claimed) => Err(replaced()),
            Err(NotPut::Refused(refusal)) => Err(refusal),
        }
    }

    /// Has it stored that a vendor is about to be told something.
    async fn discloses(&self, terms: &Terms, name: &str, after: u64) -> Result<Disclosing, Status> {
        let disclosing = timeout(AUDIT_PATIENCE, self.audit.disclosing(terms, name, after)).await;
        let disclosing = disclosing.unwrap_or(Err(AuditError::Busy));
        disclosing.map_err(|error| not_audited(&error))
    }

    /// Ends the reader that the name has, and takes its place.
    async fn replace_reader(&self, key: &Key) -> Turn {
        let (ended, settled) = (self.shutdown.child_token(), CancellationToken::new());
        let before = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            readers.retain(|_, (ended, _)| !ended.is_cancelled());
            readers.insert(key.clone(), (ended.clone(), settled.clone()))
        };
        let turn = Turn { ended, settled };
        if let Some((ended, settled)) = before {
            ended.cancel();
            // One that is still busy then stores nothing any more.
            _ = timeout(SETTLING, settled.cancelled()).await;
        }
        turn
    }
}

/// One reader's time with a subscription, which is over at the latest when this is dropped.
struct Turn {
    /// It has to end.
    ended: CancellationToken,
    /// It has stored its position for the last time.
    settled: CancellationToken,
}

impl Turn {
    /// Nothing of it is stored any more.
    fn is_over(&self) {
        self.settled.cancel();
        self.ended.cancel();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.is_over();
    }
}

/// Where a stream begins.
#[derive(Clone, Copy)]
enum Begin {
    /// Where the name stopped.
    Behind(Place),
    /// Where the vendor asks for.
    Anew(Place),
}

impl Begin {
    fn place(self) -> Place {
        match self {
            Self::Behind(place) | Self::Anew(place) => place,
        }
    }
}

/// What opens the stream.
async fn first(requests: &mut Streaming<SubscribeRequest>) -> Result<Open, Status> {
    let first = requests.message().await?.and_then(|request| request.request);
    match first {
        Some(Request::Open(open)) => Ok(open),
        _ => Err(invalid(&WireError::Missing("open"))),
    }
}

fn late() -> Status {
    refuse(
        Code::DeadlineExceeded,
        "open_late",
        "`open` did not come within 30 s",
    )
}

/// A field that cannot be taken.
fn argument(field: &'static str, message: &'static str) -> Status {
    refuse_field(Code::InvalidArgument, "argument_invalid", field, message)
}
