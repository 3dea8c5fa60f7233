//! `Publish`: pipelined, each answer after the append.
//!
//! A request may carry a key of the vendor's own; the registry knows by it what was asked before, and the answer says what became
//! of it then. What the contract does not let a vendor say is refused by the registry, item by item. When the contract ends, nothing more is
//! read; what was begun is finished and answered, and then the stream ends with the reason. There are as many requests in a
//! second as the contract allows; more wait for their turn.

use super::{
    gate::{Denials, Turns},
    status::with_causes,
};
use crate::{
    registry::{ObserveError, Observed, Published, Registry},
    telemetry::traces,
    vendors::Admitted,
    wire::{RequestKey, RequestKeyError, WireError, read_observation},
};
use archwire_core::{SystemName, span};
use archwire_proto::v1::{
    Duplicate, InReview, PublishRequest, PublishResponse, Recorded, Refused, Unchanged, duplicate::First,
    publish_response::Outcome,
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
    (turns, denials): (Turns, Denials),
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
            let (registry, vendor, denials) = (Arc::clone(&registry), vendor.clone(), denials.clone());
            let span = tracing::info_span!(target: span::TARGET, span::PUBLISH, system = %vendor);
            traces::continue_from(&span, traceparent.as_deref());
            let answered = async move {
                let PublishRequest {
                    tag,
                    observation,
                    idempotency_key,
                } = request?;
                let outcome = match observation {
                    Some(observation) => answer(&registry, vendor, idempotency_key, observation).await,
                    None => invalid(&WireError::Missing("observation")),
                };
                if let Outcome::Refused(refused) = &outcome {
                    denials.heed(&refused.code);
                }
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
    key: Option<String>,
    observation: archwire_proto::v1::Observation,
) -> Outcome {
    let key = key.map(|key| RequestKey::new(&vendor, &key, &observation));
    let key = match key.transpose() {
        Ok(key) => key,
        Err(error) => return without_key(&error),
    };
    let mut observation = match read_observation(observation, vendor) {
        Ok(observation) => observation,
        Err(error) => return invalid(&error),
    };
    observation.view.observed_at.get_or_insert_with(SystemTime::now);
    match registry.publish(observation, key).await {
        Ok(Published {
            observed,
            is_duplicate,
        }) => told(first(observed), is_duplicate),
        Err(error) => {
            tracing::warn!(code = error.code(), "an observation of a vendor was not taken");
            refused(&error)
        }
    }
}

/// What became of an observation, now or when it came first.
fn first(observed: Observed) -> First {
    match observed {
        Observed::Recorded {
            patient,
            revision,
            sequence,
        } => First::Recorded(Recorded {
            patient_id: patient.to_string(),
            revision: revision.get(),
            sequence,
        }),
        Observed::Unchanged { patient, revision } => First::Unchanged(Unchanged {
            patient_id: patient.to_string(),
            revision: revision.get(),
        }),
        // Only records of systems wait so.
        Observed::Waits { item } => First::InReview(InReview {
            item,
            ..InReview::default()
        }),
        Observed::InReview { item, patient } => First::InReview(InReview {
            item,
            patient_id: patient.to_string(),
        }),
    }
}

fn told(first: First, is_duplicate: bool) -> Outcome {
    match first {
        first if is_duplicate => Outcome::Duplicate(Duplicate { first: Some(first) }),
        First::Recorded(recorded) => Outcome::Recorded(recorded),
        First::Unchanged(unchanged) => Outcome::Unchanged(unchanged),
        First::InReview(review) => Outcome::InReview(review),
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

/// A request whose key is none. Without it, it would be taken for another one when it comes again.
fn without_key(error: &RequestKeyError) -> Outcome {
    Outcome::Refused(Refused {
        code: "idempotency_key_invalid".to_owned(),
        message: error.to_string(),
        ..Refused::default()
    })
}
