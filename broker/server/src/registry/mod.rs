//! Who is who, what is known, and what is new: hops 2 to 5 of the way of a change.
//!
//! The registry is the only writer of a practice's log. It holds a lock for the record and one for the patient while
//! it decides and appends, so that patients do not wait for each other; the expected last sequence in the log guards
//! what the locks cannot, and a fence keeps a broker out that is no longer the practice's writer. An observation is
//! answered after the append: what is answered is stored and flushed.
//!
//! Locks are taken in this order: an item's, a record's, the gate of its system, the one of whoever tells of an image, the
//! record's link, patients by their id, the queue.

mod agreed;
mod apart;
mod append;
mod begin;
mod by_hand;
mod compared;
mod decide;
mod due;
mod find;
mod follow;
mod gate;
mod images;
mod index;
mod locks;
mod merge;
mod merge_plan;
mod observe;
mod outcome;
mod publish;
mod queue;
mod rebuild;
mod recent;
mod requests;
mod review;
mod review_list;
mod settle;
mod snapshots;
mod system_merges;
mod taken_over;
mod unknown;
mod wake;
mod whose;

pub use compared::{Compared, KnownRecord, KnownRecords};
pub use due::{AsOf, Due, Newest};
pub use find::Listed;
pub use gate::CreationPermit;
pub(crate) use images::ImageEvent;
pub use images::{ImageDoubt, ImageDue, ImageSettlement, ImageTaken, KnownImage, KnownImageCopy};
pub use index::{Doubt, Entry, Frozen, Index, ItemKey, MOST_REQUESTS, OpenItem, Pending, Record};
pub use outcome::{DecideError, ObserveError, Observed};
pub use publish::Published;
pub use queue::MOST_UNKNOWN;
pub use rebuild::Rebuilt;
pub use review::Decided;
pub use review_list::{ReviewLine, ReviewPage};
pub use settle::{Settlement, Told};
pub(crate) use snapshots::{BUCKET as SNAPSHOT_BUCKET, LARGEST as LARGEST_SNAPSHOT};
pub(crate) use system_merges::MERGED_BY_SYSTEM;

use crate::vendors::BookReader;
use append::Doubts;
use archwire_core::{
    ImageId, LocalId, Ownership, Patient, PatientId, PracticeName, Standing, SystemName, identity::Trust,
};
use archwire_nats::{Fence, Filter, Log};
use futures_util::StreamExt as _;
use gate::Gates;
use locks::Locks;
use recent::RecentEvents;
use requests::Requests;
use snapshots::Snapshots;
use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64},
    },
};
use tokio::sync::{Mutex as AsyncMutex, RwLock};
use tokio_util::task::TaskTracker;
use wake::Waking;

/// How often a decision is made anew because the log had moved on. With one writer once is enough.
const LONGEST_CONFLICT: usize = 4;

/// What a registry is opened with.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// The practice whose log it is.
    pub practice: PracticeName,
    /// By what this broker is the practice's writer.
    pub fence: Fence,
    /// Whether nobody else can append to the log: the broker runs the NATS server itself.
    pub alone: bool,
    /// Which identifiers are trusted.
    pub trust: Trust,
    /// Which system is right about what.
    pub ownership: Ownership,
    /// Systems whose unknown records wait until a person has said whose they are.
    pub unknown_waits: BTreeSet<SystemName>,
    /// Systems to which patients are written, into one record each.
    pub written: BTreeSet<SystemName>,
    /// The vendors of the practice, as they are at each moment: what they may say is bounded by their contracts. None where there
    /// are no vendors.
    pub vendors: Option<BookReader>,
    /// Systems that connectors speak for, without a contract. Where `None`, they are everybody who is no vendor.
    pub connectors: Option<BTreeSet<SystemName>>,
    /// Most unknown records of a system that wait, counted with the images that wait with them: [`MOST_UNKNOWN`], but in tests.
    pub most_unknown: usize,
}

/// The registry of one practice.
pub struct Registry {
    log: Log,
    config: RegistryConfig,
    index: Mutex<Index>,
    /// In which order observations of a record are taken. An observer may wait for creations while it holds this.
    records: Locks<(SystemName, LocalId)>,
    /// To whom a record is linked. Whoever creates a record links it, so nobody waits for creations while holding this.
    links: Locks<(SystemName, LocalId)>,
    patients: Locks<PatientId>,
    /// Who writes to a record in its system.
    deliveries: Locks<(SystemName, LocalId)>,
    gates: Gates,
    doubts: Doubts,
    recent: RecentEvents,
    requests: Requests,
    /// Who decides an item.
    deciding: Locks<u64>,
    /// One item is opened, changed or closed at a time.
    queue: AsyncMutex<()>,
    /// Held for reading by everybody who appends, until the index knows: who holds it for writing sees an index that is
    /// as far as the log.
    appending: RwLock<()>,
    /// Up to where events of other writers were looked for.
    followed: AtomicU64,
    /// Whether the log may hold something that the index does not.
    uncertain: AtomicBool,
    snapshots: Snapshots,
    waking: Waking<PatientId>,
    rereads: Waking<LocalId>,
    images_waking: Waking<ImageId>,
    /// Who tells of an image: one at a time.
    taking: AsyncMutex<()>,
    tasks: TaskTracker,
}

