//! The bucket, and its lines in memory.

use super::{
    Cargo,
    entry::{Parked, ParkedLine, this_second},
    error::ParkedError,
    filter::{ParkedFilter, ParkedKey},
    why::Why,
};
use archwire_core::{ImageId, PatientId, SystemName};
use archwire_nats::{Bucket, BucketError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    ops::Bound,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::SystemTime,
};
use tokio::sync::{Mutex, MutexGuard};

/// Most deliveries that are parked at a time.
pub const MOST_PARKED: usize = 100_000;
/// Most of them that are images, so that these leave room for people.
pub const MOST_PARKED_IMAGES: usize = MOST_PARKED / 2;
/// Entries that are read at a time when the store is opened.
const READ_AT_A_TIME: usize = 64;
/// How many entries may be written at a time: each has one of so many locks, so that what is in memory was written last.
const WRITERS: usize = 64;

type Lines = BTreeMap<ParkedKey, ParkedLine>;

/// What is parked; cheap to clone.
#[derive(Clone)]
pub struct ParkedStore {
    inner: Arc<Inner>,
}

struct Inner {
    bucket: Bucket,
    lines: RwLock<Lines>,
    writing: [Mutex<()>; WRITERS],
}

/// What is to be parked.
#[derive(Debug, Clone, Copy)]
pub struct Undeliverable<'a> {
    /// The system.
    pub system: &'a SystemName,
    /// What was to be delivered.
    pub cargo: Cargo,
    /// Place in the log of the newest event that was to be delivered; 0 when none led to it.
    pub sequence: u64,
    /// Attempts that were made since it was last parked or redriven.
    pub attempts: u32,
    /// Why it is given up.
    pub why: &'a Why,
    /// Version of the connector that was asked.
    pub connector_version: &'a str,
}

/// A parked delivery to which nobody else does anything meanwhile.
pub struct HeldParked<'a> {
    store: &'a ParkedStore,
    key: ParkedKey,
    _writing: MutexGuard<'a, ()>,
}

/// Some of the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedPage {
    /// By system, patient and image.
    pub lines: Vec<ParkedLine>,
    /// How many fit in all, on this page or not.
    pub count: usize,
    /// Whether there are more behind this page.
    pub more: bool,
}

