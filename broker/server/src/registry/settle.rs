//! Deliveries as the registry sees them: what a system showed afterwards, and the receipt. Hop 8.

use super::{CreationPermit, LONGEST_CONFLICT, ObserveError, Observed, Registry, observe::count_observed};
use crate::{telemetry::traces, wire::Packed};
use archwire_core::{
    DeliveryAction, Fields, LinkedBy, LocalId, Observation, Path, Patient, PatientId, Receipt,
    ReceiptOutcome, Revision, Sighted, Sighting, SystemName, View, compare_written, expected_after_writing,
    metric, span,
};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Instant, SystemTime},
};
use tokio::sync::OwnedMutexGuard;
use tracing::{Instrument as _, field::Empty, info_span};

/// What a system showed after a delivery.
#[derive(Debug)]
pub struct Settlement {
    /// Whom it concerns.
    pub patient: PatientId,
    /// The revision up to which the system is now up to date.
    pub delivered: Revision,
    /// The paths that were written.
    pub paths: BTreeSet<Path>,
    /// What the system shows now.
    pub shown: View,
    /// When the reading began that showed it.
    pub begun: Instant,
    /// What was delivered, for the receipt; `None` where nobody asked for one.
    pub told: Option<Told>,
    /// Of a record that was just created: by which permit. It is linked by this, and the permit given back.
    pub created: Option<CreationPermit>,
}

/// A delivery, as far as it is known before the system showed the record.
#[derive(Debug)]
pub struct Told {
    /// UUIDv7 of the newest event that was delivered.
    pub event_id: String,
    /// What the record was to become.
    pub wanted: Patient,
    /// What the connector says it did; `None` when there was nothing to write.
    pub action: Option<DeliveryAction>,
    /// How many attempts it took, this one included.
    pub attempts: u32,
    /// Version of the connector.
    pub connector_version: String,
}

/// What was noted of a record.
struct Noted {
    /// Whose it is.
    patient: PatientId,
    /// What it shows, with references to people whom the bus knows.
    view: View,
    /// Whether it shows what was written, and else what it showed before.
    is_expected: bool,
}

impl Told {
    /// The receipt of this, once the system showed the record.
    fn receipt(
        self,
        revision: Revision,
        written: BTreeSet<Path>,
        shown: &Fields,
    ) -> Result<Receipt, ObserveError> {
        let (rendered, differs) = compare_written(&written, &Fields::of(&self.wanted)?, shown);
        Ok(Receipt {
            event_id: self.event_id,
            revision,
            outcome: if differs.is_empty() {
                ReceiptOutcome::Verified
            } else {
                ReceiptOutcome::Differs
            },
            action: self.action,
            written,
            rendered,
            differs,
            reason: None,
            attempts: self.attempts,
            connector_version: self.connector_version,
        })
    }
}

impl Registry {
    /// Learns under which id a system keeps a patient, where the record is there and could not be read back: otherwise
    /// [`Registry::settle`] learns it. `delivered` is the revision up to which that is all there is to do,
    /// [`Revision::NONE`] when the record has still to be read back.
    ///
    /// # Errors
    /// When the record is linked to another patient already, or the patient to another record; or when the log does not
    /// take the note.
    pub async fn link(
        &self,
        system: &SystemName,
        patient: PatientId,
        local_id: LocalId,
        delivered: Revision,
        receipt: Option<Receipt>,
    ) -> Result<(), ObserveError> {
        let _link = self.links.lock(&(system.clone(), local_id.clone())).await;
        let _patient = self.patients.lock(&patient).await;
        let linked_by = self.claim(system, patient, &local_id).await?;
        let owed = self
            .record(system, patient)
            .map(|record| record.owed().clone())
            .unwrap_or_default();
        let outcome = receipt.as_ref().map(|receipt| receipt.outcome);
        let seen = Sighted::Seen {
            local_id,
            shown: None,
            delivered,
            reflects: None,
            owed,
            linked_by,
            receipt: receipt.map(Box::new),
        };
        self.sight(system, patient, seen).await?;
        count(system, outcome);
        self.gates.changed();
        Ok(())
    }

