//! What trying again and giving up have in common: which deliveries are meant, and the audit of it.

use super::{MOST_AT_ONCE, read_filter};
use crate::{
    admin::{asker::Asker, practice::Practice},
    api::status::refuse,
    audit::{Act, Action, MOST_PATIENTS},
    parked::{ParkedFilter, ParkedLine},
};
use archwire_core::{PatientId, SystemName};
use archwire_proto::admin::v1;
use tonic::{Code, Status};

/// Which of the deliveries that fit a call acts on.
pub(super) struct Chosen {
    pub(super) lines: Vec<ParkedLine>,
    /// How many there are besides.
    pub(super) left: usize,
}

/// The filter of a request that acts. Everything is meant only when it says so.
pub(super) fn meant(filter: Option<v1::ParkedFilter>, all: bool) -> Result<ParkedFilter, Status> {
    let filter = read_filter(filter)?;
    if filter.is_everything() && !all {
        return Err(refuse(
            Code::InvalidArgument,
            "parked_filter_needed",
            "say which deliveries are meant, by system, patient, image, reason or age; or that all are (`--all`)",
        ));
    }
    Ok(filter)
}

/// The lines that fit.
pub(super) fn fitting(practice: &Practice, filter: &ParkedFilter) -> Result<Vec<ParkedLine>, Status> {
    let lines = practice.parked.lines_of(filter);
    let is_one = filter.system.is_some() && (filter.patient.is_some() || filter.image.is_some());
    if lines.is_empty() && is_one {
        return Err(not_parked());
    }
    Ok(lines)
}

/// Nothing is parked there.
pub(super) fn not_parked() -> Status {
    let message = "no such delivery is parked; `archwire parked list` shows those that are";
    refuse(Code::NotFound, "parked_unknown", message)
}

/// As many as a call acts on.
pub(super) fn choose(mut lines: Vec<ParkedLine>) -> Chosen {
    let left = lines.len().saturating_sub(MOST_AT_ONCE);
    lines.truncate(MOST_AT_ONCE);
    Chosen { lines, left }
}

/// Writes down what is about to be done to these deliveries: a record for each system and [`MOST_PATIENTS`].
pub(super) async fn audit(
    practice: &Practice,
    asker: &Asker,
    action: Action,
    reason: &str,
    lines: &[ParkedLine],
) -> Result<(), Status> {
    let mut of_systems: Vec<(&SystemName, Vec<PatientId>)> = Vec::new();
    for line in lines {
        let (system, patient) = (&line.key.system, line.key.patient);
        match of_systems
            .iter_mut()
            .find(|(other, patients)| *other == system && patients.len() < MOST_PATIENTS)
        {
            Some((_, patients)) => patients.push(patient),
            None => of_systems.push((system, vec![patient])),
        }
    }
    for (system, patients) in of_systems {
        let act = Act {
            patients,
            system: Some(system.clone()),
            ..asker.about_to(action, reason.to_owned())
        };
        practice.audit(act).await?;
    }
    Ok(())
}
