//! `Subscribe`: the log in its own order, as fast as the subscriber grants credit, from where its name stopped.
//!
//! A subscription's position is the last sequence that its reader acknowledged, kept in the bucket `subscriptions`. What
//! was sent and not acknowledged comes again after a reconnection, in the same order. The position is stored at most
//! [`STORE_EVERY`] after an acknowledgement, so that a crash of the broker repeats a little rather than loses anything.

use super::status::{invalid, not_audited, refuse, unreadable};
use crate::{
    audit::{Audit, AuditError, Disclosing, Terms},
    wire::WireError,
};
use archwire_core::SystemName;
use archwire_nats::{Bucket, BucketError, Filter, Log, Stored};
use archwire_proto::v1::{
    Delivery, Open, Opened, Start, SubscribeRequest, SubscribeResponse, subscribe_request::Request,
    subscribe_response::Response,
};
use futures_util::{Stream, StreamExt as _};
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Code, Status, Streaming};

/// Most credit that may be outstanding.
const MOST_CREDIT: u32 = 10_000;
/// Events on their way to the connection; beyond that the log is not read on.
const BUFFERED: usize = 64;
/// How long an acknowledgement may wait until it is stored.
const STORE_EVERY: Duration = Duration::from_millis(100);
/// How long a reader waits for the audit: meanwhile its acknowledgements are not read.
const AUDIT_PATIENCE: Duration = Duration::from_secs(10);

/// The subscriptions of one practice.
pub struct Subscriptions {
    log: Log,
    positions: Bucket,
    audit: Audit,
    readers: Mutex<HashMap<String, CancellationToken>>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// One reader of one subscription.
struct Reader {
    subscriptions: Arc<Subscriptions>,
    key: String,
    requests: Streaming<SubscribeRequest>,
    answers: mpsc::Sender<Result<SubscribeResponse, Status>>,
    ended: CancellationToken,
    credit: u32,
    sent: u64,
    acknowledged: u64,
    stored: u64,
    disclosing: Disclosing,
}

impl Subscriptions {
    /// The subscriptions, whose positions are kept in `positions`, and of which `audit` tells. They end when `shutdown` comes.
    #[must_use]
    pub fn new(log: Log, positions: Bucket, audit: Audit, shutdown: CancellationToken) -> Arc<Self> {
        let (readers, tasks) = (Mutex::default(), TaskTracker::new());
        Arc::new(Self {
            log,
            positions,
            audit,
            readers,
            tasks,
            shutdown,
        })
    }

    /// What vendors are told is written there.
    pub(super) fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Waits until every reader has ended and its position is stored.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Opens a subscription for a vendor.
    pub(super) async fn open(
        self: Arc<Self>,
        vendor: SystemName,
        mut requests: Streaming<SubscribeRequest>,
    ) -> Result<impl Stream<Item = Result<SubscribeResponse, Status>> + Send + use<>, Status> {
        let must_open = || invalid(&WireError::Missing("open"));
        let first = requests
            .message()
            .await?
            .and_then(|request| request.request)
            .ok_or_else(must_open)?;
        let Request::Open(open) = first else {
            return Err(must_open());
        };
        let key = format!("{vendor}.{}", subscription_name(&open)?);
        let last = self
            .log
            .last_sequence()
            .await
            .map_err(|error| unreadable(&error))?;
        let after = match self.position(&key).await.map_err(|error| unstored(&error))? {
            Some(position) => position,
            None => {
                let start = match Start::try_from(open.start) {
                    Ok(Start::New) => last,
                    Ok(Start::Unspecified | Start::Beginning) => 0,
                    Err(_) => return Err(invalid(&WireError::UnknownValue("open.start"))),
                };
                self.store(&key, start).await.map_err(|error| unstored(&error))?;
                start
            }
        };
        let terms = Terms::without_contract(vendor);
        let disclosing = self.audit.disclosing(&terms, &open.name, after);
        let disclosing = timeout(AUDIT_PATIENCE, disclosing).await;
        let disclosing = disclosing.unwrap_or(Err(AuditError::Busy));
        let disclosing = disclosing.map_err(|error| not_audited(&error))?;
        // Whoever may not be told anything does not end the reader that there is.
        let ended = self.replace_reader(&key);
        // What that one had acknowledged by now need not come again.
        let position = self.position(&key).await.map_err(|error| unstored(&error))?;
        let after = position.map_or(after, |position| position.max(after));
        let last = last.max(after);
        let (answers, receiver) = mpsc::channel(BUFFERED);
        // The channel is new and empty, so this cannot fail.
        _ = answers.try_send(Ok(response(Response::Opened(Opened { after, last }))));
        let reader = Reader {
            subscriptions: Arc::clone(&self),
            key,
            requests,
            answers,
            ended,
            credit: 0,
            sent: after,
            acknowledged: after,
            stored: after,
            disclosing,
        };
        self.tasks.spawn(reader.run());
        Ok(ReceiverStream::new(receiver))
    }

    /// Ends the reader that the name has, and takes its place.
    fn replace_reader(&self, key: &str) -> CancellationToken {
        let token = self.shutdown.child_token();
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|_, reader| !reader.is_cancelled());
        if let Some(old) = readers.insert(key.to_owned(), token.clone()) {
            old.cancel();
        }
        token
    }

