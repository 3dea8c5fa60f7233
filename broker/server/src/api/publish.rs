//! `Publish`: pipelined, each answer after the append.
//!
//! What the contract does not let a vendor say is refused by the registry, item by item. When the contract ends, nothing more is
//! read; what was begun is finished and answered, and then the stream ends with the reason. There are as many requests in a
//! second as the contract allows; more wait for their turn.

use super::{gate::Turns, status::with_causes};
use crate::{
    registry::{ObserveError, Observed, Registry},
    telemetry::traces,
    vendors::Admitted,
    wire::{WireError, read_observation},
};
use archwire_core::{SystemName, span};
use archwire_proto::v1::{
    InReview, PublishRequest, PublishResponse, Recorded, Refused, Unchanged, publish_response::Outcome,
};
use futures_util::{Stream, StreamExt as _, stream};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tracing::Instrument as _;

/// Requests of one stream that are worked on at the same time; more wait in the connection.
pub(super) const AT_A_TIME: usize = 256;

/// Answers every request of a stream until it ends, until the contract does, or until `shutdown`: what was begun is finished and
/// answered. `traceparent` is in which trace the vendor stands.
pub(super) fn answers(
    registry: Arc<Registry>,
    admitted: Admitted,
    traceparent: Option<String>,
    requests: Streaming<PublishRequest>,
    turns: Turns,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<PublishResponse, Status>> + Send {
    let vendor = admitted.vendor().clone();
    let lost = Arc::new(Mutex::new(None));
    let over = over(admitted, shutdown, Arc::clone(&lost));
    let answers = requests
        .then(move |request| {
            let turns = turns.clone();
            async move {
                turns.next().await;
                request
            }
        })
        .take_until(Box::pin(over))
        .map(move |request| {
            let (registry, vendor) = (Arc::clone(&registry), vendor.clone());
            let span = tracing::info_span!(target: span::TARGET, span::PUBLISH, system = %vendor);
            traces::continue_from(&span, traceparent.as_deref());
            let answered = async move {
                let PublishRequest { tag, observation } = request?;
                let outcome = match observation {
                    Some(observation) => answer(&registry, vendor, observation).await,
                    None => invalid(&WireError::Missing("observation")),
                };
                Ok(PublishResponse {
                    tag,
                    outcome: Some(outcome),
                })
            };
            answered.instrument(span)
        })
        .buffer_unordered(AT_A_TIME);
    // Looked at when all is answered.
    let last = stream::once(async move { lost.lock().unwrap_or_else(PoisonError::into_inner).take() });
    answers.chain(last.filter_map(|lost| std::future::ready(lost.map(Err))))
}

/// Ends when nothing more may be read: at `shutdown`, or when the contract is lost, which is noted.
async fn over(mut admitted: Admitted, shutdown: CancellationToken, lost: Arc<Mutex<Option<Status>>>) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        status = admitted.lost(|_| Ok(())) => {
            *lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        }
    }
}

async fn answer(
    registry: &Arc<Registry>,
    vendor: SystemName,
    observation: archwire_proto::v1::Observation,
) -> Outcome {
    let mut observation = match read_observation(observation, vendor) {
        Ok(observation) => observation,
        Err(error) => return invalid(&error),
    };
    observation.view.observed_at.get_or_insert_with(SystemTime::now);
    match registry.observe(observation, None).await {
        Ok(Observed::Recorded {
            patient,
            revision,
            sequence,
        }) => Outcome::Recorded(Recorded {
            patient_id: patient.to_string(),
            revision: revision.get(),
            sequence,
        }),
        Ok(Observed::Unchanged { patient, revision }) => Outcome::Unchanged(Unchanged {
            patient_id: patient.to_string(),
            revision: revision.get(),
        }),
        // Only records of systems wait so.
        Ok(Observed::Waits { item }) => Outcome::InReview(InReview {
            item,
            ..InReview::default()
        }),
        Ok(Observed::InReview { item, patient }) => Outcome::InReview(InReview {
            item,
            patient_id: patient.to_string(),
        }),
        Err(error) => {
            tracing::warn!(code = error.code(), "an observation of a vendor was not taken");
            refused(&error)
        }
    }
}

fn refused(error: &ObserveError) -> Outcome {
    let (message, field) = match error {
        ObserveError::Bound(_) | ObserveError::Invalid(_) => (with_causes(error), String::new()),
        ObserveError::FieldDenied { path } => (error.to_string(), path.to_string()),
        _ => (error.to_string(), String::new()),
    };
    Outcome::Refused(Refused {
        code: error.code().to_owned(),
        message,
        retryable: error.is_retryable(),
        field,
    })
}

/// A request that says nothing that can be taken.
fn invalid(error: &WireError) -> Outcome {
    Outcome::Refused(Refused {
        code: "observation_invalid".to_owned(),
        message: with_causes(error),
        retryable: false,
        field: error.field().unwrap_or_default().to_owned(),
    })
}
