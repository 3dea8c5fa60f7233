//! Writing the bytes of an image.

use super::{
    ImageStoreError, Inner,
    desk::Ticket,
    name::{Entry, Name},
    resume::Begun,
    wire::Refusal,
    writing::{Fence, Progress, Writing},
};
use archwire_core::{Digest, SystemName};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// How long removing what is left of a dropped upload may take; the collector does what is not done by then.
const LONGEST_DISCARD: Duration = Duration::from_secs(60);
/// How often a name is looked at again that somebody else writes at the same time.
const NAME_ATTEMPTS: u32 = 8;

/// Whose upload it is, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UploadKey {
    /// Who uploads.
    pub owner: SystemName,
    /// SHA-256 and size in bytes of what will come. Without a promise an upload cannot be gone on with.
    pub promised: Option<(Digest, u64)>,
}

/// An image that is stored, and flushed where the server promises that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredImage {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// An upload under way. Dropping it leaves what is stored for going on with, if it was promised; else it is removed, by a task that
/// keeps the upload's place among the 16 until it has ended.
pub struct Upload {
    store: Arc<Inner>,
    ticket: Arc<Ticket>,
    promised: Option<(Digest, u64)>,
    fence: Fence,
    state: State,
    /// Its name may have been written, so that its bytes may be those of the image.
    is_named: bool,
}

enum State {
    /// The image was there when the upload began.
    Stored(Name),
    /// Boxed for its size.
    Writing(Box<Writing>),
    /// It has failed, and can only be begun again.
    Ended,
}

impl Upload {
    pub(super) async fn begin(
        store: Arc<Inner>,
        key: UploadKey,
        nuid: &str,
    ) -> Result<Self, ImageStoreError> {
        let UploadKey { owner, promised } = key;
        if let Some((_, size)) = promised {
            store.check_size(size)?;
        }
        let digest = promised.map(|(digest, _)| digest);
        let ticket = Arc::new(store.desk.begin(nuid, digest).await?);
        let begun = match promised {
            Some(promised) => store.resume(&owner, nuid, promised).await?,
            None => Begun::Writing(Fence::None, Progress::default()),
        };
        let (fence, state) = match begun {
            Begun::Stored(name) => (Fence::None, State::Stored(name)),
            Begun::Writing(fence, progress) => {
                let writing = Writing::new(store.clone(), nuid.to_owned(), fence, progress);
                (fence, State::Writing(Box::new(writing)))
            }
        };
        Ok(Self {
            store,
            ticket,
            promised,
            fence,
            state,
            is_named: false,
        })
    }

    /// Whether the image was there when the upload began, so that nothing of what comes is stored.
    #[must_use]
    pub fn was_there(&self) -> bool {
        matches!(self.state, State::Stored(_))
    }

