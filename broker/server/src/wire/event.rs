//! Events and sightings: what stands in the log.

use super::{
    WireError,
    decision::{read_decision, write_decision},
    image_news::{read_image_copy, read_image_news, write_image_copy, write_image_news},
    merge::{read_linked_by, read_merge, write_linked_by, write_merge},
    read_patient,
    receipt::{read_receipt, write_receipt},
    timestamp,
    view::{read_local_id, read_recorded, read_required_time, write_observation},
    write_patient,
};
use archwire_core::{Event, EventKind, Revision, Sighted, Sighting};
use archwire_proto::v1;
use prost::{Message as _, bytes::Bytes};

/// An event as the log holds it.
#[must_use]
pub fn encode_event(event: &Event) -> Bytes {
    let kind = match event.kind {
        EventKind::PatientCreated => v1::EventKind::PatientCreated,
        EventKind::PatientUpdated => v1::EventKind::PatientUpdated,
        EventKind::PatientMerged => v1::EventKind::PatientMerged,
        EventKind::PatientUnmerged => v1::EventKind::PatientUnmerged,
        EventKind::PatientImaged => v1::EventKind::PatientImaged,
        EventKind::ImageAmended => v1::EventKind::ImageAmended,
        EventKind::ImageRetracted => v1::EventKind::ImageRetracted,
    };
    let message = v1::Event {
        id: event.id.clone(),
        kind: kind.into(),
        patient_id: event.patient_id.to_string(),
        revision: event.revision.get(),
        changed: event.changed.iter().map(ToString::to_string).collect(),
        patient: Some(write_patient(&event.patient)),
        observation: event.observation.as_ref().map(write_observation),
        recorded_at: Some(timestamp(event.recorded_at)),
        decision: event.decision.as_ref().map(write_decision),
        merge: event.merge.as_deref().map(write_merge),
        linked_by: write_linked_by(event.linked_by),
        owed: event.owed.iter().map(ToString::to_string).collect(),
        first_sight: event.first_sight,
        image: event.image.as_deref().map(write_image_news),
    };
    message.encode_to_vec().into()
}

/// Reads an event of the log.
///
/// # Errors
/// When the bytes are not one.
pub fn decode_event(bytes: Bytes) -> Result<Event, WireError> {
    let message = v1::Event::decode(bytes).map_err(|_| WireError::NotAMessage)?;
    let kind = read_event_kind(message.kind).ok_or(WireError::UnknownValue("kind"))?;
    let decision = message.decision.map(read_decision).transpose()?;
    let image = message.image.map(read_image_news).transpose()?.map(Box::new);
    if kind.is_of_an_image() != image.is_some() {
        return Err(WireError::Missing("image"));
    }
    if message.observation.is_none() && decision.is_none() && image.is_none() {
        return Err(WireError::Missing("observation"));
    }
    let merge = message.merge.map(read_merge).transpose()?.map(Box::new);
    let is_merge = matches!(kind, EventKind::PatientMerged | EventKind::PatientUnmerged);
    if is_merge && merge.is_none() {
        return Err(WireError::Missing("merge"));
    }
    Ok(Event {
        id: message.id,
        kind,
        patient_id: message
            .patient_id
            .parse()
            .map_err(|error| WireError::Name("patient_id", error))?,
        revision: Revision::new(message.revision),
        changed: message.changed.into_iter().map(Into::into).collect(),
        patient: read_patient(message.patient.ok_or(WireError::Missing("patient"))?)?,
        observation: message.observation.map(read_recorded).transpose()?,
        decision,
        merge,
        image,
        linked_by: read_linked_by(message.linked_by)?,
        owed: message.owed.into_iter().map(Into::into).collect(),
        first_sight: message.first_sight,
        recorded_at: read_required_time("recorded_at", message.recorded_at)?,
    })
}

/// Reads what kind of event it is; none where this version does not know it.
pub(crate) fn read_event_kind(kind: i32) -> Option<EventKind> {
    match v1::EventKind::try_from(kind) {
        Ok(v1::EventKind::PatientCreated) => Some(EventKind::PatientCreated),
        Ok(v1::EventKind::PatientUpdated) => Some(EventKind::PatientUpdated),
        Ok(v1::EventKind::PatientMerged) => Some(EventKind::PatientMerged),
        Ok(v1::EventKind::PatientUnmerged) => Some(EventKind::PatientUnmerged),
        Ok(v1::EventKind::PatientImaged) => Some(EventKind::PatientImaged),
        Ok(v1::EventKind::ImageAmended) => Some(EventKind::ImageAmended),
        Ok(v1::EventKind::ImageRetracted) => Some(EventKind::ImageRetracted),
        Ok(v1::EventKind::Unspecified) | Err(_) => None,
    }
}

