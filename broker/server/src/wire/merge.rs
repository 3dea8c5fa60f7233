//! Merges: who was who before and after.

use super::{WireError, read_patient, view::read_local_id, write_patient};
use archwire_core::{Merge, RecordKey, Revision, Side, Standing};
use archwire_proto::v1;

/// Writes a merge.
#[must_use]
pub fn write_merge(merge: &Merge) -> v1::Merge {
    v1::Merge {
        survivor: Some(write_side(&merge.survivor)),
        retired: Some(write_side(&merge.retired)),
    }
}

fn write_side(side: &Side) -> v1::MergeSide {
    v1::MergeSide {
        patient_id: side.patient_id.to_string(),
        before: Some(write_standing(&side.before)),
        after: Some(write_standing(&side.after)),
    }
}

/// Writes what a patient is at one moment.
#[must_use]
pub fn write_standing(standing: &Standing) -> v1::Standing {
    v1::Standing {
        revision: standing.revision.get(),
        patient: Some(write_patient(&standing.patient)),
        records: standing.records.iter().map(write_record).collect(),
    }
}

fn write_record(record: &RecordKey) -> v1::RecordKey {
    v1::RecordKey {
        system: record.system.to_string(),
        local_id: record.local_id.as_str().to_owned(),
        superseded: record.superseded,
    }
}

pub(super) fn read_merge(merge: v1::Merge) -> Result<Merge, WireError> {
    Ok(Merge {
        survivor: read_side(merge.survivor.ok_or(WireError::Missing("merge.survivor"))?)?,
        retired: read_side(merge.retired.ok_or(WireError::Missing("merge.retired"))?)?,
    })
}

fn read_side(side: v1::MergeSide) -> Result<Side, WireError> {
    let id = side.patient_id.parse();
    Ok(Side {
        patient_id: id.map_err(|error| WireError::Name("merge.patient_id", error))?,
        before: read_standing(side.before.ok_or(WireError::Missing("merge.before"))?)?,
        after: read_standing(side.after.ok_or(WireError::Missing("merge.after"))?)?,
    })
}

fn read_standing(standing: v1::Standing) -> Result<Standing, WireError> {
    Ok(Standing {
        revision: Revision::new(standing.revision),
        patient: read_patient(standing.patient.ok_or(WireError::Missing("merge.patient"))?)?,
        records: standing
            .records
            .into_iter()
            .map(read_record)
            .collect::<Result<_, _>>()?,
    })
}

fn read_record(record: v1::RecordKey) -> Result<RecordKey, WireError> {
    let system = record.system.parse();
    Ok(RecordKey {
        system: system.map_err(|error| WireError::Name("record.system", error))?,
        local_id: read_local_id(&record.local_id)?,
        superseded: record.superseded,
    })
}