    /// Whether a record may be linked to a patient, and by what it will be; `None` when it is already. The caller holds the
    /// locks of both.
    async fn claim(
        &self,
        system: &SystemName,
        patient: PatientId,
        local_id: &LocalId,
    ) -> Result<Option<LinkedBy>, ObserveError> {
        let linked = self.index().linked(system, local_id);
        let other = self
            .record(system, patient)
            .filter(|record| record.local_id != *local_id);
        if let Some(linked) = linked.filter(|linked| *linked != patient) {
            self.two_claims(linked, patient, system).await?;
            return Err(ObserveError::LinkConflict);
        }
        if other.is_some() {
            return Err(ObserveError::LinkConflict);
        }
        Ok(linked.is_none().then_some(LinkedBy::Delivered))
    }

    /// Learns what a system shows after a delivery, with the receipt. What differs from the delivery at other paths was
    /// changed by somebody in the meantime, and is taken as an observation.
    ///
    /// # Errors
    /// As [`Registry::observe`]; the delivery counts as not done then. Of a record that was just created, as
    /// [`Registry::link`].
    pub async fn settle(
        self: &Arc<Self>,
        system: &SystemName,
        settlement: Settlement,
    ) -> Result<Observed, ObserveError> {
        let span = info_span!(
            target: span::TARGET, span::SETTLE, %system, code = Empty, otel.status_code = Empty
        );
        let settled = self.settle_shown(system, settlement);
        let settled = settled.instrument(span.clone()).await;
        if let Err(error) = &settled {
            traces::failed(&span, error.code());
        }
        settled
    }

    async fn settle_shown(
        self: &Arc<Self>,
        system: &SystemName,
        settlement: Settlement,
    ) -> Result<Observed, ObserveError> {
        let (begun, paths) = (settlement.begun, settlement.paths.clone());
        let Noted {
            patient,
            view,
            is_expected,
        } = self.note_shown(system, settlement).await?;
        self.settle_written(system, &view.local_id, &paths).await?;
        if is_expected && let Some(revision) = self.asks_nothing(system, &view.local_id, patient) {
            let observed = Observed::Unchanged { patient, revision };
            count_observed(system, observed.name());
            return Ok(observed);
        }
        let observation = Observation {
            system: system.clone(),
            patient_id: None,
            based_on: None,
            view,
        };
        self.observe(observation, Some(begun)).await
    }

    /// The revision of a patient of whose record nothing is open: no question that it may answer, no event in doubt, no
    /// paths that are owed to it.
    fn asks_nothing(&self, system: &SystemName, local_id: &LocalId, patient: PatientId) -> Option<Revision> {
        let key = (system.clone(), local_id.clone());
        if self.is_in_doubt(&key) {
            return None;
        }
        let index = self.index();
        let entry = index.entry(patient)?;
        let record = entry.record(system)?;
        let is_settled = record.local_id == *local_id
            && index.linked(system, local_id) == Some(patient)
            && index.halves_of(patient).is_empty()
            && record.owed().is_empty()
            && !index.is_asked_about(system, local_id);
        is_settled.then_some(entry.revision)
    }

