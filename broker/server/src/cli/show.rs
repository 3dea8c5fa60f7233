//! An item of the review queue for a person at a terminal: the patients side by side, what differs marked with `!`.
//!
//! Nothing is cut off but a source record, of which the first 2,048 bytes are shown: what is cut off may be what
//! differs.

use super::{
    json::leaf_value,
    terminal::{Table, clean, time},
};
use archwire_core::{
    Fields, Leaf, Path, Patient, PatientId, RecordLink, ReviewCandidate, ReviewItem, ReviewKind,
    SourceRecord, Standing,
};
use serde_json::Value;
use std::{collections::BTreeSet, io};

/// Mark, path, and two columns that a patient id fits into: 100 with the gaps.
const SIDE_BY_SIDE: [usize; 4] = [1, 21, 36, 36];
/// Most bytes of a source record that are shown.
const SOURCE: usize = 2048;

/// One of the columns.
struct Column {
    /// Whose it is.
    head: String,
    /// Lines that are not fields: the revision, the records.
    about: [String; 2],
    fields: Fields,
}

impl Column {
    fn of_patient(id: PatientId, standing: &Standing) -> Self {
        Self {
            head: id.to_string(),
            about: [standing.revision.get().to_string(), records(&standing.records)],
            fields: fields(&standing.patient),
        }
    }
}

/// Writes an item and its patients.
pub(super) fn item(
    out: &mut impl io::Write,
    item: &ReviewItem,
    patients: &[(PatientId, Standing)],
) -> io::Result<()> {
    let state = if item.decision.is_some() { "closed" } else { "open" };
    writeln!(out, "Item {}: {}, {state}", item.number, item.kind)?;
    head(out, item)?;
    let own = item.patient.and_then(|id| view(id, patients));
    match item.kind {
        ReviewKind::Disagreement => disagreements(out, item, own)?,
        ReviewKind::WrongPatient => held_image(out, item, own)?,
        _ => {
            if let Some(held) = item.held.as_deref() {
                held_record(out, &held.system.to_string(), &held.view.patient, own)?;
            } else if item.candidates.is_empty()
                && let Some((id, standing)) = own
            {
                alone(out, id, standing)?;
            }
        }
    }
    for (number, candidate) in (1..).zip(&item.candidates) {
        one_candidate(out, number, candidate, own, patients)?;
    }
    if let Some(record) = &item.source {
        source(out, record)?;
    }
    if item.decision.is_none() {
        writeln!(out, "\nDecide with: {}", ways(item))?;
    }
    Ok(())
}

fn head(out: &mut impl io::Write, item: &ReviewItem) -> io::Result<()> {
    let mut table = Table::new([10, 86]);
    table.row(["opened", &format!("{} UTC", time(item.opened_at))]);
    table.row(["changed", &format!("{} UTC", time(item.changed_at))]);
    if let Some(system) = &item.system {
        let what = match item.kind {
            ReviewKind::WrongPatient => "image",
            _ if item.unreadable_image.is_some() => "image",
            _ => "record",
        };
        let record = item
            .local_id
            .as_ref()
            .map_or(String::new(), |id| format!(", {what} {}", id.as_str()));
        table.row(["system", &format!("{system}{record}")]);
    }
    if let Some(record) = item
        .unreadable_image
        .as_ref()
        .and_then(|image| image.record.as_ref())
    {
        table.row(["record", record.as_str()]);
    }
    if let Some(reason) = &item.reason {
        table.row(["reason", reason]);
    }
    if let Some(decision) = &item.decision {
        let words = format!(
            "{}, by {}, {} UTC: {}",
            decision.verdict.as_str(),
            decision.by.as_str(),
            time(decision.at),
            decision.reason.as_str()
        );
        table.row(["decided", &words]);
    }
    table.write(out)
}

fn view(id: PatientId, patients: &[(PatientId, Standing)]) -> Option<(PatientId, &Standing)> {
    let found = patients.iter().find(|(patient, _)| *patient == id);
    found.map(|(_, standing)| (id, standing))
}

