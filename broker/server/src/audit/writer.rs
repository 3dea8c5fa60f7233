//! The one writer of the audit: what is handed over becomes blocks, one append at a time.
//!
//! While an append is on its way, what comes waits for the next one, so that a flush of the disk is shared by all who come within
//! it. What somebody waits for goes out at once; everything else at the latest after [`LONGEST_WAIT`], or when [`ENOUGH`] wait.
//!
//! Two queues: who waits until it is stored is refused when that fails, at the latest after the log's `append_timeout`; what is
//! handed over to be stored later is kept, and tried again every [`RETRY`]. Of that at most [`MOST_PENDING`] are kept here and as
//! many wait in the queue, where a record counts as many times as it tells of events; then whoever hands over waits too. While nothing
//! can be stored nothing is taken out of that queue. So an audit that is full stops those who tell vendors something.
//!
//! A block of which nobody knows whether it is stored is appended again as it is, until it is known to be there, or another one is in
//! its place. Where another broker has written meanwhile, its blocks are taken over and what waits is chained behind them.

mod order;
mod others;
mod signing;

pub(super) use order::{Later, Order, Waiter};
pub use signing::Signing;

use super::{
    AuditError,
    budget::Budget,
    pending::{Built, Item, Origin, Pending},
    streams::Streams,
    tail::Tail,
};
use crate::api::status::with_causes;
use archwire_core::PracticeName;
use archwire_nats::{AppendError, AuditAppend, AuditStream, Log};
use signing::FIRST_SIGNED;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// How long something may wait that nobody waits for.
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// Records that are appended without waiting for more.
const ENOUGH: usize = 256;
/// Between two attempts to store what nobody waits for.
const RETRY: Duration = Duration::from_secs(1);
/// Records, and events of subscriptions, that are kept here.
pub(super) const MOST_PENDING: usize = 4096;

/// The writer.
pub(super) struct Writer {
    pub(super) budget: Arc<Budget>,
    pub(super) stream: AuditStream,
    pub(super) log: Log,
    pub(super) practice: PracticeName,
    pub(super) tail: Tail,
    pub(super) streams: Streams,
    pub(super) signing: Option<Signing>,
    pub(super) urgent: mpsc::Receiver<Order>,
    pub(super) later: mpsc::Receiver<Later>,
    /// Up to where the log was gone through, stored.
    pub(super) passed: watch::Sender<u64>,
}

struct Writing {
    writer: Writer,
    pending: Pending,
    /// A block of which nobody knows whether it is stored. It is appended again, as it is.
    in_doubt: Option<Built>,
    settling: Vec<Waiter<()>>,
    closing: Option<Waiter<()>>,
    retry: Option<Instant>,
    /// The place of the last checkpoint's own record, and when the next one is due.
    signed: (u64, Instant),
}

impl Writer {
    /// Writes until it is closed or nobody can hand anything over any more.
    pub(super) async fn run(self) {
        let at_least = self.signing.as_ref().map(|signing| signing.at_least);
        let soon = at_least.unwrap_or_default().min(FIRST_SIGNED);
        let writing = Writing {
            pending: Pending::new(self.tail.log_sequence),
            signed: (self.tail.link.index, Instant::now() + soon),
            writer: self,
            in_doubt: None,
            settling: Vec::new(),
            closing: None,
            retry: None,
        };
        writing.run().await;
    }
}

