//! `archwire parked`: the deliveries that wait for a person.

use super::{
    arguments::{Asking, Deciding, Person},
    asking::{AskError, broker},
    json, parked_show,
    review::person,
    terminal::{Table, message_time, time},
};
use crate::parked::ParkedKey;
use archwire_core::{PatientId, SystemName};
use archwire_proto::admin::v1;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    time::Duration,
};

#[derive(Args)]
pub(super) struct ParkedArgs {
    #[command(subcommand)]
    command: ParkedCommand,
}

#[derive(Subcommand)]
enum ParkedCommand {
    /// List the deliveries that were given up and wait for a person. Nothing in it tells anything about a patient.
    #[command(
        after_help = "Examples:\n  archwire parked list\n  archwire parked list --system front-desk --older-than 2h"
    )]
    List(ListArgs),
    /// Show one with the system's own words, what the system still lacks, and the patient unmasked. Audited.
    #[command(
        after_help = "Example:\n  archwire parked show front-desk 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001 --by \"Kim Doe\""
    )]
    Show(ShowArgs),
    /// Try deliveries again, with what the bus knows by now. Audited.
    ///
    /// Each goes into its patient's lane, before everything that nobody waits for. Say which are meant by any of the
    /// arguments, or that all are.
    #[command(
        after_help = "Examples:\n  archwire parked redrive front-desk --code birth-date-missing --by \"Kim Doe\"\n  \
                      archwire parked redrive --all --by \"Kim Doe\" --dry-run"
    )]
    Redrive(RedriveArgs),
    /// Give deliveries up for good, with a receipt that says so. Audited.
    ///
    /// The next change of the patient brings the system what it lacks all the same. Say which are meant by any of the
    /// arguments, or that all are.
    #[command(
        after_help = "Example:\n  archwire parked drop archive --older-than 30d --by \"Kim Doe\" --reason \"the archive is gone\""
    )]
    Drop(DropArgs),
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    asking: Asking,
    /// Only for this system.
    #[arg(long, value_name = "SYSTEM")]
    system: Option<SystemName>,
    /// Only of this patient.
    #[arg(long, value_name = "PATIENT-ID")]
    patient: Option<PatientId>,
    #[command(flatten)]
    narrowing: Narrowing,
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Only those behind this one: the next page.
    #[arg(long, value_name = "SYSTEM.PATIENT-ID")]
    after: Option<ParkedKey>,
}

#[derive(Args)]
struct ShowArgs {
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    person: Person,
    /// The system.
    #[arg(value_name = "SYSTEM")]
    system: SystemName,
    /// The patient.
    #[arg(value_name = "PATIENT-ID")]
    patient: PatientId,
}

#[derive(Args)]
struct Narrowing {
    /// Only those given up for this reason: its code, as the list shows it.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Only those that have waited at least this long: 30m, 2h, 3d.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,
}

