//! Observations: what systems say.

use super::{WireError, read_patient, write_patient};
use archwire_core::{LocalId, Observation, Patient, Revision, SourceRecord, SystemName, Text, View};
use archwire_proto::v1;
use prost::bytes::Bytes;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Most bytes in the name of who changed a record.
const LONGEST_ACTOR: usize = 128;

/// When the year 10000 begins, in seconds since 1970.
const YEAR_10000: i64 = 253_402_300_800;

/// Reads what a publisher says, and files it under the publisher's own system, whatever it claims.
///
/// # Errors
/// Names the first field that cannot be taken.
pub fn read_observation(message: v1::Observation, system: SystemName) -> Result<Observation, WireError> {
    let at = message.observed_at;
    at.map(|at| read_said_time("observation.observed_at", at))
        .transpose()?;
    read_of(message, system)
}

fn read_of(message: v1::Observation, system: SystemName) -> Result<Observation, WireError> {
    let patient_id = message
        .patient_id
        .filter(|id| !id.is_empty())
        .map(|id| id.parse())
        .transpose();
    let actor = message.actor.filter(|actor| !actor.is_empty());
    if actor
        .as_ref()
        .is_some_and(|actor| actor.len() > LONGEST_ACTOR || actor.contains(char::is_control))
    {
        return Err(WireError::Text("observation.actor"));
    }
    let local_id = message.local_id.parse();
    Ok(Observation {
        system,
        patient_id: patient_id.map_err(|error| WireError::Name("observation.patient_id", error))?,
        based_on: message.based_on_revision.map(Revision::new),
        view: View {
            local_id: local_id.map_err(|error| WireError::Name("observation.local_id", error))?,
            patient: read_patient(message.patient.ok_or(WireError::Missing("observation.patient"))?)?,
            source: message.source.map(read_source).transpose()?,
            observed_at: message
                .observed_at
                .map(|at| read_time("observation.observed_at", at))
                .transpose()?,
            actor,
            merged_into: message
                .merged_into_local_id
                .filter(|id| !id.is_empty())
                .map(|id| id.parse())
                .transpose()
                .map_err(|error| WireError::Name("observation.merged_into_local_id", error))?,
        },
    })
}

/// Reads an observation of the log: of the system that it names.
pub(super) fn read_recorded(message: v1::Observation) -> Result<Observation, WireError> {
    let system = message.system.parse();
    read_of(
        message,
        system.map_err(|error| WireError::Name("observation.system", error))?,
    )
}

/// Writes an observation.
pub(super) fn write_observation(observation: &Observation) -> v1::Observation {
    let view = &observation.view;
    v1::Observation {
        system: observation.system.to_string(),
        local_id: view.local_id.as_str().to_owned(),
        patient_id: observation.patient_id.map(|id| id.to_string()),
        based_on_revision: observation.based_on.map(Revision::get),
        patient: Some(write_patient(&view.patient)),
        source: view.source.as_ref().map(write_source),
        observed_at: view.observed_at.map(timestamp),
        actor: view.actor.clone(),
        merged_into_local_id: view.merged_into.as_ref().map(|id| id.as_str().to_owned()),
    }
}

pub(super) fn write_source(source: &SourceRecord) -> v1::SourceRecord {
    v1::SourceRecord {
        media_type: source.media_type().to_owned(),
        format: source.format().to_owned(),
        data: Bytes::copy_from_slice(source.data()),
        sha256: Bytes::copy_from_slice(source.sha256()),
    }
}

pub(super) fn read_source(message: v1::SourceRecord) -> Result<SourceRecord, WireError> {
    let data = message.data.to_vec();
    let record = if message.sha256.is_empty() {
        SourceRecord::new(&message.media_type, &message.format, data)
    } else {
        SourceRecord::verified(&message.media_type, &message.format, data, &message.sha256)
    };
    record.map_err(WireError::Source)
}

/// A time as protobuf writes it.
#[must_use]
pub fn timestamp(time: SystemTime) -> prost_types::Timestamp {
    time.into()
}

/// Reads a time that somebody outside says. Programs of others fail over one after the year 9999, where protobuf's times end.
pub(crate) fn read_said_time(
    field: &'static str,
    at: prost_types::Timestamp,
) -> Result<SystemTime, WireError> {
    if at.seconds >= YEAR_10000 {
        return Err(WireError::Time(field));
    }
    read_time(field, at)
}

/// Reads a time of the log.
pub(super) fn read_time(field: &'static str, at: prost_types::Timestamp) -> Result<SystemTime, WireError> {
    let seconds = u64::try_from(at.seconds).map_err(|_| WireError::Time(field))?;
    let nanoseconds = u32::try_from(at.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000);
    let since = Duration::new(seconds, nanoseconds.ok_or(WireError::Time(field))?);
    UNIX_EPOCH.checked_add(since).ok_or(WireError::Time(field))
}

pub(super) fn read_required_time(
    field: &'static str,
    at: Option<prost_types::Timestamp>,
) -> Result<SystemTime, WireError> {
    read_time(field, at.ok_or(WireError::Missing(field))?)
}

pub(super) fn read_local_id(id: &str) -> Result<LocalId, WireError> {
    id.parse().map_err(|error| WireError::Name("local_id", error))
}

/// Reads what a person wrote.
pub(super) fn read_text(field: &'static str, text: String) -> Result<Text, WireError> {
    if text.len() > Patient::LONGEST_TEXT || text.contains(char::is_control) {
        return Err(WireError::Text(field));
    }
    Ok(Text::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::Timestamp;

    #[test]
    fn a_time_that_is_said_is_between_1970_and_9999_and_a_later_one_in_the_log_is_read() {
        let read = |seconds, nanos| read_said_time("observed_at", Timestamp { seconds, nanos });
        let last = 253_402_300_799;
        for (seconds, nanos) in [(0, 0), (0, 999_999_999), (last, 999_999_999)] {
            let time = read(seconds, nanos).unwrap();
            assert_eq!(timestamp(time), Timestamp { seconds, nanos });
        }
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (last + 1, 0), (i64::MAX, 0)] {
            assert_eq!(read(seconds, nanos), Err(WireError::Time("observed_at")));
        }
        let later = Timestamp {
            seconds: last + 1,
            nanos: 0,
        };
        assert_eq!(read_time("observed_at", later).map(timestamp), Ok(later));
    }
}
