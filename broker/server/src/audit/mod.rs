//! The audit: who did what, to whom, when and why; ids and paths, never values.
//!
//! It is a stream of its own beside the log, append-only like it. What is audited is appended *before* it is shown or
//! carried out, so that nothing can have happened without a trace; a record therefore says that somebody set about it,
//! and the log says what came of it. The one thing in a record that a person wrote freely is the reason: it may name a
//! patient, and is stored here and in the event, and logged nowhere.
//!
//! What follows from the log is not written on the way of an event but behind it, by [`Audit::follow`]. What vendors are told is
//! [`Audit::disclosed`], or handed over event by event ([`Disclosing`]).
//!
//! Records are stored in blocks, each chained to the one before ([`chain`]), which one task writes; now and then it signs what the
//! chain has come to ([`checkpoint`]). [`verify`] tells whether it is what it was.
//!
//! A record has at most a few hundred ids and paths, as many as a review item: what is about more patients than
//! [`MOST_PATIENTS`] is several records. May fail with [`AuditError`], and whoever
//! wanted to act must then not act.

pub mod accounting;
mod action;
mod ahead;
mod budget;
pub mod chain;
pub mod checkpoint;
mod counted;
mod derive;
mod disclosure;
mod doors;
mod error;
mod follow;
mod keep;
mod pending;
mod presume;
mod reading;
pub mod removal;
mod room;
mod streams;
mod tail;
pub mod verify;
mod writer;

pub use action::{Action, is_of_people};
pub use derive::derive;
pub use disclosure::{Disclosing, Disclosure, MOST_BEHIND, Terms, Told, kind_of};
pub use doors::TokenAct;
pub use error::AuditError;
pub use keep::LetGo;
pub use writer::Signing;

use archwire_core::{ImageId, Path, PatientId, PracticeName, SystemName};
use archwire_nats::{AuditStored, AuditStream, ByteSize, Log};
use archwire_proto::admin::v1::AuditRecord;
use budget::Budget;
use checkpoint::CheckpointKey;
use counted::Counted;
use futures_util::{Stream, TryStreamExt as _};
use reading::records;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path as FilePath, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::SystemTime,
};
use streams::Streams;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use uuid::Uuid;
use writer::{Later, Order, Writer};

/// Most patients that one record names.
pub const MOST_PATIENTS: usize = 256;
/// The program by which people act, as records name it.
const PROGRAM: &str = "archwire-admin";
/// The program that acts by itself.
const ITSELF: &str = "archwire";
/// How much waits for the writer; then whoever hands over waits too.
const QUEUE: usize = 4096;

/// The audit of one practice; cheap to clone. What was handed over is stored after the last clone is gone, too.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    stream: AuditStream,
    practice: PracticeName,
    urgent: mpsc::Sender<Order>,
    later: mpsc::Sender<Later>,
    passed: watch::Receiver<u64>,
    is_following: AtomicBool,
    key: Option<Arc<CheckpointKey>>,
    checkpoints: Option<PathBuf>,
    /// Subscriptions that were being read when the last broker ended, until they are presumed about.
    cut_off: Mutex<Vec<CutOff>>,
    budget: Arc<Budget>,
    /// What happens over and over and is not written yet.
    counted: Mutex<Counted>,
    /// What was last written of each vendor's contract: its terms, and whether it was not suspended.
    stated: Mutex<BTreeMap<String, (Terms, bool)>>,
    writing: Mutex<Option<JoinHandle<()>>>,
}

/// A subscription that was being read when the last broker ended.
struct CutOff {
    stream: u64,
    opened: AuditRecord,
    /// Up to which place of the log it is known to have been sent.
    through: u64,
    /// How many events more may have been sent.
    allowed: u32,
    /// And none behind this place of the log; 0 where nothing says so.
    bound: u64,
}

/// What somebody is about to do.
pub struct Act {
    /// The person's name as given.
    pub person: String,
    /// The operating system's user that asks, where it is known.
    pub user_id: Option<u32>,
    /// What.
    pub action: Action,
    /// Whom it concerns.
    pub patients: Vec<PatientId>,
    /// The review item, where it is one.
    pub item: Option<u64>,
    /// The system, where it is about one.
    pub system: Option<SystemName>,
    /// The image, where it is about one.
    pub image: Option<ImageId>,
    /// Which fields it is about, where it is not all of them.
    pub paths: Vec<Path>,
    /// Why, in the person's own words.
    pub reason: String,
}

