//! Making our records match one event. Doing it twice comes to the same.

use crate::table::{Row, Table};
use anyhow::Result;
use archwire_client::{PublishError, Publisher, Receipt, v1};

/// Makes our record match one event, and says what was done.
pub(crate) async fn take(
    publisher: &Publisher,
    table: &mut Table,
    system: &str,
    event: &v1::Event,
) -> Result<&'static str> {
    let mut known = table.rows.get(&event.patient_id).cloned();
    if known
        .as_ref()
        .is_some_and(|row| row.is_bound && event.revision <= row.revision)
    {
        return Ok("seen before");
    }
    if let Some(merge) = &event.merge {
        if let Some(what) = take_merge(table, system, event, merge)? {
            return Ok(what);
        }
        // The bus knows the record that we took for this patient's as the other one's.
        known = known.filter(|row| !row.is_bound);
    }
    // What came of our own words is no new patient to us, and the bus knows our id already. There are no words where a
    // person decided.
    let own = event
        .observation
        .as_ref()
        .filter(|observation| observation.system == system);
    let (is_new, is_own) = (known.is_none(), own.is_some());
    let mut row = known.unwrap_or_else(|| Row::new(own.map(|own| own.local_id.clone())));
    row.is_bound |= is_own;
    row.revision = event.revision;
    // Here a real program writes `event.patient`, the whole state, into its own record.
    table.put(&event.patient_id, row.clone())?;
    if !row.is_bound {
        if let Some(trouble) = bind(publisher, &row, event).await? {
            return Ok(trouble);
        }
        row.is_bound = true;
        table.put(&event.patient_id, row)?;
    }
    Ok(match (is_own, is_new) {
        (true, _) => "came from us, stored",
        (false, true) => "new, stored under an id of our own",
        (false, false) => "changed, stored",
    })
}

/// Two patients became one, or one became two again: both get such an event, the duplicate first. `None` when the event is
/// to be taken like any other, because we keep no record of this patient yet.
fn take_merge(
    table: &mut Table,
    system: &str,
    event: &v1::Event,
    merge: &v1::Merge,
) -> Result<Option<&'static str>> {
    let is_merged = event.kind() == v1::EventKind::PatientMerged;
    let sides = [&merge.survivor, &merge.retired].into_iter().flatten();
    let side = sides.clone().find(|side| side.patient_id == event.patient_id);
    // Which of our records is this patient's from now on: the event says so.
    let records = side
        .and_then(|side| side.after.as_ref())
        .map(|after| after.records.iter());
    let ours = records
        .into_iter()
        .flatten()
        .find(|record| record.system == system && !record.superseded);
    let is_duplicate = merge
        .retired
        .as_ref()
        .is_some_and(|retired| retired.patient_id == event.patient_id);
    let local_id = match (ours, table.rows.get(&event.patient_id)) {
        (Some(ours), _) => ours.local_id.clone(),
        // The bus has not heard of our record, or has given it to the other patient.
        (None, Some(row)) if is_merged && is_duplicate => row.local_id.clone(),
        (None, None) if is_merged && is_duplicate => return Ok(Some("a duplicate we never had")),
        (None, _) => return Ok(None),
    };
    // Here a real program lets its users go on with this record. What it keeps under another record of the same person, it
    // moves over when they become one, and takes back when they are two again. It deletes nothing.
    let row = Row {
        local_id,
        revision: event.revision,
        is_bound: true,
    };
    table.put(&event.patient_id, row)?;
    Ok(Some(match (is_merged, is_duplicate) {
        (true, true) => "a duplicate: its survivor goes on",
        (true, false) => "goes on for a duplicate too",
        (false, _) => "two people after all",
    }))
}