    async fn position(&self, key: &str) -> Result<Option<u64>, BucketError> {
        let stored = self.positions.get(key).await?;
        Ok(stored.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()))
    }

    async fn store(&self, key: &str, position: u64) -> Result<(), BucketError> {
        self.positions
            .put(key, position.to_string().into_bytes().into())
            .await
    }
}

impl Reader {
    async fn run(mut self) {
        let refusal = self.serve().await.err();
        if let Err(error) = self.store().await {
            tracing::warn!(
                code = error.code(),
                "the position of a subscription could not be stored"
            );
        }
        if let Some(refusal) = refusal {
            _ = self.answers.try_send(Err(refusal));
        }
        // The vendor hears that it is over, whatever the audit waits for.
        drop(self.answers);
        self.ended.cancel();
        // What is not closed now is presumed about by the next start.
        _ = timeout(AUDIT_PATIENCE, self.disclosing.close()).await;
    }

    async fn serve(&mut self) -> Result<(), Status> {
        let mut events = pin!(self.subscriptions.log.follow(self.sent, Filter::Events));
        let ended = self.ended.clone();
        let mut store_at = None;
        loop {
            let store_due = async {
                match store_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ended.cancelled() => return Err(self.replaced()),
                request = self.requests.message() => match request? {
                    Some(request) => self.heed(request)?,
                    None => return Ok(()),
                },
                event = events.next(), if self.credit > 0 => match event {
                    Some(stored) => if !self.send(stored).await? { return Ok(()) },
                    None => return Ok(()),
                },
                () = store_due => {
                    self.store().await.map_err(|error| unstored(&error))?;
                    store_at = None;
                }
            }
            if self.acknowledged > self.stored && store_at.is_none() {
                store_at = Some(Instant::now() + STORE_EVERY);
            }
        }
    }

    fn heed(&mut self, request: SubscribeRequest) -> Result<(), Status> {
        match request.request {
            Some(Request::Credit(credit)) => {
                self.credit = self
                    .credit
                    .checked_add(credit)
                    .filter(|sum| *sum <= MOST_CREDIT)
                    .ok_or_else(|| {
                        refuse(
                            Code::InvalidArgument,
                            "credit_too_large",
                            "at most 10,000 events may be allowed at a time",
                        )
                    })?;
            }
            Some(Request::Ack(sequence)) if sequence <= self.sent => {
                self.acknowledged = self.acknowledged.max(sequence);
            }
            Some(Request::Ack(_)) => {
                return Err(refuse(
                    Code::InvalidArgument,
                    "ack_ahead",
                    "this sequence has not been sent yet",
                ));
            }
            Some(Request::Open(_)) => {
                return Err(refuse(
                    Code::InvalidArgument,
                    "open_twice",
                    "`open` comes first, once",
                ));
            }
            None => return Err(invalid(&WireError::Missing("request"))),
        }
        Ok(())
    }

    /// Sends an event. Tells whether there is still somebody to send to; refuses where the audit does not take it.
    async fn send(&mut self, stored: Stored) -> Result<bool, Status> {
        self.credit -= 1;
        let handed_over = tokio::select! {
            () = self.ended.cancelled() => return Ok(true),
            handed_over = timeout(AUDIT_PATIENCE, self.disclosing.event(&stored)) => handed_over,
        };
        let handed_over = handed_over.unwrap_or(Err(AuditError::Busy));
        handed_over.map_err(|error| not_audited(&error))?;
        self.sent = stored.sequence;
        let delivery = Delivery {
            sequence: stored.sequence,
            event: stored.payload,
        };
        // Whoever grants credit and does not read must not outlive its successor or hold up a stop.
        tokio::select! {
            () = self.ended.cancelled() => Ok(true),
            sent = self.answers.send(Ok(response(Response::Delivery(delivery)))) => Ok(sent.is_ok()),
        }
    }

    async fn store(&mut self) -> Result<(), BucketError> {
        if self.acknowledged > self.stored {
            self.subscriptions.store(&self.key, self.acknowledged).await?;
            self.stored = self.acknowledged;
        }
        Ok(())
    }

    fn replaced(&self) -> Status {
        if self.subscriptions.shutdown.is_cancelled() {
            refuse(
                Code::Unavailable,
                "stopping",
                "the broker is stopping; come again",
            )
        } else {
            refuse(
                Code::Aborted,
                "subscription_replaced",
                "another reader opened this subscription",
            )
        }
    }
}

fn response(response: Response) -> SubscribeResponse {
    SubscribeResponse {
        response: Some(response),
    }
}

fn subscription_name(open: &Open) -> Result<&str, Status> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let allowed = (1..=64).contains(&open.name.len()) && open.name.bytes().all(inner);
    if allowed {
        Ok(&open.name)
    } else {
        Err(refuse(
            Code::InvalidArgument,
            "argument_invalid",
            "`open.name` must be 1 to 64 of a-z, 0-9 and -",
        ))
    }
}

fn unstored(error: &BucketError) -> Status {
    tracing::warn!(
        code = error.code(),
        "the position of a subscription cannot be read or stored"
    );
    refuse(
        Code::Unavailable,
        "log_unavailable",
        "the subscription's position cannot be read or stored; try again",
    )
}
