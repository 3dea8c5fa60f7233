//! Answers as JSON: one object, or one a line, that a terminal takes as harmlessly as a program.
//!
//! Names are those of the contract. Patients are written as FHIR's elements are called there; what is not stated is
//! left out. Times are RFC 3339 in UTC. Scores are bits of evidence.

use super::{
    image_json::image_news,
    terminal::{message_time, steers},
};
use crate::{api::status::with_causes, config::ConfigError, wire::write_image_news};
use archwire_core::{
    Decision, Disagreement, Event, HeldImage, Leaf, Merge, Observation, Patient, PatientId, RecordLink,
    ReviewCandidate, ReviewItem, Side, SourceRecord, Standing,
};
use archwire_proto::admin::v1;
use jiff::Timestamp;
use serde::Serialize as _;
use serde_json::{
    Serializer, Value, json,
    ser::{CharEscape, Formatter},
};
use std::{error::Error, io, time::SystemTime};

/// Writes a value on a line of its own.
pub(super) fn write(out: &mut impl io::Write, value: &Value) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Harmless);
    value.serialize(&mut serializer)?;
    writeln!(out)
}

/// Compact, with everything escaped that would steer a terminal. JSON itself only asks that of the first 32 characters.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some((at, character)) = rest.char_indices().find(|(_, character)| steers(*character)) {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after.strip_prefix(character).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_char_escape(out, escape)
    }
}

/// The value without what is not stated: nulls and empty lists.
pub(super) fn stated(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let stated = object
                .into_iter()
                .map(|(name, value)| (name, stated_or_null(value)));
            Value::Object(stated.filter(|(_, value)| !value.is_null()).collect())
        }
        Value::Array(values) => values.into_iter().map(stated).collect(),
        value => value,
    }
}

fn stated_or_null(value: Value) -> Value {
    match stated(value) {
        Value::Array(values) if values.is_empty() => Value::Null,
        value => value,
    }
}

/// A time.
pub(super) fn time(at: SystemTime) -> Value {
    Timestamp::try_from(at).map_or(Value::Null, |at| at.to_string().into())
}

fn bits(tenths: i32) -> f64 {
    f64::from(tenths) / 10.0
}

/// A line of the list.
pub(super) fn review_line(line: &v1::ReviewLine, kind: &str) -> Value {
    stated(json!({
        "number": line.number,
        "kind": kind,
        "opened_at": time(message_time(line.opened_at)),
        "system": line.system,
        "patient_id": line.patient_id,
        "masked": line.masked,
        "count": line.count,
        "score": line.score_tenths.map(bits),
    }))
}

/// An item with its patients.
pub(super) fn review_item(item: &ReviewItem, patients: &[(PatientId, Standing)]) -> Value {
    let patients = patients.iter().map(|(id, patient)| patient_view(*id, patient));
    stated(json!({
        "item": {
            "number": item.number,
            "kind": item.kind.as_str(),
            "opened_at": time(item.opened_at),
            "changed_at": time(item.changed_at),
            "system": item.system,
            "local_id": item.local_id.as_ref().map(|id| id.as_str()),
            "patient_id": item.patient.map(|id| id.to_string()),
            "candidates": item.candidates.iter().map(candidate).collect::<Vec<_>>(),
            "disagreements": item.disagreements.iter().map(disagreement).collect::<Vec<_>>(),
            "held": item.held.as_deref().map(observation),
            "held_image": item.held_image.as_deref().map(held_image),
            "unreadable_image": item.unreadable_image.as_ref().map(|image| json!({
                "record": image.record.as_ref().map(|id| id.as_str()),
            })),
            "reason": item.reason,
            "source": item.source.as_ref().map(source),
            "decision": item.decision.as_ref().map(decision),
        },
        "patients": patients.collect::<Vec<_>>(),
    }))
}

/// A patient as he or she is now.
pub(super) fn patient_view(id: PatientId, patient: &Standing) -> Value {
    json!({"patient_id": id.to_string(), "standing": standing(patient)})
}

/// What an event says.
pub(super) fn event(event: &Event) -> Value {
    json!({
        "id": event.id,
        "patient": patient(&event.patient),
        "observation": event.observation.as_ref().map(observation),
        "decision": event.decision.as_ref().map(decision),
        "merge": event.merge.as_deref().map(merge),
        "image": event.image.as_deref().map(|news| image_news(&write_image_news(news))),
        "recorded_at": time(event.recorded_at),
    })
}

/// Both patients before and after.
pub(super) fn merge(merge: &Merge) -> Value {
    stated(json!({"survivor": side(&merge.survivor), "retired": side(&merge.retired)}))
}

/// A record of the audit.
pub(super) fn audit_record(sequence: u64, record: &v1::AuditRecord) -> Value {
    stated(json!({
        "sequence": sequence,
        "id": record.id,
        "at": time(message_time(record.at)),
        "program": record.program,
        "person": record.person,
        "user_id": record.user_id,
        "action": record.action,
        "patient_ids": record.patient_ids,
        "item": record.item,
        "system": record.system,
        "image": record.image,
        "paths": record.paths,
        "reason": record.reason,
        "vendor": record.vendor,
        "recipient": written(&record.recipient),
        "purpose": written(&record.purpose),
        "basis": written(&record.basis),
        "contract": (!record.contract.is_empty()).then(|| hex::encode(&record.contract)),
        "groups": (!record.groups.is_empty()).then_some(&record.groups),
        "subscription": written(&record.subscription),
        "event_id": written(&record.event_id),
        "log_sequence": (record.log_sequence > 0).then_some(record.log_sequence),
        "stream": (record.stream > 0).then_some(record.stream),
        "through": (record.through > 0).then_some(record.through),
        "events": (!record.events.is_empty()).then(|| audited_events(record)),
        "checkpoint": record.checkpoint.as_ref().map(|checkpoint| checkpoint.index),
        "let_go": record.removal.as_ref().map(|removal| removal.index),
        "count": (record.count > 0).then_some(record.count),
        "address": written(&record.address),
        "token": written(&record.token),
        "keys": (!record.keys.is_empty()).then_some(&record.keys),
        "statements": (!record.statements.is_empty()).then_some(&record.statements),
        "digest_before": (!record.digest_before.is_empty()).then(|| hex::encode(&record.digest_before)),
        "digest_after": (!record.digest_after.is_empty()).then(|| hex::encode(&record.digest_after)),
    }))
}

