//! The program's patient list, and what an event does to it.

use archwire_client::v1;
use std::collections::{BTreeMap, HashMap};

/// A record of the program's own patient list.
#[derive(Clone)]
pub struct Local {
    /// The program's own number for the patient.
    pub local_id: String,
    /// The bus's id; none for a patient who was just typed in.
    pub patient_id: Option<String>,
    /// The last event that the record reflects; 0 for none.
    pub revision: u64,
    /// The patient.
    pub patient: v1::Patient,
    /// Whether the bus knows the program's number for the patient.
    pub is_known_to_bus: bool,
    /// The program's record of the same patient that took this one's place, when two patients were merged.
    pub merged_into: Option<String>,
}

impl Local {
    /// The record as the bus is to hear of it.
    pub(super) fn observation(&self) -> v1::Observation {
        v1::Observation {
            local_id: self.local_id.clone(),
            patient_id: self.patient_id.clone(),
            patient: Some(self.patient.clone()),
            // So that the bus tells what was changed here from what was not seen here yet.
            based_on_revision: Some(self.revision).filter(|revision| *revision > 0),
            merged_into_local_id: self.merged_into.clone(),
            ..Default::default()
        }
    }
}

/// The list, and what was noticed while it was kept.
#[derive(Default)]
pub(super) struct List {
    pub(super) records: BTreeMap<String, Local>,
    /// The record with which the program goes on, by the bus's id of the patient.
    by_patient: HashMap<String, String>,
    /// The last revision that was taken in, by the bus's id of the patient.
    revisions: HashMap<String, u64>,
    numbers: usize,
    pub(super) events: u64,
    pub(super) repeated: u64,
    pub(super) in_review: Vec<u64>,
    pub(super) complaints: Vec<String>,
}

impl List {
    /// A new record under the next number.
    pub(super) fn enter(&mut self, patient_id: Option<&str>, patient: v1::Patient, revision: u64) -> String {
        self.numbers += 1;
        let local_id = format!("T-{:05}", self.numbers);
        let local = Local {
            local_id: local_id.clone(),
            patient_id: patient_id.map(str::to_owned),
            revision,
            patient,
            is_known_to_bus: false,
            merged_into: None,
        };
        self.records.insert(local_id.clone(), local);
        if let Some(patient_id) = patient_id {
            self.by_patient.insert(patient_id.to_owned(), local_id.clone());
        }
        local_id
    }

    /// Whether a record has become another patient's, or was put away, since it looked like this.
    pub(super) fn is_moved(&self, before: &Local) -> bool {
        let now = self.records.get(&before.local_id);
        now.is_none_or(|now| now.patient_id != before.patient_id || now.merged_into != before.merged_into)
    }

    /// Takes an event in. Returns the number of a record of which the bus does not know yet.
    pub(super) fn take(&mut self, vendor: &str, event: v1::Event) -> Option<String> {
        if !self.is_next(&event) {
            return None;
        }
        self.events += 1;
        if let Some(merge) = event.merge.clone() {
            return self.take_merge(vendor, event, &merge);
        }
        let v1::Event {
            patient_id,
            revision,
            patient,
            observation,
            ..
        } = event;
        let patient = patient.unwrap_or_default();
        // None where a person decided.
        let own = observation
            .filter(|observation| observation.system == vendor)
            .map(|observation| observation.local_id);
        let known = self.by_patient.get(&patient_id).cloned().or(own);
        let Some(local) = known.and_then(|local_id| self.records.get_mut(&local_id)) else {
            return Some(self.enter(Some(&patient_id), patient, revision));
        };
        if local.patient_id.is_none() {
            local.patient_id = Some(patient_id.clone());
            local.is_known_to_bus = true;
            self.by_patient.insert(patient_id, local.local_id.clone());
        }
        local.revision = revision;
        local.patient = patient;
        None
    }

    /// Whether the event is the patient's next one: not if it was taken in before. One too far is taken, with a complaint.
    fn is_next(&mut self, event: &v1::Event) -> bool {
        let (patient_id, revision) = (&event.patient_id, event.revision);
        let last = self.revisions.entry(patient_id.clone()).or_default();
        if revision <= *last {
            self.repeated += 1;
            return false;
        }
        if revision != *last + 1 {
            self.complaints
                .push(format!("patient {patient_id}: revision {revision} after {last}"));
        }
        *last = revision;
        true
    }

