//! An accounting for a person to read.

use super::Told;
use crate::cli::terminal::{COLUMNS, clean, message_time, time, wrapped};
use std::{
    io::{self, Write},
    time::SystemTime,
};

/// How far the lines below the first one are set in.
const INDENT: usize = 8;

pub(super) fn begin(out: &mut impl Write, patient: &str, practice: &str) -> io::Result<()> {
    writeln!(out, "Disclosures of patient {patient} by {}", clean(practice))
}

pub(super) fn write(out: &mut impl Write, told: &Told<'_>) -> io::Result<()> {
    let record = told.record;
    let at = time(message_time(record.at));
    writeln!(
        out,
        "\n{at} UTC  {} ({})",
        clean(told.recipient()),
        clean(told.vendor())
    )?;
    let purpose = told
        .purpose()
        .map(|(purpose, code)| format!("{purpose} ({code})"));
    let presumed = match told.is_presumed() {
        true => "presumed: the bus was cut off, and this may have been told before",
        false => "",
    };
    for (name, words) in [
        ("", presumed),
        ("what: ", &told.what()),
        ("image: ", record.image.as_deref().unwrap_or_default()),
        ("fields: ", &told.fields()),
        ("purpose: ", purpose.as_deref().unwrap_or("no contract says")),
        ("basis: ", record.basis.as_str()),
        ("about: ", &record.patient_ids.join(", ")),
        ("audit: ", &told.place.to_string()),
    ] {
        if words.is_empty() {
            continue;
        }
        let line = format!("{name}{}", clean(words));
        for line in wrapped(&line, COLUMNS - INDENT) {
            writeln!(out, "{:INDENT$}{line}", "")?;
        }
    }
    Ok(())
}

pub(super) fn end(out: &mut impl Write, count: u64, known_since: Option<SystemTime>) -> io::Result<()> {
    let how_many = match count {
        0 => "no disclosures".to_owned(),
        1 => "1 disclosure".to_owned(),
        count => format!("{count} disclosures"),
    };
    writeln!(out, "\n{how_many}")?;
    match known_since {
        Some(at) => writeln!(out, "the audit goes back to {} UTC", time(at)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{sent, told};
    use super::*;

    #[test]
    fn a_person_reads_to_whom_what_why_and_on_what_grounds() {
        let mut out = Vec::new();
        write(&mut out, &told(&sent("disclosure.sent"))).unwrap();
        let said = String::from_utf8(out).unwrap();
        for words in [
            "Example Cephalometry Ltd (tracer)\n",
            "what: events: imaged, updated (2)\n",
            "fields: name, demographics\n",
            "purpose: treatment (TREAT)\n",
            "basis: =Agreement \"A\", of 2026\n",
        ] {
            assert!(said.contains(words), "{said}");
        }
        assert!(!said.contains("presumed"), "{said}");
        let mut out = Vec::new();
        write(&mut out, &told(&sent("disclosure.presumed"))).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("presumed: "));
    }
}
