//! Parked deliveries given up for good: with a receipt in the log, then gone. The next change of the patient brings the
//! system what it lacks all the same. Only what the person decided about is given up: a delivery that was parked anew
//! meanwhile, for whatever reason, stays.

use super::{
    acting::{Chosen, audit, choose, fitting, meant},
    count,
    show::still_due,
    write_line,
};
use crate::{
    admin::{
        asker::{Asker, reason},
        practice::Practice,
        status::{parked, unanswered},
    },
    audit::Action,
    parked::{Cargo, ParkedLine},
    registry::ObserveError,
};
use archwire_core::{ImageId, PatientId, Receipt, ReceiptOutcome, Revision, SystemName};
use archwire_proto::admin::v1;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::BTreeSet;
use tonic::{Request, Status};

/// Deliveries that are given up at a time.
const AT_A_TIME: usize = 16;

pub(in crate::admin) async fn drop_parked(
    practice: &Practice,
    request: Request<v1::DropParkedRequest>,
) -> Result<v1::DropParkedResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let reason = reason(&request.reason)?;
    let filter = meant(request.filter, request.all)?;
    let Chosen { mut lines, left } = choose(fitting(practice, &filter)?);
    if !request.dry_run {
        audit(practice, &asker, Action::Drop, &reason, &lines).await?;
        let given_up = stream::iter(lines)
            .map(|line| give_up(practice, line))
            .buffered(AT_A_TIME)
            .try_collect::<Vec<_>>()
            .await?;
        lines = given_up.into_iter().flatten().collect();
    }
    Ok(v1::DropParkedResponse {
        count: count(lines.len()),
        lines: lines.iter().map(write_line).collect(),
        left: count(left),
    })
}

/// Gives one up. Returns it unless it has come to its end in the meantime, or was parked anew and is not what the person
/// saw any more.
async fn give_up(practice: &Practice, line: ParkedLine) -> Result<Option<ParkedLine>, Status> {
    let (system, cargo) = (&line.key.system, line.key.cargo());
    let Some(held) = practice.parked.hold(&line).await else {
        return Ok(None);
    };
    let noted = match cargo {
        Cargo::Record(patient) => record_dropped(practice, system, patient, &line).await,
        Cargo::Image(image) => image_dropped(practice, system, image, &line).await,
    };
    noted.map_err(|error| unanswered(&error))?;
    held.remove().await.map_err(|error| parked(&error))?;
    Ok(Some(line))
}

async fn record_dropped(
    practice: &Practice,
    system: &SystemName,
    patient: PatientId,
    line: &ParkedLine,
) -> Result<(), ObserveError> {
    let due = still_due(practice, system, patient).await?;
    let Some(newest) = practice.registry.newest(patient).await? else {
        return Ok(());
    };
    let receipt = Receipt {
        written: due.map(|due| due.changed).unwrap_or_default(),
        ..receipt(newest.event_id, newest.revision, line)
    };
    practice.registry.receipted(system, patient, receipt).await
}

async fn image_dropped(
    practice: &Practice,
    system: &SystemName,
    image: ImageId,
    line: &ParkedLine,
) -> Result<(), ObserveError> {
    let Some(event) = practice.registry.image_told(image).await? else {
        return Ok(());
    };
    let receipt = receipt(event.event_id, event.revision, line);
    practice
        .registry
        .image_receipted(system, image, receipt, false)
        .await
}

fn receipt(event_id: String, revision: Revision, line: &ParkedLine) -> Receipt {
    Receipt {
        event_id,
        revision,
        outcome: ReceiptOutcome::Dropped,
        action: None,
        written: BTreeSet::new(),
        rendered: BTreeSet::new(),
        differs: BTreeSet::new(),
        reason: Some(line.reason.clone()),
        attempts: line.attempts,
        connector_version: line.connector_version.clone(),
    }
}
