//! Who became one, and who became two again.
//!
//! The retired patient's event comes first and says it all; the survivor's follows. Between the two the survivor's state
//! is behind, and the half is known, so that a start can finish it.

use super::{Entry, Index, Record};
use archwire_core::{Event, EventKind, Fields, Merge, Path, Patient, PatientId, RecordLink, Revision};
use std::{collections::BTreeSet, sync::Arc};

impl Index {
    /// The first events of merges and partings whose second one has not come.
    #[must_use]
    pub fn halves(&self) -> Vec<Arc<Event>> {
        self.halves.values().map(Arc::clone).collect()
    }

    /// Those of one survivor.
    #[must_use]
    pub fn halves_of(&self, survivor: PatientId) -> Vec<Arc<Event>> {
        let halves = self.halves.iter().filter(|((of, _), _)| *of == survivor);
        halves.map(|(_, event)| Arc::clone(event)).collect()
    }

    pub(super) fn apply_merge(&mut self, event: &Event) {
        let Some(merge) = &event.merge else { return };
        let pair = (merge.survivor.patient_id, merge.retired.patient_id);
        if event.patient_id == merge.survivor.patient_id {
            self.halves.remove(&pair);
            self.second_half(event.kind, merge, event.revision);
        } else {
            self.halves.insert(pair, Arc::new(event.clone()));
            self.first_half(event.kind, merge);
        }
    }

    fn first_half(&mut self, kind: EventKind, merge: &Merge) {
        let (survivor, retired) = (merge.survivor.patient_id, merge.retired.patient_id);
        if kind == EventKind::PatientMerged {
            self.leave(retired);
            self.retired.insert(retired, survivor);
            self.move_records(retired, survivor, &merge.retired.before.records);
        } else {
            self.retired.remove(&retired);
            self.not_same
                .insert((survivor.min(retired), survivor.max(retired)));
            self.move_records(survivor, retired, &merge.retired.after.records);
            self.images_parted(merge);
            let owed = difference(&merge.survivor.before.patient, &merge.retired.after.patient);
            self.owe(
                retired,
                &merge.retired.after.records,
                &owed,
                merge.retired.after.revision,
            );
        }
    }

    /// What the records that came along are owed, is told by the survivor's state as it really became.
    fn second_half(&mut self, kind: EventKind, merge: &Merge, revision: Revision) {
        let survivor = merge.survivor.patient_id;
        self.stand(survivor, &merge.survivor.after.records);
        if kind == EventKind::PatientMerged {
            self.images_joined(merge, revision);
            let owed = difference(&merge.retired.before.patient, &merge.survivor.after.patient);
            self.owe(
                survivor,
                &merge.retired.before.records,
                &owed,
                merge.survivor.after.revision,
            );
        }
    }

    fn move_records(&mut self, from: PatientId, to: PatientId, links: &[RecordLink]) {
        let Some(entry) = self.entry_mut(from) else { return };
        let moves = |record: &Record| links.iter().any(|link| is_same(record, link));
        let (moved, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut entry.records).into_iter().partition(moves);
        entry.records = kept;
        for record in &moved {
            self.links
                .insert((record.system.clone(), record.local_id.clone()), to);
        }
        if let Some(entry) = self.entry_mut(to) {
            for mut record in moved {
                record.superseded = record.superseded || entry.record(&record.system).is_some();
                entry.records.push(record);
            }
        }
        self.stand(to, links);
        let of_from: Vec<_> = self
            .entry(from)
            .map(|entry| entry.records.iter().map(Record::link).collect())
            .unwrap_or_default();
        self.stand(from, &of_from);
    }

    /// Which of the records are kept up to date; of each system's at least and at most one.
    fn stand(&mut self, patient: PatientId, links: &[RecordLink]) {
        let Some(entry) = self.entry_mut(patient) else {
            return;
        };
        for link in links {
            if let Some(record) = entry.records.iter_mut().find(|record| is_same(record, link)) {
                record.superseded = link.superseded;
            }
        }
        one_each(entry);
    }

    fn owe(&mut self, patient: PatientId, links: &[RecordLink], owed: &BTreeSet<Path>, revision: Revision) {
        let Some(entry) = self.entry_mut(patient) else {
            return;
        };
        for record in &mut entry.records {
            if links.iter().any(|link| is_same(record, link)) {
                record.owe(record.owed().union(owed).cloned().collect());
                record.delivered = revision;
                record.reflects = Revision::NONE;
                record.joined = revision;
            }
        }
    }
}

/// Of the records of one system, the first that is not superseded is kept up to date, else the first.
fn one_each(entry: &mut Entry) {
    let mut kept = BTreeSet::new();
    for record in &mut entry.records {
        record.superseded = record.superseded || !kept.insert(record.system.clone());
    }
    for record in &mut entry.records {
        if kept.insert(record.system.clone()) {
            record.superseded = false;
        }
    }
}

fn is_same(record: &Record, link: &RecordLink) -> bool {
    record.system == link.system && record.local_id == link.local_id
}

fn difference(one: &Patient, other: &Patient) -> BTreeSet<Path> {
    // A patient always has fields; what came from the log was made from them.
    match (Fields::of(one), Fields::of(other)) {
        (Ok(one), Ok(other)) => one.difference(&other),
        _ => BTreeSet::new(),
    }
}