/// Which of them.
#[derive(Args)]
struct Which {
    /// Only for this system.
    #[arg(value_name = "SYSTEM")]
    system: Option<SystemName>,
    /// Only of this patient.
    #[arg(value_name = "PATIENT-ID")]
    patient: Option<PatientId>,
    #[command(flatten)]
    narrowing: Narrowing,
    /// All of them, whatever and whosever they are.
    #[arg(long, conflicts_with_all = ["system", "patient", "code", "older_than"])]
    all: bool,
    /// Only show which.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
struct RedriveArgs {
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
struct DropArgs {
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    deciding: Deciding,
    #[command(flatten)]
    which: Which,
}

impl ParkedArgs {
    /// Whom it asks, and how it answers.
    pub(super) fn asking(&self) -> &Asking {
        match &self.command {
            ParkedCommand::List(arguments) => &arguments.asking,
            ParkedCommand::Show(arguments) => &arguments.asking,
            ParkedCommand::Redrive(arguments) => &arguments.asking,
            ParkedCommand::Drop(arguments) => &arguments.asking,
        }
    }
}

/// Carries out a command; its answer goes to `out`. Tells whether everything that was meant was done.
pub(super) async fn run(arguments: ParkedArgs, out: &mut impl Write) -> Result<bool, AskError> {
    match arguments.command {
        ParkedCommand::List(arguments) => list(arguments, out).await.map(|()| true),
        ParkedCommand::Show(arguments) => show(arguments, out).await.map(|()| true),
        ParkedCommand::Redrive(arguments) => redrive(arguments, out).await,
        ParkedCommand::Drop(arguments) => drop_parked(arguments, out).await.map(|()| true),
    }
}

async fn list(arguments: ListArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ListParkedRequest {
        filter: Some(filter(arguments.system, arguments.patient, arguments.narrowing)),
        after: arguments.after.map(|key| key.to_string()).unwrap_or_default(),
        page_size: arguments.limit,
    };
    let answer = broker(&arguments.asking)
        .await?
        .list_parked(request)
        .await?
        .into_inner();
    if arguments.asking.json {
        let value = json!({
            "count": answer.count,
            "more": answer.more,
            "deliveries": answer.lines.iter().map(as_json).collect::<Vec<_>>(),
        });
        return Ok(json::write(out, &value)?);
    }
    if answer.lines.is_empty() {
        writeln!(out, "no such delivery is parked")?;
        return Ok(());
    }
    write_lines(out, &answer.lines)?;
    writeln!(out, "{} shown, {} in all", answer.lines.len(), answer.count)?;
    if let Some(last) = answer.lines.last().filter(|_| answer.more) {
        writeln!(out, "for more: --after {}.{}", last.system, last.patient_id)?;
    }
    Ok(())
}

async fn show(arguments: ShowArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ShowParkedRequest {
        system: arguments.system.to_string(),
        patient_id: arguments.patient.to_string(),
        person: person(arguments.person),
    };
    let answer = broker(&arguments.asking)
        .await?
        .show_parked(request)
        .await?
        .into_inner();
    parked_show::write(out, answer, arguments.asking.json)
}

async fn redrive(arguments: RedriveArgs, out: &mut impl Write) -> Result<bool, AskError> {
    let Which { all, dry_run, .. } = arguments.which;
    let mut broker = broker(&arguments.asking).await?;
    let request = v1::RedriveParkedRequest {
        filter: Some(arguments.which.filter()),
        person: person(arguments.person),
        dry_run,
        all,
    };
    let mut answer = broker.redrive_parked(request.clone()).await?.into_inner();
    // One call acts on so many; the others are asked for, and never more than there were at first.
    let mut open = answer.left;
    while open > 0 && !dry_run {
        let next = broker.redrive_parked(request.clone()).await?.into_inner();
        answer.count += next.count.min(open);
        open = open.saturating_sub(next.count.max(1)).min(next.left);
    }
    let v1::RedriveParkedResponse {
        count,
        lines,
        left,
        unreachable,
    } = answer;
    let done = Done {
        count: if dry_run { count + left } else { count },
        lines,
        dry_run,
    };
    if arguments.asking.json {
        let mut value = done.as_json();
        if let Some(object) = value.as_object_mut() {
            object.insert("unreachable".to_owned(), unreachable.into());
        }
        json::write(out, &value)?;
    } else {
        done.write(out, "tried again")?;
        if unreachable > 0 {
            writeln!(
                out,
                "{unreachable} cannot be tried again, because the bus writes to no such system: put it back into the \
                 configuration, or drop them"
            )?;
        }
    }
    Ok(unreachable == 0)
}

async fn drop_parked(arguments: DropArgs, out: &mut impl Write) -> Result<(), AskError> {
    let Which { all, dry_run, .. } = arguments.which;
    let mut broker = broker(&arguments.asking).await?;
    let request = v1::DropParkedRequest {
        filter: Some(arguments.which.filter()),
        person: person(arguments.deciding.person),
        reason: arguments.deciding.reason,
        dry_run,
        all,
    };
    let mut answer = broker.drop_parked(request.clone()).await?.into_inner();
    let mut open = answer.left;
    while open > 0 && !dry_run {
        let next = broker.drop_parked(request.clone()).await?.into_inner();
        answer.count += next.count.min(open);
        open = open.saturating_sub(next.count.max(1)).min(next.left);
    }
    let v1::DropParkedResponse { count, lines, left } = answer;
    let done = Done {
        count: if dry_run { count + left } else { count },
        lines,
        dry_run,
    };
    if arguments.asking.json {
        json::write(out, &done.as_json())?;
    } else {
        done.write(out, "dropped")?;
    }
    Ok(())
}

/// What was done, or would be.
struct Done {
    count: u64,
    /// The first 1,000.
    lines: Vec<v1::ParkedLine>,
    dry_run: bool,
}

impl Done {
    fn as_json(&self) -> Value {
        json!({
            "count": self.count,
            "dry_run": self.dry_run,
            "deliveries": self.lines.iter().map(as_json).collect::<Vec<_>>(),
        })
    }

