//! Where a patient's history stands in the log.

use super::status::{unanswered, unreadable};
use crate::{
    registry::{ObserveError, Registry},
    wire::WireError,
};
use archwire_core::PatientId;
use futures_util::StreamExt as _;
use prost::Message;
use std::pin::pin;
use tonic::Status;

/// What of an event says which one of its patient it is; everything else is passed over.
#[derive(Message)]
struct Numbered {
    #[prost(uint64, tag = "4")]
    revision: u64,
}

/// The place in the log behind which the events of a patient with a greater revision stand; `None` when there is no event with this
/// revision. Before the first one, for revision 0, is the place before its event.
pub(super) async fn place_behind(
    registry: &Registry,
    patient: PatientId,
    revision: u64,
) -> Result<Option<u64>, Status> {
    let newest = registry
        .index()
        .entry(patient)
        .map(|entry| (entry.revision.get(), entry.sequence));
    let Some((newest, last)) = newest else {
        return Ok(None);
    };
    if revision >= newest {
        return Ok((revision == newest).then_some(last));
    }
    if revision == 0 {
        let mut first = pin!(registry.log().history_in_steps(patient, 0, 1));
        let first = first.next().await.transpose();
        let first = first.map_err(|error| unreadable(&error))?;
        return Ok(first.map(|first| first.sequence.saturating_sub(1)));
    }
    // Revisions are gapless, and increase with the place. An event that cannot be read counts as none of those before, and shows.
    let is_before = |payload: &[u8]| Numbered::decode(payload).is_ok_and(|event| event.revision <= revision);
    let found = registry.log().last_of_patient_where(patient, last, is_before);
    let found = found.await.map_err(|error| unreadable(&error))?;
    let found = found.filter(|event| {
        Numbered::decode(event.payload.clone()).is_ok_and(|event| event.revision == revision)
    });
    match found {
        Some(event) => Ok(Some(event.sequence)),
        None => Err(unanswered(&ObserveError::Unreadable(WireError::NotAMessage))),
    }
}
