//! A patient of the simulated office, and a partial one as somebody types or sends it.
//!
//! All values are canonical text (see `fields`). The records are synthetic by purpose; nothing here redacts them,
//! and nothing in this crate prints them to the log either.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};

use crate::fields::{Field, Kind};

/// Some fields of a patient: what a person types at the front desk, what a file holds, what a request sends.
/// A field that is not set is not touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatientFields(BTreeMap<Field, String>);

impl PatientFields {
    /// Nobody's fields yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The two fields that every patient must have.
    pub fn named(last: &str, first: &str) -> Self {
        Self::new().with(Field::LName, last).with(Field::FName, first)
    }

    /// The same fields and one more.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<String>) -> Self {
        self.set(field, value);
        self
    }

    /// Sets one field.
    pub fn set(&mut self, field: Field, value: impl Into<String>) {
        self.0.insert(field, value.into());
    }

    /// Leaves one field untouched after all.
    pub fn unset(&mut self, field: Field) {
        self.0.remove(&field);
    }

    /// What was set for the field, if anything was.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0.get(&field).map(String::as_str)
    }

    /// The fields that are set, in the vendor's order.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        self.0.iter().map(|(field, value)| (*field, value.as_str()))
    }

    /// Whether no field is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One row of the patient table.
#[derive(Debug, Clone, PartialEq)]
pub struct Patient {
    /// The primary key.
    pub pat_num: i64,
    /// When the row last changed: office-local, whole seconds, moved by the database on any change.
    pub date_t_stamp: DateTime,
    /// The day it was created.
    pub sec_date_entry: Date,
    /// The patient's own balance, in the office's currency. `BalTotal` is derived from the family.
    pub est_balance: f64,
    /// The folder for images; made from name and number at creation and never changed after.
    pub image_folder: String,
    /// Deleted in the user interface: the row stays, with PatStatus Deleted.
    pub deleted: bool,
    values: BTreeMap<Field, String>,
}

impl Patient {
    /// A row with every field at its default except the given ones. The caller sets Guarantor and PriProv.
    pub(crate) fn new(pat_num: i64, fields: &PatientFields, now: DateTime) -> Self {
        let mut patient = Self {
            pat_num,
            date_t_stamp: now,
            sec_date_entry: now.date(),
            est_balance: 0.0,
            image_folder: String::new(),
            deleted: false,
            values: BTreeMap::new(),
        };
        for (field, value) in fields.iter() {
            patient.put(field, value);
        }
        let folder = format!("{}{}", patient.get(Field::LName), patient.get(Field::FName));
        patient.image_folder = folder
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            + &pat_num.to_string();
        patient
    }

    /// The field's value; its default when nobody ever set it.
    pub fn get(&self, field: Field) -> &str {
        self.values.get(&field).map_or(field.empty(), String::as_str)
    }

    /// The field as a number; 0 when it is none.
    pub fn number(&self, field: Field) -> i64 {
        self.get(field).parse().unwrap_or_default()
    }

    /// Whether this patient heads his family's account.
    pub fn is_guarantor(&self) -> bool {
        self.number(Field::Guarantor) == self.pat_num
    }

    /// The word the API shows for the status.
    pub fn status(&self) -> &str {
        if self.deleted {
            "Deleted"
        } else {
            self.get(Field::PatStatus)
        }
    }

    /// Stores a value as the database does, and returns what was there when that changed anything.
    /// A text that is too long is cut, as MySQL without strict mode does.
    pub(crate) fn put(&mut self, field: Field, value: &str) -> Option<String> {
        let kept = match field.kind() {
            Kind::Name(max) | Kind::Text(max) => value.chars().take(max).collect(),
            _ => value.to_owned(),
        };
        let before = self.get(field).to_owned();
        if before == kept {
            return None;
        }
        self.values.insert(field, kept);
        Some(before)
    }
}
