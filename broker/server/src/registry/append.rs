//! Appending, and what to do when nobody knows whether an append happened.
//!
//! The log repeats an append whose answer was lost until its time is over. When even then nobody knows, the event is
//! kept, and the next observation of the same record finishes it first: it has the same id, so that the log tells
//! whether it is there. Otherwise a publisher that tries again would make a second patient.

use super::{ObserveError, Registry, requests};
use crate::{
    failpoint,
    telemetry::traces,
    wire::{
        WireError, decode_event, decode_review, decode_sighting, encode_event, encode_review, encode_sighting,
    },
};
use archwire_core::{Event, LocalId, PatientId, ReviewItem, Sighting, Subject, SystemName, span};
use archwire_nats::{AppendError, Appended, CloudEvent, Entry, Expected};
use prost::bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError, atomic::Ordering},
};
use tracing::{Instrument as _, field::Empty};
use uuid::Uuid;

/// Media type of everything in the log.
const PROTOBUF: &str = "application/protobuf";

/// Most bytes of what is written: the log's messages have at most 1 MiB on a server that was not told otherwise, headers
/// included.
const LARGEST: usize = 960 * 1024;

/// Most events that may be in doubt. Beyond that, observations are refused until some are settled.
const MOST_DOUBTS: usize = 10_000;

/// Events of which nobody knows whether the log holds them, by the record that led to them.
pub(super) type Doubts = Mutex<HashMap<(SystemName, LocalId), Doubtful>>;

/// An event of which nobody knows whether the log holds it.
#[derive(Clone)]
pub(super) struct Doubtful {
    event: Event,
    /// What stands before it on the patient's subject.
    last: u64,
    /// The requests that it answers.
    requests: Option<String>,
}

impl Registry {
    /// Appends an event after `last`, and takes it into the index. `None` when the patient's subject has moved on.
    pub(super) async fn tell(&self, event: &Event, last: u64) -> Result<Option<u64>, ObserveError> {
        self.tell_with(event, last, None).await
    }

    /// The same of an event that answers requests: see [`requests`].
    pub(super) async fn tell_with(
        &self,
        event: &Event,
        last: u64,
        requests: Option<String>,
    ) -> Result<Option<u64>, ObserveError> {
        let payload = readable(encode_event(event), |bytes| decode_event(bytes).map(drop))?;
        let entry = Entry {
            subject: Subject::Patient(event.patient_id),
            attributes: CloudEvent {
                id: event.id.clone(),
                kind: event.kind.cloud_event_type(),
                source: match said_by(event) {
                    Some(system) => format!("/practices/{}/systems/{system}", self.practice()),
                    None => format!("/practices/{}", self.practice()),
                },
                time: event.recorded_at,
                content_type: PROTOBUF,
                traceparent: None,
            },
            payload,
            // The patient's own last event keeps everybody else out; where there is none yet, the fence does.
            expected: if last == 0 {
                Expected::Writer(self.config.fence)
            } else {
                Expected::Sequence(last)
            },
        };
        let _appending = self.appending.read().await;
        match self.store(entry, requests.clone()).await {
            Ok(appended) => {
                failpoint::reach("appended");
                // Before the index knows, so that whoever finds the revision there finds the event here.
                self.recent.appended(event);
                self.index()
                    .apply_answering(appended.sequence, event, requests.as_deref());
                self.wake_images(event);
                Ok(Some(appended.sequence))
            }
            Err(AppendError::Conflict) => self.own_or_none(event).await,
            Err(error) => {
                self.heed(&error);
                if matches!(error, AppendError::Unknown { .. })
                    && let Some(observation) = &event.observation
                {
                    let key = (observation.system.clone(), observation.view.local_id.clone());
                    let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
                    let doubtful = Doubtful {
                        event: event.clone(),
                        last,
                        requests,
                    };
                    doubts.insert(key, doubtful);
                }
                Err(ObserveError::Append(error))
            }
        }
    }

    /// After a conflict: the other writer may have been this very event, whose answer was lost.
    async fn own_or_none(&self, event: &Event) -> Result<Option<u64>, ObserveError> {
        let stored = self
            .log
            .last(event.patient_id)
            .await
            .map_err(ObserveError::Read)?;
        let own = stored.filter(|stored| stored.id == event.id);
        if let Some(stored) = &own {
            self.index()
                .apply_answering(stored.sequence, event, stored.requests.as_deref());
            self.wake_images(event);
        }
        Ok(own.map(|stored| stored.sequence))
    }

    /// The log tells duplicates only for some minutes, so that an event in doubt is looked for first.
    async fn told_or_tell(&self, doubtful: &Doubtful) -> Result<Option<u64>, ObserveError> {
        let Doubtful {
            event,
            last,
            requests,
        } = doubtful;
        match self.own_or_none(event).await? {
            Some(sequence) => Ok(Some(sequence)),
            None => self.tell_with(event, *last, requests.clone()).await,
        }
    }

    /// Appends a sighting and takes it into the index.
    pub(super) async fn note(&self, sighting: &Sighting) -> Result<(), ObserveError> {
        self.note_with(sighting, None).await
    }

