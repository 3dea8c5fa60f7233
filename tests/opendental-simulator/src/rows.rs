//! Patients as JSON, field by field in the order of the vendor's examples (Open Dental API, Patients).
//!
//! Keys are numbers, enumerations and booleans are text, missing dates are `0001-01-01`, CR and LF come out as
//! spaces. Fields newer than the office's version do not appear. Nothing fails.

use std::collections::HashMap;

use jiff::civil::{Date, DateTime, Time};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::clock::OfficeClock;
use crate::fields::{Field, Kind};
use crate::formats;
use crate::model::Patient;
use crate::options::Options;

/// One JSON object with its fields in order.
#[derive(Debug, Default)]
pub(crate) struct Row(Vec<(&'static str, Value)>);

impl Row {
    pub(crate) fn push(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Everything that decides how a row looks, apart from the patient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) options: &'a Options,
    pub(crate) clock: &'a OfficeClock,
    pub(crate) date: &'a str,
    pub(crate) date_time: &'a str,
}

impl View<'_> {
    /// The full object, as a single GET, POST and PUT answer it. `totals` are the balances of the families.
    pub(crate) fn full(&self, patient: &Patient, totals: &HashMap<i64, f64>) -> Row {
        let mut row = Row::default();
        row.push("PatNum", patient.pat_num);
        self.fields(&mut row, patient, &PERSON);
        self.fields(&mut row, patient, &[Field::Guarantor, Field::Email]);
        row.push("EstBalance", patient.est_balance);
        self.fields(&mut row, patient, &[Field::PriProv]);
        row.push("priProvAbbr", self.provider(patient, Field::PriProv));
        self.fields(&mut row, patient, &[Field::SecProv]);
        row.push("secProvAbbr", self.provider(patient, Field::SecProv));
        self.fields(&mut row, patient, &[Field::FeeSched, Field::BillingType]);
        row.push("ImageFolder", patient.image_folder.as_str());
        self.fields(
            &mut row,
            patient,
            &[Field::FamFinUrgNote, Field::ChartNumber, Field::MedicaidId],
        );
        row.push(
            "BalTotal",
            totals.get(&patient.pat_num).copied().unwrap_or_default(),
        );
        self.fields(
            &mut row,
            patient,
            &[Field::EmployerNum, Field::DateFirstVisit, Field::ClinicNum],
        );
        row.push("clinicAbbr", self.clinic(patient));
        self.fields(&mut row, patient, &PREFERENCES);
        row.push("siteDesc", "");
        row.push("DateTStamp", self.stamp(patient.date_t_stamp));
        self.fields(&mut row, patient, &[Field::SuperFamily, Field::TxtMsgOk]);
        row.push("SecDateEntry", self.day(patient.sec_date_entry));
        row
    }

    /// The full object with the server's time in front, as Simple answers it.
    pub(crate) fn simple(&self, patient: &Patient, totals: &HashMap<i64, f64>, now: DateTime) -> Row {
        let mut row = Row::default();
        row.push("serverDateTime", self.stamp(now));
        row.0.append(&mut self.full(patient, totals).0);
        row
    }

    /// The short object of the search.
    pub(crate) fn search(&self, patient: &Patient) -> Row {
        let mut row = Row::default();
        row.push("PatNum", patient.pat_num);
        for field in PERSON {
            match field {
                Field::Gender | Field::Position => {}
                Field::Zip => row.push("Zip", self.search_zip(patient)),
                field => self.fields(&mut row, patient, &[field]),
            }
        }
        self.fields(&mut row, patient, &[Field::Email]);
        row.push("priProvAbbr", self.provider(patient, Field::PriProv));
        row.push("secProvAbbr", self.provider(patient, Field::SecProv));
        self.fields(
            &mut row,
            patient,
            &[Field::BillingType, Field::ChartNumber, Field::ClinicNum],
        );
        row.push("clinicAbbr", self.clinic(patient));
        row.push("siteDesc", "");
        self.fields(&mut row, patient, &[Field::TxtMsgOk]);
        row
    }

    fn fields(&self, row: &mut Row, patient: &Patient, fields: &[Field]) {
        for field in fields
            .iter()
            .filter(|field| field.spec().since <= self.options.version)
        {
            row.push(field.name(), self.value(patient, *field));
        }
    }

    fn value(&self, patient: &Patient, field: Field) -> Value {
        match field.kind() {
            Kind::Key => patient.number(field).into(),
            Kind::Date => self.day(patient.get(field).parse().unwrap_or(NO_DAY)).into(),
            _ if field == Field::PatStatus => patient.status().into(),
            _ => patient
                .get(field)
                .replace("\r\n", " ")
                .replace(['\r', '\n'], " ")
                .into(),
        }
    }

    fn search_zip(&self, patient: &Patient) -> Value {
        let text = patient.get(Field::Zip);
        // A leading zero would be lost in a number, and no example shows that happening.
        let number = text
            .parse::<u64>()
            .ok()
            .filter(|number| number.to_string() == text);
        match number.filter(|_| self.options.unknowns.search_zip_as_number) {
            Some(number) => number.into(),
            None => text.into(),
        }
    }

    pub(crate) fn stamp(&self, at: DateTime) -> String {
        formats::format(at, self.date_time, self.clock)
    }

    fn day(&self, date: Date) -> String {
        formats::format(date.to_datetime(Time::midnight()), self.date, self.clock)
    }

    fn provider(&self, patient: &Patient, field: Field) -> &str {
        let number = patient.number(field);
        let found = self
            .options
            .providers
            .iter()
            .find(|provider| provider.prov_num == number);
        found.map_or("", |provider| &provider.abbr)
    }

    fn clinic(&self, patient: &Patient) -> &str {
        let number = patient.number(Field::ClinicNum);
        let found = self
            .options
            .clinics
            .iter()
            .find(|clinic| clinic.clinic_num == number);
        found.map_or("", |clinic| &clinic.abbr)
    }
}

const NO_DAY: Date = jiff::civil::date(1, 1, 1);

const PERSON: [Field; 17] = [
    Field::LName,
    Field::FName,
    Field::MiddleI,
    Field::Preferred,
    Field::PatStatus,
    Field::Gender,
    Field::Position,
    Field::Birthdate,
    Field::Ssn,
    Field::Address,
    Field::Address2,
    Field::City,
    Field::State,
    Field::Zip,
    Field::HmPhone,
    Field::WkPhone,
    Field::WirelessPhone,
];

const PREFERENCES: [Field; 7] = [
    Field::Premed,
    Field::Ward,
    Field::PreferConfirmMethod,
    Field::PreferContactMethod,
    Field::PreferRecallMethod,
    Field::Language,
    Field::AdmitDate,
];
