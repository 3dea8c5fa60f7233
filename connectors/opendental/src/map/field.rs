//! The fields that the connector writes, and a set of them on its way to the API.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A field of the resource `patients` that can be set (Open Dental API, Patients).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "Open Dental's own names")]
pub enum Field {
    LName,
    FName,
    MiddleI,
    Preferred,
    PatStatus,
    Gender,
    Position,
    Birthdate,
    Ssn,
    Address,
    Address2,
    City,
    State,
    Zip,
    HmPhone,
    WkPhone,
    WirelessPhone,
    Guarantor,
    Email,
    PriProv,
    ChartNumber,
    MedicaidId,
    Language,
}

impl Field {
    /// All of them, in the API's order.
    pub const ALL: [Self; 23] = [
        Self::LName,
        Self::FName,
        Self::MiddleI,
        Self::Preferred,
        Self::PatStatus,
        Self::Gender,
        Self::Position,
        Self::Birthdate,
        Self::Ssn,
        Self::Address,
        Self::Address2,
        Self::City,
        Self::State,
        Self::Zip,
        Self::HmPhone,
        Self::WkPhone,
        Self::WirelessPhone,
        Self::Guarantor,
        Self::Email,
        Self::PriProv,
        Self::ChartNumber,
        Self::MedicaidId,
        Self::Language,
    ];

    /// As the API calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LName => "LName",
            Self::FName => "FName",
            Self::MiddleI => "MiddleI",
            Self::Preferred => "Preferred",
            Self::PatStatus => "PatStatus",
            Self::Gender => "Gender",
            Self::Position => "Position",
            Self::Birthdate => "Birthdate",
            Self::Ssn => "SSN",
            Self::Address => "Address",
            Self::Address2 => "Address2",
            Self::City => "City",
            Self::State => "State",
            Self::Zip => "Zip",
            Self::HmPhone => "HmPhone",
            Self::WkPhone => "WkPhone",
            Self::WirelessPhone => "WirelessPhone",
            Self::Guarantor => "Guarantor",
            Self::Email => "Email",
            Self::PriProv => "PriProv",
            Self::ChartNumber => "ChartNumber",
            Self::MedicaidId => "MedicaidID",
            Self::Language => "Language",
        }
    }

    /// As a number's name in the log.
    #[must_use]
    pub fn log_name(self) -> &'static str {
        match self {
            Self::LName => "l-name",
            Self::FName => "f-name",
            Self::MiddleI => "middle-i",
            Self::Preferred => "preferred",
            Self::PatStatus => "pat-status",
            Self::Gender => "gender",
            Self::Position => "position",
            Self::Birthdate => "birthdate",
            Self::Ssn => "ssn",
            Self::Address => "address",
            Self::Address2 => "address2",
            Self::City => "city",
            Self::State => "state",
            Self::Zip => "zip",
            Self::HmPhone => "hm-phone",
            Self::WkPhone => "wk-phone",
            Self::WirelessPhone => "wireless-phone",
            Self::Guarantor => "guarantor",
            Self::Email => "email",
            Self::PriProv => "pri-prov",
            Self::ChartNumber => "chart-number",
            Self::MedicaidId => "medicaid-id",
            Self::Language => "language",
        }
    }
}

/// Fields with their values, for the body of a POST or PUT.
#[derive(Clone, PartialEq, Default)]
pub struct FieldSet(BTreeMap<Field, Value>);

impl std::fmt::Debug for FieldSet {
    /// Which fields; not what they hold.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FieldSet {
    /// Sets a field.
    pub fn put(&mut self, field: Field, value: impl Into<Value>) {
        self.0.insert(field, value.into());
    }

    /// Takes a field out.
    pub fn take(&mut self, field: Field) -> Option<Value> {
        self.0.remove(&field)
    }

    /// A field's text; empty where it is not set or is a number.
    #[must_use]
    pub fn text(&self, field: Field) -> &str {
        self.0.get(&field).and_then(Value::as_str).unwrap_or_default()
    }

    /// The fields and their values.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }

    /// Whether there is a value for the field.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        self.0.contains_key(&field)
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body as the API takes it.
    #[must_use]
    pub fn body(&self) -> Value {
        let fields = self
            .0
            .iter()
            .map(|(field, value)| (field.name().to_owned(), value.clone()));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}