impl ParkedStore {
    /// Reads what is parked.
    ///
    /// # Errors
    /// When the bucket cannot be read. What it holds is never a reason.
    pub async fn open(bucket: Bucket) -> Result<Self, ParkedError> {
        let keys = bucket.keys().await?;
        let entries: Vec<_> = stream::iter(keys)
            .map(|key| line(&bucket, key))
            .buffer_unordered(READ_AT_A_TIME)
            .try_collect()
            .await?;
        let lines = entries
            .into_iter()
            .flatten()
            .map(|line| (line.key.clone(), line))
            .collect();
        let inner = Inner {
            bucket,
            lines: RwLock::new(lines),
            writing: [const { Mutex::const_new(()) }; WRITERS],
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Parks a delivery, or says that one that is parked was given up once more: its attempts are added up, it is not
    /// redriven any more, and waits since it was parked for the first time. Only when this succeeded may what led to it be
    /// acknowledged.
    ///
    /// # Errors
    /// When it is not stored, or that is unknown.
    pub async fn park(&self, undeliverable: Undeliverable<'_>) -> Result<(), ParkedError> {
        let Undeliverable { system, cargo, .. } = undeliverable;
        let key = ParkedKey::new(system, cargo);
        let _writing = self.writing(&key).await;
        let before = self.line(&key);
        if before.is_none() && self.is_full_for(cargo) {
            return Err(ParkedError::TooMany);
        }
        let parked = undeliverable.parked(key, before);
        let line = self.put(parked).await?;
        tracing::error!(
            %system,
            patient = %cargo.patient(),
            image = cargo.image().map(tracing::field::display),
            reason = line.reason,
            status = line.status,
            attempts = line.attempts,
            "a delivery is parked: a person has to look at it"
        );
        Ok(())
    }

    fn is_full_for(&self, cargo: Cargo) -> bool {
        let lines = self.lines();
        let is_image = |key: &&ParkedKey| key.image.is_some();
        lines.len() >= MOST_PARKED
            || cargo.image().is_some() && lines.keys().filter(is_image).count() >= MOST_PARKED_IMAGES
    }

    /// A parked delivery as a whole; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(
        &self,
        system: &SystemName,
        cargo: impl Into<Cargo>,
    ) -> Result<Option<Parked>, ParkedError> {
        let key = ParkedKey::new(system, cargo);
        let json = self.inner.bucket.get(&key.to_string()).await?;
        Ok(json.map(|json| Parked::read(key, &json)))
    }

    /// Whether a delivery is parked. Reads nothing.
    #[must_use]
    pub fn is_parked(&self, system: &SystemName, cargo: impl Into<Cargo>) -> bool {
        self.lines().contains_key(&ParkedKey::new(system, cargo))
    }

    /// What may be listed of a parked delivery. Reads nothing.
    #[must_use]
    pub fn line_of(&self, system: &SystemName, cargo: impl Into<Cargo>) -> Option<ParkedLine> {
        self.line(&ParkedKey::new(system, cargo))
    }

    /// How many deliveries to a system are parked. Reads nothing.
    #[must_use]
    pub fn count(&self, system: &SystemName) -> usize {
        let lines = self.lines();
        lines.keys().filter(|key| key.system == *system).count()
    }

    /// How many deliveries wait for a person, by system; not those that are being tried again, which nobody does where
    /// nothing `is_brought`. Reads nothing.
    #[must_use]
    pub fn waiting(&self, is_brought: impl Fn(&ParkedKey) -> bool) -> BTreeMap<SystemName, usize> {
        let is_tried = |line: &ParkedLine| line.redriven && is_brought(&line.key);
        let mut waiting = BTreeMap::new();
        for line in self.lines().values().filter(|line| !is_tried(line)) {
            *waiting.entry(line.key.system.clone()).or_default() += 1;
        }
        waiting
    }

    /// Every line that fits, by system and patient. Reads nothing.
    #[must_use]
    pub fn lines_of(&self, filter: &ParkedFilter) -> Vec<ParkedLine> {
        let now = SystemTime::now();
        let lines = self.lines();
        let fitting = lines.values().filter(|line| filter.fits(line, now));
        fitting.cloned().collect()
    }

    /// At most `limit` lines that fit, behind `after`, by system and patient. Reads nothing.
    #[must_use]
    pub fn page(&self, filter: &ParkedFilter, after: Option<&ParkedKey>, limit: usize) -> ParkedPage {
        let now = SystemTime::now();
        let all = self.lines();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut behind = all
            .range((from, Bound::Unbounded))
            .map(|(_, line)| line)
            .filter(|line| filter.fits(line, now));
        let lines = behind.by_ref().take(limit).cloned().collect();
        ParkedPage {
            lines,
            more: behind.next().is_some(),
            count: all.values().filter(|line| filter.fits(line, now)).count(),
        }
    }

    /// Ends a parked delivery. Tells whether there was one.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn remove(&self, system: &SystemName, cargo: impl Into<Cargo>) -> Result<bool, ParkedError> {
        let key = ParkedKey::new(system, cargo);
        if !self.lines().contains_key(&key) {
            return Ok(false);
        }
        let _writing = self.writing(&key).await;
        self.inner.bucket.delete(&key.to_string()).await?;
        Ok(self.lines_mut().remove(&key).is_some())
    }

