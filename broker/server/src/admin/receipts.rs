//! How deliveries ended: receipts, as they stand in the log.

use super::{
    practice::Practice,
    status::{
        invalid, log_unread, log_unreadable, optional_patient, optional_system, unanswered, unknown_patient,
    },
};
use crate::wire::{read_receipt_outcome, timestamp, write_receipt_outcome};
use archwire_core::Subject;
use archwire_nats::{Filter, ReadError, Stored};
use archwire_proto::{
    admin::v1::{ListReceiptsRequest, ListReceiptsResponse},
    v1::{Receipt, Sighting, image_copy::What as Copied, sighting::What},
};
use futures_util::{Stream, StreamExt as _, stream};
use prost::Message as _;
use std::{collections::VecDeque, future::ready, pin::pin};
use tonic::Status;

/// The most that `last` may ask for.
const MOST_LAST: usize = 10_000;

type Answer = Result<ListReceiptsResponse, Status>;

/// The receipts that are asked for, oldest first. Ends after an error.
pub(super) fn list(
    practice: &Practice,
    request: &ListReceiptsRequest,
) -> Result<impl Stream<Item = Answer> + Send + use<>, Status> {
    let patient = optional_patient(&request.patient_id)?;
    let system = optional_system(&request.system)?;
    let outcome = read_receipt_outcome(request.outcome).map_err(|error| invalid(&error))?;
    let outcome = outcome.map(|outcome| i32::from(write_receipt_outcome(outcome)));
    if let Some(patient) = patient {
        let standing = practice.registry.standing(patient);
        let known = standing.map_err(|error| unanswered(&error))?;
        known.ok_or_else(|| unknown_patient(patient))?;
    }
    let records = practice
        .registry
        .log()
        .replay(1, Filter::Sightings { system, patient });
    let answers = records.filter_map(move |stored| ready(answer(stored, outcome)));
    let last = usize::try_from(request.last).unwrap_or(MOST_LAST).min(MOST_LAST);
    Ok(match last {
        0 => answers.left_stream(),
        last => only_last(answers, last).right_stream(),
    })
}

/// The receipt of a sighting, where it has one that ended so.
fn answer(stored: Result<Stored, ReadError>, outcome: Option<i32>) -> Option<Answer> {
    let stored = match stored {
        Ok(stored) => stored,
        Err(error) => return Some(Err(log_unread(&error))),
    };
    let Subject::Sighting(system, patient) = stored.subject else {
        return None;
    };
    let Ok(sighting) = Sighting::decode(stored.payload) else {
        return Some(Err(log_unreadable(stored.sequence)));
    };
    let (receipt, image_id) = receipt(sighting)?;
    if outcome.is_some_and(|wanted| wanted != receipt.outcome) {
        return None;
    }
    Some(Ok(ListReceiptsResponse {
        sequence: stored.sequence,
        at: Some(timestamp(stored.time)),
        system: system.to_string(),
        patient_id: patient.to_string(),
        receipt: Some(receipt),
        image_id,
    }))
}

/// The receipt of a sighting, and of which image it is where it is one's.
fn receipt(sighting: Sighting) -> Option<(Receipt, Option<String>)> {
    match sighting.what? {
        What::Seen(seen) => Some((seen.receipt?, None)),
        What::Receipt(receipt) => Some((receipt, None)),
        What::Image(copy) => {
            let image = format!("{}/{}", copy.first_patient_id, copy.first_revision);
            let receipt = match copy.what? {
                Copied::Held(held) => held.receipt?,
                Copied::Receipt(receipt) => receipt,
                _ => return None,
            };
            Some((receipt, Some(image)))
        }
        _ => None,
    }
}

/// The last answers of a stream, or the first error.
fn only_last(
    answers: impl Stream<Item = Answer> + Send + 'static,
    last: usize,
) -> impl Stream<Item = Answer> + Send {
    let read = async move {
        let mut answers = pin!(answers);
        let mut kept = VecDeque::with_capacity(last.min(64));
        while let Some(answer) = answers.next().await {
            if answer.is_err() {
                return VecDeque::from([answer]);
            }
            if kept.len() >= last {
                kept.pop_front();
            }
            kept.push_back(answer);
        }
        kept
    };
    stream::once(read).flat_map(stream::iter)
}
