//! What a merge or a parting would come to, before anything of it is told: the dry run, and the first half of the real one.

use super::{DecideError, Index, ObserveError, Registry};
use archwire_core::{Fields, Merge, Patient, PatientId, PatientStatus, RecordLink, Side, Standing, fill_in};

impl Registry {
    /// What a merge would come to. The caller holds both locks.
    pub(super) fn would_join(
        &self,
        survivor: PatientId,
        retired: PatientId,
        although_not_same: bool,
    ) -> Result<Merge, DecideError> {
        if survivor == retired {
            return Err(DecideError::MergeIntoItself);
        }
        let index = self.index();
        for patient in [survivor, retired] {
            if index.entry(patient).is_none() {
                return Err(DecideError::UnknownPatient(patient));
            }
            if let Some(into) = index.retired_into(patient) {
                return Err(DecideError::AlreadyMerged { patient, into });
            }
            if index.is_being_created(patient) {
                return Err(DecideError::BeingCreated);
            }
        }
        if !although_not_same && index.is_not_same(survivor, retired) {
            return Err(DecideError::DeclaredNotSame);
        }
        let (stays, goes) = (standing(&index, survivor)?, standing(&index, retired)?);
        let has_record = |link: &RecordLink| {
            let mut others = stays.records.iter();
            others.any(|other| other.system == link.system && !other.superseded)
        };
        let mut records = stays.records.clone();
        records.extend(goes.records.iter().map(|link| RecordLink {
            superseded: link.superseded || has_record(link),
            ..link.clone()
        }));
        let after = Standing {
            revision: stays.revision.next(),
            patient: joined(&stays.patient, &goes.patient)?,
            records,
        };
        let gone = Standing {
            revision: goes.revision.next(),
            patient: Patient {
                status: Some(PatientStatus::MergedInto),
                merged_into: Some(survivor),
                ..goes.patient.clone()
            },
            records: Vec::new(),
        };
        Ok(Merge {
            survivor: Side {
                patient_id: survivor,
                before: stays,
                after,
            },
            retired: Side {
                patient_id: retired,
                before: goes,
                after: gone,
            },
        })
    }

    /// What a parting would come to. The caller holds both locks.
    pub(super) async fn would_part(&self, retired: PatientId) -> Result<Merge, DecideError> {
        let (survivor, stays, goes) = {
            let index = self.index();
            let survivor = index
                .retired_into(retired)
                .ok_or(DecideError::NotMerged(retired))?;
            if let Some(into) = index.retired_into(survivor) {
                return Err(DecideError::SurvivorMergedOn { survivor, into });
            }
            if index.is_being_created(survivor) {
                return Err(DecideError::BeingCreated);
            }
            (survivor, standing(&index, survivor)?, standing(&index, retired)?)
        };
        let (merge, own, others) = self.apart(survivor, retired).await?;
        let moves = |link: &&RecordLink| is_among(link, &merge.retired.before.records);
        let as_before = |link: &RecordLink, before: &[RecordLink]| {
            let same = |other: &&RecordLink| is_same(other, link);
            before.iter().find(same).unwrap_or(link).clone()
        };
        let after = Standing {
            revision: goes.revision.next(),
            patient: own,
            records: stays
                .records
                .iter()
                .filter(moves)
                .map(|link| as_before(link, &merge.retired.before.records))
                .collect(),
        };
        let stayed = Standing {
            revision: stays.revision.next(),
            patient: others,
            records: stays
                .records
                .iter()
                .filter(|link| !moves(link))
                .map(|link| as_before(link, &merge.survivor.before.records))
                .collect(),
        };
        Ok(Merge {
            survivor: Side {
                patient_id: survivor,
                before: stays,
                after: stayed,
            },
            retired: Side {
                patient_id: retired,
                before: goes,
                after,
            },
        })
    }
}

fn standing(index: &Index, patient: PatientId) -> Result<Standing, DecideError> {
    let entry = index.entry(patient).ok_or(DecideError::UnknownPatient(patient))?;
    Ok(entry.standing().map_err(ObserveError::from)?)
}

/// What two patients are together: the survivor, and whole elements of the other that the survivor lacks.
pub(super) fn joined(survivor: &Patient, retired: &Patient) -> Result<Patient, ObserveError> {
    let (stays, goes) = (Fields::of(survivor)?, Fields::of(retired)?);
    Ok(fill_in(&stays, &goes).fields.to_patient()?)
}

fn is_same(one: &RecordLink, other: &RecordLink) -> bool {
    one.system == other.system && one.local_id == other.local_id
}

fn is_among(link: &RecordLink, links: &[RecordLink]) -> bool {
    links.iter().any(|other| is_same(other, link))
}