/// A sighting as the log holds it.
#[must_use]
pub fn encode_sighting(sighting: &Sighting) -> Bytes {
    use v1::sighting::What;
    let what = match &sighting.what {
        Sighted::Seen {
            local_id,
            shown,
            delivered,
            reflects,
            owed,
            linked_by,
            receipt,
        } => What::Seen(v1::Seen {
            local_id: local_id.as_str().to_owned(),
            shown: shown.as_ref().map(write_patient),
            delivered_revision: delivered.get(),
            reflected_revision: reflects.map(Revision::get),
            owed: owed.iter().map(ToString::to_string).collect(),
            linked_by: write_linked_by(*linked_by),
            receipt: receipt.as_deref().map(write_receipt),
        }),
        Sighted::Receipted(receipt) => What::Receipt(write_receipt(receipt)),
        Sighted::Superseded { local_id, by } => What::Superseded(v1::Superseded {
            local_id: local_id.as_str().to_owned(),
            by_local_id: by.as_str().to_owned(),
        }),
        Sighted::Unlinked { local_id } => What::Unlinked(v1::Unlinked {
            local_id: local_id.as_str().to_owned(),
        }),
        Sighted::Creating(revision) => What::Creating(v1::Creating {
            revision: revision.get(),
        }),
        Sighted::Abandoned => What::Abandoned(v1::Abandoned {}),
        Sighted::Image(copy) => What::Image(write_image_copy(copy)),
        Sighted::Writing(paths) => What::Writing(v1::Writing {
            paths: paths.iter().map(ToString::to_string).collect(),
        }),
    };
    let message = v1::Sighting {
        patient_id: sighting.patient_id.to_string(),
        system: sighting.system.to_string(),
        seen_at: Some(timestamp(sighting.seen_at)),
        what: Some(what),
    };
    message.encode_to_vec().into()
}

/// Reads a sighting of the log.
///
/// # Errors
/// When the bytes are not one.
pub fn decode_sighting(bytes: Bytes) -> Result<Sighting, WireError> {
    use v1::sighting::What;
    let message = v1::Sighting::decode(bytes).map_err(|_| WireError::NotAMessage)?;
    let what = match message.what.ok_or(WireError::Missing("what"))? {
        What::Seen(seen) => Sighted::Seen {
            local_id: read_local_id(&seen.local_id)?,
            shown: seen.shown.map(read_patient).transpose()?,
            delivered: Revision::new(seen.delivered_revision),
            reflects: seen.reflected_revision.map(Revision::new),
            owed: seen.owed.into_iter().map(Into::into).collect(),
            linked_by: read_linked_by(seen.linked_by)?,
            receipt: seen.receipt.map(read_receipt).transpose()?.map(Box::new),
        },
        What::Receipt(receipt) => Sighted::Receipted(Box::new(read_receipt(receipt)?)),
        What::Superseded(superseded) => Sighted::Superseded {
            local_id: read_local_id(&superseded.local_id)?,
            by: read_local_id(&superseded.by_local_id)?,
        },
        What::Unlinked(unlinked) => Sighted::Unlinked {
            local_id: read_local_id(&unlinked.local_id)?,
        },
        What::Creating(creating) => Sighted::Creating(Revision::new(creating.revision)),
        What::Abandoned(_) => Sighted::Abandoned,
        What::Image(copy) => Sighted::Image(Box::new(read_image_copy(copy)?)),
        What::Writing(writing) => Sighted::Writing(writing.paths.into_iter().map(Into::into).collect()),
    };
    Ok(Sighting {
        patient_id: message
            .patient_id
            .parse()
            .map_err(|error| WireError::Name("patient_id", error))?,
        system: message
            .system
            .parse()
            .map_err(|error| WireError::Name("system", error))?,
        seen_at: read_required_time("seen_at", message.seen_at)?,
        what,
    })
}
