//! Who is at work on what, in this process: so that two uploads of the same do not mix, and that nothing is removed that
//! somebody works with.
//!
//! Bounds: 16 uploads at a time; one that was replaced no longer counts. One collection at a time.

use super::ImageStoreError;
use archwire_core::Digest;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Most uploads at a time.
pub(super) const MOST_UPLOADS: usize = 16;
const MOST_DAMAGED: usize = 1024;

/// Uploads under way, and images that somebody works with.
#[derive(Default)]
pub(super) struct Desk {
    table: Mutex<Table>,
    /// Held for reading while work begins, and for writing while something is removed: what is removed is what nobody
    /// works with, and nobody begins to while it is.
    removal: RwLock<()>,
    collecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Table {
    /// The number of the upload that may write, by its nuid.
    uploads: HashMap<String, u64>,
    /// How many work with an image.
    held: HashMap<Digest, usize>,
    begun: u64,
    /// While a collection runs, every upload that was under way at any time since it began.
    seen: Option<HashSet<String>>,
    /// Images that were found damaged since the start, 1,024 at most: the next upload of one replaces it.
    damaged: HashSet<Digest>,
}

impl Desk {
    /// Begins an upload, and ends the one of the same nuid. A promised image is held as long as the upload lasts.
    pub(super) async fn begin(
        self: &Arc<Self>,
        nuid: &str,
        promised: Option<Digest>,
    ) -> Result<Ticket, ImageStoreError> {
        let _no_removal = self.removal.read().await;
        let hold = promised.map(|digest| self.hold_now(digest));
        let mut table = self.table();
        if table.uploads.len() >= MOST_UPLOADS && !table.uploads.contains_key(nuid) {
            drop(table);
            return Err(ImageStoreError::UploadsFull { most: MOST_UPLOADS });
        }
        table.begun += 1;
        let number = table.begun;
        table.uploads.insert(nuid.to_owned(), number);
        if let Some(seen) = &mut table.seen {
            seen.insert(nuid.to_owned());
        }
        drop(table);
        Ok(Ticket {
            desk: self.clone(),
            nuid: nuid.to_owned(),
            number,
            _hold: hold,
        })
    }

    /// Holds an image, so that it is not removed.
    pub(super) async fn hold(self: &Arc<Self>, digest: Digest) -> Hold {
        let _no_removal: RwLockReadGuard<'_, ()> = self.removal.read().await;
        self.hold_now(digest)
    }

    /// Waits until nobody begins anything, and keeps it so while something is removed.
    pub(super) async fn removal(&self) -> RwLockWriteGuard<'_, ()> {
        self.removal.write().await
    }

    /// Begins a collection, once no other one runs.
    pub(super) async fn collection(&self) -> Collection<'_> {
        let alone = self.collecting.lock().await;
        let mut table = self.table();
        table.seen = Some(table.uploads.keys().cloned().collect());
        drop(table);
        Collection {
            desk: self,
            _alone: alone,
        }
    }

    pub(super) fn is_held(&self, digest: &Digest) -> bool {
        self.table().held.contains_key(digest)
    }

    pub(super) fn is_damaged(&self, digest: &Digest) -> bool {
        self.table().damaged.contains(digest)
    }

    /// Notes whether an image is damaged.
    pub(super) fn note(&self, digest: Digest, is_damaged: bool) {
        let damaged = &mut self.table().damaged;
        match is_damaged {
            true if damaged.len() < MOST_DAMAGED => damaged.insert(digest),
            true => false,
            false => damaged.remove(&digest),
        };
    }

    fn hold_now(self: &Arc<Self>, digest: Digest) -> Hold {
        *self.table().held.entry(digest).or_default() += 1;
        Hold {
            desk: self.clone(),
            digest,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing that holds it can fail half-way.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A collection under way.
pub(super) struct Collection<'a> {
    desk: &'a Desk,
    _alone: tokio::sync::MutexGuard<'a, ()>,
}

impl Collection<'_> {
    /// Whether an upload was under way at any time since the collection began.
    pub(super) fn has_seen(&self, nuid: &str) -> bool {
        let table = self.desk.table();
        table.seen.as_ref().is_none_or(|seen| seen.contains(nuid))
    }
}

impl Drop for Collection<'_> {
    fn drop(&mut self) {
        self.desk.table().seen = None;
    }
}

/// An upload's place at the desk; given back when dropped.
pub(super) struct Ticket {
    desk: Arc<Desk>,
    nuid: String,
    number: u64,
    _hold: Option<Hold>,
}

impl Ticket {
    /// Whether no other upload has taken its place.
    pub(super) fn is_current(&self) -> bool {
        self.desk.table().uploads.get(&self.nuid) == Some(&self.number)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut table = self.desk.table();
        if table.uploads.get(&self.nuid) == Some(&self.number) {
            table.uploads.remove(&self.nuid);
        }
    }
}

/// An image that somebody works with; let go of when dropped.
pub(super) struct Hold {
    desk: Arc<Desk>,
    digest: Digest,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut table = self.desk.table();
        let left = table.held.get_mut(&self.digest).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            table.held.remove(&self.digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_are_at_most_16_uploads_and_one_that_takes_the_place_of_another_is_not_one_more() {
        let desk = Arc::new(Desk::default());
        let mut tickets = Vec::new();
        for number in 0..MOST_UPLOADS {
            tickets.push(desk.begin(&number.to_string(), None).await.ok().unwrap());
        }
        let error = desk.begin("more", None).await.err().unwrap();
        assert_eq!(error.code(), "image_uploads_full");
        let again = desk.begin("0", None).await.ok().unwrap();
        assert!(again.is_current() && !tickets[0].is_current());
        tickets.remove(0);
        assert!(
            again.is_current(),
            "the one that was replaced takes nothing along"
        );
        drop(again);
        assert!(desk.begin("more", None).await.is_ok());
    }

    #[tokio::test]
    async fn an_image_is_held_until_the_last_lets_go_of_it() {
        let desk = Arc::new(Desk::default());
        let digest = Digest::of(b"x");
        let first = desk.hold(digest).await;
        let upload = desk.begin("p1", Some(digest)).await.ok().unwrap();
        drop(first);
        assert!(desk.is_held(&digest));
        drop(upload);
        assert!(!desk.is_held(&digest));
    }

    #[tokio::test]
    async fn a_collection_sees_every_upload_from_its_beginning_on() {
        let desk = Arc::new(Desk::default());
        let before = desk.begin("before", None).await.ok().unwrap();
        drop(desk.begin("long ago", None).await);
        let collection = desk.collection().await;
        drop(before);
        drop(desk.begin("meanwhile", None).await);
        assert!(collection.has_seen("before") && collection.has_seen("meanwhile"));
        assert!(!collection.has_seen("long ago"));
    }
}
