//! `PUT /queries/ShortQuery`: enough SQL to read merges (Open Dental API, Queries).
//!
//! The tables are `patientlink`, `document`, and `patient` with its most asked-for columns. The document's `Note` holds a whole
//! upload as long as nobody has opened it, and comes with `*`. Understood is
//! `SELECT * | columns FROM table [WHERE column op value [AND ...]] [ORDER BY column [DESC]]` with
//! `= <> != < <= > >=`, `LIKE '%...%'`, `IN (...)` and, in brackets, `column op value OR ...`. Times come out as `2021-05-01T00:00:00` and statuses as numbers, as they do
//! from the real one. A statement that would write is answered 401, one that is not understood 400. Pages of 100.

use std::cmp::Ordering;

use jiff::civil::DateTime;
use serde_json::Value;

use crate::answer::Answer;
use crate::documents::Document;
use crate::fields::Field;
use crate::gate::Call;
use crate::model::Patient;
use crate::office::{Office, PatientLink};
use crate::params::Page;
use crate::refusal::Refusal;
use crate::rows::Row;
use crate::shared::Shared;
use crate::validate;

use super::select_sql::{Condition, Select};

/// Runs a query.
pub(crate) fn run(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let body = validate::object(&call.body)?;
    let Some(Value::String(sql)) = body.get("SqlCommand") else {
        return Err(Refusal::required("SqlCommand"));
    };
    let select = Select::parse(sql)?;
    let rows = select.run(table(&shared.office(), &select)?)?;
    let offset = call
        .params
        .number("Offset")?
        .and_then(|offset| usize::try_from(offset).ok())
        .unwrap_or(0);
    let page = Page { offset, limit: 100 };
    Ok(Answer::json(200, &page.of(rows).collect::<Vec<_>>()))
}

/// One value of a table.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Number(i64),
    Text(String),
    Time(DateTime),
}

