//! The registry as reconciliation sees it: what it knows of a system's records, and how a record compares with that.
//! Nothing in here changes anything.

use super::{Entry, Index, ObserveError, Record, Registry, index::ItemKey};
use archwire_core::{
    Comparison, Differences, Fields, LocalId, Path, Patient, PatientId, Revision, SystemName,
};
use std::{collections::BTreeSet, time::SystemTime};

/// A record that the bus knows in a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRecord {
    /// Whose.
    pub patient: PatientId,
    /// The patient's revision, by the last event that is not of an image.
    pub revision: Revision,
    /// Where that event stands in the log.
    pub sequence: u64,
    /// When the bus learnt whose it is.
    pub linked_at: SystemTime,
    /// Whether it is kept up to date: no other record of the system is instead, and no person has to say first whose it is.
    pub is_kept: bool,
    /// Whether another record of the system is kept up to date instead.
    pub is_superseded: bool,
    /// Whether the bus owes it nothing, and is not writing to it.
    pub is_at_rest: bool,
}

/// What the bus knows in a system.
#[derive(Debug)]
pub struct KnownRecords {
    /// Every record, in no order.
    pub records: Vec<(LocalId, KnownRecord)>,
    /// Patients without one, in no order.
    pub without: Vec<PatientId>,
    /// How far the log had been taken in.
    pub sequence: u64,
}

/// A record as it was compared.
#[derive(Debug, Clone)]
pub struct Compared {
    /// What is known of it.
    pub known: KnownRecord,
    /// Where it differs.
    pub differences: Differences,
}

/// A record as it was compared without asking the log.
struct ByIndex {
    known: KnownRecord,
    differences: Differences,
    /// Up to where it was brought up to date.
    fence: Revision,
    owed: BTreeSet<Path>,
}

impl Registry {
    /// What the bus knows in a system, all at one moment. Passes over all patients, and holds up whoever needs the index
    /// meanwhile.
    #[must_use]
    pub fn known_records(&self, system: &SystemName) -> KnownRecords {
        let index = self.index();
        let (mut records, mut without) = (Vec::new(), Vec::new());
        for (patient, entry) in index.everybody() {
            for record in entry.records.iter().filter(|record| record.system == *system) {
                let known = known(&index, patient, entry, record);
                records.push((record.local_id.clone(), known));
            }
            if entry.record(system).is_none() && is_whole(&index, patient) {
                without.push(patient);
            }
        }
        KnownRecords {
            records,
            without,
            sequence: index.sequence(),
        }
    }

    /// What is known of a record now; `None` when the bus does not know it.
    #[must_use]
    pub fn known_record(&self, system: &SystemName, local_id: &LocalId) -> Option<KnownRecord> {
        let index = self.index();
        let patient = index.linked(system, local_id)?;
        let entry = index.entry(patient)?;
        let record = entry.record_of(system, local_id)?;
        Some(known(&index, patient, entry, record))
    }

    /// Whether a record is one of which the bus has not heard, and of which nobody is to decide anything: not one that the
    /// bus may be creating itself at the moment, and not one that is in review.
    #[must_use]
    pub fn is_extra(&self, system: &SystemName, local_id: &LocalId) -> bool {
        let index = self.index();
        let about = |key: fn(SystemName, LocalId) -> ItemKey| {
            index.item_about(&key(system.clone(), local_id.clone())).is_some()
        };
        index.linked(system, local_id).is_none()
            && !index.is_creating_any(system)
            && !about(ItemKey::Unreadable)
            && !about(ItemKey::Awaiting)
            && !about(ItemKey::Record)
    }