fn one_candidate(
    out: &mut impl io::Write,
    number: usize,
    candidate: &ReviewCandidate,
    own: Option<(PatientId, &Standing)>,
    patients: &[(PatientId, Standing)],
) -> io::Result<()> {
    writeln!(
        out,
        "\nCandidate {number}: score {}",
        score(candidate.score_tenths)
    )?;
    for (word, of) in [("agrees", &candidate.agrees), ("differs", &candidate.differs)] {
        if !of.is_empty() {
            writeln!(out, "  {word}: {}", clean(&of.join(", ")))?;
        }
    }
    if candidate.not_same {
        writeln!(out, "  somebody decided that they are two")?;
    }
    writeln!(out)?;
    match (own, view(candidate.patient, patients)) {
        (Some((id, standing)), Some((other, candidate))) => side_by_side(
            out,
            &Column::of_patient(id, standing),
            &Column::of_patient(other, candidate),
        ),
        (None, Some((other, candidate))) => alone(out, other, candidate),
        (_, None) => writeln!(out, "  {} is not on the bus", candidate.patient),
    }
}

fn held_record(
    out: &mut impl io::Write,
    system: &str,
    held: &Patient,
    own: Option<(PatientId, &Standing)>,
) -> io::Result<()> {
    let held = Column {
        head: format!("as {system} shows it"),
        about: [String::new(), String::new()],
        fields: fields(held),
    };
    writeln!(out)?;
    match own {
        Some((id, standing)) => side_by_side(out, &Column::of_patient(id, standing), &held),
        None => {
            let nobody = Column {
                head: "nobody on the bus".to_owned(),
                about: [String::new(), String::new()],
                fields: Fields::default(),
            };
            side_by_side(out, &nobody, &held)
        }
    }
}

/// What is known of an image that waits. What its file says of a person is not shown: only in what it does not agree.
fn held_image(
    out: &mut impl io::Write,
    item: &ReviewItem,
    own: Option<(PatientId, &Standing)>,
) -> io::Result<()> {
    let Some(held) = &item.held_image else {
        return Ok(());
    };
    let file = &held.observation.image.file;
    let mut table = Table::new([10, 86]);
    if let Some(record) = &held.observation.record {
        table.row(["record", record.as_str()]);
    }
    table.row(["file", &format!("{}, {} bytes", file.content_type, file.size)]);
    table.row(["sha256", &file.digest.to_string()]);
    table.row(["differs", &held.differs.join(", ")]);
    table.write(out)?;
    match own {
        Some((id, standing)) => {
            writeln!(out, "\nThe patient whose image it is said to be:")?;
            alone(out, id, standing)
        }
        None => writeln!(out, "\nThe record is nobody's on the bus."),
    }
}

fn disagreements(
    out: &mut impl io::Write,
    item: &ReviewItem,
    own: Option<(PatientId, &Standing)>,
) -> io::Result<()> {
    let system = item
        .system
        .as_ref()
        .map_or("the system", |system| system.as_str());
    let mut table = Table::new(SIDE_BY_SIDE);
    table.row(["", "", "the bus holds", &format!("{system} shows")]);
    for one in &item.disagreements {
        let values = [value(one.bus.as_ref()), value(one.shown.as_ref())];
        table.row(["!", one.path.as_str(), &values[0], &values[1]]);
    }
    writeln!(out)?;
    table.write(out)?;
    match own {
        Some((id, standing)) => {
            writeln!(out, "\nThe patient:")?;
            alone(out, id, standing)
        }
        None => Ok(()),
    }
}

/// Two patients, what differs marked. Also says in which revision and with which records.
pub(super) fn two(
    out: &mut impl io::Write,
    one: (PatientId, &Standing),
    other: (PatientId, &Standing),
) -> io::Result<()> {
    side_by_side(
        out,
        &Column::of_patient(one.0, one.1),
        &Column::of_patient(other.0, other.1),
    )
}