/// Tells the bus under which id we keep the patient. What stands in the way of it, when something does.
async fn bind(publisher: &Publisher, row: &Row, event: &v1::Event) -> Result<Option<&'static str>> {
    let record = v1::Observation {
        local_id: row.local_id.clone(),
        patient_id: Some(event.patient_id.clone()),
        patient: event.patient.clone(),
        // Which state this is. Without it, what has changed on the bus since would look like our wish to undo it.
        based_on_revision: Some(event.revision),
        ..Default::default()
    };
    match publisher.publish(record).await {
        Ok(Receipt::InReview { .. }) => Ok(Some("a person has to look at our record first")),
        Ok(Receipt::Recorded { .. } | Receipt::Unchanged { .. }) => Ok(None),
        Err(PublishError::Refused(refusal)) if refusal.code == "link_conflict" => Ok(Some(
            "linked to another record of ours, a person has to decide which is right",
        )),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: &str = "ceph-tracer";

    fn side(patient_id: &str, revision: u64, records: &[(&str, bool)]) -> Option<v1::MergeSide> {
        let mut after = v1::Standing {
            revision,
            ..Default::default()
        };
        for (local_id, superseded) in records {
            after.records.push(Default::default());
            if let Some(record) = after.records.last_mut() {
                record.system = SYSTEM.into();
                record.local_id = (*local_id).into();
                record.superseded = *superseded;
            }
        }
        Some(v1::MergeSide {
            patient_id: patient_id.into(),
            before: None,
            after: Some(after),
        })
    }

    /// The two events that both patients get.
    fn events(kind: v1::EventKind, merge: &v1::Merge) -> Vec<v1::Event> {
        let sides = [&merge.retired, &merge.survivor].into_iter().flatten();
        let event = |side: &v1::MergeSide| v1::Event {
            kind: kind.into(),
            patient_id: side.patient_id.clone(),
            revision: side.after.as_ref().map_or(0, |after| after.revision),
            merge: Some(merge.clone()),
            ..Default::default()
        };
        sides.map(event).collect()
    }

    /// A table with our records of these patients, and what is said to the events of a merge.
    fn taken(
        rows: &[(&str, &str)],
        kind: v1::EventKind,
        merge: v1::Merge,
    ) -> (Table, Vec<Option<&'static str>>) {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Table::open(&folder.path().join("table")).unwrap();
        for (patient_id, local_id) in rows {
            let row = Row {
                revision: 1,
                is_bound: true,
                ..Row::new(Some((*local_id).to_owned()))
            };
            table.put(patient_id, row).unwrap();
        }
        let mut said = Vec::new();
        for event in events(kind, &merge) {
            let merge = event.merge.as_ref().unwrap();
            said.push(take_merge(&mut table, SYSTEM, &event, merge).unwrap());
        }
        (table, said)
    }

    fn row<'a>(table: &'a Table, patient_id: &str) -> (&'a str, u64) {
        let row = &table.rows[patient_id];
        (&row.local_id, row.revision)
    }

    #[test]
    fn the_survivor_goes_on_with_the_record_that_the_event_names() {
        for (rows, records, goes_on) in [
            (
                &[("a", "1"), ("b", "2")][..],
                &[("2", false), ("1", true)][..],
                "2",
            ),
            (&[("a", "1")], &[("1", false)], "1"),
        ] {
            let merge = v1::Merge {
                survivor: side("b", 5, records),
                retired: side("a", 3, &[]),
            };
            let (table, said) = taken(rows, v1::EventKind::PatientMerged, merge);
            assert_eq!(
                said,
                [
                    Some("a duplicate: its survivor goes on"),
                    Some("goes on for a duplicate too")
                ]
            );
            assert_eq!((row(&table, "a"), row(&table, "b")), (("1", 3), (goes_on, 5)));
        }
    }

    #[test]
    fn after_an_unmerge_each_has_a_record_of_its_own_again_or_gets_a_new_one() {
        let merge = v1::Merge {
            survivor: side("b", 6, &[]),
            retired: side("a", 4, &[("1", false)]),
        };
        let (table, said) = taken(&[("a", "1"), ("b", "1")], v1::EventKind::PatientUnmerged, merge);
        assert_eq!(said, [Some("two people after all"), None]);
        assert_eq!(row(&table, "a"), ("1", 4));
    }

    #[test]
    fn a_duplicate_that_we_never_had_is_nothing_to_us() {
        let merge = v1::Merge {
            survivor: side("b", 5, &[]),
            retired: side("a", 3, &[]),
        };
        let (table, said) = taken(&[], v1::EventKind::PatientMerged, merge);
        assert_eq!(said, [Some("a duplicate we never had"), None]);
        assert!(table.rows.is_empty());
    }
}