/// One row of a table, before columns are chosen.
pub(crate) type Cells = Vec<(&'static str, Cell)>;

fn table(office: &Office, select: &Select) -> Result<Vec<Cells>, Refusal> {
    let name = &select.table;
    let with_note = select.names("Note");
    match name.to_ascii_lowercase().as_str() {
        "document" => Ok(office
            .documents
            .rows()
            .map(|row| document(row, with_note))
            .collect()),
        "patientlink" => Ok(office.links().iter().map(link).collect()),
        "patient" => Ok(office.patients().map(patient).collect()),
        _ => Err(Refusal::bad(format!("Table '{name}' doesn't exist"))),
    }
}

fn link(link: &PatientLink) -> Cells {
    vec![
        ("PatientLinkNum", Cell::Number(link.patient_link_num)),
        ("PatNumFrom", Cell::Number(link.pat_num_from)),
        ("PatNumTo", Cell::Number(link.pat_num_to)),
        ("LinkType", Cell::Number(link.link_type)),
        ("DateTimeLink", Cell::Time(link.date_time_link)),
    ]
}

fn document(row: &Document, with_note: bool) -> Cells {
    let text = |text: &str| Cell::Text(text.to_owned());
    // Encoding a whole upload is too much for a row that is not even chosen by its note.
    let note = if with_note { row.note() } else { String::new() };
    vec![
        ("DocNum", Cell::Number(row.doc_num)),
        ("PatNum", Cell::Number(row.pat_num)),
        ("Description", text(&row.description)),
        ("DateCreated", Cell::Time(row.date_created)),
        ("DocCategory", Cell::Number(row.doc_category)),
        ("FileName", text(&row.file_name)),
        ("ImgType", Cell::Number(super::img_type_number(row.img_type))),
        ("ToothNumbers", text(&row.tooth_numbers)),
        ("ProvNum", Cell::Number(row.prov_num)),
        ("PrintHeading", Cell::Number(row.print_heading.into())),
        ("DateTStamp", Cell::Time(row.date_t_stamp)),
        ("MountItemNum", Cell::Number(0)),
        ("Note", Cell::Text(note)),
    ]
}

fn patient(patient: &Patient) -> Cells {
    let text = |field| Cell::Text(patient.get(field).to_owned());
    let born = patient
        .get(Field::Birthdate)
        .parse::<jiff::civil::Date>()
        .unwrap_or(jiff::civil::date(1, 1, 1));
    vec![
        ("PatNum", Cell::Number(patient.pat_num)),
        ("LName", text(Field::LName)),
        ("FName", text(Field::FName)),
        ("PatStatus", Cell::Number(status(patient))),
        (
            "Birthdate",
            Cell::Time(born.to_datetime(jiff::civil::Time::midnight())),
        ),
        ("Guarantor", Cell::Number(patient.number(Field::Guarantor))),
        ("ChartNumber", text(Field::ChartNumber)),
        ("ImageFolder", Cell::Text(patient.image_folder.clone())),
        ("DateTStamp", Cell::Time(patient.date_t_stamp)),
    ]
}

/// The number that the database keeps for a status.
fn status(patient: &Patient) -> i64 {
    match patient.status() {
        "NonPatient" => 1,
        "Inactive" => 2,
        "Archived" => 3,
        "Deleted" => 4,
        "Deceased" => 5,
        "Prospective" => 6,
        _ => 0,
    }
}

impl Cell {
    /// How the cell compares with a literal; nothing when they cannot be compared.
    pub(crate) fn compare(&self, literal: &str) -> Option<Ordering> {
        match self {
            Self::Number(number) => Some(number.cmp(&literal.parse().ok()?)),
            Self::Text(text) => Some(text.to_lowercase().cmp(&literal.to_lowercase())),
            Self::Time(time) => {
                let literal: Option<DateTime> = literal.parse().ok();
                Some(time.cmp(&literal?))
            }
        }
    }

    /// Whether the text fits a pattern, in which `%` at either end stands for anything.
    fn is_like(&self, pattern: &str) -> bool {
        let Self::Text(text) = self else { return false };
        let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
        let (open_start, rest) = pattern
            .strip_prefix('%')
            .map_or((false, pattern.as_str()), |rest| (true, rest));
        match (open_start, rest.strip_suffix('%')) {
            (true, Some(middle)) => text.contains(middle),
            (true, None) => text.ends_with(rest),
            (false, Some(start)) => text.starts_with(start),
            (false, None) => text == rest,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Time(time) => time.to_string().into(),
        }
    }
}

impl Select {
    fn run(&self, mut rows: Vec<Cells>) -> Result<Vec<Row>, Refusal> {
        if let Some((column, _)) = &self.order {
            known(&rows, column)?;
        }
        let mut kept = Vec::new();
        for row in rows.drain(..) {
            let mut fits = true;
            for alternatives in &self.conditions {
                let mut one = false;
                for condition in alternatives {
                    one |= holds(&row, condition)?;
                }
                fits &= one;
            }
            if fits {
                kept.push(row);
            }
        }
        if let Some((column, descending)) = &self.order {
            kept.sort_by(|a, b| {
                let order = cell(a, column)
                    .zip(cell(b, column))
                    .map_or(Ordering::Equal, |(a, b)| a.order(b));
                if *descending { order.reverse() } else { order }
            });
        }
        kept.into_iter().map(|row| self.chosen(&row)).collect()
    }

    fn chosen(&self, cells: &Cells) -> Result<Row, Refusal> {
        let mut row = Row::default();
        if self.columns.is_empty() {
            for (name, cell) in cells {
                row.push(name, cell.json());
            }
        }
        for column in &self.columns {
            let found = cells.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
            let (name, cell) = found.ok_or_else(|| unknown_column(column))?;
            row.push(name, cell.json());
        }
        Ok(row)
    }
}

impl Cell {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

fn holds(row: &Cells, condition: &Condition) -> Result<bool, Refusal> {
    let cell = cell(row, &condition.column).ok_or_else(|| unknown_column(&condition.column))?;
    if condition.is_like() {
        return Ok(condition.values.iter().any(|pattern| cell.is_like(pattern)));
    }
    Ok(condition
        .values
        .iter()
        .any(|value| cell.compare(value).is_some_and(|order| condition.accepts(order))))
}

fn cell<'a>(row: &'a Cells, column: &str) -> Option<&'a Cell> {
    row.iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(column))
        .map(|(_, cell)| cell)
}

fn known(rows: &[Cells], column: &str) -> Result<(), Refusal> {
    match rows.first() {
        Some(row) if cell(row, column).is_none() => Err(unknown_column(column)),
        _ => Ok(()),
    }
}

fn unknown_column(column: &str) -> Refusal {
    Refusal::bad(format!("Unknown column '{column}'"))
}