    /// Two patients became one, or one became two again. Both get such an event, the duplicate first; it says which of the
    /// program's records is whose from then on.
    fn take_merge(&mut self, vendor: &str, event: v1::Event, merge: &v1::Merge) -> Option<String> {
        let is_merged = event.kind() == v1::EventKind::PatientMerged;
        let patient_id = event.patient_id;
        let sides = [&merge.survivor, &merge.retired].into_iter().flatten();
        let is_of = |side: &&v1::MergeSide, patient_id: &str| side.patient_id == patient_id;
        let Some(side) = sides.clone().find(|side| is_of(side, &patient_id)) else {
            self.complaints
                .push(format!("patient {patient_id}: a merge of two others"));
            return None;
        };
        let is_duplicate = merge
            .retired
            .as_ref()
            .is_some_and(|retired| is_of(&retired, &patient_id));
        let patient = event.patient.unwrap_or_default();
        if is_merged && is_duplicate {
            // Its record is the survivor's, whose event follows.
            if let Some(local) = self
                .by_patient
                .get(&patient_id)
                .and_then(|own| self.records.get_mut(own))
            {
                (local.revision, local.patient) = (event.revision, patient);
            }
            return None;
        }
        let records = side.after.iter().flat_map(|after| &after.records);
        let named: Vec<_> = records.filter(|record| record.system == vendor).collect();
        let is_concerned = |local: &Local| {
            let by_event = named.iter().any(|record| record.local_id == local.local_id);
            let by_list = is_merged
                && sides
                    .clone()
                    .any(|side| local.patient_id.as_ref() == Some(&side.patient_id));
            by_event || by_list
        };
        let concerned: Vec<String> = self
            .records
            .values()
            .filter(|local| is_concerned(local))
            .map(|local| local.local_id.clone())
            .collect();
        let first = named.iter().find(|record| !record.superseded);
        let first = first
            .map(|record| record.local_id.clone())
            .filter(|first| concerned.contains(first));
        let kept = self
            .by_patient
            .get(&patient_id)
            .filter(|kept| concerned.contains(kept))
            .cloned();
        if is_merged && let Some(retired) = &merge.retired {
            self.by_patient.remove(&retired.patient_id);
        }
        let Some(first) = first.or(kept).or_else(|| concerned.first().cloned()) else {
            return Some(self.enter(Some(&patient_id), patient, event.revision));
        };
        for local_id in &concerned {
            if let Some(local) = self.records.get_mut(local_id) {
                local.patient_id = Some(patient_id.clone());
                local.merged_into = Some(first.clone()).filter(|first| first != local_id);
                (local.revision, local.patient) = (event.revision, patient.clone());
            }
        }
        self.by_patient.insert(patient_id, first.clone());
        self.records
            .get(&first)
            .filter(|local| !local.is_known_to_bus)
            .map(|_| first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VENDOR: &str = "ceph-tracer";

    fn event(patient_id: &str, revision: u64) -> v1::Event {
        v1::Event {
            kind: v1::EventKind::PatientUpdated.into(),
            patient_id: patient_id.into(),
            revision,
            patient: Some(v1::Patient::default()),
            ..Default::default()
        }
    }

    /// Which records are whose after it: the first is kept up to date.
    fn side(patient_id: &str, records: &[&str]) -> Option<v1::MergeSide> {
        let mut after = v1::Standing::default();
        for (place, local_id) in records.iter().enumerate() {
            after.records.push(Default::default());
            if let Some(record) = after.records.last_mut() {
                record.system = VENDOR.into();
                record.local_id = (*local_id).into();
                record.superseded = place > 0;
            }
        }
        Some(v1::MergeSide {
            patient_id: patient_id.into(),
            before: None,
            after: Some(after),
        })
    }

    /// The event that a is, or was, a duplicate of b, for one of them.
    fn merge(kind: v1::EventKind, own: (&str, u64), a: &[&str], b: &[&str]) -> v1::Event {
        v1::Event {
            kind: kind.into(),
            merge: Some(v1::Merge {
                retired: side("a", a),
                survivor: side("b", b),
            }),
            ..event(own.0, own.1)
        }
    }

    /// The patients a and b, with the records T-00001 and T-00002.
    fn two() -> List {
        let mut list = List::default();
        for patient_id in ["a", "b"] {
            let local_id = list.take(VENDOR, event(patient_id, 1)).unwrap();
            list.records.get_mut(&local_id).unwrap().is_known_to_bus = true;
        }
        list
    }

    /// Every record's patient, revision, and the record that took its place.
    fn shown(list: &List) -> Vec<(&str, u64, Option<&str>)> {
        list.records
            .values()
            .map(|local| {
                (
                    local.patient_id.as_deref().unwrap(),
                    local.revision,
                    local.merged_into.as_deref(),
                )
            })
            .collect()
    }

    const MERGED: v1::EventKind = v1::EventKind::PatientMerged;
    const UNMERGED: v1::EventKind = v1::EventKind::PatientUnmerged;

    #[test]
    fn the_record_that_the_event_names_goes_on_until_they_are_two_again() {
        let mut list = two();
        let both = &["T-00002", "T-00001"];
        assert_eq!(list.take(VENDOR, merge(MERGED, ("a", 2), &[], both)), None);
        assert_eq!(list.take(VENDOR, merge(MERGED, ("b", 2), &[], both)), None);
        assert_eq!(shown(&list), [("b", 2, Some("T-00002")), ("b", 2, None)]);
        let (a, b) = (&["T-00001"], &["T-00002"]);
        assert_eq!(list.take(VENDOR, merge(UNMERGED, ("a", 3), a, b)), None);
        assert_eq!(list.take(VENDOR, merge(UNMERGED, ("b", 3), a, b)), None);
        assert_eq!(shown(&list), [("a", 3, None), ("b", 3, None)]);
        assert_eq!(list.take(VENDOR, event("a", 4)), None);
        assert_eq!((list.records.len(), list.complaints.len()), (2, 0));
    }

    #[test]
    fn a_record_of_the_duplicate_alone_becomes_the_survivors_and_is_taken_back() {
        let mut list = two();
        list.records.remove("T-00002");
        list.by_patient.remove("b");
        let only = &["T-00001"];
        for patient_id in ["a", "b"] {
            assert_eq!(list.take(VENDOR, merge(MERGED, (patient_id, 2), &[], only)), None);
        }
        assert_eq!(shown(&list), [("b", 2, None)]);
        assert_eq!(list.take(VENDOR, merge(UNMERGED, ("a", 3), only, &[])), None);
        let new = list.take(VENDOR, merge(UNMERGED, ("b", 3), only, &[]));
        assert_eq!(
            new.as_deref(),
            Some("T-00003"),
            "the survivor gets a record again"
        );
        assert_eq!(shown(&list), [("a", 3, None), ("b", 3, None)]);
    }

    #[test]
    fn a_record_that_the_bus_has_not_heard_of_is_told_when_its_patient_was_merged() {
        let mut list = two();
        list.records.remove("T-00002");
        list.by_patient.remove("b");
        list.records.get_mut("T-00001").unwrap().is_known_to_bus = false;
        assert_eq!(list.take(VENDOR, merge(MERGED, ("a", 2), &[], &[])), None);
        let told = list.take(VENDOR, merge(MERGED, ("b", 2), &[], &[]));
        assert_eq!(told.as_deref(), Some("T-00001"));
        assert_eq!(shown(&list), [("b", 2, None)]);
    }

    #[test]
    fn what_comes_again_after_a_merge_makes_no_new_record_and_a_gap_is_complained_about() {
        let mut list = two();
        let both = &["T-00002", "T-00001"];
        for patient_id in ["a", "b"] {
            list.take(VENDOR, merge(MERGED, (patient_id, 2), &[], both));
        }
        for again in [event("a", 1), merge(MERGED, ("a", 2), &[], both), event("b", 1)] {
            assert_eq!(list.take(VENDOR, again), None);
        }
        assert_eq!((list.records.len(), list.repeated), (2, 3));
        list.take(VENDOR, event("b", 4));
        assert_eq!(list.complaints.len(), 1);
    }
}