    /// Holds a parked delivery that is still as `line` says, so that nobody parks or marks it before it is ended; `None`
    /// when it is gone, or was given up anew.
    pub async fn hold(&self, line: &ParkedLine) -> Option<HeldParked<'_>> {
        let writing = self.writing(&line.key).await;
        let is_still = self.lines().get(&line.key) == Some(line);
        is_still.then(|| HeldParked {
            store: self,
            key: line.key.clone(),
            _writing: writing,
        })
    }

    /// Notes that somebody asked for a parked delivery to be tried again, so that a start goes on with it. Tells whether
    /// there is one.
    ///
    /// # Errors
    /// When that is not stored, or that is unknown.
    pub async fn mark_redriven(
        &self,
        system: &SystemName,
        cargo: impl Into<Cargo>,
    ) -> Result<bool, ParkedError> {
        self.mark(ParkedKey::new(system, cargo), true).await
    }

    /// Notes that a parked delivery waits for a person again, where nobody can try it before something else is decided.
    ///
    /// # Errors
    /// When that is not stored, or that is unknown.
    pub async fn unmark_redriven(
        &self,
        system: &SystemName,
        cargo: impl Into<Cargo>,
    ) -> Result<(), ParkedError> {
        let key = ParkedKey::new(system, cargo);
        if self.line(&key).is_some_and(|line| line.redriven) {
            self.mark(key, false).await?;
        }
        Ok(())
    }

    async fn mark(&self, key: ParkedKey, redriven: bool) -> Result<bool, ParkedError> {
        let _writing = self.writing(&key).await;
        let Some(mut parked) = self.get(&key.system, key.cargo()).await? else {
            return Ok(false);
        };
        parked.line.redriven = redriven;
        if parked.is_unreadable() {
            // What it holds stays for a version that understands it, so that a start does not go on with it.
            self.lines_mut().insert(key, parked.line);
        } else {
            self.put(parked).await?;
        }
        Ok(true)
    }

    /// Whose records somebody asked to have brought to a system again. Reads nothing.
    #[must_use]
    pub fn redriven(&self, system: &SystemName) -> Vec<PatientId> {
        self.redriven_where(system, |key| key.image.is_none().then_some(key.patient))
    }

    /// Which images somebody asked to have brought to a system again. Reads nothing.
    #[must_use]
    pub fn redriven_images(&self, system: &SystemName) -> Vec<ImageId> {
        self.redriven_where(system, |key| key.image)
    }

    /// Which images are parked for a system. Reads nothing.
    #[must_use]
    pub fn images(&self, system: &SystemName) -> Vec<ImageId> {
        let lines = self.lines();
        let keys = lines.keys().filter(|key| key.system == *system);
        keys.filter_map(|key| key.image).collect()
    }

    fn redriven_where<T>(&self, system: &SystemName, what: impl Fn(&ParkedKey) -> Option<T>) -> Vec<T> {
        let lines = self.lines();
        let redriven = lines
            .values()
            .filter(|line| line.redriven && line.key.system == *system);
        redriven.filter_map(|line| what(&line.key)).collect()
    }

    /// Stores an entry, whose lock is held.
    async fn put(&self, parked: Parked) -> Result<ParkedLine, ParkedError> {
        let key = parked.line.key.clone();
        self.inner
            .bucket
            .put(&key.to_string(), parked.write().into())
            .await?;
        let line = parked.line;
        self.lines_mut().insert(key, line.clone());
        Ok(line)
    }

    fn line(&self, key: &ParkedKey) -> Option<ParkedLine> {
        self.lines().get(key).cloned()
    }

    async fn writing(&self, key: &ParkedKey) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        let writers = u64::try_from(WRITERS).unwrap_or(u64::MAX);
        let at = usize::try_from(hash % writers).unwrap_or(0);
        let [first, ..] = &self.inner.writing;
        self.inner.writing.get(at).unwrap_or(first).lock().await
    }

    fn lines(&self) -> RwLockReadGuard<'_, Lines> {
        self.inner.lines.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines_mut(&self) -> RwLockWriteGuard<'_, Lines> {
        self.inner.lines.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldParked<'_> {
    /// Ends it.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn remove(self) -> Result<(), ParkedError> {
        let Self { store, key, .. } = &self;
        store.inner.bucket.delete(&key.to_string()).await?;
        store.lines_mut().remove(key);
        Ok(())
    }
}

impl Undeliverable<'_> {
    /// The entry, after the one that is there already.
    fn parked(self, key: ParkedKey, before: Option<ParkedLine>) -> Parked {
        let (sequence, attempts, parked_at) = before.map_or_else(
            || (0, 0, this_second()),
            |before| (before.sequence, before.attempts, before.parked_at),
        );
        Parked {
            line: ParkedLine {
                key,
                sequence: self.sequence.max(sequence),
                reason: self.why.code.clone(),
                status: self.why.status,
                attempts: self.attempts.saturating_add(attempts),
                connector_version: self.connector_version.to_owned(),
                parked_at,
                redriven: false,
            },
            detail: self.why.detail.clone(),
        }
    }
}

/// The line of a key that the bucket holds; `None` for one that is none of ours, or gone in the meantime.
async fn line(bucket: &Bucket, key: String) -> Result<Option<ParkedLine>, BucketError> {
    let Ok(parsed) = key.parse::<ParkedKey>() else {
        tracing::warn!("the bucket of the parked deliveries holds a key that this version does not know");
        return Ok(None);
    };
    let json = bucket.get(&key).await?;
    Ok(json.map(|json| Parked::read(parsed, &json).line))
}
