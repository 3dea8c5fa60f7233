//! Parked deliveries tried again: noted first, so that a start goes on with them, then looked at before everything else.

use super::{
    acting::{Chosen, audit, choose, fitting, meant},
    count, write_line,
};
use crate::{
    admin::{asker::Asker, practice::Practice, status::parked},
    api::status::refuse,
    audit::Action,
    parked::{ParkedFilter, ParkedKey, ParkedLine},
};
use archwire_core::Priority;
use archwire_proto::admin::v1;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tonic::{Code, Request, Status};

/// Deliveries that are noted at a time.
const AT_A_TIME: usize = 16;

pub(in crate::admin) async fn redrive(
    practice: &Practice,
    request: Request<v1::RedriveParkedRequest>,
) -> Result<v1::RedriveParkedResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let filter = meant(request.filter, request.all)?;
    let lines = fitting(practice, &filter)?;
    let fit = lines.len();
    let lines: Vec<_> = lines
        .into_iter()
        .filter(|line| is_brought(practice, &line.key))
        .collect();
    let unreachable = fit - lines.len();
    if unreachable > 0 && lines.is_empty() {
        return Err(not_written_to(practice, &filter));
    }
    let Chosen { lines, left } = choose(untried(lines));
    if !request.dry_run {
        audit(practice, &asker, Action::Redrive, "", &lines).await?;
        stream::iter(lines.clone())
            .map(|line| try_again(practice, line))
            .buffer_unordered(AT_A_TIME)
            .try_collect::<()>()
            .await?;
    }
    Ok(v1::RedriveParkedResponse {
        count: count(lines.len()),
        lines: lines.iter().map(write_line).collect(),
        left: count(left),
        unreachable: count(unreachable),
    })
}

/// Those that are not being tried again already; all of them where there are no others.
fn untried(mut lines: Vec<ParkedLine>) -> Vec<ParkedLine> {
    if lines.iter().any(|line| !line.redriven) {
        lines.retain(|line| !line.redriven);
    }
    lines
}

async fn try_again(practice: &Practice, line: ParkedLine) -> Result<(), Status> {
    let (system, cargo) = (&line.key.system, line.key.cargo());
    // One that has come to its end in the meantime needs nothing.
    let marked = line.redriven || {
        let marked = practice.parked.mark_redriven(system, cargo).await;
        marked.map_err(|error| parked(&error))?
    };
    if let Some(handle) = practice.systems.get(system).filter(|_| marked) {
        handle.look_at(cargo, Priority::Interactive);
    }
    Ok(())
}

/// Whether the bus brings such things to the system.
fn is_brought(practice: &Practice, key: &ParkedKey) -> bool {
    let handle = practice.systems.get(&key.system);
    handle.is_some_and(|handle| handle.is_brought(key.cargo()))
}

/// Why none of them can be tried again.
fn not_written_to(practice: &Practice, filter: &ParkedFilter) -> Status {
    let configured = filter
        .system
        .as_ref()
        .is_some_and(|system| practice.systems.contains_key(system));
    if configured {
        refuse(
            Code::FailedPrecondition,
            "system_not_delivered",
            "the bus does not write that to the system: see `deliver` and `deliver-images` in the configuration, or drop what is \
             parked for it",
        )
    } else {
        refuse(
            Code::FailedPrecondition,
            "system_not_configured",
            "no such system is configured any more: put it back into the configuration, or drop what is parked for it",
        )
    }
}
