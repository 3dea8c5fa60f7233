//! Calls and answers, both ways.

use super::{Flaw, images, patient_in, patient_out, shortened, stated};
use crate::{
    answer::{CheckReport, IncomingRequest, PollAnswer, Received, Unreadable},
    bindings::exchange as wit,
};
use archwire_core::{
    Cursor, Delivered, Delivery, DeliveryAction, Disposition, EventKind, Later, LocalId, Page, Reason,
    ReasonCode, SourceRecord, SurveyEntry, SurveyPage, View,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bounds of the contract, `wit/exchange.wit`.
const OBSERVATIONS: usize = 1_000;
const SURVEY_ENTRIES: usize = 10_000;
const LONGEST_CURSOR: usize = 64 * 1024;
const LONGEST_ACTOR: usize = 128;
const LONGEST_VERSION: usize = 256;
const LONGEST_DETAIL: usize = 4 * 1024;
const FACTS: usize = 16;
const LONGEST_FACT: usize = 256;
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn page(page: wit::Page) -> Result<PollAnswer, Flaw> {
    let cursor = cursor(page.cursor)?;
    let (views, unreadable) = views(page.observations)?;
    let (images, unreadable_images) = images::views(page.images)?;
    Ok(PollAnswer {
        page: Page {
            views,
            images,
            cursor,
            more: page.more,
        },
        unreadable,
        unreadable_images,
    })
}

pub(crate) fn received(received: wit::Received) -> Result<Received, Flaw> {
    let (views, unreadable) = views(received.observations)?;
    if !(100..=599).contains(&received.status) {
        return Err(Flaw("status_invalid"));
    }
    Ok(Received {
        views,
        unreadable,
        status: received.status,
    })
}

pub(crate) fn fetched(observation: Option<wit::Observation>, asked: &LocalId) -> Result<Option<View>, Flaw> {
    let Some(observation) = observation else {
        return Ok(None);
    };
    let view = view(observation).map_err(|half| half.flaw)?;
    if view.local_id == *asked {
        Ok(Some(view))
    } else {
        Err(Flaw("other_record"))
    }
}

pub(crate) fn delivered(delivered: wit::Delivered) -> Result<Delivered, Flaw> {
    Ok(Delivered {
        local_id: local_id(&delivered.local_id)?,
        action: action(delivered.action),
    })
}

pub(super) fn action(action: wit::DeliveryAction) -> DeliveryAction {
    match action {
        wit::DeliveryAction::Created => DeliveryAction::Created,
        wit::DeliveryAction::Updated => DeliveryAction::Updated,
        wit::DeliveryAction::Unchanged => DeliveryAction::Unchanged,
        wit::DeliveryAction::Adopted => DeliveryAction::Adopted,
    }
}

pub(crate) fn survey_page(page: wit::SurveyPage) -> Result<SurveyPage, Flaw> {
    if page.entries.len() > SURVEY_ENTRIES {
        return Err(Flaw("too_many_entries"));
    }
    let entry = |entry: wit::SurveyEntry| {
        if entry
            .version
            .as_ref()
            .is_some_and(|version| version.len() > LONGEST_VERSION)
        {
            return Err(Flaw("text_too_long"));
        }
        Ok(SurveyEntry {
            local_id: local_id(&entry.local_id)?,
            version: entry.version,
        })
    };
    let entries = page.entries.into_iter().map(entry).collect::<Result<_, _>>()?;
    Ok(SurveyPage {
        entries,
        cursor: cursor(page.cursor)?,
        more: page.more,
    })
}

pub(crate) fn check_report(report: wit::CheckReport) -> CheckReport {
    let line = |text: String| shortened(text, LONGEST_FACT).replace(char::is_control, " ");
    let facts = report.facts.into_iter().take(FACTS);
    CheckReport {
        facts: facts.map(|(name, value)| (line(name), line(value))).collect(),
    }
}

/// What a connector got wrong about its reason does not change what it could not do: it is put right.
pub(crate) fn disposition(disposition: wit::Disposition) -> Result<Disposition, Flaw> {
    Ok(match disposition {
        wit::Disposition::Rejected(why) => Disposition::Rejected(reason(why)?),
        wit::Disposition::Retry(when) => Disposition::Retry(later(when)?),
        wit::Disposition::Throttled(when) => Disposition::Throttled(later(when)?),
        wit::Disposition::Unavailable(why) => Disposition::Unavailable(reason(why)?),
        wit::Disposition::Unauthorized(why) => Disposition::Unauthorized(reason(why)?),
    })
}

fn later(later: wit::Later) -> Result<Later, Flaw> {
    let after = Duration::from_millis(later.after_ms).min(LONGEST_DELAY);
    Ok(Later {
        after,
        reason: reason(later.reason)?,
    })
}

fn reason(reason: wit::Reason) -> Result<Reason, Flaw> {
    let code = |code: &str| code.parse::<ReasonCode>();
    Ok(Reason {
        code: code(&reason.code)
            .or_else(|_| code("invalid-reason-code"))
            .map_err(|_| Flaw("reason_invalid"))?,
        status: reason.status,
        detail: reason.detail.map(|detail| shortened(detail, LONGEST_DETAIL)),
    })
}

fn cursor(cursor: String) -> Result<Cursor, Flaw> {
    if cursor.len() <= LONGEST_CURSOR {
        Ok(Cursor(cursor))
    } else {
        Err(Flaw("cursor_too_long"))
    }
}

pub(super) fn local_id(id: &str) -> Result<LocalId, Flaw> {
    id.parse().map_err(|_| Flaw("local_id_invalid"))
}

fn views(observations: Vec<wit::Observation>) -> Result<(Vec<View>, Vec<Unreadable>), Flaw> {
    if observations.len() > OBSERVATIONS {
        return Err(Flaw("too_many_observations"));
    }
    let (mut views, mut unreadable) = (Vec::with_capacity(observations.len()), Vec::new());
    for (position, observation) in observations.into_iter().enumerate() {
        match view(observation) {
            Ok(view) => views.push(view),
            Err(half) => {
                let Half {
                    flaw: Flaw(code),
                    local_id,
                    source,
                } = *half;
                unreadable.push(Unreadable {
                    position,
                    local_id,
                    source,
                    code,
                });
            }
        }
    }
    Ok((views, unreadable))
}

/// An observation that cannot be read, with what of it can.
struct Half {
    flaw: Flaw,
    local_id: Option<LocalId>,
    source: Option<SourceRecord>,
}

fn view(observation: wit::Observation) -> Result<View, Box<Half>> {
    let (id, record) = (local_id(&observation.local_id), source(observation.source));
    let patient = patient_in::read(observation.patient);
    let rest = observed(observation.observed_at_ms, observation.actor);
    let survivor = merged_into(observation.merged_into, &observation.local_id);
    match (id, record, patient, rest, survivor) {
        (Ok(local_id), Ok(source), Ok(patient), Ok((observed_at, actor)), Ok(merged_into)) => Ok(View {
            local_id,
            patient,
            source: Some(source),
            observed_at,
            actor,
            merged_into,
        }),
        (id, record, patient, rest, survivor) => {
            let flaws = [
                id.as_ref().err(),
                record.as_ref().err(),
                patient.as_ref().err(),
                rest.as_ref().err(),
                survivor.as_ref().err(),
            ];
            let flaw = flaws
                .into_iter()
                .flatten()
                .next()
                .copied()
                .unwrap_or(Flaw("unreadable"));
            Err(Box::new(Half {
                flaw,
                local_id: id.ok(),
                source: record.ok(),
            }))
        }
    }
}

/// Which record took the place of the one with the id `own`.
fn merged_into(survivor: Option<String>, own: &str) -> Result<Option<LocalId>, Flaw> {
    match survivor {
        None => Ok(None),
        Some(survivor) if survivor == own => Err(Flaw("merged_into_itself")),
        Some(survivor) => survivor
            .parse()
            .map(Some)
            .map_err(|_| Flaw("merged_into_invalid")),
    }
}

pub(super) fn observed(
    at_ms: Option<u64>,
    actor: Option<String>,
) -> Result<(Option<SystemTime>, Option<String>), Flaw> {
    if actor.as_ref().is_some_and(|actor| actor.len() > LONGEST_ACTOR) {
        return Err(Flaw("actor_too_long"));
    }
    Ok((at_ms.map(time).transpose()?, stated(actor)))
}

/// A moment before 1970 is told as 1970.
pub(super) fn since_1970_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn time(milliseconds: u64) -> Result<SystemTime, Flaw> {
    // The year 10000 is where dates stop being readable elsewhere.
    let beyond = milliseconds >= 253_402_300_800_000;
    let time = (!beyond)
        .then(|| UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds)))
        .flatten();
    time.ok_or(Flaw("observed_at_invalid"))
}

