//! Removing what nobody needs: images that nobody uses, and what is left of uploads that nobody went on with.
//!
//! Nothing is removed that is younger than the grace period (10 minutes at most for what is left of uploads that cannot be gone on
//! with), that an upload was at work on at any time since the collection
//! began, or that somebody reads. An image that is uploaded again counts as young. What is in the store is asked of the leader of
//! a cluster, since another member may be behind. Memory: about 600 bytes an image, counted by its
//! fields, while it runs.

use super::{
    Collected, ImageStoreError, Inner,
    desk::Collection,
    layout::{ChunkHead, is_anonymous},
    name::{Entry, Name},
};
use archwire_core::Digest;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, SystemTime},
};

/// What is left of uploads that cannot be gone on with stays so long at most: long enough for a request that is still under way.
const ANONYMOUS_GRACE: Duration = Duration::from_secs(600);
/// Entries looked up at a time.
const LOOKED_UP: usize = 16;

/// What to do with what nobody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Remove,
    Count,
}

/// What there is of an upload.
#[derive(Default)]
struct Remains {
    has_chunks: bool,
    has_claim: bool,
}

impl Inner {
    pub(super) async fn collect(
        &self,
        grace: Duration,
        in_use: &impl Fn(&Digest) -> bool,
        mode: Mode,
    ) -> Result<Collected, ImageStoreError> {
        let collection = self.desk.collection().await;
        // In this order: an upload that ends in between has its name before the names are listed.
        let remains = self.remains().await?;
        let entries = self.entries().await?;
        let (mut collected, mut failed) = (Collected::default(), None);
        for entry in &entries {
            let Some(name) = &entry.name else { continue };
            if !in_use(&name.digest) && age(entry.written_at) >= grace {
                let removed = match mode {
                    Mode::Count => true,
                    Mode::Remove => later(self.remove_image(name, entry, in_use).await, &mut failed),
                };
                collected.images += u64::from(removed);
                collected.bytes += if removed { name.size } else { 0 };
            }
        }
        if entries.iter().any(|entry| entry.nuid.is_none()) {
            tracing::warn!("an entry of an image cannot be read: what is left of uploads is not collected");
            return failed.map_or(Ok(collected), Err);
        }
        let needed: HashSet<&str> = entries.iter().filter_map(|entry| entry.nuid.as_deref()).collect();
        for (nuid, remains) in &remains {
            let is_needed = needed.contains(nuid.as_str());
            let left = self
                .remove_remains(&collection, (nuid, remains), is_needed, grace, mode)
                .await;
            let left = later(left, &mut failed);
            collected.uploads += u64::from(left.is_some());
            collected.bytes += left.unwrap_or(0);
        }
        failed.map_or(Ok(collected), Err)
    }

    /// Removes an image unless somebody has begun to work with it. Its name goes first, and only the one that was seen: what
    /// was written anew meanwhile stays.
    async fn remove_image(
        &self,
        name: &Name,
        entry: &Entry,
        in_use: &impl Fn(&Digest) -> bool,
    ) -> Result<bool, ImageStoreError> {
        let Some(mut removal) = self.desk.remove(&name.nuid, Some(name.digest)) else {
            return Ok(false);
        };
        if in_use(&name.digest) {
            return Ok(false);
        }
        let subject = self.layout.name(&name.digest);
        self.remove(&subject, Some(entry.sequence)).await?;
        if self.entry_on(&subject).await?.sequence != 0 {
            return Ok(false);
        }
        self.desk.note(name.digest, false);
        removal.image_is_gone();
        self.remove_all_of(&name.nuid).await?;
        Ok(true)
    }

    /// Removes what is left of an upload and gives its bytes; `None` when it stays. Of an image that is there only the claim
    /// goes, which does not count.
    async fn remove_remains(
        &self,
        collection: &Collection<'_>,
        (nuid, remains): (&str, &Remains),
        is_needed: bool,
        grace: Duration,
        mode: Mode,
    ) -> Result<Option<u64>, ImageStoreError> {
        if is_needed && !remains.has_claim {
            return Ok(None);
        }
        let Some(_removal) = self.desk.remove(nuid, None) else {
            return Ok(None);
        };
        let (chunks, claim) = (self.layout.chunks(nuid), self.layout.claim(nuid));
        let last = match remains.has_chunks && !is_needed {
            true => self.last(&chunks).await?,
            false => self.last(&claim).await?,
        };
        let Some(last) = last else {
            return Ok(None);
        };
        let grace = match is_anonymous(nuid) {
            true => grace.min(ANONYMOUS_GRACE),
            false => grace,
        };
        if collection.has_seen(nuid) || age(last.time) < grace {
            return Ok(None);
        }
        match mode {
            Mode::Remove if is_needed => self.remove(&claim, None).await?,
            Mode::Remove => self.remove_all_of(nuid).await?,
            Mode::Count => {}
        }
        let end =
            ChunkHead::read(&last.headers).map(|head| head.offset.saturating_add(last.payload.len() as u64));
        Ok((!is_needed).then_some(end.unwrap_or(0)))
    }

    /// What there is of uploads, by their nuid.
    async fn remains(&self) -> Result<BTreeMap<String, Remains>, ImageStoreError> {
        let mut all: BTreeMap<String, Remains> = BTreeMap::new();
        for subject in self.subjects(&self.layout.every_chunk()).await? {
            if let Some((nuid, is_claim)) = self.layout.nuid_of(&subject) {
                let remains = all.entry(nuid.to_owned()).or_default();
                remains.has_chunks |= !is_claim;
                remains.has_claim |= is_claim;
            }
        }
        Ok(all)
    }

    /// What stands under every name. A name that stands on another one's subject counts as none.
    async fn entries(&self) -> Result<Vec<Entry>, ImageStoreError> {
        let subjects = self.subjects(&self.layout.every_name()).await?;
        stream::iter(subjects)
            .map(|subject| async move {
                let mut entry = self.entry_on(&subject).await?;
                entry.name = entry
                    .name
                    .filter(|name| self.layout.name(&name.digest) == subject);
                Ok(entry)
            })
            .buffer_unordered(LOOKED_UP)
            .try_collect()
            .await
    }

    /// How many names there are.
    pub(super) async fn names(&self) -> Result<u64, ImageStoreError> {
        Ok(self.subjects(&self.layout.every_name()).await?.len() as u64)
    }

    async fn subjects(&self, filter: &str) -> Result<Vec<String>, ImageStoreError> {
        let subjects = self.removing.info_with_subjects(filter).await;
        let subjects = subjects.map_err(ImageStoreError::unavailable)?;
        subjects
            .map_ok(|(subject, _)| subject)
            .try_collect()
            .await
            .map_err(ImageStoreError::unavailable)
    }
}

/// What came of one of many; an error is kept, the first of them, so that the next one gets its turn.
fn later<T: Default>(outcome: Result<T, ImageStoreError>, failed: &mut Option<ImageStoreError>) -> T {
    outcome.unwrap_or_else(|error| {
        tracing::warn!(code = error.code(), "what nobody needs was not all removed");
        failed.get_or_insert(error);
        T::default()
    })
}

fn age(written_at: SystemTime) -> Duration {
    SystemTime::now().duration_since(written_at).unwrap_or_default()
}