impl fmt::Debug for Act {
    /// The reason may name a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Act({}, {:?})", self.action.as_str(), self.patients)
    }
}

impl Audit {
    /// Opens the audit beside a log, of at most `max` bytes; makes it when there is none yet. Nothing is signed.
    ///
    /// # Errors
    /// When it cannot be relied on.
    pub async fn open(log: &Log, max: ByteSize) -> Result<Self, AuditError> {
        Self::open_with(log, max, None).await
    }

    /// The same, with checkpoints.
    ///
    /// # Errors
    /// When it cannot be relied on, or its end cannot be read.
    pub async fn open_with(log: &Log, max: ByteSize, signing: Option<Signing>) -> Result<Self, AuditError> {
        let stream = log.audit_stream(max).await;
        let stream = stream.map_err(|error| AuditError::Open(Arc::new(error)))?;
        let practice = log.practice().clone();
        let mut tail = tail::end_of(&stream, &practice).await.map_err(AuditError::read)?;
        let place = tail.log_sequence;
        tail.log_sequence = ahead::within(log, place).await.map_err(AuditError::read)?;
        let streams = streams_since(&stream, tail.resume_from).await?;
        let cut_off = streams.all();
        let cut_off = cut_off
            .map(|(index, open)| CutOff {
                stream: index,
                opened: open.opened.clone(),
                through: open.through,
                allowed: open.allowed,
                bound: open.bound,
            })
            .collect();
        let (urgent, orders) = mpsc::channel(QUEUE);
        let (later, handed_over) = mpsc::channel(QUEUE);
        if tail.log_sequence < place {
            // The queue is new and empty, so that there is room.
            _ = later.try_send(Later::Note(Box::new(ahead::told(place, tail.log_sequence))));
        }
        let (gone_through, passed) = watch::channel(tail.log_sequence);
        let key = signing.as_ref().map(|signing| Arc::clone(&signing.key));
        let checkpoints = signing.as_ref().map(|signing| signing.file.clone());
        let budget = Arc::new(Budget::default());
        let (used, most) = stream.usage().await.map_err(AuditError::read)?;
        budget.measured(used, most);
        let writer = Writer {
            budget: Arc::clone(&budget),
            stream: stream.clone(),
            log: log.clone(),
            practice: practice.clone(),
            tail,
            streams,
            signing,
            urgent: orders,
            later: handed_over,
            passed: gone_through,
        };
        Ok(Self(Arc::new(Inner {
            stream,
            practice,
            urgent,
            later,
            passed,
            is_following: AtomicBool::new(false),
            key,
            checkpoints,
            cut_off: Mutex::new(cut_off),
            budget,
            counted: Mutex::default(),
            stated: Mutex::default(),
            writing: Mutex::new(Some(tokio::spawn(writer.run()))),
        })))
    }

    /// Writes down what somebody is about to do. Success means that it is stored, and tells the place in the audit.
    ///
    /// # Errors
    /// When it is not stored, or that is unknown: then nothing may be done.
    pub async fn record(&self, act: Act) -> Result<u64, AuditError> {
        let record = AuditRecord {
            program: PROGRAM.to_owned(),
            action: act.action.as_str().to_owned(),
            person: act.person,
            user_id: act.user_id,
            patient_ids: act.patients.iter().map(ToString::to_string).collect(),
            item: act.item,
            paths: act.paths.iter().map(ToString::to_string).collect(),
            reason: act.reason,
            system: act.system.map(String::from),
            image: act.image.map(|image| image.to_string()),
            ..AuditRecord::default()
        };
        self.append(record).await
    }

