//! Which images wait for a system, and whose turn it is: the bookkeeping, and nothing else.
//!
//! Patients take turns, each with one image at a time and in the order in which the images were told, so that a thousand of one
//! patient keep another one waiting for as long as one of them takes. Images that a person asked for come before all others.
//! One that failed waits aside and lets the later ones of its patient go ahead.
//!
//! Bounds: [`AT_A_TIME`] are being sent. [`MOST_BACKING_OFF`] that failed keep count of their attempts; who fails beyond that
//! forgets them and is put off for [`PUT_OFF_FOR`], so that those who fail never keep all others out. Who waits takes some
//! 100 bytes, and is known to the index anyway: when there is no bound on that, there is none here.

use super::line::Line;
use crate::dispatch::tries::Tries;
use archwire_core::{ImageId, PatientId};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};
use tokio::time::Instant;

/// Images that are sent to a system at a time.
pub const AT_A_TIME: usize = 4;
/// Most images that wait to be tried again and remember how often they were.
const MOST_BACKING_OFF: usize = 1024;
/// How long one waits that fails while as many wait already.
const PUT_OFF_FOR: Duration = Duration::from_secs(300);

/// The images that a system lacks.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Who may be sent.
    ready: Line,
    /// Who may be sent, and is before all others because a person asked for it.
    hurried: Line,
    /// What is being sent, at most one image of a patient, and whether it is wanted once more.
    working: HashMap<PatientId, (ImageId, Again)>,
    /// What failed, also while it is ready once more.
    failed: HashMap<ImageId, Failed>,
    /// How many of them remember their attempts.
    remembering: usize,
    /// Of those who are not ready, when they will be.
    times: BTreeSet<(Instant, ImageId)>,
    /// What waits for something to be decided or linked, and is not looked at before.
    held: BTreeSet<ImageId>,
}

/// Whether an image that is being sent is wanted once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Again {
    No,
    Yes,
    Hurried,
}

#[derive(Debug)]
struct Failed {
    until: Instant,
    /// `None` of those that were put off.
    tries: Option<Tries>,
}

/// An image whose turn it is.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) image: ImageId,
    pub(super) tries: Tries,
    /// Whether a person waits for it.
    pub(super) is_hurried: bool,
}

/// How many images there are, by where they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) waiting: usize,
    pub(super) working: usize,
    pub(super) backing_off: usize,
}

impl Book {
    /// An image may have to be sent. One that failed keeps waiting, one that is being sent is looked at once more afterwards.
    pub(super) fn want(&mut self, image: ImageId) {
        if !self.wants_again(image, Again::Yes) && !self.failed.contains_key(&image) {
            self.make_ready(image, Again::Yes);
        }
    }

    /// A person wants an image sent: before all others, and as if it had never failed.
    pub(super) fn hurry(&mut self, image: ImageId) {
        if self.wants_again(image, Again::Hurried) {
            return;
        }
        if let Some(failed) = self.forget(image) {
            self.times.remove(&(failed.until, image));
        }
        self.make_ready(image, Again::Hurried);
    }

    /// The next one to be sent, if there is one and room for it.
    pub(super) fn begin(&mut self) -> Option<Begun> {
        if self.working.len() >= AT_A_TIME {
            return None;
        }
        let busy = |patient| self.working.contains_key(&patient);
        let hurried = self.hurried.next(busy);
        let is_hurried = hurried.is_some();
        let image = hurried.or_else(|| self.ready.next(busy))?;
        self.working.insert(image.patient, (image, Again::No));
        let failed = self.forget(image);
        Some(Begun {
            image,
            tries: failed.and_then(|failed| failed.tries).unwrap_or_default(),
            is_hurried,
        })
    }

    /// There is nothing left to do for an image that was being sent.
    pub(super) fn finish(&mut self, image: ImageId) {
        let again = self.end(image);
        if again != Again::No {
            self.make_ready(image, again);
        }
    }

    /// An image that was being sent waits for something else first, and until it is wanted again.
    pub(super) fn hold(&mut self, image: ImageId) {
        match self.end(image) {
            Again::No => _ = self.held.insert(image),
            again => self.make_ready(image, again),
        }
    }

    /// Sending an image failed. It is tried again after that time, or at once if it was asked for meanwhile.
    pub(super) fn back_off(&mut self, image: ImageId, tries: Tries, now: Instant, wait: Duration) {
        let again = self.end(image);
        let (until, tries) = match self.remembering < MOST_BACKING_OFF {
            true => (now + wait, Some(tries)),
            false => (now + PUT_OFF_FOR, None),
        };
        self.remembering += usize::from(tries.is_some());
        self.failed.insert(image, Failed { until, tries });
        match again {
            Again::No => _ = self.times.insert((until, image)),
            again => self.make_ready(image, again),
        }
    }

    /// When the next of those that failed is tried again.
    pub(super) fn next_time(&self) -> Option<Instant> {
        self.times.first().map(|(until, _)| *until)
    }

    /// Makes those ready that have waited long enough.
    pub(super) fn release(&mut self, now: Instant) {
        while let Some((until, image)) = self.times.first().copied()
            && until <= now
        {
            self.times.remove(&(until, image));
            self.make_ready(image, Again::Yes);
        }
    }

    /// Whether an image waits, or is being sent.
    pub(super) fn waits(&self, image: ImageId) -> bool {
        let is_working = self
            .working
            .get(&image.patient)
            .is_some_and(|(at, _)| *at == image);
        let is_ready = self.ready.contains(image) || self.hurried.contains(image);
        is_working || is_ready || self.failed.contains_key(&image) || self.held.contains(&image)
    }

    pub(super) fn count(&self) -> Count {
        Count {
            waiting: self.ready.len() + self.hurried.len() + self.held.len(),
            working: self.working.len(),
            backing_off: self.times.len(),
        }
    }

    /// Notes that an image is wanted once more after what is being done. Tells whether it is being sent.
    fn wants_again(&mut self, image: ImageId, wanted: Again) -> bool {
        match self.working.get_mut(&image.patient) {
            Some((working, again)) if *working == image => {
                *again = wanted.max(*again);
                true
            }
            _ => false,
        }
    }

    fn forget(&mut self, image: ImageId) -> Option<Failed> {
        let failed = self.failed.remove(&image)?;
        self.remembering -= usize::from(failed.tries.is_some());
        Some(failed)
    }

    fn make_ready(&mut self, image: ImageId, how: Again) {
        self.held.remove(&image);
        match how {
            Again::Hurried => {
                self.ready.remove(image);
                self.hurried.add(image);
            }
            Again::No | Again::Yes if self.hurried.contains(image) => {}
            Again::No | Again::Yes => self.ready.add(image),
        }
    }

    /// It is being sent no more: its patient's next one comes after everybody who waits. Tells whether it is wanted once more.
    fn end(&mut self, image: ImageId) -> Again {
        let again = match self.working.get(&image.patient) {
            Some((working, again)) if *working == image => *again,
            _ => return Again::No,
        };
        self.working.remove(&image.patient);
        self.hurried.takes_turns(image.patient);
        self.ready.takes_turns(image.patient);
        again
    }
}

#[cfg(test)]
mod tests;
