//! What an observation comes to: the judgement against what the same system showed before. Hop 3.

use super::{Entry, Index, ObserveError, Record, Registry, index::ItemKey};
use archwire_core::{
    Disagreement, Event, EventKind, Fields, FieldsError, LinkedBy, Observation, Path, Patient, PatientId,
    ReviewCandidate, ReviewItem, ReviewKind, Revision, Sighted, Sighting, Situation, SystemName,
    expected_after, expected_after_writing,
    identity::{Candidate, Profile},
    judge, still_disagrees,
};
use std::{collections::BTreeSet, time::SystemTime};
use uuid::Uuid;

/// What a decision is made from.
pub(super) struct Basis<'a> {
    pub(super) patient: PatientId,
    pub(super) observation: &'a Observation,
    /// See [`Registry::taken_over`].
    pub(super) taken_over: Option<&'a (BTreeSet<Path>, Fields)>,
    /// By what the record was linked just now; `None` when it had been before.
    pub(super) linked_by: Option<LinkedBy>,
    /// Whom else a new patient may be.
    pub(super) candidates: &'a [Candidate],
    /// Who said that a new patient is one.
    pub(super) decided: Option<&'a archwire_core::Decision>,
}

/// What an observation comes to.
pub(super) struct Decision {
    /// What a person has to look at.
    pub(super) items: Vec<ReviewItem>,
    /// The system no longer disagrees in anything.
    pub(super) agreed: bool,
    /// Something new about the patient, and what stands before it in the log.
    pub(super) event: Option<(Box<Event>, u64)>,
    /// Something new about the record alone.
    pub(super) sighting: Option<Sighting>,
    /// The patient's revision before.
    pub(super) revision: Revision,
}

impl Registry {
    /// The judgement. Pure but for the clock and the new event's id.
    pub(super) fn decide(&self, basis: &Basis<'_>) -> Result<Decision, ObserveError> {
        let Basis {
            patient, observation, ..
        } = basis;
        let (system, local_id) = (&observation.system, &observation.view.local_id);
        let index = self.index();
        let entry = index.entry(*patient);
        let record = entry.and_then(|entry| entry.record_of(system, local_id));
        let fields = |patient| fields_for(&index, system, patient);
        let said = fields(observation.view.patient.clone())?;
        let held = entry.map(Entry::patient).transpose()?;
        let current = held.clone().map(fields).transpose()?;
        let shadow = record.and_then(|record| record.shadow.as_ref());
        let shadow = shadow.map(|shadow| shadow.patient()).transpose()?;
        let shadow = shadow.map(fields).transpose()?;
        let expected = match (&shadow, record) {
            (Some(shadow), record) => Some(expected(shadow.clone(), record, basis, current.as_ref(), &said)),
            (None, Some(record)) if is_unread(record) => {
                let written = current.iter().flat_map(Fields::paths).cloned().collect();
                Some(expected_after(&Fields::default(), &written, &said))
            }
            (None, _) => None,
        };
        // What a vendor cannot say it does not take back either.
        let bounded = self.bounded(system).zip(expected.as_ref());
        let completed = bounded.map(|(contract, expected)| contract.complete(&said, expected));
        let observed = completed.as_ref().unwrap_or(&said);
        let unseen = match (&expected, basis.taken_over, &current) {
            (None, Some((_, then)), Some(current)) => not_seen_yet(then, current, observed),
            _ => BTreeSet::new(),
        };
        let up_to_date = current.as_ref().filter(|_| !unseen.is_empty());
        let up_to_date = up_to_date.map(|current| expected_after(observed, &unseen, current));
        let judgement = judge(&Situation {
            system,
            current: current.as_ref(),
            shadow: expected.as_ref(),
            observed: up_to_date.as_ref().unwrap_or(observed),
            ownership: &self.config.ownership,
            holds: &|owner| entry.is_some_and(|entry| entry.record(owner).is_some()),
            // Put away because another record took its place: that is not about the patient.
            is_given_up: observation.view.merged_into.is_some()
                || record.is_some_and(|record| record.superseded),
        });
        let held = Fields::of(&held.unwrap_or_default())?;
        let before = current.unwrap_or_default();
        let revision = entry.map_or(Revision::NONE, |entry| entry.revision);
        let taken = as_held(judgement.change.fields, &before, &held);
        let is_news = revision == Revision::NONE || taken != held;
        let event = is_news
            .then(|| event(basis, revision, &held, &taken))
            .transpose()?;
        // A change may come to nothing where an element loses what it cannot be without.
        let event = event.filter(|(event, _)| revision == Revision::NONE || !event.changed.is_empty());
        let (mut event, after) = match event {
            Some((event, after)) if names_nobody(&event.patient) => (Some(event), after),
            Some((event, _)) => {
                let after = fields(event.patient.clone())?;
                (Some(event), after)
            }
            None => (None, before),
        };
        let disagreements = disagreements(&index, basis, &judgement.disagreements, &after, observed);
        let mut items = duplicates(&index, basis, event.as_ref(), entry)?;
        let agreed = disagreements.as_ref().is_some_and(Vec::is_empty);
        items.extend(
            disagreements
                .filter(|paths| !paths.is_empty())
                .map(|paths| ReviewItem {
                    system: Some(system.clone()),
                    local_id: Some(local_id.clone()),
                    disagreements: paths,
                    ..item(ReviewKind::Disagreement, Some(*patient))
                }),
        );
        let owed_before = record.map_or_else(BTreeSet::new, |record| record.owed().clone());
        let mut owed: BTreeSet<_> = owed_before.union(&judgement.restore).cloned().collect();
        owed.extend(judgement.lacks);
        owed.extend(unseen);
        // What it shows already need not be written.
        owed.retain(|path| after.get(path) != observed.get(path));
        // What is known of a record that was there before is told by what it lacks, and not by what happened before.
        let is_first_sight = entry.is_some() && expected.is_none();
        if let Some(event) = &mut event {
            event.owed.clone_from(&owed);
            event.first_sight = is_first_sight;
        }
        let as_before = shadow.as_ref() == Some(&said)
            && observation
                .based_on
                .is_none_or(|based_on| record.is_some_and(|record| record.reflects == based_on));
        let is_noted = owed != owed_before || is_first_sight || !as_before || basis.linked_by.is_some();
        let delivered = if is_first_sight { revision } else { Revision::NONE };
        // An event says all of that too: one append, so that a kill cannot part what belongs together.
        let sighting = (event.is_none() && is_noted).then(|| seen(basis, owed, delivered));
        let last = entry.map_or(0, |entry| entry.sequence);
        Ok(Decision {
            items,
            agreed,
            event: event.map(|event| (Box::new(event), last)),
            sighting,
            revision,
        })
    }
}

