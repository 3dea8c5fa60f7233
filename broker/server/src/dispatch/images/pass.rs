//! Passing over all images in pieces, for what nobody was woken for: another broker may have told it.
//!
//! A piece is at most [`AT_A_LOOK`] images, so that the index is held for some milliseconds however many there are; between two
//! pieces is at least [`BETWEEN_LOOKS`], and from the beginning of a pass to that of the next at least [`BETWEEN_PASSES`]. So 300,000
//! images are passed over once a minute, and more of them more rarely. Pure: what is due, others know.

use archwire_core::ImageId;
use std::time::Duration;
use tokio::time::Instant;

/// Images of one piece.
pub(super) const AT_A_LOOK: usize = 5_000;
/// Between two pieces.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Between the beginnings of two passes.
const BETWEEN_PASSES: Duration = Duration::from_secs(60);

/// How far a pass is.
#[derive(Debug)]
pub(super) struct Pass {
    begun: Instant,
    after: Option<ImageId>,
    next: Instant,
}

impl Pass {
    /// The first one begins in a minute: a start looks at everything.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now + BETWEEN_PASSES,
            after: None,
            next: now + BETWEEN_PASSES,
        }
    }

    /// When the next piece is looked at.
    pub(super) fn next_time(&self) -> Instant {
        self.next
    }

    /// Behind which image it begins; `None` at the beginning.
    pub(super) fn after(&self) -> Option<ImageId> {
        self.after
    }

    /// A piece was looked at, up to this image; `None` when that was the last piece.
    pub(super) fn looked(&mut self, up_to: Option<ImageId>, now: Instant) {
        self.after = up_to;
        self.next = now + BETWEEN_LOOKS;
        if up_to.is_none() {
            self.next = self.next.max(self.begun + BETWEEN_PASSES);
            self.begun = self.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::{PatientId, Revision};

    #[test]
    fn a_pass_is_a_minute_or_as_many_seconds_as_it_has_pieces() {
        let start = Instant::now();
        let image = ImageId {
            patient: PatientId::generate(),
            first: Revision::new(1),
        };
        let mut pass = Pass::new(start);
        let mut begun = pass.next_time();
        assert_eq!(begun, start + BETWEEN_PASSES);
        for pieces in [1, 3, 59, 60, 61, 200] {
            for _ in 1..pieces {
                let now = pass.next_time();
                pass.looked(Some(image), now);
                assert_eq!(
                    (pass.after(), pass.next_time()),
                    (Some(image), now + BETWEEN_LOOKS)
                );
            }
            let now = pass.next_time();
            pass.looked(None, now);
            assert_eq!(pass.after(), None, "the next one begins at the beginning");
            let took = pass.next_time() - begun;
            assert_eq!(took, BETWEEN_PASSES.max(BETWEEN_LOOKS * pieces));
            begun = pass.next_time();
        }
    }
}
