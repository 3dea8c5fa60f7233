//! What the audit says of a record of the log: who, whom, which paths, and never a value. Pure.
//!
//! One record of the log gives one record of the audit, or none: what a system merely showed, what is about to be done, and what
//! waits for a person is no act. What people decide is in the audit twice, before it is done and as what came of it.

use super::{ITSELF, PROGRAM, disclosure::kind_of};
use crate::registry::MERGED_BY_SYSTEM;
use archwire_core::Subject;
use archwire_nats::Stored;
use archwire_proto::{
    admin::v1::AuditRecord,
    v1::{
        Decision, Event, ImageNews, Receipt, ReceiptOutcome, ReviewItem, Sighting, Verdict,
        image_copy::What as Copied, sighting::What,
    },
};
use prost::Message as _;
use std::collections::BTreeSet;

/// Most paths that a record names; `count` tells how many there were.
const MOST_PATHS: usize = 1024;

/// What the audit says of it.
#[must_use]
pub fn derive(stored: &Stored) -> Option<AuditRecord> {
    let payload = stored.payload.clone();
    let record = match &stored.subject {
        Subject::Patient(_) => of_event(stored, Event::decode(payload).ok()?),
        Subject::Sighting(..) => of_sighting(Sighting::decode(payload).ok()?)?,
        Subject::Review(_) => of_item(ReviewItem::decode(payload).ok()?)?,
        Subject::Writer => return None,
    };
    Some(AuditRecord {
        log_sequence: stored.sequence,
        ..record
    })
}

fn of_event(stored: &Stored, event: Event) -> AuditRecord {
    let Event {
        id,
        patient_id,
        changed,
        observation,
        recorded_at,
        decision,
        merge,
        image,
        ..
    } = event;
    let kind = kind_of(stored);
    let word = match stored.kind.split('.').collect::<Vec<_>>().as_slice() {
        [_, "image", what, _] => format!("event.image-{what}"),
        [_, _, what, _] => format!("event.{what}"),
        _ => "event".to_owned(),
    };
    let observed = observation.map(|observation| (observation.system, observation.actor));
    let news = image
        .as_ref()
        .and_then(|news| Some((news.system.clone()?, news.actor.clone())));
    let (system, actor) = observed.or(news).unzip();
    let (program, person) = decision.as_ref().map(decided_by).unzip();
    let sides = merge
        .into_iter()
        .flat_map(|merge| [merge.survivor, merge.retired]);
    let others = sides.flatten().map(|side| side.patient_id);
    let patients: BTreeSet<_> = others.filter(|id| *id != patient_id).collect();
    AuditRecord {
        at: recorded_at,
        program: program
            .or_else(|| system.clone())
            .unwrap_or_else(|| ITSELF.to_owned()),
        person: person
            .filter(|person| !person.is_empty())
            .or(actor.flatten())
            .unwrap_or_default(),
        action: word,
        patient_ids: [patient_id].into_iter().chain(patients).collect(),
        item: decision.as_ref().and_then(|decision| decision.item),
        image: image.as_ref().map(image_id),
        event_id: id,
        kind: kind.into(),
        system,
        ..with_paths(changed)
    }
}

fn of_sighting(sighting: Sighting) -> Option<AuditRecord> {
    let Sighting {
        patient_id,
        system,
        seen_at,
        what,
    } = sighting;
    let (receipt, image) = match what? {
        What::Seen(seen) => (seen.receipt?, None),
        What::Receipt(receipt) => (receipt, None),
        What::Image(copy) => {
            let image = format!("{}/{}", copy.first_patient_id, copy.first_revision);
            match copy.what? {
                Copied::Held(held) => (held.receipt?, Some(image)),
                Copied::Receipt(receipt) => (receipt, Some(image)),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(AuditRecord {
        at: seen_at,
        program: ITSELF.to_owned(),
        action: format!("delivery.{}", outcome(&receipt)?),
        patient_ids: vec![patient_id],
        system: Some(system),
        image,
        event_id: receipt.event_id,
        reason: receipt.reason.unwrap_or_default(),
        ..with_paths(receipt.written)
    })
}

/// How it ended; none where nothing was brought because something newer had been.
fn outcome(receipt: &Receipt) -> Option<&'static str> {
    match receipt.outcome() {
        ReceiptOutcome::Verified => Some("verified"),
        ReceiptOutcome::Differs => Some("differs"),
        ReceiptOutcome::Unreadable => Some("unreadable"),
        ReceiptOutcome::Parked => Some("parked"),
        ReceiptOutcome::Dropped => Some("dropped"),
        ReceiptOutcome::Superseded | ReceiptOutcome::Unspecified => None,
    }
}

fn of_item(item: ReviewItem) -> Option<AuditRecord> {
    let decision = item.decision?;
    let verdict = match decision.verdict() {
        Verdict::Unspecified => "decided",
        Verdict::Link => "link",
        Verdict::NotSame => "not-same",
        Verdict::Accept => "accept",
        Verdict::Reject => "reject",
        Verdict::Settled => "settled",
        Verdict::Merge => "merge",
        Verdict::Unmerge => "unmerge",
    };
    let candidates = item.candidates.into_iter().map(|candidate| candidate.patient_id);
    let paths = item
        .disagreements
        .into_iter()
        .map(|disagreement| disagreement.path);
    let (program, person) = decided_by(&decision);
    Some(AuditRecord {
        at: decision.at,
        program,
        person,
        action: format!("decision.{verdict}"),
        patient_ids: item.patient_id.into_iter().chain(candidates).collect(),
        item: Some(item.number),
        system: item.system,
        ..with_paths(paths.collect())
    })
}

/// The program and the person who decided. Of a merge that the staff of a system made there, nobody knows who it was.
fn decided_by(decision: &Decision) -> (String, String) {
    match decision.by.as_str() {
        ITSELF => (ITSELF.to_owned(), String::new()),
        system if decision.verdict() == Verdict::Merge && decision.reason == MERGED_BY_SYSTEM => {
            (system.to_owned(), String::new())
        }
        person => (PROGRAM.to_owned(), person.to_owned()),
    }
}

fn image_id(news: &ImageNews) -> String {
    format!("{}/{}", news.first_patient_id, news.first_revision)
}

fn with_paths(mut paths: Vec<String>) -> AuditRecord {
    let count = match paths.len() {
        count if count > MOST_PATHS => u32::try_from(count).unwrap_or(u32::MAX),
        _ => 0,
    };
    paths.truncate(MOST_PATHS);
    AuditRecord {
        paths,
        count,
        ..AuditRecord::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_merged_is_a_program_and_no_person() {
        let decided = |by: &str, reason: &str| {
            decided_by(&Decision {
                verdict: Verdict::Merge.into(),
                by: by.to_owned(),
                reason: reason.to_owned(),
                ..Decision::default()
            })
        };
        let is = |program: &str, person: &str| (program.to_owned(), person.to_owned());
        assert_eq!(decided("front-desk", MERGED_BY_SYSTEM), is("front-desk", ""));
        assert_eq!(decided("Kim Doe", "the same address"), is(PROGRAM, "Kim Doe"));
        assert_eq!(decided(ITSELF, ""), is(ITSELF, ""));
    }
}
