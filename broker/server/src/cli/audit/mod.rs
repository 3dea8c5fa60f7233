//! `archwire audit`: records, written as they come, because an audit grows for ever; and whether they are what they were.

mod arguments;
mod disclosures;
mod verify;

pub(super) use arguments::{AuditArgs, AuditCommand};

use super::{
    asking::{AskError, broker},
    json,
    terminal::{COLUMNS, clean, message_time, time, wrapped},
};
use archwire_proto::admin::v1::{AuditRecord, ListAuditRequest};
use arguments::{ListArgs, SearchArgs};
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use std::{
    io::{self, Write},
    time::SystemTime,
};

/// How far the lines below a record's first are set in.
const INDENT: usize = 8;

/// Does what is asked; its answer goes to `out`. Tells whether all is as it should be.
pub(super) async fn run(command: AuditCommand, out: &mut impl Write) -> Result<bool, AskError> {
    let is_json = command.asking().json;
    let (asking, request) = match command {
        AuditCommand::List(arguments) => listed(arguments),
        AuditCommand::Search(arguments) => searched(arguments),
        AuditCommand::Disclosures(arguments) => return disclosures::run(arguments, out).await.map(|()| true),
        AuditCommand::Verify(arguments) => return verify::verify(arguments, out).await,
        AuditCommand::Key(arguments) => return verify::key(arguments, out).await.map(|()| true),
    };
    let mut records = broker(&asking).await?.list_audit(request).await?.into_inner();
    while let Some(answer) = records.message().await? {
        let record = answer.record.ok_or(AskError::Answer)?;
        if is_json {
            json::write(out, &json::audit_record(answer.sequence, &record))?;
        } else {
            write(out, answer.sequence, &record)?;
        }
    }
    Ok(true)
}

fn listed(arguments: ListArgs) -> (super::arguments::Asking, ListAuditRequest) {
    let request = ListAuditRequest {
        patient_id: arguments.patient.map(|id| id.to_string()).unwrap_or_default(),
        after: arguments.after,
        ..ListAuditRequest::default()
    };
    (arguments.asking, request)
}

fn searched(arguments: SearchArgs) -> (super::arguments::Asking, ListAuditRequest) {
    let request = ListAuditRequest {
        patient_id: arguments.patient.map(|id| id.to_string()).unwrap_or_default(),
        after: arguments.after,
        everything: true,
        with_merged: arguments.with_merged,
        vendor: arguments.vendor,
        system: arguments.system,
        action: arguments.action,
        since: arguments.since.and_then(midnight),
        until: arguments
            .until
            .and_then(|day| midnight(day.saturating_add(1.day()))),
    };
    (arguments.asking, request)
}

/// When a day begins.
fn midnight(day: Date) -> Option<prost_types::Timestamp> {
    let begins = day.to_zoned(TimeZone::UTC).ok()?;
    Some(SystemTime::from(begins.timestamp()).into())
}

fn write(out: &mut impl Write, sequence: u64, record: &AuditRecord) -> io::Result<()> {
    let at = time(message_time(record.at));
    let item = record
        .item
        .map_or_else(String::new, |item| format!(" item {item}"));
    let system = record
        .system
        .as_deref()
        .map_or_else(String::new, |system| format!(" {}", clean(system)));
    let user = record
        .user_id
        .map_or_else(String::new, |user| format!(" (user {user})"));
    let person = match record.person.as_str() {
        "" => clean(&record.program),
        person => clean(person),
    };
    let action = clean(&record.action);
    writeln!(
        out,
        "{sequence:>6}  {at} UTC  {action}{system}{item}  {person}{user}"
    )?;
    let image = record.image.as_deref().unwrap_or_default();
    let events = record.events.iter().map(|event| event.sequence.to_string());
    let events = events.collect::<Vec<_>>().join(", ");
    let (patients, paths) = (record.patient_ids.join(", "), record.paths.join(", "));
    let (keys, said) = (record.keys.join(", "), record.statements.join("; "));
    let count = match record.count {
        0 => String::new(),
        count => count.to_string(),
    };
    for (name, words) in [
        ("vendor", record.vendor.as_deref().unwrap_or_default()),
        ("subscription", record.subscription.as_str()),
        ("recipient", record.recipient.as_str()),
        ("purpose", record.purpose.as_str()),
        ("patients", patients.as_str()),
        ("events", &events),
        ("image", image),
        ("paths", &paths),
        ("from", record.address.as_str()),
        ("count", &count),
        ("token", record.token.as_str()),
        ("keys", &keys),
        ("contract", &said),
        ("reason", &record.reason),
    ] {
        if !words.is_empty() {
            let line = format!("{name}: {}", clean(words));
            for line in wrapped(&line, COLUMNS - INDENT) {
                writeln!(out, "{:INDENT$}{line}", "")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_within_the_terminal() {
        let record = AuditRecord {
            program: "archwire-admin".into(),
            person: "Kim\u{1b}[2J".into(),
            user_id: Some(1000),
            action: "review.show".into(),
            patient_ids: vec!["019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".into(); 4],
            item: Some(12),
            ..AuditRecord::default()
        };
        let mut out = Vec::new();
        write(&mut out, 7, &record).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with(
            "     7  1970-01-01 00:00:00 UTC  review.show item 12  Kim\\u{1b}[2J (user 1000)\n"
        ));
        assert!(
            out.lines().count() == 3 && out.lines().all(|line| line.len() <= COLUMNS),
            "{out}"
        );
    }
}
