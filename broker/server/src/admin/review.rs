//! The review queue as the API tells it: masked lines, whole items, what came of a decision.

use super::mask::masked;
use crate::{
    registry::{Decided, ObserveError, Registry, ReviewLine},
    wire::{timestamp, write_review_kind, write_standing},
};
use archwire_core::{PatientId, ReviewItem};
use archwire_proto::admin::v1;

/// A line of the list, masked.
pub(super) fn line(registry: &Registry, line: ReviewLine) -> Result<v1::ReviewLine, ObserveError> {
    let standing = line
        .patient
        .map(|patient| registry.standing(patient))
        .transpose()?
        .flatten();
    Ok(v1::ReviewLine {
        number: line.number,
        kind: write_review_kind(line.kind).into(),
        opened_at: Some(timestamp(line.opened_at)),
        system: line.system.map(|system| system.to_string()),
        patient_id: line.patient.map(|patient| patient.to_string()),
        masked: standing.map_or_else(String::new, |standing| masked(&standing.patient)),
        count: u32::try_from(line.count).unwrap_or(u32::MAX),
        score_tenths: line.score_tenths,
    })
}

/// Whom an item is about: its own patient first, then its candidates.
pub(super) fn patients_of(item: &ReviewItem) -> Vec<PatientId> {
    let mut patients: Vec<PatientId> = Vec::new();
    let candidates = item.candidates.iter().map(|candidate| candidate.patient);
    for patient in item.patient.into_iter().chain(candidates) {
        if !patients.contains(&patient) {
            patients.push(patient);
        }
    }
    patients
}

/// Patients as they are now; one that the bus does not know is left out.
pub(super) fn views(
    registry: &Registry,
    patients: &[PatientId],
) -> Result<Vec<v1::PatientView>, ObserveError> {
    let mut views = Vec::with_capacity(patients.len());
    for patient in patients {
        if let Some(standing) = registry.standing(*patient)? {
            views.push(v1::PatientView {
                patient_id: patient.to_string(),
                standing: Some(write_standing(&standing)),
            });
        }
    }
    Ok(views)
}

/// What came of a decision, in one sentence without patient data.
pub(super) fn outcome(decided: &Decided) -> String {
    match decided {
        Decided::Merged { survivor, retired } => {
            format!("Patient {retired} is one with patient {survivor} now, who goes on.")
        }
        Decided::NotSame => "They are two people; the pair does not come up again.".to_owned(),
        Decided::Separated { patient } => {
            format!("The record is a patient of its own now: {patient}.")
        }
        Decided::Taken { patient } => {
            format!("What the system says was taken for patient {patient}.")
        }
        Decided::Kept { patient } => {
            format!(
                "What the bus holds for patient {patient} stands, and is written back where a connector writes to the system."
            )
        }
        Decided::ReadAgain => "The record is read again.".to_owned(),
        Decided::Dismissed => "The item is closed; nothing else was changed.".to_owned(),
    }
}
