//! Who is at work on what, in this process: so that two uploads of the same do not mix, and that nothing is removed that
//! somebody works with. Whoever would begin with something that is being removed waits until it is gone.
//!
//! Bounds: 16 uploads at a time; one that was replaced no longer counts. One collection at a time. Another broker's work is not
//! seen here; of several brokers one takes uploads and collects (see [`Lease`](crate::Lease)).

use super::ImageStoreError;
use archwire_core::Digest;
use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Most uploads at a time.
pub(super) const MOST_UPLOADS: usize = 16;
const MOST_DAMAGED: usize = 1024;

/// Uploads under way, and images that somebody works with.
#[derive(Default)]
pub(super) struct Desk {
    table: Mutex<Table>,
    /// Told of whenever a removal has ended.
    removed: Notify,
    collecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Table {
    /// The number of the upload that may write, by its nuid.
    uploads: HashMap<String, u64>,
    /// How many work with an image.
    held: HashMap<Digest, usize>,
    begun: u64,
    /// Images whose names are being removed.
    going: HashSet<Digest>,
    /// Uploads whose chunks are being removed.
    emptied: HashSet<String>,
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
        let hold = match promised {
            Some(digest) => Some(self.hold(digest).await),
            None => None,
        };
        let number = self
            .once_not_removed(|table| {
                let may_begin = !table.emptied.contains(nuid);
                may_begin.then(|| table.begin(nuid))
            })
            .await?;
        Ok(Ticket {
            desk: self.clone(),
            nuid: nuid.to_owned(),
            number,
            _hold: hold,
        })
    }

    /// Holds an image, so that it is not removed.
    pub(super) async fn hold(self: &Arc<Self>, digest: Digest) -> Hold {
        self.once_not_removed(|table| {
            let may_begin = !table.going.contains(&digest);
            may_begin.then(|| *table.held.entry(digest).or_default() += 1)
        })
        .await;
        Hold {
            desk: self.clone(),
            digest,
        }
    }

    /// Begins to remove an upload, and the image that it became; `None` when somebody works with either.
    pub(super) fn remove(self: &Arc<Self>, nuid: &str, image: Option<Digest>) -> Option<Removal> {
        let mut table = self.table();
        let is_held = image.is_some_and(|digest| table.held.contains_key(&digest));
        if is_held || table.uploads.contains_key(nuid) || !table.emptied.insert(nuid.to_owned()) {
            return None;
        }
        table.going.extend(image);
        drop(table);
        Some(Removal {
            desk: self.clone(),
            nuid: nuid.to_owned(),
            image,
        })
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

    /// Tries again whenever something was removed.
    async fn once_not_removed<T>(&self, mut attempt: impl FnMut(&mut Table) -> Option<T>) -> T {
        loop {
            let mut removed = pin!(self.removed.notified());
            removed.as_mut().enable();
            if let Some(done) = attempt(&mut self.table()) {
                return done;
            }
            removed.await;
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing that holds it can fail half-way.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn begin(&mut self, nuid: &str) -> Result<u64, ImageStoreError> {
        if self.uploads.len() >= MOST_UPLOADS && !self.uploads.contains_key(nuid) {
            return Err(ImageStoreError::UploadsFull { most: MOST_UPLOADS });
        }
        self.begun += 1;
        self.uploads.insert(nuid.to_owned(), self.begun);
        if let Some(seen) = &mut self.seen {
            seen.insert(nuid.to_owned());
        }
        Ok(self.begun)
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

    /// Gives the place up and begins to remove what is stored; `None` when another upload has taken the place.
    pub(super) fn give_up(&self) -> Option<Removal> {
        let mut table = self.desk.table();
        if table.uploads.get(&self.nuid) != Some(&self.number) {
            return None;
        }
        table.uploads.remove(&self.nuid);
        table.emptied.insert(self.nuid.clone());
        drop(table);
        Some(Removal {
            desk: self.desk.clone(),
            nuid: self.nuid.clone(),
            image: None,
        })
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

/// A removal under way; ended when dropped.
pub(super) struct Removal {
    desk: Arc<Desk>,
    nuid: String,
    image: Option<Digest>,
}

impl Removal {
    /// The image is gone: whoever waited for that may go on. What follows is its chunks, which nobody finds any more.
    pub(super) fn image_is_gone(&mut self) {
        if let Some(digest) = self.image.take() {
            self.desk.table().going.remove(&digest);
            self.desk.removed.notify_waiters();
        }
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        self.image_is_gone();
        self.desk.table().emptied.remove(&self.nuid);
        self.desk.removed.notify_waiters();
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
    use futures_util::FutureExt;

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
        assert!(desk.remove("p2", Some(digest)).is_none());
        drop(upload);
        assert!(desk.remove("p2", Some(digest)).is_some());
    }

    #[tokio::test]
    async fn what_is_being_removed_is_waited_for_and_what_is_at_work_is_not_removed() {
        let desk = Arc::new(Desk::default());
        let digest = Digest::of(b"x");
        let mut removal = desk.remove("p1", Some(digest)).unwrap();
        assert!(desk.remove("p1", None).is_none(), "once is enough");
        let mut holding = pin!(desk.hold(digest));
        let mut beginning = pin!(desk.begin("p1", None));
        assert!(holding.as_mut().now_or_never().is_none());
        assert!(beginning.as_mut().now_or_never().is_none());
        removal.image_is_gone();
        assert!(holding.now_or_never().is_some());
        assert!(beginning.as_mut().now_or_never().is_none());
        drop(removal);
        let ticket = beginning.await.ok().unwrap();
        assert!(desk.remove("p1", None).is_none());
        let given_up = ticket.give_up().unwrap();
        assert!(ticket.give_up().is_none());
        assert!(desk.begin("p1", None).now_or_never().is_none());
        drop(given_up);
        assert!(desk.begin("p1", None).await.is_ok());
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
