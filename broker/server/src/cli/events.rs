//! `archwire events tail`: what happens on the bus, as it happens, until somebody interrupts it.

use super::{
    arguments::Asking,
    asking::{AskError, broker},
    image_json, json, show,
    terminal::{COLUMNS, clean, message_time, time, wrapped},
};
use crate::{
    admin::check_name,
    wire::{decode_event, write_image},
};
use archwire_core::{Event, Fields, PatientId};
use archwire_proto::admin::v1::{Person, TailEventsRequest, TailEventsResponse};
use clap::{Args, Subcommand};
use prost::Message as _;
use serde_json::{Value, json};
use std::io::{self, Write};

/// How far the lines below an event's first are set in.
const INDENT: usize = 8;

#[derive(Args)]
pub(super) struct EventsArgs {
    #[command(subcommand)]
    pub(super) command: EventsCommand,
}

#[derive(Subcommand)]
pub(super) enum EventsCommand {
    /// Follow the events of the bus, until it is interrupted. With --json, one object a line.
    ///
    /// Who and where, but not what, unless --reveal asks for it: then every patient is written to the audit before
    /// anything is shown of him or her.
    #[command(
        after_help = "Examples:\n  archwire events tail\n  archwire events tail --from 1 --patient \
                      019a8f30-8d5e-7c31-b5a5-02d1f0a4c001 \\\n    --reveal --by \"Kim Doe\""
    )]
    Tail(TailArgs),
}

#[derive(Args)]
pub(super) struct TailArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// From this place in the log on; 1 for everything that there ever was. Without it, what happens from now on.
    #[arg(long, value_name = "PLACE", value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
    /// Only of this patient.
    #[arg(long, value_name = "PATIENT-ID")]
    patient: Option<PatientId>,
    /// Show what the events say. Audited.
    #[arg(long, requires = "by")]
    reveal: bool,
    /// Your name, for the audit.
    #[arg(long, value_name = "NAME", value_parser = check_name, requires = "reveal")]
    by: Option<String>,
}

/// Follows the events; its answer goes to `out` as it comes.
pub(super) async fn tail(arguments: TailArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = TailEventsRequest {
        from: arguments.from.unwrap_or(0),
        patient_id: arguments.patient.map(|id| id.to_string()).unwrap_or_default(),
        reveal: arguments.reveal,
        person: arguments.by.map(|name| Person { name }),
    };
    let mut events = broker(&arguments.asking)
        .await?
        .tail_events(request)
        .await?
        .into_inner();
    let mut next = arguments.from;
    while let Some(answer) = events.message().await? {
        next = Some(answer.sequence.saturating_add(1));
        let revealed = revealed(&answer)?;
        if arguments.asking.json {
            json::write(out, &as_json(&answer, revealed.as_ref()))?;
        } else {
            write(out, &answer, revealed.as_ref())?;
        }
        out.flush()?;
    }
    Err(AskError::Stopped { next })
}

fn revealed(answer: &TailEventsResponse) -> Result<Option<Event>, AskError> {
    let event = answer.event.as_ref();
    let event = event.map(|event| decode_event(event.encode_to_vec().into()));
    event.transpose().map_err(|_| AskError::Answer)
}

fn write(out: &mut impl Write, answer: &TailEventsResponse, revealed: Option<&Event>) -> io::Result<()> {
    let at = time(message_time(answer.at));
    let system = match answer.system.as_str() {
        "" if !answer.image.is_empty() => "by the bus or a person".to_owned(),
        "" => "by a person".to_owned(),
        system => clean(system),
    };
    writeln!(
        out,
        "{:>6}  {at} UTC  {:<9}  revision {}, {system}",
        answer.sequence,
        word(&answer.kind),
        answer.revision
    )?;
    writeln!(out, "{:INDENT$}patient: {}", "", clean(&answer.patient_id))?;
    if !answer.image.is_empty() {
        line(out, &format!("image: {}", answer.image))?;
    }
    match revealed {
        None if answer.changed.is_empty() && !answer.image.is_empty() => Ok(()),
        None => line(out, &format!("changed: {}", answer.changed.join(", "))),
        Some(event) => values(out, event),
    }
}

