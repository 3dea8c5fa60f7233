//! `archwire receipts`: how deliveries ended, written as it is read from the log.

use super::{
    arguments::Asking,
    asking::{AskError, broker},
    json,
    terminal::{COLUMNS, clean, message_time, time, wrapped},
};
use crate::wire::{read_receipt_outcome, write_receipt_outcome};
use archwire_core::{PatientId, ReceiptOutcome, SystemName};
use archwire_proto::{
    admin::v1::{ListReceiptsRequest, ListReceiptsResponse},
    v1::{DeliveryAction, Receipt},
};
use clap::Args;
use serde_json::{Value, json};
use std::io::{self, Write};

/// How far the lines below a receipt's first are set in.
const INDENT: usize = 8;

#[derive(Args)]
pub(super) struct ReceiptsArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Only of this patient.
    #[arg(long, value_name = "PATIENT-ID")]
    patient: Option<PatientId>,
    /// Only of this system.
    #[arg(long, value_name = "SYSTEM")]
    system: Option<SystemName>,
    /// Only those that ended so: verified, differs, unreadable, parked, superseded, dropped.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<ReceiptOutcome>,
    /// Only the last so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    last: Option<u32>,
}

/// Lists the receipts; its answer goes to `out`.
pub(super) async fn run(arguments: ReceiptsArgs, out: &mut impl Write) -> Result<(), AskError> {
    let outcome = arguments.outcome.map(write_receipt_outcome);
    let request = ListReceiptsRequest {
        patient_id: arguments.patient.map(|id| id.to_string()).unwrap_or_default(),
        system: arguments
            .system
            .map(|system| system.to_string())
            .unwrap_or_default(),
        outcome: outcome.map_or(0, i32::from),
        last: arguments.last.unwrap_or(0),
    };
    let mut receipts = broker(&arguments.asking)
        .await?
        .list_receipts(request)
        .await?
        .into_inner();
    let mut any = false;
    while let Some(answer) = receipts.message().await? {
        any = true;
        let receipt = answer.receipt.as_ref().ok_or(AskError::Answer)?;
        let outcome = match read_receipt_outcome(receipt.outcome) {
            Ok(Some(outcome)) => outcome,
            _ => return Err(AskError::Answer),
        };
        if arguments.asking.json {
            json::write(out, &as_json(&answer, receipt, outcome))?;
        } else {
            write(out, &answer, receipt, outcome)?;
        }
    }
    if !any && !arguments.asking.json {
        writeln!(out, "no such receipt")?;
    }
    Ok(())
}

fn write(
    out: &mut impl Write,
    answer: &ListReceiptsResponse,
    receipt: &Receipt,
    outcome: ReceiptOutcome,
) -> io::Result<()> {
    let ListReceiptsResponse {
        sequence,
        system,
        patient_id,
        ..
    } = answer;
    let at = time(message_time(answer.at));
    let (outcome, system, revision) = (outcome.as_str(), clean(system), receipt.revision);
    writeln!(
        out,
        "{sequence:>6}  {at} UTC  {outcome:<10}  {system}  revision {revision}"
    )?;
    match &answer.image_id {
        Some(image) => writeln!(out, "{:INDENT$}image: {}", "", clean(image))?,
        None => writeln!(out, "{:INDENT$}patient: {}", "", clean(patient_id))?,
    }
    let attempts = match receipt.attempts {
        0 | 1 => String::new(),
        attempts => attempts.to_string(),
    };
    for (name, words) in [
        ("did", action(receipt).unwrap_or_default()),
        ("attempts", &attempts),
        ("why", receipt.reason.as_deref().unwrap_or_default()),
        ("wrote", &receipt.written.join(", ")),
        ("in its own way", &receipt.rendered.join(", ")),
        ("shows otherwise", &receipt.differs.join(", ")),
    ] {
        if !words.is_empty() {
            for line in wrapped(&format!("{name}: {}", clean(words)), COLUMNS - INDENT) {
                writeln!(out, "{:INDENT$}{line}", "")?;
            }
        }
    }
    Ok(())
}

fn as_json(answer: &ListReceiptsResponse, receipt: &Receipt, outcome: ReceiptOutcome) -> Value {
    json::stated(json!({
        "sequence": answer.sequence,
        "at": json::time(message_time(answer.at)),
        "system": answer.system,
        "patient_id": answer.patient_id,
        "image_id": answer.image_id,
        "event_id": receipt.event_id,
        "revision": receipt.revision,
        "outcome": outcome.as_str(),
        "action": action(receipt),
        "written": receipt.written,
        "rendered": receipt.rendered,
        "differs": receipt.differs,
        "reason": receipt.reason,
        "attempts": receipt.attempts,
        "connector_version": receipt.connector_version,
    }))
}

/// What the connector did, where it said so.
fn action(receipt: &Receipt) -> Option<&'static str> {
    match DeliveryAction::try_from(receipt.action) {
        Ok(DeliveryAction::Created) => Some("created"),
        Ok(DeliveryAction::Updated) => Some("updated"),
        Ok(DeliveryAction::Unchanged) => Some("unchanged"),
        Ok(DeliveryAction::Adopted) => Some("adopted"),
        Ok(DeliveryAction::Unspecified) | Err(_) => None,
    }
}