/// A patient's fields in the terms of a system: the same guarantor has another number in each.
pub(super) fn fields_for(
    index: &Index,
    system: &SystemName,
    mut patient: Patient,
) -> Result<Fields, FieldsError> {
    index.in_terms_of(system, &mut patient);
    Fields::of(&patient)
}

/// Whether a patient is the same in the terms of all systems.
fn names_nobody(patient: &Patient) -> bool {
    let mut parties = patient.responsible_parties.iter();
    parties.all(|party| party.person.is_none())
}

/// What was taken, with what did not change as the bus holds it: in the terms in which it was first said.
fn as_held(mut taken: Fields, before: &Fields, held: &Fields) -> Fields {
    for path in held.difference(before) {
        if taken.get(&path) == before.get(&path) {
            taken.put(&path, held.get(&path));
        }
    }
    taken
}

/// What the record would show if nobody had edited it.
fn expected(
    shadow: Fields,
    record: Option<&Record>,
    basis: &Basis<'_>,
    current: Option<&Fields>,
    observed: &Fields,
) -> Fields {
    let mut expected = shadow;
    if let Some((paths, state)) = basis.taken_over {
        expected = expected_after(&expected, paths, state);
    }
    if let Some((paths, current)) = record.and_then(Record::being_written).zip(current) {
        expected = expected_after_writing(&expected, paths, current, observed);
    }
    expected
}

/// Where a record that is seen for the first time shows what the patient was at the revision that it says it reflects, and
/// the patient has changed since: nobody says otherwise there, it has merely not been heard yet.
fn not_seen_yet(then: &Fields, current: &Fields, observed: &Fields) -> BTreeSet<Path> {
    let mut since = then.difference(current);
    since.retain(|path| !still_disagrees(path, observed, then));
    since
}

/// The event by which a patient becomes what was `taken`, and what the patient is then.
fn event(
    basis: &Basis<'_>,
    before: Revision,
    held: &Fields,
    taken: &Fields,
) -> Result<(Event, Fields), ObserveError> {
    let patient = taken.to_patient()?;
    // Elements are numbered anew when one of them goes, so what changed is told from the patient that came out.
    let after = Fields::of(&patient)?;
    let event = Event {
        id: Uuid::now_v7().to_string(),
        kind: if before == Revision::NONE {
            EventKind::PatientCreated
        } else {
            EventKind::PatientUpdated
        },
        patient_id: basis.patient,
        revision: before.next(),
        changed: held.difference(&after),
        patient,
        observation: Some(basis.observation.clone()),
        decision: basis.decided.cloned(),
        merge: None,
        image: None,
        linked_by: basis.linked_by,
        owed: BTreeSet::new(),
        first_sight: false,
        recorded_at: SystemTime::now(),
    };
    Ok((event, after))
}

