//! What the dispatcher of one system, its lanes and those who look at them from outside share.

use super::{
    book::{Book, Count, Left},
    traced::Traced,
    tries::{Lately, Others},
};
use archwire_core::{PatientId, Priority, Subject};
use archwire_nats::Work;
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::sync::Notify;
use tracing::Span;

/// An event that is older than this when it comes is something that piled up.
const OLD: Duration = Duration::from_secs(60);

/// The lanes' bookkeeping, with the events that are held.
#[derive(Default)]
pub(super) struct Board {
    inner: Mutex<Inner>,
    /// Somebody wants a patient looked at.
    asked: Notify,
    /// A lane became more urgent, or a person waits for it.
    hurried: Notify,
}

#[derive(Default)]
struct Inner {
    book: Book,
    held: HashMap<u64, Work>,
    traced: Traced,
    lately: Lately,
    /// The last place in the log that the queue handed out.
    handed_out: u64,
}

/// What became of an event.
pub(super) struct Taken {
    /// An event to be settled, because another one stands for it.
    pub(super) settle: Option<Work>,
    /// Whose lane was opened for it.
    pub(super) opens: Option<PatientId>,
}

/// How the lanes stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Overview {
    pub(super) lanes: Count,
    pub(super) oldest: Option<SystemTime>,
    pub(super) asked: usize,
    pub(super) handed_out: u64,
}

impl Board {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another event may be taken.
    pub(super) fn has_room(&self) -> bool {
        self.inner().book.has_room()
    }

    /// Puts an event into its patient's lane; one that came before comes again with a new way to settle it.
    pub(super) fn take(&self, work: Work) -> Taken {
        let (sequence, since) = (work.stored.sequence, work.stored.time);
        let patient = match work.stored.subject {
            Subject::Patient(patient) => patient,
            // The queue hands out events of patients only.
            _ => {
                return Taken {
                    settle: Some(work),
                    opens: None,
                };
            }
        };
        let priority = match since.elapsed() {
            Ok(age) if age > OLD => Priority::Backfill,
            _ => Priority::Live,
        };
        let mut inner = self.inner();
        inner.handed_out = inner.handed_out.max(sequence);
        let taken = inner.book.take(patient, sequence, since, priority);
        let traceparent = work.stored.traceparent.as_deref();
        match taken.opens {
            true => inner.traced.opened(patient, traceparent),
            false => inner.traced.joined(patient, traceparent),
        }
        inner.held.insert(sequence, work);
        if taken.hurries {
            self.hurried.notify_waiters();
        }
        Taken {
            settle: taken.settle.and_then(|sequence| inner.held.remove(&sequence)),
            opens: taken.opens.then_some(patient),
        }
    }

    /// The queue handed out everything up to here in an earlier life.
    pub(super) fn was_handed_out(&self, up_to: u64) {
        let mut inner = self.inner();
        inner.handed_out = inner.handed_out.max(up_to);
    }

    /// Wants a patient looked at.
    pub(super) fn ask(&self, patient: PatientId, priority: Priority) {
        self.inner().book.ask(patient, SystemTime::now(), priority);
        self.asked.notify_one();
        if priority == Priority::Interactive {
            self.hurried.notify_waiters();
        }
    }

    /// Waits until somebody wants a patient looked at; what was wanted before this was called counts once.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Opens a lane for the most urgent of those who are to be looked at, if there is room for it.
    pub(super) fn admit(&self) -> Option<PatientId> {
        let mut inner = self.inner();
        let admitted = inner.book.admit(SystemTime::now())?;
        inner.traced.asked(admitted);
        Some(admitted)
    }

    /// How urgent a lane is.
    pub(super) fn priority(&self, patient: PatientId) -> Priority {
        self.inner().book.priority(patient)
    }

    /// Waits until a lane is more urgent than it was.
    pub(super) async fn more_urgent(&self, patient: PatientId, than: Priority) {
        self.hurried_until(|book| book.priority(patient) < than).await;
    }

