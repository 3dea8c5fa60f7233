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

use super::{
    AuditError,
    checkpoint::CheckpointKey,
    pending::{Built, Item, Origin, Pending},
    streams::{Sent, Streams},
    tail::{self, Behind, Tail},
};
use crate::api::status::with_causes;
use archwire_core::PracticeName;
use archwire_nats::{AppendError, AuditAppend, AuditStream, ByteSize, Log, ReadError};
use archwire_proto::admin::v1::AuditRecord;
use futures_util::TryStreamExt as _;
use std::{path::PathBuf, pin::pin, sync::Arc, time::Duration, time::SystemTime};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

/// How long something may wait that nobody waits for.
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// Records that are appended without waiting for more.
const ENOUGH: usize = 256;
/// Between two attempts to store what nobody waits for.
const RETRY: Duration = Duration::from_secs(1);
/// After a start, the first checkpoint does not wait for as long as later ones, whatever ended the broker before.
const FIRST_SIGNED: Duration = Duration::from_secs(60);
/// Records, and events of subscriptions, that are kept here.
pub(super) const MOST_PENDING: usize = 4096;

/// Somebody who waits, for where it is stored.
pub(super) type Waiter<T> = oneshot::Sender<Result<T, AuditError>>;

/// What somebody waits for.
pub(super) enum Order {
    /// A record. Of one that opens a subscription, or lets more of it go out, account is kept.
    Record {
        record: Box<AuditRecord>,
        stored: Waiter<u64>,
        opens: bool,
    },
    /// Everything that was handed over before.
    Settle(Waiter<()>),
    /// The same, and that the writer has ended.
    Close(Waiter<()>),
}

/// What nobody waits for.
pub(super) enum Later {
    /// What follows from the log's record `sequence`, if anything.
    Derived {
        sequence: u64,
        record: Option<Box<AuditRecord>>,
    },
    /// An event on its way to a subscription.
    Sent { stream: u64, event: Sent },
    /// What may have gone out before a kill, or is noted.
    Note(Box<AuditRecord>),
    /// The end of a subscription's stream.
    Closed { stream: u64, through: u64 },
}

/// What signs, how often, and where that is written.
pub struct Signing {
    /// The key.
    pub key: CheckpointKey,
    /// Where checkpoints are written beside the audit.
    pub file: PathBuf,
    /// After so many records, and
    pub every: u64,
    /// after so long, where there was any.
    pub at_least: Duration,
}

/// The writer.
pub(super) struct Writer {
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

    /// Takes over what another broker has written behind the last block that is known here.
    async fn take_over(&mut self) -> Result<(), AuditError> {
        let before = self.writer.tail.sequence;
        let unread = |error| AuditError::Read(Arc::new(error));
        let mut behind = pin!(self.writer.stream.read(before.saturating_add(1)));
        while let Some(stored) = behind.try_next().await.map_err(unread)? {
            self.writer.tail = match self.writer.tail.behind(&stored) {
                Behind::Next(tail) => tail,
                Behind::Broken(tail) => {
                    tail::is_broken(stored.sequence);
                    tail
                }
            };
        }
        if self.writer.tail.sequence == before {
            self.miss().await?;
        }
        let ahead = self.writer.tail.log_sequence;
        let known = within(&self.writer.log, ahead).await.map_err(unread)?;
        if known < ahead {
            self.writer.tail.log_sequence = known;
            self.pending
                .push(Item::new(&super::writer::ahead(ahead, known), Origin::Note));
        }
        self.pending.forget_through(known);
        Ok(())
    }