    /// The same of a sighting that answers requests.
    pub(super) async fn note_with(
        &self,
        sighting: &Sighting,
        requests: Option<String>,
    ) -> Result<(), ObserveError> {
        let payload = readable(encode_sighting(sighting), |bytes| {
            decode_sighting(bytes).map(drop)
        })?;
        let entry = Entry {
            subject: Subject::Sighting(sighting.system.clone(), sighting.patient_id),
            attributes: CloudEvent {
                id: Uuid::now_v7().to_string(),
                kind: "archwire.sighting.v1",
                source: format!("/practices/{}/systems/{}", self.practice(), sighting.system),
                time: sighting.seen_at,
                content_type: PROTOBUF,
                traceparent: None,
            },
            payload,
            expected: Expected::Writer(self.config.fence),
        };
        let _appending = self.appending.read().await;
        let appended = self.append(entry, requests.clone()).await?;
        {
            let mut index = self.index();
            index.apply_sighting(appended, sighting);
            index.apply_requests(appended, requests.as_deref());
        }
        self.wake_images_at(sighting);
        Ok(())
    }

    /// Appends a review item and takes it into the index.
    pub(super) async fn file(&self, item: &ReviewItem) -> Result<(), ObserveError> {
        let payload = readable(encode_review(item), |bytes| decode_review(bytes).map(drop))?;
        let entry = Entry {
            subject: Subject::Review(item.number),
            attributes: CloudEvent {
                id: Uuid::now_v7().to_string(),
                kind: "archwire.review.v1",
                source: format!("/practices/{}/review", self.practice()),
                time: item.changed_at,
                content_type: PROTOBUF,
                traceparent: None,
            },
            payload,
            expected: Expected::Writer(self.config.fence),
        };
        let _appending = self.appending.read().await;
        let requests = self.requests.held_by(item);
        let appended = self.append(entry, requests.clone()).await?;
        {
            let mut index = self.index();
            index.apply_review(appended, item);
            index.apply_requests(appended, requests.as_deref());
        }
        if let Some(key) = requests::held_record(item) {
            self.requests.written(&key);
        }
        Ok(())
    }

    async fn append(&self, entry: Entry, requests: Option<String>) -> Result<u64, ObserveError> {
        match self.store(entry, requests).await {
            Ok(appended) => Ok(appended.sequence),
            Err(error) => {
                self.heed(&error);
                Err(ObserveError::Append(error))
            }
        }
    }

    /// Appends under a span of its own, in whose trace the record's ways go on.
    async fn store(&self, mut entry: Entry, requests: Option<String>) -> Result<Appended, AppendError> {
        let span = tracing::info_span!(
            target: span::TARGET, span::APPEND, kind = entry.attributes.kind, sequence = Empty, code = Empty,
            otel.status_code = Empty
        );
        entry.attributes.traceparent = traces::traceparent(&span);
        let appended = self.log.append_with(entry, requests);
        let appended = appended.instrument(span.clone()).await;
        match &appended {
            Ok(appended) => _ = span.record("sequence", appended.sequence),
            Err(error) => traces::failed(&span, error.code()),
        }
        appended
    }

    fn heed(&self, error: &AppendError) {
        if matches!(error, AppendError::Unknown { .. }) {
            self.uncertain.store(true, Ordering::Relaxed);
        }
    }

    /// Finishes the event in doubt by which a patient would have come to be, whichever record led to it.
    pub(super) async fn finish_doubts_of(&self, patient: PatientId) -> Result<(), ObserveError> {
        let key = {
            let doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
            let mut doubts = doubts.iter();
            doubts
                .find(|(_, doubtful)| doubtful.event.patient_id == patient)
                .map(|(key, _)| key.clone())
        };
        match key {
            Some(key) => self.finish_doubtful(&key).await,
            None => Ok(()),
        }
    }

    /// Whether nobody knows of an event of this record how it ended.
    pub(super) fn is_in_doubt(&self, key: &(SystemName, LocalId)) -> bool {
        let doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        doubts.contains_key(key)
    }

    /// Finishes an event of this record that is in doubt. It stays in doubt until the log said how it ended.
    pub(super) async fn finish_doubtful(&self, key: &(SystemName, LocalId)) -> Result<(), ObserveError> {
        let doubt = {
            let doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
            if doubts.len() >= MOST_DOUBTS && !doubts.contains_key(key) {
                return Err(ObserveError::Busy);
            }
            doubts.get(key).cloned()
        };
        if let Some(doubtful) = doubt {
            let patient = doubtful.event.patient_id;
            let _link = self.links.lock(key).await;
            let _patient = self.patients.lock(&patient).await;
            // As long as the log does not say how it ended, it may be there: nobody else takes the patient for a new one.
            if self.told_or_tell(&doubtful).await?.is_none() {
                self.index().unreserve(patient);
            }
            self.doubts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(key);
        }
        Ok(())
    }
}

/// The system that said what led to an event.
fn said_by(event: &Event) -> Option<&SystemName> {
    let of_image = || event.image.as_ref()?.system.as_ref();
    let observation = event.observation.as_ref();
    observation
        .map(|observation| &observation.system)
        .or_else(of_image)
}

/// Whether the log could give an event back.
pub(super) fn can_be_read(event: &Event) -> Result<(), ObserveError> {
    readable(encode_event(event), |bytes| decode_event(bytes).map(drop)).map(drop)
}

/// What the log holds for good must be readable for good: a start reads all of it.
fn readable(
    payload: Bytes,
    read: impl FnOnce(Bytes) -> Result<(), WireError>,
) -> Result<Bytes, ObserveError> {
    if payload.len() > LARGEST {
        return Err(ObserveError::Invalid(WireError::TooLarge(payload.len())));
    }
    read(payload.clone()).map_err(ObserveError::Invalid)?;
    Ok(payload)
}