/// Whether the bus had its system create the record, and has not read it back: what it shows is how the system writes what
/// it was given.
fn is_unread(record: &Record) -> bool {
    record.linked_by == LinkedBy::Delivered && record.delivered == Revision::NONE && record.shadow.is_none()
}

fn seen(basis: &Basis<'_>, owed: BTreeSet<Path>, delivered: Revision) -> Sighting {
    let observation = basis.observation;
    Sighting {
        patient_id: basis.patient,
        system: observation.system.clone(),
        seen_at: SystemTime::now(),
        what: Sighted::Seen {
            local_id: observation.view.local_id.clone(),
            shown: Some(observation.view.patient.clone()),
            delivered,
            reflects: observation.based_on,
            owed,
            linked_by: basis.linked_by,
            receipt: None,
        },
    }
}

/// What the system says otherwise now; `None` when that is what it said before.
fn disagreements(
    index: &Index,
    basis: &Basis<'_>,
    new: &BTreeSet<Path>,
    after: &Fields,
    observed: &Fields,
) -> Option<Vec<Disagreement>> {
    let observation = basis.observation;
    let key = ItemKey::Disagreement(observation.system.clone(), observation.view.local_id.clone());
    let known = index.item_about(&key).and_then(|number| index.item(number));
    let known = known.map(|item| &item.paths);
    let mut paths = new.clone();
    for path in known.into_iter().flatten() {
        if still_disagrees(path, observed, after) {
            paths.insert(path.clone());
        }
    }
    if new.is_empty() && known.is_none_or(|known| *known == paths) {
        return None;
    }
    let disagreement = |path: Path| Disagreement {
        bus: after.get(&path).cloned(),
        shown: observed.get(&path).cloned(),
        path,
    };
    Some(paths.into_iter().map(disagreement).collect())
}

/// Whom else a patient may be: of a new one, and of one by whom it could be told that has changed.
fn duplicates(
    index: &Index,
    basis: &Basis<'_>,
    event: Option<&Event>,
    entry: Option<&Entry>,
) -> Result<Vec<ReviewItem>, ObserveError> {
    let mut candidates = basis.candidates.to_vec();
    if let (Some(event), Some(entry)) = (event, entry) {
        let (before, after) = (Profile::of(&entry.patient()?), Profile::of(&event.patient));
        if before != after {
            let verdict = index.identify(&after, &basis.observation.system, Some(basis.patient));
            candidates = verdict.review;
            candidates.extend(verdict.same.map(|(patient, _)| Candidate::sure(patient)));
            candidates.retain(|candidate| !is_asked_elsewhere(index, basis.patient, candidate));
        }
    }
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let is_conflict = candidates.iter().any(|candidate| candidate.hard_conflict);
    let kind = if is_conflict {
        ReviewKind::IdentifierConflict
    } else {
        ReviewKind::PossibleDuplicate
    };
    Ok(vec![ReviewItem {
        system: Some(basis.observation.system.clone()),
        local_id: Some(basis.observation.view.local_id.clone()),
        candidates: candidates.iter().map(candidate).collect(),
        ..item(kind, Some(basis.patient))
    }])
}

/// Whether an item about somebody else asks the same already, and takes it as seriously.
fn is_asked_elsewhere(index: &Index, patient: PatientId, candidate: &Candidate) -> bool {
    let own = index.item_about(&ItemKey::Patient(patient));
    let mut asking = index.asking(patient, candidate.patient).into_iter();
    asking.any(|number| {
        let kind = index.item(number).map(|item| item.kind);
        Some(number) != own && (!candidate.hard_conflict || kind == Some(ReviewKind::IdentifierConflict))
    })
}

/// Somebody who may be the same person, for people to look at.
pub(super) fn candidate(candidate: &Candidate) -> ReviewCandidate {
    let words = |evidence: &BTreeSet<archwire_core::identity::Evidence>| {
        evidence.iter().map(|one| one.code().to_owned()).collect()
    };
    ReviewCandidate {
        patient: candidate.patient,
        score_tenths: candidate.score_tenths,
        agrees: words(&candidate.agrees),
        differs: words(&candidate.differs),
        not_same: false,
    }
}

/// An item without a number, about a patient where one is known, and with nothing else in it.
pub(super) fn item(kind: ReviewKind, patient: Option<PatientId>) -> ReviewItem {
    let now = SystemTime::now();
    ReviewItem {
        number: 0,
        kind,
        opened_at: now,
        changed_at: now,
        system: None,
        local_id: None,
        patient,
        candidates: Vec::new(),
        disagreements: Vec::new(),
        held: None,
        held_image: None,
        unreadable_image: None,
        reason: None,
        source: None,
        decision: None,
    }
}