    /// Waits until a person waits for a lane.
    pub(super) async fn hurried(&self, patient: PatientId) {
        self.hurried_until(|book| book.is_hurried(patient)).await;
    }

    async fn hurried_until(&self, holds: impl Fn(&Book) -> bool) {
        loop {
            // Registered before looking, so that a change in between is not missed.
            let mut changed = pin!(self.hurried.notified());
            changed.as_mut().enable();
            if holds(&self.inner().book) {
                return;
            }
            changed.await;
        }
    }

    /// An attempt begins. Tells where the event stands that led to it; 0 when none did.
    pub(super) fn begin(&self, patient: PatientId) -> u64 {
        self.inner().book.begin(patient);
        self.event(patient)
    }

    /// Where the event stands that a lane holds; 0 when it holds none.
    pub(super) fn event(&self, patient: PatientId) -> u64 {
        self.inner().book.event(patient).unwrap_or_default()
    }

    /// What is due is found out for a lane. Tells since when something waits for it.
    pub(super) fn look(&self, patient: PatientId) -> Option<SystemTime> {
        let mut inner = self.inner();
        inner.book.look(patient);
        inner.book.since(patient)
    }

    /// A lane waits for its turn: there is something to be done.
    pub(super) fn wait(&self, patient: PatientId) {
        self.inner().book.wait(patient);
    }

    /// Something was written.
    pub(super) fn succeeded(&self) {
        self.inner().lately.succeeded();
    }

    /// An attempt failed. `readings` is how often the system was read by those who read it anyway, if somebody does.
    pub(super) fn failed(&self, patient: PatientId, readings: Option<u64>) -> Others {
        self.inner().lately.failed(patient, readings)
    }

    /// The lane's attempt is made again; the lane is closed when too many wait for that, and then this is to be given back.
    pub(super) fn back_off(&self, patient: PatientId) -> Option<Work> {
        let mut inner = self.inner();
        let sequence = inner.book.back_off(patient)?;
        inner.lately.forget(patient);
        inner.traced.closed(patient);
        inner.held.remove(&sequence)
    }

    /// The lane's attempt did what there was to do. Tells which event is settled by that, and whether the lane goes on.
    pub(super) fn finish(&self, patient: PatientId) -> (Option<Work>, bool) {
        let mut inner = self.inner();
        let Left { settle, goes_on } = inner.book.finish(patient);
        inner.lately.forget(patient);
        inner.traced.closed(patient);
        if goes_on {
            let event = inner.book.event(patient);
            let Inner { held, traced, .. } = &mut *inner;
            match event.and_then(|sequence| held.get(&sequence)) {
                Some(work) => traced.opened(patient, work.stored.traceparent.as_deref()),
                None => traced.asked(patient),
            }
        }
        let settle = settle.and_then(|sequence| inner.held.remove(&sequence));
        (settle, goes_on)
    }

    /// The lane's place in a trace.
    pub(super) fn span(&self, patient: PatientId) -> Span {
        self.inner().traced.of(patient)
    }

    /// Whether somebody has to find out in which trace a lane stands. Says so once.
    pub(super) fn is_to_be_placed(&self, patient: PatientId) -> bool {
        self.inner().traced.is_to_be_placed(patient)
    }

    /// The events that are held.
    pub(super) fn held(&self) -> Vec<Work> {
        self.inner().held.values().cloned().collect()
    }

    /// Whether something is about to be done about a patient.
    pub(super) fn waits(&self, patient: PatientId) -> bool {
        self.inner().book.waits(patient)
    }

    /// Whether nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        let Overview { lanes, asked, .. } = self.overview();
        (lanes, asked) == (Count::default(), 0)
    }

    /// How the lanes stand.
    pub(super) fn overview(&self) -> Overview {
        let inner = self.inner();
        Overview {
            lanes: inner.book.count(),
            oldest: inner.book.oldest(),
            asked: inner.book.asked(),
            handed_out: inner.handed_out,
        }
    }
}
