//! `Publish`: pipelined, each answer after the append.

use super::status::with_causes;
use crate::{
    registry::{ObserveError, Observed, Registry},
    telemetry::traces,
    wire::read_observation,
};
use archwire_core::{SystemName, span};
use archwire_proto::v1::{
    InReview, PublishRequest, PublishResponse, Recorded, Refused, Unchanged, publish_response::Outcome,
};
use futures_util::{Stream, StreamExt as _};
use std::{sync::Arc, time::SystemTime};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tracing::Instrument as _;

/// Requests of one stream that are worked on at the same time; more wait in the connection.
pub(super) const AT_A_TIME: usize = 256;

/// Answers every request of a stream until it ends, or until `shutdown`: what was begun is finished and answered.
/// `traceparent` is in which trace the vendor stands.
pub(super) fn answers(
    registry: Arc<Registry>,
    vendor: SystemName,
    traceparent: Option<String>,
    requests: Streaming<PublishRequest>,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<PublishResponse, Status>> + Send {
    requests
        .take_until(shutdown.cancelled_owned())
        .map(move |request| {
            let (registry, vendor) = (Arc::clone(&registry), vendor.clone());
            let span = tracing::info_span!(target: span::TARGET, span::PUBLISH, system = %vendor);
            traces::continue_from(&span, traceparent.as_deref());
            let answered = async move {
                let PublishRequest { tag, observation } = request?;
                let outcome = match observation {
                    Some(observation) => answer(&registry, vendor, observation).await,
                    None => refused("observation_invalid", "`observation` is required".into(), false),
                };
                Ok(PublishResponse {
                    tag,
                    outcome: Some(outcome),
                })
            };
            answered.instrument(span)
        })
        .buffer_unordered(AT_A_TIME)
}

async fn answer(
    registry: &Arc<Registry>,
    vendor: SystemName,
    observation: archwire_proto::v1::Observation,
) -> Outcome {
    let mut observation = match read_observation(observation, vendor) {
        Ok(observation) => observation,
        Err(error) => return refused("observation_invalid", with_causes(&error), false),
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
            let code = error.code();
            tracing::warn!(code, "an observation of a vendor was not taken");
            let message = match &error {
                ObserveError::Bound(_) | ObserveError::Invalid(_) => with_causes(&error),
                _ => error.to_string(),
            };
            refused(code, message, error.is_retryable())
        }
    }
}

fn refused(code: &str, message: String, retryable: bool) -> Outcome {
    Outcome::Refused(Refused {
        code: code.to_owned(),
        message,
        retryable,
    })
}
