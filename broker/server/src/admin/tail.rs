//! What happens on the bus, as it happens: who and where without what, unless somebody asks for it.
//!
//! Who has events revealed is in the audit before the first one is shown: once for the asking, and once for each patient
//! before anything is shown of him or her. At most [`AT_A_TIME`] events are looked at at a time, and the last
//! [`MOST_REMEMBERED`] patients are remembered; one that comes again after that is in the audit twice.

use super::{
    asker::Asker,
    practice::Practice,
    status::{log_unread, log_unreadable, not_audited, optional_patient, unanswered, unknown_patient},
};
use crate::{
    audit::{Act, Action, Audit, MOST_PATIENTS},
    wire::timestamp,
};
use archwire_core::{PatientId, Subject};
use archwire_nats::{Filter, Stored};
use archwire_proto::{
    admin::v1::{TailEventsRequest, TailEventsResponse},
    v1::Event,
};
use futures_util::{Stream, StreamExt as _, stream};
use prost::Message as _;
use std::collections::HashSet;
use tonic::{Request, Status};

/// Events that are looked at at a time; no more patients than one record of the audit names.
const AT_A_TIME: usize = MOST_PATIENTS;
/// Patients who are remembered to be in the audit.
const MOST_REMEMBERED: usize = 100_000;

type Answer = Result<TailEventsResponse, Status>;

/// Follows the log until the caller goes away.
pub(super) async fn tail(
    practice: &Practice,
    request: Request<TailEventsRequest>,
) -> Result<impl Stream<Item = Answer> + Send + use<>, Status> {
    let (_, extensions, request) = request.into_parts();
    let patient = optional_patient(&request.patient_id)?;
    let log = practice.registry.log();
    if let Some(patient) = patient {
        let standing = practice.registry.standing(patient);
        let known = standing.map_err(|error| unanswered(&error))?;
        known.ok_or_else(|| unknown_patient(patient))?;
    }
    let revealing = match request.reveal {
        true => {
            let asker = Asker::of(request.person, &extensions)?;
            Some(Revealing::begin(practice, asker, patient).await?)
        }
        false => None,
    };
    let after = match request.from {
        0 => log.last_sequence().await.map_err(|error| log_unread(&error))?,
        from => from - 1,
    };
    let filter = patient.map_or(Filter::Events, Filter::Patient);
    let events = log.follow(after, filter);
    Ok(match revealing {
        None => events.map(|stored| answer(stored, false)).left_stream(),
        Some(revealing) => revealing.reveal(events).right_stream(),
    })
}

/// Who has events revealed, and whose events that are so far.
struct Revealing {
    audit: Audit,
    asker: Asker,
    told: HashSet<PatientId>,
}

impl Revealing {
    async fn begin(practice: &Practice, asker: Asker, patient: Option<PatientId>) -> Result<Self, Status> {
        let act = Act {
            patients: patient.into_iter().collect(),
            ..asker.about_to(Action::Reveal, String::new())
        };
        practice.audit(act).await?;
        Ok(Self {
            audit: practice.audit.clone(),
            asker,
            told: patient.into_iter().collect(),
        })
    }

    fn reveal(
        self,
        events: impl Stream<Item = Stored> + Send + 'static,
    ) -> impl Stream<Item = Answer> + Send {
        let batches = Box::pin(events.ready_chunks(AT_A_TIME));
        let answers = stream::unfold(Some((self, batches)), |state| async {
            let (mut revealing, mut batches) = state?;
            let batch = batches.next().await?;
            Some(match revealing.tell(&batch).await {
                Ok(()) => {
                    let answers: Vec<_> = batch.into_iter().map(|stored| answer(stored, true)).collect();
                    (answers, Some((revealing, batches)))
                }
                Err(status) => (vec![Err(status)], None),
            })
        });
        answers.flat_map(stream::iter)
    }

    /// Writes down of whom something is about to be shown for the first time.
    async fn tell(&mut self, batch: &[Stored]) -> Result<(), Status> {
        if self.told.len() >= MOST_REMEMBERED {
            self.told.clear();
        }
        let patients = batch.iter().filter_map(|stored| match stored.subject {
            Subject::Patient(patient) => Some(patient),
            _ => None,
        });
        let new: HashSet<_> = patients.filter(|patient| !self.told.contains(patient)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let act = Act {
            patients: new.iter().copied().collect(),
            ..self.asker.about_to(Action::Reveal, String::new())
        };
        let recorded = self.audit.record(act).await;
        recorded.map_err(|error| not_audited(&error))?;
        self.told.extend(new);
        Ok(())
    }
}

/// An event as it is shown.
fn answer(stored: Stored, reveal: bool) -> Answer {
    let event = Event::decode(stored.payload).map_err(|_| log_unreadable(stored.sequence))?;
    Ok(TailEventsResponse {
        sequence: stored.sequence,
        at: Some(timestamp(stored.time)),
        kind: stored.kind,
        patient_id: event.patient_id.clone(),
        revision: event.revision,
        system: said_by(&event).unwrap_or_default(),
        changed: event.changed.clone(),
        image: event.image.as_ref().map_or_else(String::new, |news| {
            format!("{}/{}", news.first_patient_id, news.first_revision)
        }),
        event: reveal.then_some(event),
    })
}

/// The system that said what led to an event.
fn said_by(event: &Event) -> Option<String> {
    let of_image = || event.image.as_ref().and_then(|news| news.system.clone());
    let observation = event.observation.as_ref();
    observation
        .map(|observation| observation.system.clone())
        .or_else(of_image)
}
