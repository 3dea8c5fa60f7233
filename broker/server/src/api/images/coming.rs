//! What comes of an upload, held against what was said of it before anything of it counts: bytes that are there already are
//! passed over, but who sends them must have all of them, and from the beginning on they must be the ones that were promised.

use super::{
    LARGEST_PIECE, LEAST_PACE,
    open::Open,
    refusal::{ahead, not_stored, size_differs},
};
use archwire_core::Digest;
use archwire_nats::{ImageStoreError, Upload};
use bytes::{Buf as _, Bytes};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tonic::Status;

/// How far an upload has come.
pub(super) struct Coming {
    /// Bytes that are there and come once more.
    known: u64,
    /// Up to which byte of the image it has come.
    reached: u64,
    /// Of all bytes, where some of them are passed over.
    hash: Option<Sha256>,
    /// The image was there before: nothing of what comes is stored.
    was_there: bool,
    /// Bytes that were stored since the room on the disk was looked at.
    unseen: usize,
}

impl Coming {
    /// What comes for an upload, from where the sender says.
    pub(super) fn of(open: &Open, upload: &Upload) -> Result<Self, Status> {
        let there = upload.offset();
        let known = there.checked_sub(open.offset).ok_or_else(|| ahead(there))?;
        Ok(Self {
            known,
            reached: open.offset,
            hash: (open.offset == 0 && known > 0).then(Sha256::new),
            was_there: upload.was_there(),
            // Before the first bytes too.
            unseen: LARGEST_PIECE,
        })
    }

    /// Takes a piece, and gives what of it is new.
    pub(super) fn take(&mut self, mut piece: Bytes) -> Bytes {
        let length = piece.len();
        if let Some(hash) = &mut self.hash {
            hash.update(&piece);
        }
        self.reached = self.reached.saturating_add(length as u64);
        let skipped = self.known.min(length as u64);
        self.known -= skipped;
        piece.advance(usize::try_from(skipped).unwrap_or(length));
        piece
    }

    /// Whether the room on the disk is to be looked at before so many bytes more: with every 512 KiB.
    pub(super) fn looks_for_room(&mut self, bytes: usize) -> bool {
        self.unseen = self.unseen.saturating_add(bytes);
        let looks = self.unseen > LARGEST_PIECE;
        if looks {
            self.unseen = 0;
        }
        looks
    }

    /// Holds what came in all against what was promised.
    pub(super) fn check(&self, open: &Open) -> Result<(), Status> {
        let (promised, found) = (open.size, self.reached);
        if self.was_there && found != promised {
            return Err(size_differs(promised, found));
        }
        if found != promised {
            return Err(not_stored(&ImageStoreError::SizeDiffers { promised, found }));
        }
        let found = self.hash.clone();
        match found.map(|hash| Digest::from_bytes(hash.finalize().into())) {
            Some(found) if found != open.digest => Err(not_stored(&ImageStoreError::DigestDiffers { found })),
            _ => Ok(()),
        }
    }
}

/// How long a sender may let the broker wait: only the waiting counts, not the time that storing takes.
pub(super) struct Pace {
    /// For [`LEAST_PACE`] bytes.
    idle: Duration,
    left: Duration,
    came: usize,
}

impl Pace {
    pub(super) fn new(idle: Duration) -> Self {
        Self {
            idle,
            left: idle,
            came: 0,
        }
    }

    /// How much longer the next bytes may take.
    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// Bytes came after having been waited for.
    pub(super) fn came(&mut self, bytes: usize, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
        self.came = self.came.saturating_add(bytes);
        if self.came >= LEAST_PACE {
            *self = Self::new(self.idle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::IDLE, *};

    #[test]
    fn a_sender_who_trickles_has_60_s_for_each_mebibyte() {
        let mut pace = Pace::new(IDLE);
        for _ in 0..59 {
            pace.came(1, Duration::from_secs(1));
        }
        assert_eq!(pace.left(), Duration::from_secs(1));
        pace.came(LEAST_PACE, Duration::ZERO);
        assert_eq!(pace.left(), IDLE);
        pace.came(1, IDLE * 2);
        assert_eq!(pace.left(), Duration::ZERO);
    }

    #[test]
    fn room_is_looked_for_before_the_first_bytes_and_with_every_512_kib() {
        let mut coming = Coming {
            known: 0,
            reached: 0,
            hash: None,
            was_there: false,
            unseen: LARGEST_PIECE,
        };
        assert!(coming.looks_for_room(1));
        assert!(!coming.looks_for_room(LARGEST_PIECE));
        assert!(coming.looks_for_room(1));
        assert!(!coming.looks_for_room(LARGEST_PIECE / 2));
    }

    #[test]
    fn bytes_that_are_there_are_passed_over_and_counted() {
        let mut coming = Coming {
            known: 5,
            reached: 0,
            hash: Some(Sha256::new()),
            was_there: false,
            unseen: 0,
        };
        assert!(coming.take(Bytes::from_static(b"abc")).is_empty());
        assert_eq!(coming.take(Bytes::from_static(b"defg")), "fg");
        assert_eq!(coming.take(Bytes::from_static(b"h")), "h");
        assert_eq!(coming.reached, 8);
        let hash = coming.hash.unwrap().finalize();
        assert_eq!(Digest::from_bytes(hash.into()), Digest::of(b"abcdefgh"));
    }
}
