//! What the log tells of an image: its events, as they stand there.

use crate::{
    registry::{ObserveError, Registry},
    wire::decode_event,
};
use archwire_core::{ImageId, ImageNews, Revision};
use archwire_nats::Stored;
use futures_util::StreamExt as _;
use std::pin::pin;

/// An event of an image.
#[derive(Debug)]
pub(crate) struct ImageEvent {
    /// UUIDv7.
    pub(crate) event_id: String,
    /// The image's revision.
    pub(crate) revision: Revision,
    /// What is told of it.
    pub(crate) news: ImageNews,
    /// The trace in which it was told.
    pub(crate) traceparent: Option<String>,
}

impl ImageEvent {
    /// `None` of an event that is of no image.
    fn read(stored: Stored) -> Result<Option<Self>, ObserveError> {
        let event = decode_event(stored.payload)?;
        Ok(event.image.map(|news| Self {
            event_id: event.id,
            revision: event.revision,
            news: *news,
            traceparent: stored.traceparent,
        }))
    }
}

impl Registry {
    /// What was told of an image last, as it stands in the log; `None` for one that the bus does not know.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn image_news(&self, id: ImageId) -> Result<Option<ImageNews>, ObserveError> {
        Ok(self.image_told(id).await?.map(|event| event.news))
    }

    /// The newest event of an image; `None` of one that the bus does not know.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn image_told(&self, id: ImageId) -> Result<Option<ImageEvent>, ObserveError> {
        let sequence = self.index().image(id).map(|entry| entry.sequence);
        match sequence {
            Some(sequence) => self.image_told_at(id, sequence).await.map(Some),
            None => Ok(None),
        }
    }

    /// The event of an image that stands in the log at `sequence`.
    ///
    /// # Errors
    /// [`ObserveError::RevisionUnknown`] when there is no such event, or when the log cannot be read.
    pub(crate) async fn image_told_at(&self, id: ImageId, sequence: u64) -> Result<ImageEvent, ObserveError> {
        let mut history = pin!(self.log().history(id.patient, sequence.saturating_sub(1)));
        let stored = history.next().await.ok_or(ObserveError::RevisionUnknown)?;
        let event = ImageEvent::read(stored.map_err(ObserveError::Read)?)?;
        event.ok_or(ObserveError::RevisionUnknown)
    }

    /// An earlier event of an image, by its revision. Reads the history of the image's subject up to there.
    ///
    /// # Errors
    /// As [`Registry::image_told_at`].
    pub(crate) async fn image_told_as(
        &self,
        id: ImageId,
        revision: Revision,
    ) -> Result<ImageEvent, ObserveError> {
        let mut history = pin!(self.log().history(id.patient, 0));
        while let Some(stored) = history.next().await {
            let event = ImageEvent::read(stored.map_err(ObserveError::Read)?)?;
            let is_it = |event: &ImageEvent| event.revision == revision && event.news.id == id;
            if let Some(event) = event.filter(is_it) {
                return Ok(event);
            }
        }
        Err(ObserveError::RevisionUnknown)
    }
}
