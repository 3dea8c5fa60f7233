//! What the log says of an image last.

use crate::{
    registry::{ObserveError, Registry},
    wire::decode_event,
};
use archwire_core::{DeliveryAction, ImageId, ImageNews, Receipt, ReceiptOutcome, Revision};
use futures_util::StreamExt as _;
use std::{collections::BTreeSet, pin::pin};

/// The newest event of an image.
#[derive(Debug)]
pub(crate) struct Told {
    /// UUIDv7.
    pub(crate) event_id: String,
    /// The image's revision.
    pub(crate) revision: Revision,
    pub(super) news: ImageNews,
    pub(super) traceparent: Option<String>,
}

impl Told {
    /// The newest event of an image; `None` of one that the bus does not know.
    pub(crate) async fn of(registry: &Registry, image: ImageId) -> Result<Option<Self>, ObserveError> {
        match registry.image(image) {
            Some(known) => Self::read(registry, image, known.sequence).await.map(Some),
            None => Ok(None),
        }
    }

    /// The event of an image that stands in the log at `sequence`.
    pub(super) async fn read(
        registry: &Registry,
        image: ImageId,
        sequence: u64,
    ) -> Result<Self, ObserveError> {
        let mut history = pin!(registry.log().history(image.patient, sequence.saturating_sub(1)));
        let stored = history
            .next()
            .await
            .ok_or(ObserveError::RevisionUnknown)?
            .map_err(ObserveError::Read)?;
        let event = decode_event(stored.payload)?;
        let news = event.image.ok_or(ObserveError::RevisionUnknown)?;
        Ok(Self {
            event_id: event.id,
            revision: event.revision,
            news: *news,
            traceparent: stored.traceparent,
        })
    }

    /// An earlier event of an image, by its revision. Reads the history of the image's subject up to there.
    pub(super) async fn at(
        registry: &Registry,
        image: ImageId,
        revision: Revision,
    ) -> Result<Self, ObserveError> {
        let mut history = pin!(registry.log().history(image.patient, 0));
        while let Some(stored) = history.next().await {
            let event = decode_event(stored.map_err(ObserveError::Read)?.payload)?;
            if event.revision == revision
                && let Some(news) = event.image.filter(|news| news.id == image)
            {
                return Ok(Self {
                    event_id: event.id,
                    revision,
                    news: *news,
                    traceparent: None,
                });
            }
        }
        Err(ObserveError::RevisionUnknown)
    }

    /// The receipt of how bringing this to a system ended.
    pub(super) fn receipt(
        &self,
        outcome: ReceiptOutcome,
        action: Option<DeliveryAction>,
        reason: Option<&str>,
        attempts: u32,
        connector_version: &str,
    ) -> Receipt {
        Receipt {
            event_id: self.event_id.clone(),
            revision: self.revision,
            outcome,
            action,
            written: BTreeSet::new(),
            rendered: BTreeSet::new(),
            differs: BTreeSet::new(),
            reason: reason.map(ToOwned::to_owned),
            attempts,
            connector_version: connector_version.to_owned(),
        }
    }
}