    /// Whether a patient has no record in a system, and there is something to bring there: not where all that is known
    /// of the patient came from that system. Nobody counts of whom the log tells something after `since`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn is_unlinked(
        &self,
        system: &SystemName,
        patient: PatientId,
        since: u64,
    ) -> Result<bool, ObserveError> {
        let is_without = {
            let index = self.index();
            let entry = index.entry(patient);
            is_whole(&index, patient)
                && entry.is_some_and(|entry| entry.record(system).is_none() && entry.state_sequence <= since)
        };
        if !is_without {
            return Ok(false);
        }
        let nothing = BTreeSet::new();
        let due = self.due(system, patient, Revision::NONE, &nothing);
        Ok(due.await?.is_some())
    }

    /// Compares what a record shows with what the bus knows and wants; `None` where there is nothing to compare, because
    /// the record is not known or not kept up to date, or is being written to.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn compare(
        &self,
        system: &SystemName,
        local_id: &LocalId,
        shown: Patient,
        delivers: bool,
    ) -> Result<Option<Compared>, ObserveError> {
        let Some(by_index) = self.compared(system, local_id, shown)? else {
            return Ok(None);
        };
        let ByIndex {
            known,
            differences,
            fence,
            owed,
        } = by_index;
        let mut due = BTreeSet::new();
        if !differences.unless_brought.is_empty() && delivers {
            let brought = self.due(system, known.patient, fence, &owed).await?;
            due = brought.map_or(due, |due| due.changed);
        }
        let mut differences = differences.settle(&due);
        if !delivers {
            // Nobody brings it there.
            differences.lacking.clear();
        }
        Ok(Some(Compared { known, differences }))
    }

    /// The same as far as the index tells.
    fn compared(
        &self,
        system: &SystemName,
        local_id: &LocalId,
        shown: Patient,
    ) -> Result<Option<ByIndex>, ObserveError> {
        let index = self.index();
        let patient = index.linked(system, local_id);
        let entry = patient.and_then(|patient| Some((patient, index.entry(patient)?)));
        let record =
            entry.and_then(|(patient, entry)| Some((patient, entry, entry.record_of(system, local_id)?)));
        let Some((patient, entry, record)) = record else {
            return Ok(None);
        };
        let known = known(&index, patient, entry, record);
        if !known.is_kept || record.being_written().is_some() {
            return Ok(None);
        }
        // The same guarantor has another number in each system, and may have been merged since.
        let fields = |mut patient: Patient| {
            index.resolve(&mut patient);
            index.in_terms_of(system, &mut patient);
            index.resolve(&mut patient);
            Fields::of(&patient)
        };
        let shadow = record
            .shadow
            .as_ref()
            .map(|shadow| shadow.patient())
            .transpose()?;
        let key = ItemKey::Disagreement(system.clone(), local_id.clone());
        let item = index.item_about(&key).and_then(|number| index.item(number));
        let nothing = BTreeSet::new();
        let (wanted, shadow, shown) = (
            fields(entry.patient()?)?,
            shadow.map(fields).transpose()?,
            fields(shown)?,
        );
        let comparison = Comparison {
            wanted: &wanted,
            shadow: shadow.as_ref(),
            shown: &shown,
            disputed: item.map_or(&nothing, |item| &item.paths),
            is_owner: &|path| self.config.ownership.owner_of(path) == Some(system),
        };
        Ok(Some(ByIndex {
            known,
            differences: comparison.differences(),
            fence: record.delivered,
            owed: record.owed().clone(),
        }))
    }

    /// The paths at which a record was seen to show something; all of the patient's where it was never read.
    ///
    /// # Errors
    /// Never for what came from the log.
    pub fn shown_paths(
        &self,
        system: &SystemName,
        local_id: &LocalId,
    ) -> Result<BTreeSet<Path>, ObserveError> {
        let index = self.index();
        let entry = index
            .linked(system, local_id)
            .and_then(|patient| index.entry(patient));
        let Some(entry) = entry else {
            return Ok(BTreeSet::new());
        };
        let shadow = entry
            .record_of(system, local_id)
            .and_then(|record| record.shadow.as_ref());
        let shown = match shadow {
            Some(shadow) => shadow.patient()?,
            None => entry.patient()?,
        };
        Ok(Fields::of(&shown)?.paths().cloned().collect())
    }
}

fn known(index: &Index, patient: PatientId, entry: &Entry, record: &Record) -> KnownRecord {
    let is_held = index.held(&record.system, &record.local_id).is_some();
    KnownRecord {
        patient,
        revision: entry.state_revision,
        sequence: entry.state_sequence,
        linked_at: record.linked_at,
        is_kept: !record.superseded && !is_held,
        is_superseded: record.superseded,
        is_at_rest: record.pending.is_none(),
    }
}

/// Whether the patient was not merged into another one, and no other one has only half come in.
fn is_whole(index: &Index, patient: PatientId) -> bool {
    index.current(patient) == patient && index.halves_of(patient).is_empty()
}
