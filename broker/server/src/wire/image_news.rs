//! What happened to images, what became of them in systems, and those that wait for a person.

use super::{
    WireError,
    image::{read_digest, read_image, write_digest, write_image},
    read_patient,
    receipt::{read_receipt, write_receipt},
    view::{read_local_id, read_time, timestamp},
    write_patient,
};
use archwire_core::{Copied, HeldImage, ImageCopy, ImageId, ImageNews, ImageObservation, LocalId, Revision};
use archwire_proto::v1;
use std::time::SystemTime;

/// Writes what happened to an image.
#[must_use]
pub fn write_image_news(news: &ImageNews) -> v1::ImageNews {
    let id = |id: &LocalId| id.as_str().to_owned();
    v1::ImageNews {
        first_patient_id: news.id.patient.to_string(),
        first_revision: news.id.first.get(),
        image: Some(write_image(&news.image)),
        system: news.system.as_ref().map(ToString::to_string),
        record_local_id: news.record.as_ref().map(id),
        local_id: news.local_id.as_ref().map(id),
        observed_at: news.observed_at.map(timestamp),
        actor: news.actor.clone(),
        named_patient_id: news.named_patient.map(|id| id.to_string()),
        moved_from_patient_id: news.moved_from.map(|id| id.patient.to_string()),
        moved_from_revision: news.moved_from.map(|id| id.first.get()),
    }
}

/// Reads what happened to an image.
pub(super) fn read_image_news(message: v1::ImageNews) -> Result<ImageNews, WireError> {
    let id = |id: Option<String>| id.map(|id| read_local_id(&id)).transpose();
    let system = message.system.map(|system| system.parse()).transpose();
    let named = message.named_patient_id.map(|id| id.parse()).transpose();
    let moved_from = message
        .moved_from_patient_id
        .map(|patient| read_image_id(&patient, message.moved_from_revision.unwrap_or_default()))
        .transpose()?;
    Ok(ImageNews {
        id: read_image_id(&message.first_patient_id, message.first_revision)?,
        image: read_image(message.image.ok_or(WireError::Missing("image.image"))?)?,
        system: system.map_err(|error| WireError::Name("image.system", error))?,
        record: id(message.record_local_id)?,
        local_id: id(message.local_id)?,
        observed_at: message.observed_at.map(time).transpose()?,
        actor: message.actor,
        named_patient: named.map_err(|error| WireError::Name("image.named_patient_id", error))?,
        moved_from,
    })
}

fn read_image_id(patient: &str, first: u64) -> Result<ImageId, WireError> {
    let patient = patient.parse();
    Ok(ImageId {
        patient: patient.map_err(|error| WireError::Name("image.first_patient_id", error))?,
        first: Revision::new(first),
    })
}

/// Writes what was noted of an image in a system.
pub(super) fn write_image_copy(copy: &ImageCopy) -> v1::ImageCopy {
    use v1::image_copy::What;
    let what = match &copy.what {
        Copied::Sending { revision, .. } => What::SendingRevision(revision.get()),
        Copied::Abandoned => What::Abandoned(true),
        Copied::Held {
            local_id,
            record,
            delivered,
            shown,
            described,
            receipt,
        } => What::Held(v1::ImageHeld {
            local_id: local_id.as_str().to_owned(),
            record_local_id: record.as_ref().map(|id| id.as_str().to_owned()),
            delivered_revision: delivered.get(),
            sha256: shown.as_ref().map(write_digest),
            described_sha256: described.as_ref().map(write_digest),
            receipt: receipt.as_deref().map(write_receipt),
        }),
        Copied::Receipted(receipt) => What::Receipt(write_receipt(receipt)),
        Copied::Gone(local_id) => What::GoneLocalId(local_id.as_str().to_owned()),
    };
    let sent_to = match &copy.what {
        Copied::Sending { record, .. } => record.as_ref(),
        _ => None,
    };
    v1::ImageCopy {
        first_patient_id: copy.id.patient.to_string(),
        first_revision: copy.id.first.get(),
        sending_record_local_id: sent_to.map(|record| record.as_str().to_owned()),
        what: Some(what),
    }
}

/// Reads what was noted of an image in a system.
pub(super) fn read_image_copy(message: v1::ImageCopy) -> Result<ImageCopy, WireError> {
    use v1::image_copy::What;
    let sent_to = message.sending_record_local_id;
    let what = match message.what.ok_or(WireError::Missing("image.what"))? {
        What::SendingRevision(revision) => Copied::Sending {
            revision: Revision::new(revision),
            record: sent_to.as_deref().map(read_local_id).transpose()?,
        },
        What::Abandoned(_) => Copied::Abandoned,
        What::Held(held) => Copied::Held {
            local_id: read_local_id(&held.local_id)?,
            record: held.record_local_id.as_deref().map(read_local_id).transpose()?,
            delivered: Revision::new(held.delivered_revision),
            shown: held
                .sha256
                .map(|digest| read_digest("image.held.sha256", &digest))
                .transpose()?,
            described: held
                .described_sha256
                .map(|digest| read_digest("image.held.described_sha256", &digest))
                .transpose()?,
            receipt: held.receipt.map(read_receipt).transpose()?.map(Box::new),
        },
        What::Receipt(receipt) => Copied::Receipted(Box::new(read_receipt(receipt)?)),
        What::GoneLocalId(local_id) => Copied::Gone(read_local_id(&local_id)?),
    };
    Ok(ImageCopy {
        id: read_image_id(&message.first_patient_id, message.first_revision)?,
        what,
    })
}

/// Writes an image that waits for a person. The image has no id of the bus yet.
pub(super) fn write_held_image(held: &HeldImage) -> v1::HeldImage {
    let observation = &held.observation;
    let id = |id: &LocalId| id.as_str().to_owned();
    v1::HeldImage {
        news: Some(v1::ImageNews {
            first_patient_id: String::new(),
            first_revision: 0,
            image: Some(write_image(&observation.image)),
            system: Some(observation.system.to_string()),
            record_local_id: observation.record.as_ref().map(id),
            local_id: observation.local_id.as_ref().map(id),
            observed_at: observation.observed_at.map(timestamp),
            actor: observation.actor.clone(),
            named_patient_id: None,
            moved_from_patient_id: None,
            moved_from_revision: None,
        }),
        patient_id: observation.patient_id.map(|id| id.to_string()),
        named: observation.named.as_deref().map(write_patient),
        differs: held.differs.clone(),
    }
}

/// Reads an image that waits for a person.
pub(super) fn read_held_image(message: v1::HeldImage) -> Result<HeldImage, WireError> {
    let id = |id: Option<String>| id.map(|id| read_local_id(&id)).transpose();
    let news = message.news.ok_or(WireError::Missing("held_image.news"))?;
    let system = news.system.unwrap_or_default().parse();
    let patient_id = message.patient_id.map(|id| id.parse()).transpose();
    Ok(HeldImage {
        observation: ImageObservation {
            system: system.map_err(|error| WireError::Name("held_image.news.system", error))?,
            patient_id: patient_id.map_err(|error| WireError::Name("held_image.patient_id", error))?,
            record: id(news.record_local_id)?,
            local_id: id(news.local_id)?,
            image: read_image(news.image.ok_or(WireError::Missing("held_image.news.image"))?)?,
            named: message.named.map(read_patient).transpose()?.map(Box::new),
            observed_at: news.observed_at.map(time).transpose()?,
            actor: news.actor,
        },
        differs: message.differs,
    })
}

fn time(at: prost_types::Timestamp) -> Result<SystemTime, WireError> {
    read_time("image.observed_at", at)
}

#[cfg(test)]
mod tests;