    /// From which byte on the upload goes on: so many are there already, or came since. Those of an image that was there
    /// when the upload began are all there.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match &self.state {
            State::Stored(name) => name.size,
            State::Writing(writing) => writing.taken(),
            State::Ended => 0,
        }
    }

    /// Takes the next bytes. Waits while as many are on their way as may be: at most 2.5 MiB of an upload are held here, and
    /// what the caller hands over at a time.
    ///
    /// # Errors
    /// When they cannot be stored; the upload has ended then. What is stored remains for going on with after
    /// [`Unavailable`](ImageStoreError::Unavailable) and [`Replaced`](ImageStoreError::Replaced), and is removed otherwise.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), ImageStoreError> {
        let size = self.offset().saturating_add(bytes.len() as u64);
        let outcome = self.take(bytes, size).await;
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(self.ended(error).await),
        }
    }

    async fn take(&mut self, bytes: Bytes, size: u64) -> Result<(), ImageStoreError> {
        self.check()?;
        match self.promised {
            Some((_, promised)) if size > promised => {
                return Err(ImageStoreError::SizeDiffers {
                    promised,
                    found: size,
                });
            }
            _ if size > self.store.largest.get() => {
                let largest = self.store.largest;
                return Err(ImageStoreError::TooLarge { largest });
            }
            _ => {}
        }
        match &mut self.state {
            State::Writing(writing) => writing
                .take(bytes)
                .await
                .map_err(|refusal| refused(refusal, self.fence)),
            State::Stored(_) => Ok(()),
            State::Ended => Err(has_ended()),
        }
    }

    /// Stores the rest, holds it against what was promised, and only then makes the image be there. What was there before
    /// counts as written anew: it is as safe from the collector as if it had been.
    ///
    /// # Errors
    /// When it is not stored. What came remains for going on with after [`Unavailable`](ImageStoreError::Unavailable) and
    /// [`Replaced`](ImageStoreError::Replaced) and where there were too few bytes, and is removed otherwise.
    pub async fn finish(mut self) -> Result<StoredImage, ImageStoreError> {
        let outcome = self.store_all().await;
        match outcome {
            Ok(stored) => Ok(stored),
            Err(error) => Err(self.ended(error).await),
        }
    }

    /// Whether it may still write.
    fn check(&self) -> Result<(), ImageStoreError> {
        match &self.state {
            State::Ended => Err(has_ended()),
            _ if !self.ticket.is_current() => Err(ImageStoreError::Replaced),
            _ => Ok(()),
        }
    }

    async fn store_all(&mut self) -> Result<StoredImage, ImageStoreError> {
        self.check()?;
        let came = self.offset();
        if let Some((_, promised)) = self.promised
            && came != promised
        {
            return Err(ImageStoreError::SizeDiffers {
                promised,
                found: came,
            });
        }
        let name = match &mut self.state {
            State::Writing(_) if came == 0 => return Err(ImageStoreError::Empty),
            State::Writing(writing) => writing
                .complete()
                .await
                .map_err(|refusal| refused(refusal, self.fence))?,
            State::Stored(name) => name.clone(),
            State::Ended => return Err(has_ended()),
        };
        if self.promised.is_some_and(|(digest, _)| digest != name.digest) {
            return Err(ImageStoreError::DigestDiffers { found: name.digest });
        }
        self.publish(name).await
    }

    /// Makes the image be there, unless it is already: of two uploads of the same bytes one copy remains.
    async fn publish(&mut self, name: Name) -> Result<StoredImage, ImageStoreError> {
        let _hold = self.store.desk.hold(name.digest).await;
        let was_there = self.was_there();
        if !was_there {
            // Whoever brings the bytes again may rely on them: a copy that is damaged must not be the one that remains.
            self.store.is_sound(&name.digest).await?;
        }
        self.is_named = true;
        let (digest, size) = (name.digest, name.size);
        let mut seen = None;
        for _ in 0..NAME_ATTEMPTS {
            let entry = self.store.sound_entry(&digest).await?;
            let is_just_written = seen.is_some_and(|seen| seen != entry.sequence);
            seen = Some(entry.sequence);
            if was_there && entry.name.is_none() {
                return Err(ImageStoreError::unavailable("the image was removed meanwhile"));
            }
            self.check()?;
            let found = entry.name.as_ref().unwrap_or(&name);
            let written = match is_just_written && entry.name.is_some() {
                true => Ok(()),
                false => self.store.write_name(found, entry.sequence).await,
            };
            match written {
                Ok(()) => {
                    self.tidy_up(&entry, &name, was_there).await;
                    let is_new = entry.name.is_none();
                    return Ok(StoredImage { digest, size, is_new });
                }
                Err(Refusal::Guard) => {}
                Err(refusal) => return Err(refused(refusal, Fence::None)),
            }
        }
        Err(ImageStoreError::unavailable(
            "the name of the image is written by others all the time",
        ))
    }

    /// Removes the other copy, where there is one, once the name is written. What cannot be removed is left to the collector,
    /// and so is the claim: it keeps bytes away that may still be under way from an attempt before this one.
    async fn tidy_up(&self, before: &Entry, name: &Name, was_there: bool) {
        let store = &self.store;
        let other = before.nuid.as_deref().filter(|nuid| *nuid != name.nuid);
        let removed = match (&before.name, other) {
            (Some(_), Some(_)) if !was_there => store.remove_upload(&name.nuid, self.fence).await,
            (Some(_), _) => Ok(()),
            (None, other) => {
                store.desk.note(name.digest, false);
                match other.and_then(|nuid| store.desk.remove(nuid, None).zip(Some(nuid))) {
                    Some((_removal, nuid)) => store.remove_all_of(nuid).await,
                    None => Ok(()),
                }
            }
        };
        if let Err(cause) = removed {
            tracing::warn!(?cause, "what is left of an upload is left to the collector");
        }
    }

    /// Ends the upload and removes what it stored; an image that was there when it began remains.
    ///
    /// # Errors
    /// When it may not have been removed; the collector does that then.
    pub async fn abandon(mut self) -> Result<(), ImageStoreError> {
        self.discard().await
    }

    /// Ends the upload after an error, and removes what is of no use any more.
    async fn ended(&mut self, error: ImageStoreError) -> ImageStoreError {
        let may_go_on = match &error {
            ImageStoreError::Unavailable { .. } | ImageStoreError::Replaced => true,
            ImageStoreError::SizeDiffers { promised, found } => found < promised,
            _ => false,
        };
        if !may_go_on && let Err(cause) = self.discard().await {
            tracing::warn!(?cause, "what is left of an upload is left to the collector");
        }
        self.state = State::Ended;
        error
    }

    async fn discard(&mut self) -> Result<(), ImageStoreError> {
        match &mut self.state {
            // What is there is that of the upload that has taken its place.
            State::Writing(writing) => match self.ticket.give_up() {
                Some(_removal) => writing.discard().await,
                None => Ok(()),
            },
            State::Stored(_) | State::Ended => Ok(()),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let is_left = self.promised.is_none() && !self.is_named;
        let State::Writing(mut writing) = std::mem::replace(&mut self.state, State::Ended) else {
            return;
        };
        let runtime = tokio::runtime::Handle::try_current();
        if let (true, Ok(runtime)) = (is_left && writing.taken() > 0, runtime) {
            let ticket = Arc::clone(&self.ticket);
            runtime.spawn(async move {
                let discarded = tokio::time::timeout(LONGEST_DISCARD, writing.discard()).await;
                if !matches!(discarded, Ok(Ok(()))) {
                    tracing::warn!(?discarded, "what is left of an upload is left to the collector");
                }
                drop(ticket);
            });
        }
    }
}

fn has_ended() -> ImageStoreError {
    ImageStoreError::unavailable("the upload has ended with an error before")
}

fn refused(refusal: Refusal, fence: Fence) -> ImageStoreError {
    match (refusal, fence) {
        (Refusal::Full(source), _) => ImageStoreError::Full { source },
        (Refusal::Unavailable(source), _) => ImageStoreError::Unavailable { source },
        (Refusal::Guard, Fence::Claim(_)) => ImageStoreError::Replaced,
        // An attempt that was given up was stored nevertheless.
        (Refusal::Guard, Fence::OneChunk | Fence::None) => {
            ImageStoreError::unavailable("the bytes have been stored meanwhile")
        }
    }
}
