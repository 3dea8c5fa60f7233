//! Events and sightings: what stands in the log.

use super::{
    WireError, read_observation, read_patient, timestamp,
    view::{read_time, write_observation},
    write_patient,
};
use archwire_core::{Event, EventKind, Patient, Revision, Sighted, Sighting};
use archwire_proto::v1;
use prost::{Message as _, bytes::Bytes};
use std::fmt;

/// An event as the log holds it.
#[must_use]
pub fn encode_event(event: &Event) -> Bytes {
    let kind = match event.kind {
        EventKind::PatientCreated => v1::EventKind::PatientCreated,
        EventKind::PatientUpdated => v1::EventKind::PatientUpdated,
    };
    let message = v1::Event {
        id: event.id.clone(),
        kind: kind.into(),
        patient_id: event.patient_id.to_string(),
        revision: event.revision.get(),
        changed: event.changed.iter().map(ToString::to_string).collect(),
        patient: Some(write_patient(&event.patient)),
        observation: Some(write_observation(&event.observation)),
        recorded_at: Some(timestamp(event.recorded_at)),
    };
    message.encode_to_vec().into()
}

/// Reads an event of the log.
///
/// # Errors
/// When the bytes are not one.
pub fn decode_event(bytes: Bytes) -> Result<Event, WireError> {
    let message = v1::Event::decode(bytes).map_err(|_| WireError::NotAMessage)?;
    let kind = match v1::EventKind::try_from(message.kind) {
        Ok(v1::EventKind::PatientCreated) => EventKind::PatientCreated,
        Ok(v1::EventKind::PatientUpdated) => EventKind::PatientUpdated,
        Ok(v1::EventKind::Unspecified) | Err(_) => return Err(WireError::UnknownValue("kind")),
    };
    let observation = message.observation.ok_or(WireError::Missing("observation"))?;
    let system = observation
        .system
        .parse()
        .map_err(|error| WireError::Name("observation.system", error))?;
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
        observation: read_observation(observation, system)?,
        recorded_at: read_time(
            "recorded_at",
            message.recorded_at.ok_or(WireError::Missing("recorded_at"))?,
        )?,
    })
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
        } => What::Seen(v1::Seen {
            local_id: local_id.as_str().to_owned(),
            shown: shown.as_ref().map(write_patient),
            delivered_revision: delivered.get(),
            reflected_revision: reflects.map(Revision::get),
        }),
        Sighted::Creating(revision) => What::Creating(v1::Creating {
            revision: revision.get(),
        }),
        Sighted::Abandoned => What::Abandoned(v1::Abandoned {}),
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
            local_id: seen
                .local_id
                .parse()
                .map_err(|error| WireError::Name("local_id", error))?,
            shown: seen.shown.map(read_patient).transpose()?,
            delivered: Revision::new(seen.delivered_revision),
            reflects: seen.reflected_revision.map(Revision::new),
        },
        What::Creating(creating) => Sighted::Creating(Revision::new(creating.revision)),
        What::Abandoned(_) => Sighted::Abandoned,
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
        seen_at: read_time("seen_at", message.seen_at.ok_or(WireError::Missing("seen_at"))?)?,
        what,
    })
}

/// A patient as bytes: how the registry keeps tens of thousands of them in memory, at some 300 bytes each.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed(Box<[u8]>);

impl Packed {
    /// Packs a patient.
    #[must_use]
    pub fn of(patient: &Patient) -> Self {
        Self(write_patient(patient).encode_to_vec().into())
    }

    /// The patient.
    ///
    /// # Errors
    /// Never for bytes that [`Packed::of`] made.
    pub fn patient(&self) -> Result<Patient, WireError> {
        let message = v1::Patient::decode(&*self.0).map_err(|_| WireError::NotAMessage)?;
        read_patient(message)
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
