//! One parked delivery for a person at a terminal: why it was given up, what the system still lacks, and of whom.

use super::lines::{as_json, cargo, why};
use crate::cli::{
    asking::AskError,
    json,
    review::view,
    show,
    terminal::{Table, message_time, time},
};
use archwire_proto::admin::v1::{ParkedLine, ShowParkedResponse};
use serde_json::json;
use std::io::Write;

/// Writes the delivery.
pub(super) fn write(out: &mut impl Write, answer: ShowParkedResponse, is_json: bool) -> Result<(), AskError> {
    let ShowParkedResponse {
        line,
        detail,
        due,
        patient,
    } = answer;
    let line = line.ok_or(AskError::Answer)?;
    let patient = patient.map(view).transpose()?;
    if is_json {
        let patient = patient.map(|(id, standing)| json::patient_view(id, &standing));
        let value = json!({
            "delivery": as_json(&line),
            "detail": detail,
            "due": due,
            "patient": patient,
        });
        return Ok(json::write(out, &json::stated(value))?);
    }
    let ParkedLine {
        system, patient_id, ..
    } = &line;
    let mut table = Table::new([9, 89]);
    table.row(["system", system]);
    match &line.image_id {
        Some(image) => table.row(["image", image]),
        None => table.row(["patient", patient_id]),
    }
    table.row(["given up", &why(&line)]);
    if let Some(detail) = &detail {
        table.row(["it said", detail]);
    }
    table.row(["since", &format!("{} UTC", time(message_time(line.parked_at)))]);
    let version = &line.connector_version;
    table.row(["attempts", &format!("{}, with version {version}", line.attempts)]);
    let lacks = match due.as_slice() {
        [] => "nothing any more".to_owned(),
        due => due.join(", "),
    };
    table.row(["it lacks", &lacks]);
    table.write(out)?;
    writeln!(out)?;
    match patient {
        Some((id, standing)) => show::alone(out, id, &standing)?,
        None => writeln!(out, "{patient_id} is not on the bus")?,
    }
    let cargo = cargo(&line);
    writeln!(
        out,
        "\nTry again, or give up, with:\n  archwire parked redrive {system} {cargo} --by NAME\n  archwire parked \
         drop {system} {cargo} --by NAME --reason TEXT"
    )?;
    Ok(())
}