impl Registry {
    /// Takes the last snapshot of the index, reads the rest of the log, and begins where it ends. What a kill left half
    /// done is finished.
    ///
    /// # Errors
    /// When the log cannot be read, or holds what this version does not understand: going on without it would give
    /// known patients new ids.
    pub async fn open(log: Log, config: RegistryConfig) -> Result<Self, ObserveError> {
        let snapshots = Snapshots::open(&log).await?;
        let mut index = snapshots.load(&config.trust).await;
        read_on(&log, &mut index, |_| {}).await?;
        index.enter_everybody()?;
        let fence = config.fence.sequence();
        let registry = Self {
            log,
            config,
            index: Mutex::new(index),
            records: Locks::new(),
            links: Locks::new(),
            patients: Locks::new(),
            deliveries: Locks::new(),
            gates: Gates::default(),
            doubts: Doubts::default(),
            recent: RecentEvents::default(),
            requests: Requests::default(),
            deciding: Locks::new(),
            queue: AsyncMutex::new(()),
            appending: RwLock::new(()),
            followed: AtomicU64::new(fence),
            uncertain: AtomicBool::new(false),
            snapshots,
            waking: Waking::default(),
            rereads: Waking::default(),
            images_waking: Waking::default(),
            taking: AsyncMutex::new(()),
            tasks: TaskTracker::new(),
        };
        registry.finish_halves().await;
        registry.finish_moves().await;
        registry.close_orphans().await;
        Ok(registry)
    }

    /// The index, for a moment: never held across an await.
    pub fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The practice whose log this is.
    #[must_use]
    pub fn practice(&self) -> &PracticeName {
        &self.config.practice
    }

    /// Waits until nothing is being written any more.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits until what is being written about a patient is in the index. Whoever follows the log may hear of an event
    /// before the index does, and then names a patient or a revision that the index is about to know.
    pub async fn caught_up(&self, id: PatientId) {
        drop(self.patients.lock(&id).await);
    }

    /// Takes in what the log holds of a patient after `sequence`, because somebody else wrote it.
    async fn catch_up(&self, patient: PatientId, sequence: u64) -> Result<(), ObserveError> {
        let mut history = pin!(self.log.history(patient, sequence));
        while let Some(stored) = history.next().await {
            let stored = stored.map_err(ObserveError::Read)?;
            self.index().apply(&stored)?;
        }
        Ok(())
    }

    /// The current state of a patient as it is to be delivered to a system.
    ///
    /// # Errors
    /// Never for a state that came from the log.
    pub fn state_for(&self, system: &SystemName, id: PatientId) -> Result<Option<Patient>, ObserveError> {
        let index = self.index();
        let Some(entry) = index.entry(id) else {
            return Ok(None);
        };
        let mut patient = entry.patient()?;
        index.in_terms_of(system, &mut patient);
        Ok(Some(patient))
    }

    /// What a patient is now.
    ///
    /// # Errors
    /// Never for a state that came from the log.
    pub fn standing(&self, patient: PatientId) -> Result<Option<Standing>, ObserveError> {
        let standing = self.index().entry(patient).map(Entry::standing);
        Ok(standing.transpose()?)
    }

    /// Whether a system keeps a record of a patient, or of who goes on for the patient.
    #[must_use]
    pub fn keeps_record(&self, system: &SystemName, patient: PatientId) -> bool {
        let index = self.index();
        let entry = index.entry(index.current(patient));
        entry.is_some_and(|entry| entry.records.iter().any(|record| record.system == *system))
    }

    /// How many patients the log holds.
    #[must_use]
    pub fn patients(&self) -> usize {
        self.index().patients()
    }

    /// The log, for those who read it.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }
}

/// Takes into an index what the log holds behind it.
async fn read_on(log: &Log, index: &mut Index, mut progress: impl FnMut(u64)) -> Result<(), ObserveError> {
    let from = index.sequence().saturating_add(1);
    let mut stored = pin!(log.replay(from, Filter::Everything));
    while let Some(stored) = stored.next().await {
        let stored = stored.map_err(ObserveError::Read)?;
        index.apply(&stored)?;
        progress(stored.sequence);
    }
    Ok(())
}
