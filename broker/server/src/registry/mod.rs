//! Who is who, what is known, and what is new: hops 2 to 5 of the way of a change.
//!
//! The registry is the only writer of a practice's log. It holds a lock for the record and one for the patient while
//! it decides and appends, so that patients do not wait for each other; the expected last sequence in the log guards
//! what the locks cannot. An observation is answered after the append: what is answered is stored and flushed.
//!
//! First form: a record is identified by its link or by a patient id that the bus gave, and else is a new patient;
//! the later observation of a path wins.

mod append;
mod decide;
mod gate;
mod index;
mod locks;
mod outcome;
mod review;
mod settle;

pub use gate::CreationPermit;
pub use index::{Doubt, Entry, Index, Record};
pub use outcome::{ObserveError, Observed};
pub use review::{DecideError, Decided, Rebuilt, ReviewLine, ReviewPage};
pub use settle::{Due, Settlement};

use crate::wire::{decode_event, decode_sighting};
use append::Doubts;
use archwire_core::{LocalId, Observation, Patient, PatientId, PracticeName, Revision, Subject, SystemName};
use archwire_nats::{Filter, Log, Stored};
use decide::Decision;
use futures_util::StreamExt as _;
use gate::Gates;
use locks::Locks;
use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio_util::task::TaskTracker;

/// How often a decision is made anew because the log had moved on. With one writer once is enough.
const LONGEST_CONFLICT: usize = 4;

/// The registry of one practice.
pub struct Registry {
    log: Log,
    practice: PracticeName,
    index: Mutex<Index>,
    /// In which order observations of a record are taken. An observer may wait for creations while it holds this.
    records: Locks<(SystemName, LocalId)>,
    /// To whom a record is linked. Whoever creates a record links it, so nobody waits for creations while holding this.
    links: Locks<(SystemName, LocalId)>,
    patients: Locks<PatientId>,
    gates: Gates,
    doubts: Doubts,
    tasks: TaskTracker,
}

