//! A patient's row as the API sends it: the bytes, and the fields that have a meaning on the bus.
//!
//! The API's types are not to be relied on (`Zip` is sometimes a number, keys are sometimes texts), so every field is
//! read as the text that it shows, and a field that is missing, `null` or of a strange shape reads as empty. What makes
//! a row unreadable is only: not an object, or no `PatNum`. One with more bytes than the bus takes is passed on: the bus
//! refuses it, and a person sees whose it is.

use crate::clock::OfficeTime;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// The format of the source records: rows of the resource `patients` as version 1 of the API sends them.
pub const FORMAT: &str = "opendental/patients/v1";

/// Open Dental's key of a patient: `PatNum`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatNum(u64);

impl PatNum {
    /// Reads a key; 0 is Open Dental's "none".
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse().ok())?
            .filter(|number| *number > 0)
            .map(Self)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for PatNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A field as the text that it shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Word {
    text: String,
    number: bool,
}

impl Word {
    /// The text, without blanks around it.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// The text, unless there is none.
    #[must_use]
    pub fn stated(&self) -> Option<String> {
        (!self.text().is_empty()).then(|| self.text().to_owned())
    }

    /// Whether it came as a number, which has lost its leading zeros.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.number
    }
}

/// The fields that have a meaning on the bus or in finding a record again.
#[derive(Clone, Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
#[allow(missing_docs, reason = "Open Dental's own names")]
pub struct Fields {
    pub pat_num: Word,
    pub l_name: Word,
    pub f_name: Word,
    pub middle_i: Word,
    pub preferred: Word,
    pub pat_status: Word,
    pub gender: Word,
    pub position: Word,
    pub birthdate: Word,
    #[serde(rename = "SSN")]
    pub ssn: Word,
    pub address: Word,
    pub address2: Word,
    pub city: Word,
    pub state: Word,
    pub zip: Word,
    pub hm_phone: Word,
    pub wk_phone: Word,
    pub wireless_phone: Word,
    pub guarantor: Word,
    pub email: Word,
    pub pri_prov: Word,
    #[serde(rename = "priProvAbbr")]
    pub pri_prov_abbr: Word,
    pub chart_number: Word,
    #[serde(rename = "MedicaidID")]
    pub medicaid_id: Word,
    pub language: Word,
    pub date_t_stamp: Word,
    pub sec_date_entry: Word,
    #[serde(rename = "serverDateTime")]
    pub server_date_time: Word,
}

/// A row that can be read.
#[derive(Clone)]
pub struct Row<'a> {
    /// The bytes as they came.
    pub verbatim: &'a str,
    /// Whose row it is.
    pub pat_num: PatNum,
    /// When the office last changed it.
    pub stamp: Option<OfficeTime>,
    /// What it holds.
    pub digest: Digest,
    /// What the fields say.
    pub fields: Fields,
}

/// What a row holds but for the office's "now", in 32 bits: tells two states of one record with the same change time
/// apart. Change times are whole seconds, and a record can be changed twice in one. Two states with the same digest are
/// one in four thousand million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(u32);

impl Digest {
    /// FNV-1a over the bytes before and after the office's "now".
    fn of(verbatim: &str, server_time: &str) -> Self {
        let key = verbatim.find("\"serverDateTime\"").unwrap_or(verbatim.len());
        let (before, after) = verbatim.split_at(key);
        let (between, after) = after.split_once(server_time).unwrap_or((after, ""));
        let bytes = [before, between, after].into_iter().flat_map(str::bytes);
        Self(bytes.fold(0x811c_9dc5, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        }))
    }
}

impl<'a> Row<'a> {
    /// Whether it is on file for the record only, as everything is that was merged into another record. Deleted records
    /// are, should the API ever show them.
    #[must_use]
    pub fn is_put_away(&self) -> bool {
        matches!(self.fields.pat_status.text(), "Archived" | "Deleted")
    }

    /// Reads one row.
    #[must_use]
    pub fn parse(verbatim: &'a str) -> Option<Self> {
        let fields: Fields = serde_json::from_str(verbatim).ok()?;
        let pat_num = PatNum::parse(fields.pat_num.text())?;
        let stamp = OfficeTime::parse(fields.date_t_stamp.text());
        let digest = Digest::of(verbatim, fields.server_date_time.text());
        Some(Self {
            verbatim,
            pat_num,
            stamp,
            digest,
            fields,
        })
    }
}

/// The rows of one page.
pub struct Rows<'a> {
    /// In the office's order; `None` where a row cannot be read.
    pub rows: Vec<Option<Row<'a>>>,
    /// The office's "now" when it answered: on every row, so there is none where there are no rows.
    pub server_time: Option<OfficeTime>,
}