impl Writing {
    async fn run(mut self) {
        loop {
            let (due, has_room) = (self.due(), self.has_room());
            let sleep = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                order = self.writer.urgent.recv() => match order {
                    Some(order) => self.heed(order),
                    None => break,
                },
                later = self.writer.later.recv(), if has_room => match later {
                    Some(later) => self.gather(later),
                    None => break,
                },
                () = sleep => {}
            }
            self.take_all();
            if self.is_due() {
                self.flush().await;
                self.sign_if_due().await;
            }
            if self.closing.is_some() {
                break;
            }
        }
        self.end().await;
    }

    /// Takes what is there without waiting.
    fn take_all(&mut self) {
        while let Ok(order) = self.writer.urgent.try_recv() {
            self.heed(order);
        }
        while self.has_room()
            && let Ok(later) = self.writer.later.try_recv()
        {
            self.gather(later);
        }
    }

    fn has_room(&self) -> bool {
        // What waits in a queue can be refused to those who come; what was gathered cannot.
        let in_doubt = self.in_doubt.as_ref().map_or(0, Built::weight);
        let waits = self.pending.weight() + self.writer.streams.gathered() + in_doubt;
        self.retry.is_none() && waits < MOST_PENDING
    }

    fn heed(&mut self, order: Order) {
        match order {
            Order::Record {
                record,
                stored,
                opens,
            } => {
                let item = Item::new(&record, Origin::Asked(Some(stored)));
                self.pending.push(Item {
                    opens: opens.then_some(record),
                    ..item
                });
            }
            Order::Settle(waiter) => self.settling.push(waiter),
            Order::Close(waiter) => self.closing = Some(waiter),
        }
    }

    fn gather(&mut self, later: Later) {
        match later {
            Later::Derived { sequence, record } => {
                if sequence > self.pending.passed() {
                    self.pending.pass(sequence, record.as_deref());
                }
            }
            Later::Sent { stream, event } => {
                self.pending.begin();
                self.writer.streams.send(stream, event);
            }
            Later::Note(record) => {
                self.pending.push(Item::new(&record, Origin::Note));
                self.writer.streams.take_in(0, *record);
            }
            Later::Closed { stream, through } => {
                for record in self.writer.streams.close(stream, through) {
                    self.pending.push(Item::new(&record, Origin::Note));
                }
            }
        }
    }

    /// When something has to be done, unless something comes.
    fn due(&self) -> Option<Instant> {
        let waits = self.pending.since().map(|since| since + LONGEST_WAIT);
        let due = [waits, self.signs_at()].into_iter().flatten().min();
        match (due, self.retry) {
            (Some(due), Some(retry)) => Some(due.max(retry)),
            (due, retry) => due.or(retry),
        }
    }

    fn is_due(&self) -> bool {
        let is_asked = self.pending.is_asked() || !self.settling.is_empty();
        let now = Instant::now();
        let waits = self.pending.weight() + self.writer.streams.gathered();
        let rests = self.retry.is_some_and(|retry| now < retry);
        let is_late = self
            .pending
            .since()
            .is_some_and(|since| now >= since + LONGEST_WAIT);
        let again = self.retry.is_some();
        is_asked || (!rests && (waits >= ENOUGH || is_late || again || self.signs_now()))
    }

    /// Appends everything that waits, or tells those who wait why not.
    async fn flush(&mut self) {
        for record in self.writer.streams.take() {
            self.pending.push(Item::new(&record, Origin::Note));
        }
        loop {
            let was_in_doubt = self.in_doubt.is_some();
            let next = self.in_doubt.take();
            let Some(built) = next.or_else(|| self.pending.build(&self.writer.tail)) else {
                break;
            };
            match self.append(&built).await {
                Ok(sequence) => self.is_stored(built, sequence),
                // Another block is where this one was to go, so that this one is not there and never will be.
                Err(AppendError::Conflict) => {
                    self.pending.restore(built);
                    if let Err(error) = self.take_over().await {
                        return self.fail(&error);
                    }
                }
                Err(error) => {
                    let is_unknown = was_in_doubt || matches!(error, AppendError::Unknown { .. });
                    let error = AuditError::append(error);
                    match is_unknown {
                        true => self.in_doubt = Some(built.refuse(&error)),
                        false => self.pending.restore(built),
                    }
                    return self.fail(&error);
                }
            }
        }
        self.pending.is_empty_now();
        self.retry = None;
        self.writer.passed.send_replace(self.pending.passed());
        for waiter in self.settling.drain(..) {
            _ = waiter.send(Ok(()));
        }
    }

    async fn append(&self, built: &Built) -> Result<u64, AppendError> {
        let record = AuditAppend {
            id: built.id.clone(),
            kind: super::verify::BLOCK_KIND,
            time: SystemTime::now(),
            after: self.writer.tail.sequence,
            payload: built.payload.clone(),
        };
        self.writer.stream.append(record).await
    }

    fn is_stored(&mut self, built: Built, sequence: u64) {
        self.writer.budget.grew(built.payload.len());
        self.writer.tail = Tail {
            sequence,
            ..built.tail
        };
        for (index, item) in (built.first..).zip(built.items) {
            let Origin::Asked(waiter) = item.origin else {
                continue;
            };
            let is_heard = waiter.is_some_and(|waiter| waiter.send(Ok(index)).is_ok());
            if let Some(opened) = item.opens {
                let after = opened.through;
                self.writer.streams.take_in(index, *opened);
                // Whoever wanted to read does not any more. One that is open under another place stays as it is.
                if !is_heard {
                    for record in self.writer.streams.close(index, after) {
                        self.pending.push(Item::new(&record, Origin::Note));
                    }
                }
            }
        }
        let stored = self.pending.stored_through(self.writer.tail.log_sequence);
        self.writer.passed.send_replace(stored);
    }

    /// Tells those who wait that nothing is stored.
    fn fail(&mut self, error: &AuditError) {
        let cause = with_causes(error);
        tracing::error!(
            code = error.code(),
            cause,
            "the audit does not store what was done"
        );
        while let Ok(order) = self.writer.urgent.try_recv() {
            self.heed(order);
        }
        self.pending.refuse(error);
        for waiter in self.settling.drain(..) {
            _ = waiter.send(Err(error.clone()));
        }
        self.retry = Some(Instant::now() + RETRY);
    }

    /// Stores what was handed over, and a checkpoint of all.
    async fn end(mut self) {
        self.writer.later.close();
        while let Ok(later) = self.writer.later.try_recv() {
            self.gather(later);
        }
        self.flush().await;
        if self.retry.is_none() && self.writer.tail.link.index > self.signed.0 {
            self.sign().await;
        }
        let left = self.pending.len();
        if left > 0 || self.in_doubt.is_some() {
            tracing::error!(
                left,
                "the audit is closed without its last records; what vendors were told is presumed at the next start"
            );
        }
        if let Some(waiter) = self.closing.take() {
            _ = waiter.send(Ok(()));
        }
    }
}