impl Registry {
    /// Reads the whole log and begins where it ends.
    ///
    /// # Errors
    /// When the log cannot be read, or holds what this version does not understand: going on without it would give
    /// known patients new ids.
    pub async fn open(log: Log, practice: PracticeName) -> Result<Self, ObserveError> {
        let mut index = Index::default();
        {
            let mut stored = pin!(log.replay(1, Filter::Everything));
            while let Some(stored) = stored.next().await {
                apply(&mut index, &stored.map_err(ObserveError::Read)?)?;
            }
        }
        Ok(Self {
            log,
            practice,
            index: Mutex::new(index),
            records: Locks::new(),
            links: Locks::new(),
            patients: Locks::new(),
            gates: Gates::default(),
            doubts: Doubts::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// The index, for a moment: never held across an await.
    pub fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The practice whose log this is.
    #[must_use]
    pub fn practice(&self) -> &PracticeName {
        &self.practice
    }

    /// Takes what a system says. Returns after it is stored. Observations of one record are taken in the order in which
    /// this is called. A caller that goes away does not interrupt it: half an append would leave the index behind the log.
    ///
    /// `begun` is when the reading began that showed the record, where that is known: what an earlier reading showed than
    /// the last one that was taken is old news, and changes nothing.
    ///
    /// # Errors
    /// When it cannot be taken; whoever observed still has it, and may come again when the error says so.
    pub async fn observe(
        self: &Arc<Self>,
        observation: Observation,
        begun: Option<Instant>,
    ) -> Result<Observed, ObserveError> {
        observation.view.patient.check()?;
        let key = (observation.system.clone(), observation.view.local_id.clone());
        // Held until the end, so that the same new record seen twice at once becomes one patient.
        let record = self.records.lock(&key).await;
        let registry = Arc::clone(self);
        let task = self.tasks.spawn(async move {
            let observed = registry.observe_whole(&key, observation, begun).await;
            drop(record);
            observed
        });
        task.await.unwrap_or(Err(ObserveError::Interrupted))
    }

    /// Waits until nothing is being written any more.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits until what is being written about a patient is in the index. Whoever follows the log may hear of an event
    /// before the index does, and then names a patient or a revision that the index is about to know.
    pub async fn caught_up(&self, id: PatientId) {
        drop(self.patients.lock(&id).await);
    }

    /// The caller holds the record's lock.
    async fn observe_whole(
        &self,
        key: &(SystemName, LocalId),
        observation: Observation,
        begun: Option<Instant>,
    ) -> Result<Observed, ObserveError> {
        self.finish_doubtful(key).await?;
        if let Some(named) = observation.patient_id {
            self.caught_up(named).await;
        }
        if self.identify(&observation)?.is_none() {
            // A new record of this system may be one that the bus itself is just creating there.
            let in_doubt = || self.index().is_creating_any(&observation.system);
            if !self.gates.settled(&observation.system, in_doubt).await {
                return Err(ObserveError::Busy);
            }
        }
        let _link = self.links.lock(key).await;
        let patient = self.identify(&observation)?.unwrap_or_else(PatientId::generate);
        let _patient = self.patients.lock(&patient).await;
        // Another record of the same system may have been linked to the patient while this one waited.
        self.identify(&observation)?;
        self.take(patient, observation, begun).await
    }

    /// The patient whom an observation is about, where the bus knows.
    fn identify(&self, observation: &Observation) -> Result<Option<PatientId>, ObserveError> {
        let index = self.index();
        let linked = index.linked(&observation.system, &observation.view.local_id);
        match (linked, observation.patient_id) {
            (Some(linked), Some(named)) if linked != named => Err(ObserveError::LinkConflict),
            (Some(linked), _) => Ok(Some(linked)),
            (None, None) => Ok(None),
            (None, Some(named)) => {
                let entry = index.entry(named).ok_or(ObserveError::UnknownPatient)?;
                let other = entry.records.contains_key(&observation.system);
                if other {
                    Err(ObserveError::LinkConflict)
                } else {
                    Ok(Some(named))
                }
            }
        }
    }

    /// Decides and appends. The caller holds the patient's lock.
    async fn take(
        &self,
        patient: PatientId,
        mut observation: Observation,
        begun: Option<Instant>,
    ) -> Result<Observed, ObserveError> {
        if let Some(revision) = self.newer_is_known(&observation.system, patient, begun) {
            return Ok(Observed::Unchanged { patient, revision });
        }
        self.index().resolve(&mut observation.view.patient);
        let taken_over = self.taken_over(patient, &observation).await?;
        for _ in 0..LONGEST_CONFLICT {
            let decision = self.decide(patient, &observation, taken_over.as_ref())?;
            let observed = match decision {
                Decision::Nothing(revision) => Observed::Unchanged { patient, revision },
                Decision::Sight(sighting, revision) => {
                    self.note(&sighting).await?;
                    Observed::Unchanged { patient, revision }
                }
                Decision::Tell(event, last) => match self.tell(&event, last).await? {
                    Some(sequence) => Observed::Recorded {
                        patient,
                        revision: event.revision,
                        sequence,
                    },
                    None => {
                        self.catch_up(patient, last).await?;
                        continue;
                    }
                },
            };
            self.index().read(&observation.system, patient, begun);
            return Ok(observed);
        }
        Err(ObserveError::Append(archwire_nats::AppendError::Conflict))
    }

    /// The patient's revision, when a reading that began later than `begun` has shown the record already.
    fn newer_is_known(&self, system: &SystemName, id: PatientId, begun: Option<Instant>) -> Option<Revision> {
        let index = self.index();
        let entry = index.entry(id)?;
        let read_at = entry.records.get(system)?.read_at?;
        begun
            .is_some_and(|begun| begun < read_at)
            .then_some(entry.revision)
    }

    /// Takes in what the log holds of a patient after `sequence`, because somebody else wrote it.
    async fn catch_up(&self, patient: PatientId, sequence: u64) -> Result<(), ObserveError> {
        let mut history = pin!(self.log.history(patient, sequence));
        while let Some(stored) = history.next().await {
            let stored = stored.map_err(ObserveError::Read)?;
            apply(&mut self.index(), &stored)?;
        }
        Ok(())
    }

    /// The current state of a patient as it is to be delivered to a system.
    ///
    /// # Errors
    /// Never for a state that came from the log.
    pub fn state_for(&self, system: &SystemName, id: PatientId) -> Result<Option<Patient>, ObserveError> {
        let index = self.index();
        let Some(entry) = index.entry(id) else {
            return Ok(None);
        };
        let mut patient = entry.patient()?;
        index.in_terms_of(system, &mut patient);
        Ok(Some(patient))
    }

    /// How many patients the log holds.
    #[must_use]
    pub fn patients(&self) -> usize {
        self.index().patients()
    }

    /// The log, for those who read it.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }
}

fn apply(index: &mut Index, stored: &Stored) -> Result<(), ObserveError> {
    match &stored.subject {
        Subject::Patient(_) => index.apply_event(stored.sequence, &decode_event(stored.payload.clone())?),
        Subject::Sighting(..) => index.apply_sighting(&decode_sighting(stored.payload.clone())?),
        Subject::Review(_) | Subject::Writer => {}
    }
    Ok(())
}