    /// Writes down what the bus did by itself, and in a few words without patient data what came of it. Success means that
    /// it is stored, and tells the place in the audit.
    ///
    /// # Errors
    /// When it is not stored, or that is unknown.
    pub async fn note(
        &self,
        action: Action,
        system: Option<&SystemName>,
        words: String,
    ) -> Result<u64, AuditError> {
        let record = AuditRecord {
            program: ITSELF.to_owned(),
            action: action.as_str().to_owned(),
            reason: words,
            system: system.map(ToString::to_string),
            ..AuditRecord::default()
        };
        self.append(record).await
    }

    /// Stores what was handed over so far.
    ///
    /// # Errors
    /// When it is not stored, or that is unknown.
    pub async fn settle(&self) -> Result<(), AuditError> {
        self.hand_over_counted().await;
        let (waiter, settled) = oneshot::channel();
        let ordered = self.0.urgent.send(Order::Settle(waiter)).await;
        ordered.map_err(|_| AuditError::Closed)?;
        settled.await.unwrap_or(Err(AuditError::Closed))
    }

    /// Stores what was handed over, with a checkpoint of all where any are made, and takes nothing any more.
    pub async fn close(&self) {
        self.hand_over_counted().await;
        let (waiter, closed) = oneshot::channel();
        if self.0.urgent.send(Order::Close(waiter)).await.is_ok() {
            _ = closed.await;
        }
        let writing = self
            .0
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writing) = writing {
            _ = writing.await;
        }
    }

    /// The records after a place, oldest first, to the last one there is; each with its place. What is no record is passed over, with
    /// an error in the log: [`verify`] tells of it. Ends after an error.
    pub fn read(
        &self,
        after: u64,
    ) -> impl Stream<Item = Result<(u64, AuditRecord), AuditError>> + Send + use<> {
        records(&self.0.stream, 1, after)
    }

    /// What is stored after a place in the stream, as it is stored. Ends after an error.
    pub fn stored(&self, after: u64) -> impl Stream<Item = Result<AuditStored, AuditError>> + Send + use<> {
        let stored = self.0.stream.read(after.saturating_add(1));
        stored.map_err(AuditError::read)
    }

    /// The practice.
    #[must_use]
    pub fn practice(&self) -> &PracticeName {
        &self.0.practice
    }

    /// By which key checkpoints are signed, and the file that they are written to; `None` where none are made.
    #[must_use]
    pub fn signing(&self) -> Option<([u8; 32], &FilePath)> {
        Some((self.0.key.as_ref()?.public(), self.0.checkpoints.as_deref()?))
    }

    async fn append(&self, record: AuditRecord) -> Result<u64, AuditError> {
        self.order(record, false).await
    }

    /// Has a record stored, and waits for that.
    ///
    /// Of what `opens` a subscription, or lets more of it go out, the writer keeps account.
    async fn order(&self, record: AuditRecord, opens: bool) -> Result<u64, AuditError> {
        let record = AuditRecord {
            id: Uuid::now_v7().to_string(),
            at: Some(SystemTime::now().into()),
            ..record
        };
        let (stored, answer) = oneshot::channel();
        let order = Order::Record {
            record: Box::new(record),
            stored,
            opens,
        };
        let ordered = self.0.urgent.send(order).await;
        ordered.map_err(|_| AuditError::Closed)?;
        answer.await.unwrap_or(Err(AuditError::Closed))
    }

    /// Has something stored later; waits while too much waits already.
    async fn hand_over(&self, later: Later) -> Result<(), AuditError> {
        self.0.later.send(later).await.map_err(|_| AuditError::Closed)
    }

    /// The same, where there is room for it. Tells whether there was.
    fn try_hand_over(&self, later: Later) -> bool {
        self.0.later.try_send(later).is_ok()
    }

    /// The subscriptions that were cut off, once.
    fn cut_off(&self) -> Vec<CutOff> {
        std::mem::take(&mut *self.0.cut_off.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The subscriptions that are open at the end of an audit, by what is said from a place in the stream on.
async fn streams_since(stream: &AuditStream, resume_from: u64) -> Result<Streams, AuditError> {
    let mut streams = Streams::default();
    let mut records = pin!(records(stream, resume_from, 0));
    while let Some((index, record)) = records.try_next().await? {
        streams.take_in(index, record);
    }
    Ok(streams)
}
