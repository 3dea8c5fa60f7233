//! An accounting as a table: RFC 4180, lines end with CR LF.

use super::Told;
use crate::cli::{
    json,
    terminal::{clean, message_time},
};
use std::io::{self, Write};

const HEADINGS: &str = "date,recipient,vendor,what,events,image,fields,purpose,legal_basis,contract,presumed,patient_ids,audit_place";

pub(super) fn begin(out: &mut impl Write) -> io::Result<()> {
    write!(out, "{HEADINGS}\r\n")
}

pub(super) fn write(out: &mut impl Write, told: &Told<'_>) -> io::Result<()> {
    let record = told.record;
    let at = json::time(message_time(record.at));
    let events = record.events.iter().map(|event| event.sequence.to_string());
    let cells = [
        at.as_str().unwrap_or_default().to_owned(),
        told.recipient().to_owned(),
        told.vendor().to_owned(),
        told.what(),
        events.collect::<Vec<_>>().join(" "),
        record.image.clone().unwrap_or_default(),
        told.fields(),
        record.purpose.clone(),
        record.basis.clone(),
        hex::encode(&record.contract),
        if told.is_presumed() { "yes" } else { "no" }.to_owned(),
        record.patient_ids.join(" "),
        told.place.to_string(),
    ];
    write!(out, "{}\r\n", cells.map(|text| cell(&text)).join(","))
}

/// A cell that no spreadsheet takes for a formula, and no reader for two.
fn cell(text: &str) -> String {
    let text = clean(text);
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = match is_formula {
        true => format!("'{text}"),
        false => text,
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{PATIENT, sent, told};
    use super::*;

    #[test]
    fn a_line_has_as_many_cells_as_headings_whatever_stands_in_them() {
        let mut out = Vec::new();
        begin(&mut out).unwrap();
        write(&mut out, &told(&sent("disclosure.presumed"))).unwrap();
        let said = String::from_utf8(out).unwrap();
        let lines: Vec<_> = said.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 2);
        let contract = "07".repeat(32);
        assert_eq!(
            lines[1],
            format!(
                "2026-11-22T18:30:00.005Z,Example Cephalometry Ltd,tracer,\"events: imaged, updated (2)\",4 6 7,,\"name, \
                 demographics\",TREAT,\"'=Agreement \"\"A\"\", of 2026\",{contract},yes,{PATIENT},12"
            )
        );
        assert_eq!(HEADINGS.split(',').count(), 13);
    }
}
