//! Calls and answers about images, both ways.

use super::{
    Flaw,
    exchange::{action, local_id, observed, since_1970_ms},
    image_in, image_out, patient_out,
};
use crate::{answer::UnreadableImage, bindings::exchange as wit};
use archwire_core::{ImageDelivered, ImageDelivery, ImageView, LocalId};

/// Bound of the contract, `wit/exchange.wit`.
const IMAGES: usize = 1_000;

/// The images of a page: those that can be read, and the others.
pub(super) fn views(
    observations: Vec<wit::ImageObservation>,
) -> Result<(Vec<ImageView>, Vec<UnreadableImage>), Flaw> {
    if observations.len() > IMAGES {
        return Err(Flaw("too_many_images"));
    }
    let (mut views, mut unreadable) = (Vec::with_capacity(observations.len()), Vec::new());
    for (position, observation) in observations.into_iter().enumerate() {
        let (id, of) = (local_id(&observation.local_id), record(&observation.record));
        let known = (id.clone().ok(), of.clone().ok());
        match view(id, of, observation) {
            Ok(view) => views.push(view),
            Err(Flaw(code)) => unreadable.push(UnreadableImage {
                position,
                local_id: known.0,
                record: known.1,
                code,
            }),
        }
    }
    Ok((views, unreadable))
}

fn view(
    local_id: Result<LocalId, Flaw>,
    record: Result<LocalId, Flaw>,
    observation: wit::ImageObservation,
) -> Result<ImageView, Flaw> {
    let (local_id, record) = (local_id?, record?);
    let (image, digest) = image_in::read(observation.image)?;
    let (observed_at, actor) = observed(observation.observed_at_ms, observation.actor)?;
    Ok(ImageView {
        local_id,
        record,
        image,
        digest,
        retracted: observation.retracted,
        observed_at,
        actor,
    })
}

fn record(id: &str) -> Result<LocalId, Flaw> {
    id.parse().map_err(|_| Flaw("record_invalid"))
}

pub(crate) fn image_fetched(
    observation: Option<wit::ImageObservation>,
    asked: &LocalId,
) -> Result<Option<ImageView>, Flaw> {
    let Some(observation) = observation else {
        return Ok(None);
    };
    let (id, of) = (local_id(&observation.local_id), record(&observation.record));
    let view = view(id, of, observation)?;
    if view.local_id == *asked {
        Ok(Some(view))
    } else {
        Err(Flaw("other_image"))
    }
}

pub(crate) fn image_delivered(delivered: wit::ImageDelivered) -> Result<ImageDelivered, Flaw> {
    Ok(ImageDelivered {
        local_id: local_id(&delivered.local_id)?,
        record: delivered.record.as_deref().map(record).transpose()?,
        action: action(delivered.action),
    })
}

pub(crate) fn image_delivery(delivery: &ImageDelivery) -> wit::ImageDelivery {
    let id = |id: &LocalId| id.as_str().to_owned();
    wit::ImageDelivery {
        event_id: delivery.event_id.clone(),
        patient_id: delivery.patient_id.to_string(),
        image_id: delivery.image_id.to_string(),
        revision: delivery.revision.get(),
        image: image_out::write(&delivery.image),
        retracted: delivery.retracted,
        record: delivery.record.as_ref().map(id),
        local_id: delivery.local_id.as_ref().map(id),
        patient: patient_out::write(&delivery.patient),
        in_doubt_since_ms: delivery.in_doubt_since.map(since_1970_ms),
    }
}
