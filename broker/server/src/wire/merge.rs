//! Merges and the crosswalk: who was who before and after, and whose record is whose.

use super::{
    WireError, read_patient, timestamp,
    view::{read_local_id, read_required_time},
    write_patient,
};
use archwire_core::{LinkedBy, Merge, RecordLink, Revision, Side, Standing};
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

fn write_record(record: &RecordLink) -> v1::RecordLink {
    v1::RecordLink {
        system: record.system.to_string(),
        local_id: record.local_id.as_str().to_owned(),
        superseded: record.superseded,
        linked_at: Some(timestamp(record.linked_at)),
        linked_by: write_linked_by(Some(record.linked_by)),
    }
}

pub(super) fn write_linked_by(by: Option<LinkedBy>) -> i32 {
    let by = match by {
        None => v1::LinkedBy::Unspecified,
        Some(LinkedBy::Observed) => v1::LinkedBy::Observed,
        Some(LinkedBy::Named) => v1::LinkedBy::Named,
        Some(LinkedBy::Delivered) => v1::LinkedBy::Delivered,
        Some(LinkedBy::TrustedIdentifier) => v1::LinkedBy::TrustedIdentifier,
        Some(LinkedBy::Demographics) => v1::LinkedBy::Demographics,
        Some(LinkedBy::Decided) => v1::LinkedBy::Decided,
    };
    by.into()
}

pub(super) fn read_linked_by(by: i32) -> Result<Option<LinkedBy>, WireError> {
    Ok(match v1::LinkedBy::try_from(by) {
        Ok(v1::LinkedBy::Unspecified) => None,
        Ok(v1::LinkedBy::Observed) => Some(LinkedBy::Observed),
        Ok(v1::LinkedBy::Named) => Some(LinkedBy::Named),
        Ok(v1::LinkedBy::Delivered) => Some(LinkedBy::Delivered),
        Ok(v1::LinkedBy::TrustedIdentifier) => Some(LinkedBy::TrustedIdentifier),
        Ok(v1::LinkedBy::Demographics) => Some(LinkedBy::Demographics),
        Ok(v1::LinkedBy::Decided) => Some(LinkedBy::Decided),
        Err(_) => return Err(WireError::UnknownValue("linked_by")),
    })
}

/// Reads a merge.
///
/// # Errors
/// Names the first field that cannot be taken.
pub fn read_merge(merge: v1::Merge) -> Result<Merge, WireError> {
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

/// Reads what a patient was at one moment.
///
/// # Errors
/// Names the first field that cannot be taken.
pub fn read_standing(standing: v1::Standing) -> Result<Standing, WireError> {
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

/// Reads a record of the crosswalk.
pub(super) fn read_record(record: v1::RecordLink) -> Result<RecordLink, WireError> {
    let system = record.system.parse();
    Ok(RecordLink {
        system: system.map_err(|error| WireError::Name("record.system", error))?,
        local_id: read_local_id(&record.local_id)?,
        superseded: record.superseded,
        linked_at: read_required_time("record.linked_at", record.linked_at)?,
        linked_by: read_linked_by(record.linked_by)?.ok_or(WireError::Missing("record.linked_by"))?,
    })
}
