//! Taking what a system says: whose record it is, whether it may be taken, and then what is new.

use super::{
    LONGEST_CONFLICT, ObserveError, Observed, Published, Registry,
    decide::{Basis, Decision},
    index::ItemKey,
    whose::{Found, SaidNew, Whose},
};
use crate::{failpoint, telemetry::traces, wire::RequestKey};
use archwire_core::{
    Decision as Decided, LocalId, Observation, PatientId, Revision, Sighted, SystemName, Text, Verdict,
    identity::{Profile, is_another_person, is_wiped},
    metric, span,
};
use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};
use tracing::{Instrument as _, field::Empty};

impl Registry {
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
        let published = self.observe_once(observation, begun, None).await;
        published.map(|published| published.observed)
    }

    /// The same of what may be asked for more than once, by a `request` that is known again: see [`Registry::publish`].
    pub(super) async fn observe_once(
        self: &Arc<Self>,
        observation: Observation,
        begun: Option<Instant>,
        request: Option<RequestKey>,
    ) -> Result<Published, ObserveError> {
        let system = observation.system.clone();
        let span = tracing::info_span!(
            target: span::TARGET, span::OBSERVE, %system, result = Empty, code = Empty, otel.status_code = Empty
        );
        let observed = self
            .observe_in_turn(observation, begun, request)
            .instrument(span.clone())
            .await;
        let result = match &observed {
            Ok(published) => published.name(),
            Err(error) => {
                traces::failed(&span, error.code());
                error.code()
            }
        };
        span.record("result", result);
        count_observed(&system, result);
        observed
    }

    async fn observe_in_turn(
        self: &Arc<Self>,
        observation: Observation,
        begun: Option<Instant>,
        request: Option<RequestKey>,
    ) -> Result<Published, ObserveError> {
        observation.view.patient.check()?;
        let key = (observation.system.clone(), observation.view.local_id.clone());
        // Held until the end, so that the same new record seen twice at once becomes one patient.
        let record = self.records.lock(&key).await;
        let registry = Arc::clone(self);
        let whole = async move {
            let published = match request {
                Some(request) => registry.answer(&key, observation, request).await,
                None => {
                    let observed = registry.observe_whole(&key, observation, begun, None).await;
                    observed.map(Published::now)
                }
            };
            if published.is_ok() {
                registry.settle_waiting(&key).await;
            }
            drop(record);
            published
        };
        let task = self.tasks.spawn(whole.in_current_span());
        task.await.unwrap_or(Err(ObserveError::Interrupted))
    }

    /// The caller holds the record's lock. `said` is a person's word on whose it is not, where there is one.
    pub(super) async fn observe_whole(
        self: &Arc<Self>,
        key: &(SystemName, LocalId),
        observation: Observation,
        begun: Option<Instant>,
        said: Option<&SaidNew>,
    ) -> Result<Observed, ObserveError> {
        failpoint::reach("observed");
        self.finish_doubtful(key).await?;
        if let Some(named) = observation.patient_id {
            self.caught_up(named).await;
        }
        if said.is_none() {
            self.may_say(&observation)?;
        }
        let held = self.index().held(&key.0, &key.1);
        if said.is_none() && (held.is_some() || observation.view.merged_into.is_some()) {
            self.may_say_of_linked(&observation)?;
        }
        if let Some(number) = held {
            let still = self.still_held(number, &observation).await?;
            if let Some(observed) = still {
                return Ok(observed);
            }
        }
        self.follow_merge(key, &observation).await?;
        for _ in 0..LONGEST_CONFLICT {
            let whose = match self.whose(&observation, said).await? {
                Found::Whose(whose) => whose,
                Found::Nobodys(candidates) => return self.hold_unknown(observation, &candidates).await,
            };
            failpoint::reach("identified");
            let is_new = whose._new.is_some();
            let patient = whose.patient;
            let taken = self.take_for(key, whose, &observation, begun, said).await;
            if is_new
                && !matches!(
                    taken,
                    Err(ObserveError::Append(archwire_nats::AppendError::Unknown { .. }))
                )
            {
                self.index().unreserve(patient);
                self.close_orphan(patient).await;
            }
            if let Some(observed) = taken? {
                return Ok(observed);
            }
        }
        Err(ObserveError::Busy)
    }

    /// Takes an observation for a patient; `None` when meanwhile it turned out to be about another one.
    async fn take_for(
        self: &Arc<Self>,
        key: &(SystemName, LocalId),
        whose: Whose,
        observation: &Observation,
        begun: Option<Instant>,
        said: Option<&SaidNew>,
    ) -> Result<Option<Observed>, ObserveError> {
        let _link = self.links.lock(key).await;
        let _patient = match &whose._new {
            Some(_) => None,
            None => Some(self.patients.lock(&whose.patient).await),
        };
        if !self.is_still(key, &whose, observation, said) {
            return Ok(None);
        }
        self.finish_halves_of(whose.patient).await?;
        let decided = said.filter(|_| whose._new.is_some()).map(|said| &said.decision);
        self.take(&whose, observation.clone(), begun, decided)
            .await
            .map(Some)
    }

    /// Decides and appends. The caller holds the patient's lock.
    async fn take(
        &self,
        whose: &Whose,
        mut observation: Observation,
        begun: Option<Instant>,
        decided: Option<&Decided>,
    ) -> Result<Observed, ObserveError> {
        let patient = whose.patient;
        if let Some(revision) = self.newer_is_known(&observation, patient, begun) {
            return Ok(Observed::Unchanged { patient, revision });
        }
        self.index().resolve(&mut observation.view.patient);
        self.count_without_images(patient, &mut observation);
        if decided.is_none() {
            self.may_speak_of(patient, &observation.system, whose.linked_by)?;
        }
        let taken_over = self.taken_over(patient, &observation).await?;
        if decided.is_none() {
            let then = taken_over.as_ref().map(|(_, then)| then);
            self.may_say_of(patient, &observation, then)?;
        }
        if self.shows_another(patient, &observation)? {
            return self.hold(patient, observation).await;
        }
        let basis = Basis {
            patient,
            observation: &observation,
            taken_over: taken_over.as_ref(),
            linked_by: whose.linked_by,
            candidates: &whose.candidates,
            decided,
        };
        for _ in 0..LONGEST_CONFLICT {
            let decision = self.decide(&basis)?;
            if decided.is_none() {
                self.may_tell(&observation.system, &decision)?;
            }
            let Some(observed) = self.carry_out(&basis, decision).await? else {
                continue;
            };
            let (system, local_id) = (&observation.system, &observation.view.local_id);
            self.index().read(system, local_id, begun);
            return Ok(observed);
        }
        Err(ObserveError::Append(archwire_nats::AppendError::Conflict))
    }

    /// What a person has to decide first, then the event, then what is noted of the record: a kill in between repeats
    /// the observation, which finds the item there. `None` when the log had moved on.
    pub(super) async fn carry_out(
        &self,
        basis: &Basis<'_>,
        decision: Decision,
    ) -> Result<Option<Observed>, ObserveError> {
        let Decision {
            items,
            agreed,
            event,
            sighting,
            revision,
        } = decision;
        let patient = basis.patient;
        for item in items {
            self.put_item(item).await?;
        }
        let Observation { system, view, .. } = basis.observation;
        let record = (system.clone(), view.local_id.clone());
        let mut observed = Observed::Unchanged { patient, revision };
        if let Some((event, last)) = event {
            let recorded = |sequence| Observed::Recorded {
                patient,
                revision: event.revision,
                sequence,
            };
            let requests = self.requests.beside(&record, recorded(0));
            let Some(sequence) = self.tell_with(&event, last, requests).await? else {
                self.catch_up(patient, last).await?;
                return Ok(None);
            };
            self.requests.written(&record);
            observed = recorded(sequence);
            if !event.owed.is_empty() {
                self.wake(system, patient);
            }
        }
        if let Some(sighting) = sighting {
            let owes = matches!(&sighting.what, Sighted::Seen { owed, .. } if !owed.is_empty());
            let requests = self.requests.beside(&record, observed);
            self.note_with(&sighting, requests).await?;
            self.requests.written(&record);
            if owes {
                self.wake(&sighting.system, patient);
            }
        }
        if agreed {
            let (system, local_id) = record;
            let disagreement = ItemKey::Disagreement(system, local_id);
            self.settle_item(&disagreement, "the system agrees").await?;
        }
        Ok(Some(observed))
    }

    /// Whoever follows the bus names the last event that it heard of. Where that was of an image, it knows what the patient was
    /// before; nothing about the record follows from having heard of images.
    fn count_without_images(&self, patient: PatientId, observation: &mut Observation) {
        let index = self.index();
        if let (Some(entry), Some(based_on)) = (index.entry(patient), &mut observation.based_on)
            && *based_on <= entry.revision
        {
            *based_on = entry.state_revision.min(*based_on);
        }
    }

    /// The patient's revision, when a reading that began later than `begun` has shown the record already.
    pub(super) fn newer_is_known(
        &self,
        observation: &Observation,
        id: PatientId,
        begun: Option<Instant>,
    ) -> Option<Revision> {
        let index = self.index();
        let entry = index.entry(id)?;
        let record = entry.record_of(&observation.system, &observation.view.local_id)?;
        let read_at = record.read_at?;
        begun
            .is_some_and(|begun| begun < read_at)
            .then_some(entry.revision)
    }

    /// Whether a record that belongs to a patient now shows somebody else.
    fn shows_another(&self, id: PatientId, observation: &Observation) -> Result<bool, ObserveError> {
        let index = self.index();
        let Some(entry) = index.entry(id) else {
            return Ok(false);
        };
        let record = entry.record_of(&observation.system, &observation.view.local_id);
        let contract = self.bounded(&observation.system);
        let whole = |shown| match &contract {
            Some(contract) => index.completed(contract, shown, entry),
            None => Ok(shown),
        };
        let after = Profile::of(&whole(observation.view.patient.clone())?);
        // What the record itself showed says more than the bus's state, which the system may not be able to show.
        let shadow = match record.and_then(|record| record.shadow.as_ref()) {
            Some(shadow) => Some(whole(shadow.patient()?)?),
            None => None,
        };
        // Unless it named nobody: then whoever it names now may be anybody.
        if let Some(shadow) = shadow.filter(|shadow| !shadow.names.is_empty()) {
            let before = Profile::of(&shadow);
            return Ok(is_another_person(&before, &after) || is_wiped(&before, &after));
        }
        let before = Profile::of(&entry.patient()?);
        let is_first_sight = record.is_none_or(|record| record.shadow.is_none());
        Ok(is_another_person(&before, &after) || is_first_sight && is_wiped(&before, &after))
    }

    /// Whether a record that a person has to decide about is to wait on, with what it shows now. When it shows the patient
    /// again, it is not.
    async fn still_held(
        &self,
        number: u64,
        observation: &Observation,
    ) -> Result<Option<Observed>, ObserveError> {
        let (system, local_id) = (&observation.system, &observation.view.local_id);
        let linked = self.index().linked(system, local_id);
        let Some(patient) = linked else {
            return Ok(None);
        };
        if self.shows_another(patient, observation)? {
            return self.hold(patient, observation.clone()).await.map(Some);
        }
        self.close_item(number, by_itself("the record shows the patient again"))
            .await?;
        self.owe_what_was_missed(system, patient, local_id).await?;
        Ok(None)
    }

    /// After a record was taken: what waited for it, and what waited for it to be readable.
    pub(super) async fn settle_waiting(self: &Arc<Self>, (system, local_id): &(SystemName, LocalId)) {
        self.settle_unknown(system, local_id).await;
        let unreadable = ItemKey::Unreadable(system.clone(), local_id.clone());
        if let Err(error) = self.settle_item(&unreadable, "the record could be read").await {
            tracing::warn!(%system, code = error.code(), "a review item that settled by itself stays open");
        }
        let waiting = self.index().awaiting(system, local_id);
        for number in waiting {
            let registry = Arc::clone(self);
            // Not waited for: it takes locks of another record.
            self.tasks
                .spawn(async move { registry.retry_merge(number).await });
        }
    }
}

/// Counts what became of something that a system showed.
pub(super) fn count_observed(system: &SystemName, result: &'static str) {
    metrics::counter!(metric::OBSERVATIONS, "system" => system.to_string(), "result" => result).increment(1);
}

/// What is decided without a person.
pub(super) fn by_itself(reason: &str) -> Decided {
    Decided {
        verdict: Verdict::Settled,
        item: None,
        by: Text::from("archwire"),
        reason: Text::from(reason),
        at: SystemTime::now(),
    }
}
