//! The events that were appended last. What follows from an event at once, its deliveries, need not read the log for it:
//! a read costs the NATS server more than the append did.
//!
//! Known to this process only, and only what helps: who is not found here is looked up in the log. Events of images are not
//! among them: nothing about the patient follows from those.

use archwire_core::{Event, EventKind, Path, PatientId, Revision, SystemName};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most events that are kept, one for each patient: usually 2 KB each, and never more than a patient's paths are.
const MOST: usize = 1_024;

/// What an event said, as far as deliveries need it.
#[derive(Debug)]
pub(super) struct RecentEvent {
    pub(super) event_id: String,
    pub(super) kind: EventKind,
    pub(super) revision: Revision,
    /// The system that was observed; `None` for what the bus itself did.
    pub(super) system: Option<SystemName>,
    pub(super) changed: BTreeSet<Path>,
}

/// The last events of the patients who changed last.
#[derive(Debug, Default)]
pub(super) struct RecentEvents {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    latest: HashMap<PatientId, Arc<RecentEvent>>,
    /// In the order in which they came in; each patient once.
    order: VecDeque<PatientId>,
}

impl RecentEvents {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an event that is in the log. Whoever was kept for the longest time goes.
    pub(super) fn appended(&self, event: &Event) {
        if event.kind.is_of_an_image() {
            return;
        }
        let latest = Arc::new(RecentEvent {
            event_id: event.id.clone(),
            kind: event.kind,
            revision: event.revision,
            system: event
                .observation
                .as_ref()
                .map(|observation| observation.system.clone()),
            changed: event.changed.clone(),
        });
        let mut inner = self.inner();
        if inner.latest.insert(event.patient_id, latest).is_some() {
            return;
        }
        inner.order.push_back(event.patient_id);
        if inner.order.len() > MOST
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.latest.remove(&oldest);
        }
    }

    /// The event that brought a patient to a revision of what he or she is, if it is still kept.
    pub(super) fn of(&self, patient: PatientId, revision: Revision) -> Option<Arc<RecentEvent>> {
        let latest = self.inner().latest.get(&patient).cloned();
        latest.filter(|latest| latest.revision == revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::Patient;
    use std::time::SystemTime;

    fn event(patient_id: PatientId, revision: u64) -> Event {
        Event {
            id: format!("{patient_id}-{revision}"),
            kind: EventKind::PatientUpdated,
            patient_id,
            revision: Revision::new(revision),
            changed: BTreeSet::new(),
            patient: Patient::default(),
            observation: None,
            decision: None,
            merge: None,
            image: None,
            linked_by: None,
            owed: BTreeSet::new(),
            first_sight: false,
            recorded_at: SystemTime::now(),
        }
    }

    #[test]
    fn only_the_revision_that_a_patient_is_at_is_told() {
        let (recent, patient) = (RecentEvents::default(), PatientId::generate());
        recent.appended(&event(patient, 1));
        recent.appended(&event(patient, 2));
        assert!(recent.of(patient, Revision::new(1)).is_none());
        let latest = recent.of(patient, Revision::new(2)).unwrap();
        assert_eq!(latest.event_id, format!("{patient}-2"));
        assert!(recent.of(PatientId::generate(), Revision::new(1)).is_none());
    }

    #[test]
    fn however_many_patients_change_only_so_many_are_kept() {
        let (recent, first) = (RecentEvents::default(), PatientId::generate());
        recent.appended(&event(first, 1));
        for _ in 0..MOST {
            let patient = PatientId::generate();
            recent.appended(&event(patient, 1));
            recent.appended(&event(patient, 2));
        }
        assert!(recent.of(first, Revision::new(1)).is_none());
        let inner = recent.inner();
        assert_eq!((inner.latest.len(), inner.order.len()), (MOST, MOST));
    }
}