    fn write(&self, out: &mut impl Write, what: &str) -> io::Result<()> {
        let Self {
            count,
            lines,
            dry_run,
        } = self;
        if *count == 0 {
            return writeln!(out, "no such delivery is parked");
        }
        let (deliveries, are) = match (count, dry_run) {
            (1, true) => ("1 delivery".to_owned(), "would be"),
            (1, false) => ("1 delivery".to_owned(), "is"),
            (count, true) => (format!("{count} deliveries"), "would be"),
            (count, false) => (format!("{count} deliveries"), "are"),
        };
        if *dry_run {
            write_lines(out, lines)?;
        }
        writeln!(out, "{deliveries} {are} {what}")
    }
}

impl Which {
    fn filter(self) -> v1::ParkedFilter {
        filter(self.system, self.patient, self.narrowing)
    }
}

fn filter(system: Option<SystemName>, patient: Option<PatientId>, narrowing: Narrowing) -> v1::ParkedFilter {
    v1::ParkedFilter {
        system: system.map(|system| system.to_string()).unwrap_or_default(),
        patient_id: patient.map(|patient| patient.to_string()).unwrap_or_default(),
        reason: narrowing.code.unwrap_or_default(),
        older_than_seconds: whole_seconds(narrowing.older_than.unwrap_or_default()),
    }
}

/// No shorter than what was asked for: less would mean more deliveries.
fn whole_seconds(age: Duration) -> u64 {
    let begun = u64::from(age.subsec_nanos() > 0);
    age.as_secs().saturating_add(begun)
}

fn write_lines(out: &mut impl Write, lines: &[v1::ParkedLine]) -> io::Result<()> {
    let mut table = Table::new([14, 36, 18, 5, 19]);
    table.row(["SYSTEM", "PATIENT", "CODE", "TRIES", "SINCE (UTC)"]);
    for line in lines {
        table.row([
            &line.system,
            &line.patient_id,
            &why(line),
            &line.attempts.to_string(),
            &time(message_time(line.parked_at)),
        ]);
    }
    table.write(out)
}

/// Why, and whether it is being tried again.
pub(super) fn why(line: &v1::ParkedLine) -> String {
    let status = line
        .status
        .map_or_else(String::new, |status| format!(", HTTP {status}"));
    let again = if line.is_redriven { ", trying again" } else { "" };
    format!("{}{status}{again}", line.reason)
}

/// A line as JSON.
pub(super) fn as_json(line: &v1::ParkedLine) -> Value {
    json::stated(json!({
        "system": line.system,
        "patient_id": line.patient_id,
        "sequence": Some(line.sequence).filter(|sequence| *sequence > 0),
        "reason": line.reason,
        "status": line.status,
        "attempts": line.attempts,
        "connector_version": line.connector_version,
        "parked_at": json::time(message_time(line.parked_at)),
        "is_redriven": line.is_redriven,
    }))
}
