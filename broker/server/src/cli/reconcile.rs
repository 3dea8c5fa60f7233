//! `archwire reconcile`: compares a system with the log, or shows what came of that the last time. Tells how far it is on
//! standard error where that is a terminal.

use super::{
    arguments::Asking,
    asking::{AskError, broker},
    json,
    terminal::{COLUMNS, Table, clean, message_time, time, wrapped},
};
use crate::{admin::check_name, reconcile::Kind};
use archwire_core::SystemName;
use archwire_proto::admin::v1::{
    LastReconciliationRequest, Person, ReconcileRequest, Reconciliation, ReconciliationFinding,
};
use clap::Args;
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write};

/// Most findings of a kind that are shown to a person; JSON has them all.
const SHOWN: usize = 20;
/// How far the lines below a heading are set in.
const INDENT: usize = 2;

#[derive(Args)]
pub(super) struct ReconcileArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// The system.
    #[arg(value_name = "SYSTEM")]
    system: SystemName,
    /// Your name, for the audit.
    #[arg(long, value_name = "NAME", value_parser = check_name, required_unless_present = "last")]
    by: Option<String>,
    /// Have what is found repaired, as far as that can be done without a person. Nothing is ever deleted. Audited.
    #[arg(long)]
    repair: bool,
    /// Only show what the last comparison found.
    #[arg(long, conflicts_with_all = ["by", "repair"])]
    last: bool,
}

/// Compares; the answer goes to `out`. Tells whether the system and the log agree.
pub(super) async fn run(arguments: ReconcileArgs, out: &mut impl Write) -> Result<bool, AskError> {
    let report = if arguments.last {
        last(&arguments).await?
    } else {
        compare(&arguments).await?
    };
    if arguments.asking.json {
        json::write(out, &as_json(&report))?;
    } else {
        write(out, &report)?;
    }
    // What could not be read was not compared, and nobody can say that it agrees.
    let agrees = Kind::ALL.into_iter().all(|kind| count(&report, kind) == 0);
    Ok(agrees && report.unreadable == 0)
}

async fn last(arguments: &ReconcileArgs) -> Result<Reconciliation, AskError> {
    let system = arguments.system.to_string();
    let request = LastReconciliationRequest {
        system: system.clone(),
    };
    let mut broker = broker(&arguments.asking).await?;
    let answer = broker.last_reconciliation(request).await?.into_inner();
    answer.report.ok_or_else(|| AskError::Refused {
        code: "never_reconciled".to_owned(),
        message: format!("`{system}` has never been compared: archwire reconcile {system} --by NAME"),
    })
}

async fn compare(arguments: &ReconcileArgs) -> Result<Reconciliation, AskError> {
    let name = arguments.by.clone().unwrap_or_default();
    let request = ReconcileRequest {
        system: arguments.system.to_string(),
        person: Some(Person { name }),
        repair: arguments.repair,
    };
    let mut answers = broker(&arguments.asking)
        .await?
        .reconcile(request)
        .await?
        .into_inner();
    let tells = io::stderr().is_terminal();
    let mut end = None;
    while let Some(answer) = answers.message().await? {
        if tells {
            eprint!(
                "\r{} records listed, {} of {} compared",
                answer.listed, answer.compared, answer.to_compare
            );
        }
        end = answer.end;
    }
    if tells {
        eprintln!();
    }
    end.ok_or(AskError::Broken)
}

fn count(report: &Reconciliation, kind: Kind) -> u64 {
    match kind {
        Kind::Missing => report.missing,
        Kind::Extra => report.extra,
        Kind::Differing => report.differing,
        Kind::Unlinked => report.unlinked,
    }
}

fn as_json(report: &Reconciliation) -> Value {
    let finding = |finding: &ReconciliationFinding| {
        json::stated(json!({
            "kind": finding.kind,
            "local_id": finding.local_id,
            "patient_id": finding.patient_id,
            "paths": finding.paths,
        }))
    };
    json!({
        "system": report.system,
        "began_at": json::time(message_time(report.began_at)),
        "ended_at": json::time(message_time(report.ended_at)),
        "listed": report.listed,
        "compared": report.compared,
        "unreadable": report.unreadable,
        "missing": report.missing,
        "extra": report.extra,
        "differing": report.differing,
        "unlinked": report.unlinked,
        "repair": report.repair,
        "repaired": report.repaired,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn write(out: &mut impl Write, report: &Reconciliation) -> io::Result<()> {
    let system = clean(&report.system);
    let began = time(message_time(report.began_at));
    writeln!(
        out,
        "{system}, compared {began} UTC: {} records listed, {} of them read",
        report.listed, report.compared
    )?;
    let mut table = Table::new([10, 9]);
    for kind in Kind::ALL {
        table.row([kind.as_str(), &count(report, kind).to_string()]);
    }
    table.write(out)?;
    if report.unreadable > 0 {
        let words = format!(
            "{} records could not be read, and so not be compared: `archwire_connector_calls_total` and the log say why",
            report.unreadable
        );
        paragraph(out, &words, 0)?;
    }
    for kind in Kind::ALL.into_iter().filter(|kind| count(report, *kind) > 0) {
        write_kind(out, report, kind, &system)?;
    }
    match (report.repair, report.repaired) {
        (true, repaired) => writeln!(out, "\n{repaired} are being repaired"),
        (false, _) => Ok(()),
    }
}

fn write_kind(out: &mut impl Write, report: &Reconciliation, kind: Kind, system: &str) -> io::Result<()> {
    let (what, way_out) = words(kind, system);
    writeln!(out, "\n{}: {what}", kind.as_str())?;
    let mut table = Table::new([20, 36, COLUMNS - 60]);
    let findings = report.findings.iter();
    let mut shown = 0;
    for finding in findings
        .filter(|finding| finding.kind == kind.as_str())
        .take(SHOWN)
    {
        shown += 1;
        table.row([
            finding.local_id.as_deref().unwrap_or("-"),
            finding.patient_id.as_deref().unwrap_or("-"),
            &finding.paths.join(", "),
        ]);
    }
    table.write(out)?;
    let left = count(report, kind).saturating_sub(shown);
    if left > 0 {
        writeln!(out, "and {left} more; --json tells the first 1,000")?;
    }
    paragraph(out, &format!("-> {way_out}"), INDENT)
}

fn paragraph(out: &mut impl Write, words: &str, indent: usize) -> io::Result<()> {
    for line in wrapped(words, COLUMNS - indent) {
        writeln!(out, "{:indent$}{line}", "")?;
    }
    Ok(())
}

/// What a kind of finding is, and what can be done about it.
fn words(kind: Kind, system: &str) -> (&'static str, String) {
    match kind {
        Kind::Missing => (
            "the bus knows these records, and the system does not have them",
            format!(
                "find out where they went, and restore them there. --repair has each looked for once more, and parks it as \
                 record_gone (`archwire parked list --system {system}`) until somebody has decided"
            ),
        ),
        Kind::Extra => (
            "the system has these records, and the bus does not know them",
            "--repair takes them, as if they had been polled; who may be somebody else comes to `archwire review list`"
                .to_owned(),
        ),
        Kind::Differing => (
            "these records show something else than the log says they should",
            format!(
                "--repair takes what was changed there and brings what they lack. What the system makes otherwise of what \
                 it is given stays: `archwire receipts --system {system} --outcome differs`"
            ),
        ),
        Kind::Unlinked => (
            "these patients should have a record in the system, and have none",
            format!(
                "`archwire parked list --system {system}` says why some could not be created; --repair tries all of them \
                 again"
            ),
        ),
    }
}