/// What changes from one standing of a patient to another.
pub(super) fn change(out: &mut impl io::Write, before: &Standing, after: &Standing) -> io::Result<()> {
    let mut table = Table::new(SIDE_BY_SIDE);
    let (old, new) = (fields(&before.patient), fields(&after.patient));
    table.row(["", "", "before", "after"]);
    for path in old.difference(&new) {
        table.row(["!", path.as_str(), &value(old.get(&path)), &value(new.get(&path))]);
    }
    let (held, holds) = (records(&before.records), records(&after.records));
    if held != holds {
        table.row(["!", "records", &held, &holds]);
    }
    table.write(out)
}

fn side_by_side(out: &mut impl io::Write, left: &Column, right: &Column) -> io::Result<()> {
    let mut table = Table::new(SIDE_BY_SIDE);
    table.row(["", "", &left.head, &right.head]);
    for (name, (one, other)) in ["revision", "records"]
        .iter()
        .zip(left.about.iter().zip(&right.about))
    {
        if !(one.is_empty() && other.is_empty()) {
            table.row(["", name, one, other]);
        }
    }
    let paths: BTreeSet<&Path> = left.fields.paths().chain(right.fields.paths()).collect();
    for path in paths {
        let (one, other) = (left.fields.get(path), right.fields.get(path));
        let mark = if one == other { "" } else { "!" };
        table.row([mark, path.as_str(), &value(one), &value(other)]);
    }
    table.write(out)
}

/// A patient, path by path.
pub(super) fn alone(out: &mut impl io::Write, id: PatientId, standing: &Standing) -> io::Result<()> {
    let mut table = Table::new([1, 30, 65]);
    table.row(["", "patient", &id.to_string()]);
    table.row(["", "revision", &standing.revision.get().to_string()]);
    table.row(["", "records", &records(&standing.records)]);
    let fields = fields(&standing.patient);
    for path in fields.paths() {
        table.row(["", path.as_str(), &value(fields.get(path))]);
    }
    table.write(out)
}

fn source(out: &mut impl io::Write, record: &SourceRecord) -> io::Result<()> {
    let data = record.data();
    let shown = data.get(..SOURCE).unwrap_or(data);
    writeln!(
        out,
        "\nThe record as its system wrote it ({}, {}, {} bytes):",
        clean(record.media_type()),
        clean(record.format()),
        data.len()
    )?;
    for line in String::from_utf8_lossy(shown).lines() {
        writeln!(out, "{}", clean(line))?;
    }
    if shown.len() < data.len() {
        writeln!(out, "... the rest with --json")?;
    }
    Ok(())
}

fn fields(patient: &Patient) -> Fields {
    // Every patient has a flat form, which a test of the core holds.
    Fields::of(patient).unwrap_or_default()
}

fn records(records: &[RecordLink]) -> String {
    let words = records.iter().map(|record| {
        let superseded = if record.superseded { " (superseded)" } else { "" };
        format!("{} {}{superseded}", record.system, record.local_id.as_str())
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What stands at a path, or a dash.
pub(super) fn value(leaf: Option<&Leaf>) -> String {
    leaf.map_or_else(|| "-".to_owned(), |leaf| words(&leaf_value(leaf)))
}

pub(super) fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(object) => {
            let words = object.iter().filter(|(_, value)| !value.is_null());
            let words = words.map(|(name, value)| format!("{name}: {}", self::words(value)));
            words.collect::<Vec<_>>().join(", ")
        }
        value => value.to_string(),
    }
}

/// Tenths of a bit as bits.
pub(super) fn score(tenths: i32) -> String {
    format!("{:.1}", f64::from(tenths) / 10.0)
}

/// The commands that decide an item.
fn ways(item: &ReviewItem) -> String {
    let number = item.number;
    if item.unreadable_image.is_some() {
        return format!("archwire review reject {number} --by NAME --reason TEXT");
    }
    let (yes, no) = match item.kind {
        ReviewKind::Disagreement | ReviewKind::Unreadable => ("accept", "reject"),
        _ => ("link", "not-same"),
    };
    let names_anybody = matches!(item.kind, ReviewKind::WrongPatient | ReviewKind::UnknownRecord);
    let with = if item.candidates.len() > 1 || names_anybody {
        " [--with PATIENT-ID]"
    } else {
        ""
    };
    format!("archwire review {yes}|{no} {number}{with} --by NAME --reason TEXT")
}
