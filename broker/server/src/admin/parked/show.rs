//! One parked delivery with what the system said, what it still lacks, and the patient unmasked: of an image, whose it is now.

use super::{acting::not_parked, write_line};
use crate::{
    admin::{
        asker::Asker,
        practice::Practice,
        status::{invalid, optional_image, parked, patient_id, unanswered},
    },
    audit::{Act, Action},
    parked::Cargo,
    registry::{Due, ObserveError},
    wire::{WireError, write_standing},
};
use archwire_core::{PatientId, Revision, SystemName};
use archwire_proto::admin::v1;
use std::collections::BTreeSet;
use tonic::{Request, Status};

pub(in crate::admin) async fn show(
    practice: &Practice,
    request: Request<v1::ShowParkedRequest>,
) -> Result<v1::ShowParkedResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let system: SystemName = request
        .system
        .parse()
        .map_err(|error| invalid(&WireError::Name("system", error)))?;
    let cargo = match optional_image(&request.image_id)? {
        Some(image) => Cargo::Image(image),
        None => Cargo::Record(patient_id("patient_id", &request.patient_id)?),
    };
    if !practice.parked.is_parked(&system, cargo) {
        return Err(not_parked());
    }
    let patient = whose(practice, cargo);
    let act = Act {
        patients: vec![patient],
        system: Some(system.clone()),
        ..asker.about_to(Action::ShowParked, String::new())
    };
    practice.audit(act).await?;
    let entry = practice.parked.get(&system, cargo).await;
    let entry = entry.map_err(|error| parked(&error))?.ok_or_else(not_parked)?;
    let due = lacks(practice, &system, cargo).await;
    let due = due.map_err(|error| unanswered(&error))?;
    let standing = practice.registry.standing(patient);
    let standing = standing.map_err(|error| unanswered(&error))?;
    Ok(v1::ShowParkedResponse {
        line: Some(write_line(&entry.line)),
        detail: entry.detail,
        due,
        patient: standing.map(|standing| v1::PatientView {
            patient_id: patient.to_string(),
            standing: Some(write_standing(&standing)),
        }),
    })
}

/// The patient, or whose the image is now.
fn whose(practice: &Practice, cargo: Cargo) -> PatientId {
    match cargo {
        Cargo::Record(patient) => patient,
        Cargo::Image(image) => practice.registry.patient_of_image(image).unwrap_or(image.patient),
    }
}

/// What a system still lacks: paths, or words for what it lacks of an image.
async fn lacks(practice: &Practice, system: &SystemName, cargo: Cargo) -> Result<Vec<String>, ObserveError> {
    match cargo {
        Cargo::Record(patient) => {
            let due = still_due(practice, system, patient).await?;
            let paths = due.iter().flat_map(|due| &due.changed);
            Ok(paths.map(ToString::to_string).collect())
        }
        Cargo::Image(image) => {
            let due = practice.registry.image_due(system, image);
            let word = |retracted| if retracted { "retraction" } else { "image" };
            Ok(due
                .into_iter()
                .map(|due| word(due.retracted).to_owned())
                .collect())
        }
    }
}

/// What a system still lacks of a patient; `None` when it is nothing.
pub(super) async fn still_due(
    practice: &Practice,
    system: &SystemName,
    patient: PatientId,
) -> Result<Option<Due>, ObserveError> {
    let record = practice.registry.record(system, patient);
    let fence = record.as_ref().map_or(Revision::NONE, |record| record.delivered);
    let nothing = BTreeSet::new();
    let owed = record.as_ref().map_or(&nothing, |record| record.owed());
    practice.registry.due(system, patient, fence, owed).await
}
