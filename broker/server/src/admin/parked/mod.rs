//! Parked deliveries as the API tells them: listed without anything about the patient, shown, tried again, given up.
//!
//! One call tries again or gives up at most [`MOST_AT_ONCE`], so that its answer comes in time; who means more asks again.

mod acting;
mod drop;
mod redrive;
mod show;

pub(super) use drop::drop_parked;
pub(super) use redrive::redrive;
pub(super) use show::show;

use super::{
    page_size,
    practice::Practice,
    status::{invalid, optional_image, optional_patient, optional_system},
};
use crate::{
    parked::{ParkedFilter, ParkedKey, ParkedLine},
    wire::{WireError, timestamp},
};
use archwire_proto::admin::v1;
use std::time::Duration;
use tonic::Status;

/// Most deliveries that one call acts on.
const MOST_AT_ONCE: usize = 1000;

pub(super) fn list(
    practice: &Practice,
    request: v1::ListParkedRequest,
) -> Result<v1::ListParkedResponse, Status> {
    let filter = read_filter(request.filter)?;
    let after = Some(request.after).filter(|key| !key.is_empty());
    let after = after.map(|key| key.parse::<ParkedKey>()).transpose();
    let after = after.map_err(|error| invalid(&WireError::Name("after", error)))?;
    let page = practice
        .parked
        .page(&filter, after.as_ref(), page_size(request.page_size));
    Ok(v1::ListParkedResponse {
        lines: page.lines.iter().map(write_line).collect(),
        count: count(page.count),
        more: page.more,
    })
}

fn read_filter(filter: Option<v1::ParkedFilter>) -> Result<ParkedFilter, Status> {
    let filter = filter.unwrap_or_default();
    Ok(ParkedFilter {
        system: optional_system(&filter.system)?,
        patient: optional_patient(&filter.patient_id)?,
        image: optional_image(&filter.image_id)?,
        reason: Some(filter.reason).filter(|reason| !reason.is_empty()),
        older_than: Some(Duration::from_secs(filter.older_than_seconds)).filter(|age| !age.is_zero()),
    })
}

fn write_line(line: &ParkedLine) -> v1::ParkedLine {
    v1::ParkedLine {
        system: line.key.system.to_string(),
        patient_id: line.key.patient.to_string(),
        sequence: line.sequence,
        reason: line.reason.clone(),
        status: line.status.map(u32::from),
        attempts: line.attempts,
        connector_version: line.connector_version.clone(),
        parked_at: Some(timestamp(line.parked_at)),
        is_redriven: line.redriven,
        image_id: line.key.image.map(|image| image.to_string()),
    }
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