impl<'a> Rows<'a> {
    /// Reads a list of rows. `None` when the answer is no list.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let raw: Vec<&RawValue> = serde_json::from_slice(body).ok()?;
        let rows: Vec<_> = raw.into_iter().map(|row| Row::parse(row.get())).collect();
        let server_time = rows
            .iter()
            .flatten()
            .find_map(|row| OfficeTime::parse(row.fields.server_date_time.text()));
        Some(Self { rows, server_time })
    }

    /// The rows that can be read.
    pub fn readable(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().flatten()
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor)
    }
}

struct WordVisitor;

impl WordVisitor {
    fn number(text: String) -> Word {
        Word { text, number: true }
    }
}

impl<'de> Visitor<'de> for WordVisitor {
    type Value = Word;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Word, E> {
        Ok(Word {
            text: text.to_owned(),
            number: false,
        })
    }

    fn visit_u64<E>(self, number: u64) -> Result<Word, E> {
        Ok(Self::number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Word, E> {
        Ok(Self::number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Word, E> {
        Ok(Self::number(number.to_string()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Word, E> {
        Ok(Word {
            text: value.to_string(),
            number: false,
        })
    }

    fn visit_unit<E>(self) -> Result<Word, E> {
        Ok(Word::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Word, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Word::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Word, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Word::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_bytes() {
        let body = br#"[ {"PatNum":1, "LName" : "O\u0027Neil","EstBalance":1.10},{"PatNum":2}]"#;
        let page = Rows::parse(body).unwrap();
        let verbatim: Vec<_> = page.readable().map(|row| row.verbatim).collect();
        assert_eq!(
            verbatim,
            [
                r#"{"PatNum":1, "LName" : "O\u0027Neil","EstBalance":1.10}"#,
                r#"{"PatNum":2}"#
            ]
        );
    }

    #[test]
    fn a_row_that_cannot_be_read_leaves_the_others_alone() {
        let body = br#"[{"PatNum":1},"text",{"LName":"Nobody"},{"PatNum":0},null,{"PatNum":"7"}]"#;
        let page = Rows::parse(body).unwrap();
        let read: Vec<_> = page
            .rows
            .iter()
            .map(|row| row.as_ref().map(|row| row.pat_num.get()))
            .collect();
        assert_eq!(read, [Some(1), None, None, None, None, Some(7)]);
    }

    #[test]
    fn fields_are_read_whatever_their_type() {
        let row =
            Row::parse(r#"{"PatNum":5,"Zip":97301,"Premed":true,"City":null,"Email":["a"],"State":{"a":1}}"#);
        let fields = row.unwrap().fields;
        assert_eq!(fields.zip.text(), "97301");
        assert!(fields.zip.is_number());
        assert_eq!(fields.city.stated(), None);
        assert_eq!(fields.email.stated(), None);
        assert_eq!(fields.state.stated(), None);
    }

    #[test]
    fn a_digest_changes_with_everything_but_the_offices_now() {
        let digest = |phone: &str, now: &str| {
            let row = format!(
                r#"{{"PatNum":1,"HmPhone":"{phone}","DateTStamp":"2026-11-01 01:30:00","serverDateTime":"{now}"}}"#
            );
            Row::parse(&row).unwrap().digest
        };
        let first = digest("1", "2026-11-01 01:30:07");
        assert_eq!(digest("1", "2026-11-01 01:30:08"), first);
        assert_eq!(
            digest("1", "2026-11-01 01:30:00"),
            first,
            "the second of the change itself"
        );
        assert_ne!(digest("2", "2026-11-01 01:30:07"), first);
    }

    #[test]
    fn the_offices_now_is_on_every_row_and_on_no_row_when_there_are_none() {
        let page = Rows::parse(br#"[{"PatNum":1,"serverDateTime":"2026-11-01 01:30:00"}]"#).unwrap();
        assert_eq!(page.server_time.unwrap().text(), "2026-11-01 01:30:00");
        assert_eq!(Rows::parse(b"[]").unwrap().server_time, None);
        assert!(Rows::parse(br#""an error text""#).is_none());
    }

    #[test]
    fn a_row_larger_than_the_bus_takes_is_passed_on() {
        let note = "x".repeat(archwire_connector::SourceRecord::MAX_BYTES);
        let row = format!(r#"{{"PatNum":1,"Note":"{note}"}}"#);
        assert_eq!(Row::parse(&row).unwrap().pat_num.get(), 1);
    }
}