fn source(record: wit::SourceRecord) -> Result<SourceRecord, Flaw> {
    if record.data.len() > SourceRecord::LONGEST {
        return Err(Flaw("source_too_large"));
    }
    SourceRecord::new(&record.media_type, &record.format, record.data)
        .map_err(|_| Flaw("source_label_invalid"))
}

pub(crate) fn delivery(delivery: &Delivery) -> wit::Delivery {
    wit::Delivery {
        event_id: delivery.event_id.clone(),
        kind: match delivery.kind {
            EventKind::PatientCreated => wit::EventKind::PatientCreated,
            // Who was merged or parted is, for a record, a change of what it shows.
            EventKind::PatientUpdated
            | EventKind::PatientMerged
            | EventKind::PatientUnmerged
            | EventKind::PatientImaged
            | EventKind::ImageAmended
            | EventKind::ImageRetracted => wit::EventKind::PatientUpdated,
        },
        patient_id: delivery.patient_id.to_string(),
        revision: delivery.revision.get(),
        local_id: delivery.local_id.as_ref().map(|id| id.as_str().to_owned()),
        patient: patient_out::write(&delivery.patient),
        changed: delivery
            .changed
            .iter()
            .map(|path| path.as_str().to_owned())
            .collect(),
        in_doubt_since_ms: delivery.in_doubt_since.map(since_1970_ms),
    }
}

pub(crate) fn incoming(request: IncomingRequest) -> wit::IncomingRequest {
    let IncomingRequest {
        method,
        path,
        headers,
        body,
    } = request;
    wit::IncomingRequest {
        method,
        path,
        headers,
        body,
    }
}