    /// The last block that is known here is not there any more. Going on behind it, so that this shows for ever.
    async fn miss(&mut self) -> Result<(), AuditError> {
        let last = self.writer.stream.last().await;
        let last = last.map_err(|error| AuditError::Read(Arc::new(error)))?;
        let found = last.map_or(0, |last| last.sequence);
        if found == self.writer.tail.sequence {
            return Err(AuditError::Append(Arc::new(AppendError::Conflict)));
        }
        tracing::error!(
            code = "audit_cut_off",
            known = self.writer.tail.sequence,
            found,
            "the end of the audit is gone; `archwire audit verify` tells what"
        );
        self.writer.tail.sequence = found;
        Ok(())
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

    /// When the next checkpoint is due, where there is anything to sign.
    fn signs_at(&self) -> Option<Instant> {
        self.writer.signing.as_ref()?;
        (self.writer.tail.link.index > self.signed.0).then_some(self.signed.1)
    }

    fn signs_now(&self) -> bool {
        let every = self.writer.signing.as_ref().map(|signing| signing.every);
        let is_enough = every.is_some_and(|every| self.writer.tail.link.index >= self.signed.0 + every);
        is_enough || self.signs_at().is_some_and(|at| Instant::now() >= at)
    }

    async fn sign_if_due(&mut self) {
        if self.signs_now() && self.retry.is_none() {
            self.sign().await;
        }
    }

    /// Makes a checkpoint of what is stored, behind which everything about open subscriptions is said again.
    async fn sign(&mut self) {
        let Some(signing) = &self.writer.signing else {
            return;
        };
        let at = jiff::Timestamp::now();
        let checkpoint = signing
            .key
            .sign(&self.writer.practice, &self.writer.tail.link, at);
        let (file, at_least) = (signing.file.clone(), signing.at_least);
        let record = AuditRecord {
            at: Some(SystemTime::from(at).into()),
            program: super::ITSELF.to_owned(),
            action: super::Action::Checkpoint.as_str().to_owned(),
            checkpoint: Some(checkpoint.write()),
            ..AuditRecord::default()
        };
        let records = self.writer.streams.continued().chain([record]);
        for (number, record) in records.enumerate() {
            self.pending.push(Item {
                resumes: number == 0,
                ..Item::new(&record, Origin::Note)
            });
        }
        self.signed.1 = Instant::now() + at_least;
        self.warn_when_nearly_full().await;
        self.flush().await;
        self.signed.0 = self.writer.tail.link.index;
        let written = tokio::task::spawn_blocking(move || checkpoint.append_to(&file)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::error!(
                code = "audit_checkpoint_not_written",
                "a checkpoint of the audit is not in its file; it stands in the audit only"
            );
        }
    }

    /// Of this somebody has to know before nobody can act any more.
    async fn warn_when_nearly_full(&self) {
        let Ok((bytes, most)) = self.writer.stream.usage().await else {
            return;
        };
        if is_nearly_full(bytes, most) {
            tracing::warn!(
                code = "audit_nearly_full",
                %bytes,
                %most,
                "the audit is nearly full; raise `max-size` of `[audit]` before nobody can act any more"
            );
        }
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

/// Whether four fifths are used.
fn is_nearly_full(bytes: ByteSize, most: ByteSize) -> bool {
    bytes.get() / 4 >= most.get() / 5
}

/// A place that the audit says it has gone through the log to, or the log's end where it has not so much: behind a place that is not
/// there yet nothing would be followed until the log gets there.
///
/// # Errors
/// When the log's end cannot be found out.
pub(super) async fn within(log: &Log, place: u64) -> Result<u64, ReadError> {
    if place == 0 {
        return Ok(0);
    }
    let last = log.last_sequence().await?;
    if place > last {
        tracing::error!(
            code = "audit_ahead_of_log",
            place,
            last,
            "the audit knows more of the log than the log has; the log is not what it was"
        );
    }
    Ok(place.min(last))
}

/// Says so in the audit.
pub(super) fn ahead(place: u64, last: u64) -> AuditRecord {
    AuditRecord {
        at: Some(SystemTime::now().into()),
        program: super::ITSELF.to_owned(),
        action: super::Action::Ahead.as_str().to_owned(),
        reason: format!("the audit had gone through the log up to {place}, and the log ends at {last}"),
        through: last,
        ..AuditRecord::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_is_nearly_full_from_four_fifths_on() {
        let most = ByteSize::bytes(1000);
        assert!(!is_nearly_full(ByteSize::bytes(790), most));
        assert!(is_nearly_full(ByteSize::bytes(800), most));
    }
}