    /// Notes what is shown at the paths that were written.
    async fn note_shown(&self, system: &SystemName, settlement: Settlement) -> Result<Noted, ObserveError> {
        let Settlement {
            patient,
            delivered,
            paths,
            mut shown,
            begun,
            told,
            created,
        } = settlement;
        let local_id = shown.local_id.clone();
        let _link = match created {
            Some(_) => Some(self.links.lock(&(system.clone(), local_id.clone())).await),
            None => None,
        };
        let (patient, delivered, _patient) = self
            .whose_it_is_now(system, &local_id, patient, delivered, created.is_some())
            .await?;
        let linked_by = match created {
            Some(_) => self.claim(system, patient, &local_id).await?,
            None => None,
        };
        self.index().resolve(&mut shown.patient);
        let (record, is_old) = {
            let index = self.index();
            let entry = index.entry(patient);
            let record = entry.and_then(|entry| entry.record_of(system, &local_id).cloned());
            let read_at = record.as_ref().and_then(|record| record.read_at);
            (record, read_at.is_some_and(|read_at| begun < read_at))
        };
        let truth = self.state_for(system, patient)?.unwrap_or_default();
        let (truth, read_back) = (Fields::of(&truth)?, Fields::of(&shown.patient)?);
        let mut owed = record
            .as_ref()
            .map_or_else(BTreeSet::new, |record| record.owed().clone());
        // What a later reading has shown, or what belongs to another patient by now, is for the next attempt.
        if delivered > Revision::NONE && !is_old {
            owed.retain(|path| !paths.contains(path) && read_back.get(path) != truth.get(path));
        }
        let shadow = record.and_then(|record| record.shadow);
        let shadow = shadow.as_ref().map(Packed::patient).transpose()?;
        let base = match (shadow, paths.is_empty()) {
            // An adopted record has never been seen and nothing was written to it.
            (None, true) => None,
            // A poll that began later has shown it since.
            _ if is_old => None,
            (shadow, _) => {
                let shadow = Fields::of(&shadow.unwrap_or_default())?;
                Some(expected_after_writing(&shadow, &paths, &truth, &read_back))
            }
        };
        // Nobody edited the record in the meantime.
        let is_as_written = base.as_ref() == Some(&read_back);
        let is_expected = is_as_written && delivered > Revision::NONE && shown.merged_into.is_none();
        let base = base.map(|base| base.to_patient()).transpose()?;
        let told = told.filter(|_| delivered > Revision::NONE);
        let receipt = told.map(|told| told.receipt(delivered, paths, &read_back));
        let receipt = receipt.transpose()?;
        let outcome = receipt.as_ref().map(|receipt| receipt.outcome);
        let seen = Sighted::Seen {
            local_id: local_id.clone(),
            shown: base,
            delivered,
            reflects: None,
            owed,
            linked_by,
            receipt: receipt.map(Box::new),
        };
        self.sight(system, patient, seen).await?;
        count(system, outcome);
        if is_expected {
            // Before anybody else may take what an earlier reading showed.
            self.index().read(system, &local_id, Some(begun));
        }
        if created.is_some() {
            drop(created);
            self.gates.changed();
        }
        Ok(Noted {
            patient,
            view: shown,
            is_expected,
        })
    }

    /// The patient to whom a record belongs now, with his or her lock, and the revision up to which that patient's record is up
    /// to date: it may have come to another one in the meantime, with what is owed to it. A record that was just created
    /// belongs to nobody yet.
    async fn whose_it_is_now(
        &self,
        system: &SystemName,
        local_id: &LocalId,
        patient: PatientId,
        delivered: Revision,
        is_new: bool,
    ) -> Result<(PatientId, Revision, OwnedMutexGuard<()>), ObserveError> {
        let linked = || self.index().linked(system, local_id);
        for _ in 0..LONGEST_CONFLICT {
            let before = linked();
            let (whose, delivered) = match before {
                Some(linked) if linked != patient && !is_new => (linked, Revision::NONE),
                _ => (patient, delivered),
            };
            let lock = self.patients.lock(&whose).await;
            if linked() == before {
                return Ok((whose, delivered, lock));
            }
        }
        Err(ObserveError::Busy)
    }

    /// Notes how a delivery ended without the record having been seen.
    ///
    /// # Errors
    /// When the log does not take the note.
    pub async fn receipted(
        &self,
        system: &SystemName,
        patient: PatientId,
        receipt: Receipt,
    ) -> Result<(), ObserveError> {
        // What is dropped is told apart from what comes after it by their order.
        let _patient = self.patients.lock(&patient).await;
        let outcome = receipt.outcome;
        let what = Sighted::Receipted(Box::new(receipt));
        self.sight(system, patient, what).await?;
        count(system, Some(outcome));
        Ok(())
    }

    pub(super) async fn sight(
        &self,
        system: &SystemName,
        patient_id: PatientId,
        what: Sighted,
    ) -> Result<(), ObserveError> {
        let sighting = Sighting {
            patient_id,
            system: system.clone(),
            seen_at: SystemTime::now(),
            what,
        };
        self.note(&sighting).await
    }
}

/// Counts a receipt that is in the log.
pub(super) fn count(system: &SystemName, outcome: Option<ReceiptOutcome>) {
    if let Some(outcome) = outcome {
        let (system, outcome) = (system.to_string(), outcome.as_str());
        metrics::counter!(metric::DELIVERIES, "system" => system, "outcome" => outcome).increment(1);
    }
}