/// What an event changed, with what stands there now.
fn values(out: &mut impl Write, event: &Event) -> io::Result<()> {
    // Every patient has a flat form, which a test of the core holds.
    let fields = Fields::of(&event.patient).unwrap_or_default();
    event
        .changed
        .iter()
        .try_for_each(|path| line(out, &format!("{path}: {}", show::value(fields.get(path)))))?;
    match &event.image {
        Some(news) => image_values(out, &write_image(&news.image)),
        None => Ok(()),
    }
}

/// What is known of an image.
fn image_values(out: &mut impl Write, image: &archwire_proto::v1::Image) -> io::Result<()> {
    let image = image_json::image(image);
    let mut values = image.as_object().into_iter().flatten();
    values.try_for_each(|(name, value)| line(out, &format!("{name}: {}", show::words(value))))
}

fn line(out: &mut impl Write, words: &str) -> io::Result<()> {
    wrapped(&clean(words), COLUMNS - INDENT)
        .iter()
        .try_for_each(|line| writeln!(out, "{:INDENT$}{line}", ""))
}

/// `updated` of `archwire.patient.updated.v1`.
fn word(kind: &str) -> String {
    clean(kind.split('.').nth(2).unwrap_or(kind))
}

fn as_json(answer: &TailEventsResponse, revealed: Option<&Event>) -> Value {
    json::stated(json!({
        "sequence": answer.sequence,
        "at": json::time(message_time(answer.at)),
        "kind": answer.kind,
        "patient_id": answer.patient_id,
        "revision": answer.revision,
        "system": Some(&answer.system).filter(|system| !system.is_empty()),
        "changed": answer.changed,
        "image": Some(&answer.image).filter(|image| !image.is_empty()),
        "event": revealed.map(json::event),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::{EventKind, HumanName, NameUse, Patient, Revision};
    use std::time::UNIX_EPOCH;

    const PATIENT: &str = "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001";

    fn event(family: &str) -> Event {
        let name = HumanName {
            r#use: Some(NameUse::Official),
            family: Some(family.into()),
            ..HumanName::default()
        };
        Event {
            id: PATIENT.to_owned(),
            kind: EventKind::PatientUpdated,
            patient_id: PATIENT.parse().unwrap(),
            revision: Revision::new(7),
            changed: ["birth_date".into(), "names/official/family".into()].into(),
            patient: Patient {
                names: vec![name],
                ..Patient::default()
            },
            observation: None,
            decision: None,
            merge: None,
            image: None,
            linked_by: None,
            owed: std::collections::BTreeSet::new(),
            first_sight: false,
            recorded_at: UNIX_EPOCH,
        }
    }

    fn written(revealed: Option<&Event>) -> String {
        let answer = TailEventsResponse {
            sequence: 812,
            kind: "archwire.patient.updated.v1".to_owned(),
            patient_id: PATIENT.to_owned(),
            revision: 7,
            changed: vec!["names/official/family".to_owned(); 9],
            ..TailEventsResponse::default()
        };
        let mut out = Vec::new();
        write(&mut out, &answer, revealed).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_told_by_where_and_not_by_what() {
        let said = written(None);
        assert!(
            said.starts_with("   812  1970-01-01 00:00:00 UTC  updated    revision 7, by a person\n"),
            "{said}"
        );
        assert!(said.contains("changed: names/official/family, "), "{said}");
        assert!(said.lines().all(|line| line.len() <= COLUMNS), "{said}");
    }

    #[test]
    fn an_event_of_an_image_says_which_and_not_that_nothing_changed() {
        let answer = TailEventsResponse {
            sequence: 812,
            kind: "archwire.patient.imaged.v1".to_owned(),
            patient_id: PATIENT.to_owned(),
            revision: 7,
            system: "archive".to_owned(),
            image: format!("{PATIENT}/7"),
            ..TailEventsResponse::default()
        };
        let mut out = Vec::new();
        write(&mut out, &answer, None).unwrap();
        let said = String::from_utf8(out).unwrap();
        let image = format!("        image: {PATIENT}/7\n");
        assert!(said.contains("imaged     revision 7, archive\n"), "{said}");
        assert!(said.ends_with(&image), "{said}");
        assert!(said.lines().all(|line| line.len() <= COLUMNS), "{said}");
    }

    #[test]
    fn what_is_revealed_steers_no_terminal() {
        let said = written(Some(&event("Kow\u{202e}alska\nItem 99")));
        assert!(
            said.contains("names/official/family: Kow\\u{202e}alska\\u{a}Item 99"),
            "{said}"
        );
        assert!(said.contains("        birth_date: -\n"), "{said}");
    }
}