fn written(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The events that a subscription brought, each with its patient.
fn audited_events(record: &v1::AuditRecord) -> Value {
    let patient = |place: u32| {
        record
            .patient_ids
            .get(usize::try_from(place).unwrap_or(usize::MAX))
    };
    let events = record.events.iter();
    events
        .map(|event| {
            let kind = event.kind().as_str_name().trim_start_matches("EVENT_KIND_");
            let kind = kind.to_ascii_lowercase().replace('_', "-");
            json!({"sequence": event.sequence, "patient_id": patient(event.patient), "kind": kind})
        })
        .collect()
}

/// Something that failed, with its causes.
pub(super) fn error(code: &str, error: &dyn Error) -> Value {
    json!({"error": {"code": code, "message": with_causes(error)}})
}

/// A configuration that cannot be used.
pub(super) fn problems(error: &ConfigError) -> Value {
    let problems = error.problems.iter().map(|problem| {
        json!({
            "place": problem.place.to_string(),
            "key": problem.key,
            "code": problem.kind.code(),
            "what": problem.what,
            "way_out": problem.way_out,
        })
    });
    stated(json!({"in_order": false, "problems": problems.collect::<Vec<_>>()}))
}

fn side(side: &Side) -> Value {
    json!({
        "patient_id": side.patient_id.to_string(),
        "before": standing(&side.before),
        "after": standing(&side.after),
    })
}

fn standing(standing: &Standing) -> Value {
    json!({
        "revision": standing.revision.get(),
        "patient": patient(&standing.patient),
        "records": standing.records.iter().map(record).collect::<Vec<_>>(),
    })
}

fn record(record: &RecordLink) -> Value {
    json!({
        "system": record.system,
        "local_id": record.local_id.as_str(),
        "superseded": record.superseded,
        "linked_at": time(record.linked_at),
        "linked_by": record.linked_by.as_str(),
    })
}

fn patient(patient: &Patient) -> Value {
    serde_json::to_value(patient).unwrap_or_default()
}

fn candidate(candidate: &ReviewCandidate) -> Value {
    json!({
        "patient_id": candidate.patient.to_string(),
        "score": bits(candidate.score_tenths),
        "agrees": candidate.agrees,
        "differs": candidate.differs,
        "not_same": candidate.not_same,
    })
}

fn disagreement(disagreement: &Disagreement) -> Value {
    let value = |leaf: &Option<Leaf>| leaf.as_ref().map(leaf_value);
    json!({
        "path": disagreement.path.as_str(),
        "bus": value(&disagreement.bus),
        "shown": value(&disagreement.shown),
    })
}

/// What stands at a path.
pub(super) fn leaf_value(leaf: &Leaf) -> Value {
    serde_json::from_str(&leaf.to_json()).unwrap_or_default()
}

fn observation(observation: &Observation) -> Value {
    let view = &observation.view;
    json!({
        "system": observation.system,
        "local_id": view.local_id.as_str(),
        "patient": patient(&view.patient),
        "observed_at": view.observed_at.map(time),
        "actor": view.actor,
        "source": view.source.as_ref().map(source),
    })
}

/// An image that waits. What its file says of a person is not shown: only in what it does not agree.
fn held_image(held: &HeldImage) -> Value {
    let observation = &held.observation;
    let file = &observation.image.file;
    json!({
        "record_local_id": observation.record.as_ref().map(|id| id.as_str()),
        "content_type": file.content_type,
        "size": file.size,
        "sha256": file.digest.to_string(),
        "observed_at": observation.observed_at.map(time),
        "actor": observation.actor,
        "differs": held.differs,
    })
}

/// A record verbatim: as text where it is text, else in hexadecimal.
fn source(source: &SourceRecord) -> Value {
    let text = std::str::from_utf8(source.data()).ok();
    json!({
        "media_type": source.media_type(),
        "format": source.format(),
        "sha256": hex::encode(source.sha256()),
        "text": text,
        "hex": text.is_none().then(|| hex::encode(source.data())),
    })
}

fn decision(decision: &Decision) -> Value {
    json!({
        "verdict": decision.verdict.as_str(),
        "by": decision.by.as_str(),
        "reason": decision.reason.as_str(),
        "at": time(decision.at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn json_is_harmless_and_says_the_same(text in "\\PC{0,20}", at in 0u32..0xa0) {
            let character = char::from_u32(at).unwrap();
            let value = json!({ "text": format!("{text}{character}\u{9b}31m\u{202e}\"\\\u{e0041}") });
            let mut out = Vec::new();
            write(&mut out, &value).unwrap();
            let line = String::from_utf8(out).unwrap();
            prop_assert!(!line.trim_end_matches('\n').chars().any(steers), "{line:?}");
            prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        }
    }

    #[test]
    fn what_is_not_stated_is_left_out() {
        let value = stated(json!({"a": null, "b": [], "c": {"d": null, "e": false}, "f": [{"g": null}]}));
        assert_eq!(value, json!({"c": {"e": false}, "f": [{}]}));
    }
}
