//! Data sets as DICOMweb servers write them: the DICOM JSON model (DICOM PS3.18, annex F).
//!
//! Only reading, and only what is asked for by tag: everything else is passed over. A value of another shape than its tag has
//! counts as not stated.

use crate::uid::Uid;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A tag as it is written in the model: `00100020`.
pub type Tag = &'static str;

/// Tags by DICOM's own names.
pub mod tag {
    #![allow(missing_docs, reason = "the names are DICOM's own keywords (PS3.6)")]
    use super::Tag;

    pub const SOP_INSTANCE_UID: Tag = "00080018";
    pub const STUDY_DATE: Tag = "00080020";
    pub const STUDY_TIME: Tag = "00080030";
    pub const WARNING_REASON: Tag = "00081196";
    pub const FAILURE_REASON: Tag = "00081197";
    pub const FAILED_SOP_SEQUENCE: Tag = "00081198";
    pub const REFERENCED_SOP_SEQUENCE: Tag = "00081199";
    pub const PATIENT_NAME: Tag = "00100010";
    pub const PATIENT_ID: Tag = "00100020";
    pub const ISSUER_OF_PATIENT_ID: Tag = "00100021";
    pub const PATIENT_BIRTH_DATE: Tag = "00100030";
    pub const PATIENT_SEX: Tag = "00100040";
    pub const STUDY_INSTANCE_UID: Tag = "0020000D";
    pub const SERIES_INSTANCE_UID: Tag = "0020000E";
    pub const NUMBER_OF_STUDY_RELATED_INSTANCES: Tag = "00201208";
}

/// A data set: of a study, a series, an instance, or an item of a sequence.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Dataset(BTreeMap<String, Element>);

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Element {
    #[serde(rename = "Value")]
    values: Vec<Value>,
}

impl Dataset {
    /// The first value as text, without padding; `None` where it is empty.
    #[must_use]
    pub fn text(&self, tag: Tag) -> Option<&str> {
        stated(self.first(tag)?.as_str()?)
    }

    /// The first value as a unique identifier.
    #[must_use]
    pub fn uid(&self, tag: Tag) -> Option<Uid> {
        Uid::parse(self.text(tag)?).ok()
    }

    /// The first value as a number, also where the server writes it as text.
    #[must_use]
    pub fn number(&self, tag: Tag) -> Option<u32> {
        let value = self.first(tag)?;
        let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
        u32::try_from(number).ok()
    }

    /// The first value as a person's name, in the writing that names are compared in.
    #[must_use]
    pub fn person(&self, tag: Tag) -> Option<&str> {
        stated(self.first(tag)?.get("Alphabetic")?.as_str()?)
    }

    /// Whether the element is there, with a value or without one.
    #[must_use]
    pub fn has(&self, tag: Tag) -> bool {
        self.0.contains_key(tag)
    }

    /// The items of a sequence.
    #[must_use]
    pub fn items(&self, tag: Tag) -> Vec<Self> {
        let values = self.0.get(tag).map(|element| element.values.as_slice());
        let items = values.unwrap_or_default().iter();
        items.filter_map(|item| Self::deserialize(item).ok()).collect()
    }

    fn first(&self, tag: Tag) -> Option<&Value> {
        self.0.get(tag)?.values.first()
    }
}

fn stated(text: &str) -> Option<&str> {
    Some(text.trim_matches([' ', '\0'])).filter(|text| !text.is_empty())
}

#[cfg(test)]
pub(crate) fn dataset(json: &str) -> Dataset {
    serde_json::from_str(json).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_tag_and_what_is_empty_is_not_stated() {
        let study = dataset(
            r#"{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^Jörg","Ideographic":"x"}]},
                "00100020":{"vr":"LO","Value":["P1 "]}, "00100021":{"vr":"LO"}, "00080090":{"vr":"PN","Value":[null]},
                "00201208":{"vr":"IS","Value":["12"]}, "0020000D":{"vr":"UI","Value":["1.2.3"]},
                "7FE00010":{"vr":"OW","BulkDataURI":"x"}}"#,
        );
        assert_eq!(study.person(tag::PATIENT_NAME), Some("Müller^Jörg"));
        assert_eq!(study.text(tag::PATIENT_ID), Some("P1"));
        assert_eq!(study.text(tag::ISSUER_OF_PATIENT_ID), None);
        assert_eq!(study.text(tag::PATIENT_SEX), None);
        assert_eq!(study.number(tag::NUMBER_OF_STUDY_RELATED_INSTANCES), Some(12));
        assert_eq!(study.uid(tag::STUDY_INSTANCE_UID), Uid::parse("1.2.3").ok());
    }

    #[test]
    fn sequences_have_items() {
        let answer = dataset(
            r#"{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[272]}}]},"00081199":{"vr":"SQ"}}"#,
        );
        let failed = answer.items(tag::FAILED_SOP_SEQUENCE);
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].number(tag::FAILURE_REASON), Some(272));
        assert!(answer.items(tag::REFERENCED_SOP_SEQUENCE).is_empty());
    }
}
