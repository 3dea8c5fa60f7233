//! Parked deliveries as lines: nothing in them tells anything about a patient.

use crate::cli::{
    json,
    terminal::{Table, message_time, time},
};
use archwire_proto::admin::v1;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes deliveries as a table.
pub(super) fn write_lines(out: &mut impl Write, lines: &[v1::ParkedLine]) -> io::Result<()> {
    let mut table = Table::new([14, 41, 13, 5, 19]);
    table.row(["SYSTEM", "PATIENT, OR IMAGE", "CODE", "TRIES", "SINCE (UTC)"]);
    for line in lines {
        table.row([
            &line.system,
            cargo(line),
            &why(line),
            &line.attempts.to_string(),
            &time(message_time(line.parked_at)),
        ]);
    }
    table.write(out)
}

/// The image, or else the patient.
pub(super) fn cargo(line: &v1::ParkedLine) -> &str {
    line.image_id.as_deref().unwrap_or(&line.patient_id)
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
        "image_id": line.image_id,
        "sequence": Some(line.sequence).filter(|sequence| *sequence > 0),
        "reason": line.reason,
        "status": line.status,
        "attempts": line.attempts,
        "connector_version": line.connector_version,
        "parked_at": json::time(message_time(line.parked_at)),
        "is_redriven": line.is_redriven,
    }))
}
