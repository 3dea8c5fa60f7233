//! Room on the disk of the broker's own NATS server: images leave some of it free, so that there is room for events.
//!
//! It is asked when an image begins and with every 512 KiB of it. Uploads that run at the same time do not know of each other, so
//! that with 16 of them at most 40 MiB less may be left free than is configured: for each what is on its way, 2.5 MiB.

use crate::config::ByteSize;
use std::path::PathBuf;

/// The room on a disk; cheap to clone.
#[derive(Debug, Clone)]
pub struct Room {
    /// Where the images are; `None` on a disk that the broker does not see.
    folder: Option<PathBuf>,
    keep_free: ByteSize,
}

/// Not so much room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the disk has {free} bytes left, of which images leave {keep_free} free: make room on it, or lower `images.keep-free`"
)]
pub struct RoomError {
    /// Bytes that are free.
    pub free: u64,
    /// Bytes that stay free.
    pub keep_free: u64,
}

impl RoomError {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        "images_full"
    }
}

impl Room {
    /// The disk that `folder` is on, where the broker sees it.
    #[must_use]
    pub fn new(folder: Option<PathBuf>, keep_free: ByteSize) -> Self {
        Self { folder, keep_free }
    }

    /// Bytes that stay free.
    #[must_use]
    pub fn keep_free(&self) -> u64 {
        self.keep_free.bytes()
    }

    /// Bytes that are free; `None` where that is not known.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        let system = rustix::fs::statvfs(self.folder.as_deref()?).ok()?;
        Some(system.f_bavail.saturating_mul(system.f_frsize))
    }

    /// Whether so many bytes more leave enough free.
    ///
    /// # Errors
    /// When they do not. What is not known keeps nobody out.
    pub fn has(&self, bytes: u64) -> Result<(), RoomError> {
        let keep_free = self.keep_free();
        match self.free() {
            Some(free) if free.saturating_sub(bytes) < keep_free => Err(RoomError { free, keep_free }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_leave_room_on_the_disk_and_a_disk_that_nobody_sees_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let room = |keep_free| Room::new(Some(folder.path().to_owned()), ByteSize::from_bytes(keep_free));
        assert_eq!(room(0).has(1), Ok(()));
        let refused = room(u64::MAX).has(1).unwrap_err();
        assert_eq!((refused.code(), refused.keep_free), ("images_full", u64::MAX));
        assert!(room(1).has(u64::MAX).is_err(), "more than any disk has");
        // What is free changes while the test runs, but never by half of it.
        let free = room(0).free().unwrap();
        assert_eq!(room(free / 2).has(free / 4), Ok(()));
        assert!(room(free / 2).has(free).is_err());
        let unseen = Room::new(None, ByteSize::from_bytes(u64::MAX));
        assert_eq!((unseen.free(), unseen.has(u64::MAX)), (None, Ok(())));
    }
}
