//! The archive's id of a patient: PatientID and who issued it.
//!
//! An archive has no records of patients, only images that name one. Two images are of one record when PatientID and
//! IssuerOfPatientID are the same; numbers of different issuers are different patients. An image without a PatientID tells
//! nothing that could be put together with others, so its study is a record of its own.
//!
//! Written `ISSUER|PATIENT-ID`, or `||STUDY-UID`, with `|` and `%` percent-encoded: at most 256 bytes, as the bus wants it.

use crate::json::{Dataset, tag};
use crate::uid::Uid;
use std::fmt::{Display, Formatter, Result};

/// The most bytes of a record's id on the bus.
const MOST_BYTES: usize = 256;

/// Whose record it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    /// By number.
    Patient {
        /// IssuerOfPatientID (0010,0021); empty where none is stated.
        issuer: String,
        /// PatientID (0010,0020).
        id: String,
    },
    /// Images without a PatientID: only those of one study are surely of one patient.
    Study(Uid),
}

impl Record {
    /// The record that a study or an image names. `None` when it names nobody, not even a study.
    #[must_use]
    pub fn of(dataset: &Dataset) -> Option<Self> {
        let study = dataset.uid(tag::STUDY_INSTANCE_UID)?;
        Some(Self::named(
            dataset.text(tag::ISSUER_OF_PATIENT_ID),
            dataset.text(tag::PATIENT_ID),
            study,
        ))
    }

    /// The record of an image, of whose patient this is stated. A number that the bus could not take tells nothing either.
    #[must_use]
    pub fn named(issuer: Option<&str>, id: Option<&str>, study: Uid) -> Self {
        let id = id.filter(|id| !id.is_empty());
        let record = id.map(|id| Self::patient(issuer.unwrap_or_default(), id));
        record.filter(Self::is_short_enough).unwrap_or(Self::Study(study))
    }

    /// The record of a number.
    #[must_use]
    pub fn patient(issuer: impl Into<String>, id: impl Into<String>) -> Self {
        Self::Patient {
            issuer: issuer.into(),
            id: id.into(),
        }
    }

    /// Reads an id as it is written on the bus.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(uid) = text.strip_prefix("||") {
            return Uid::parse(uid).ok().map(Self::Study);
        }
        let (issuer, id) = text.split_once('|')?;
        let record = Self::patient(decode(issuer)?, decode(id)?);
        // One record has one id: what is written otherwise is none of ours.
        (record.to_string() == text && record.number().is_some_and(|id| !id.is_empty())).then_some(record)
    }

    /// PatientID.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        match self {
            Self::Patient { id, .. } => Some(id),
            Self::Study(_) => None,
        }
    }

    /// IssuerOfPatientID; empty where none is stated.
    #[must_use]
    pub fn issuer(&self) -> &str {
        match self {
            Self::Patient { issuer, .. } => issuer,
            Self::Study(_) => "",
        }
    }

    fn is_short_enough(&self) -> bool {
        self.to_string().len() <= MOST_BYTES
    }
}

impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Patient { issuer, id } => write!(f, "{}|{}", encode(issuer), encode(id)),
            Self::Study(uid) => write!(f, "||{}", uid.as_str()),
        }
    }
}

fn encode(text: &str) -> String {
    text.replace('%', "%25").replace('|', "%7C")
}

fn decode(text: &str) -> Option<String> {
    let plain = text.replace("%7C", "|").replace("%25", "%");
    (encode(&plain) == text).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::dataset;

    fn named(issuer: &str, id: &str) -> Option<Record> {
        Record::of(&dataset(&format!(
            r#"{{"00100020":{{"Value":["{id}"]}},"00100021":{{"Value":["{issuer}"]}},"0020000D":{{"Value":["1.2.3"]}}}}"#
        )))
    }

    #[test]
    fn numbers_of_different_issuers_are_different_records() {
        let ids = [
            ("", "7"),
            ("A", "7"),
            ("A|7", ""),
            ("A", "|7"),
            ("%7C", "7"),
            ("|", "7"),
        ];
        let mut written: Vec<_> = ids
            .iter()
            .map(|(issuer, id)| named(issuer, id).unwrap().to_string())
            .collect();
        assert_eq!(written[0], "|7");
        assert_eq!(written[1], "A|7");
        assert_eq!(written[2], "||1.2.3");
        for id in &written {
            assert_eq!(Record::parse(id).unwrap().to_string(), *id);
        }
        written.sort();
        written.dedup();
        assert_eq!(written.len(), ids.len());
    }

    #[test]
    fn an_image_without_a_number_is_of_a_record_of_its_study() {
        let record = named("A", "").unwrap();
        assert!(record == Record::Study(Uid::parse("1.2.3").unwrap()));
        assert!(Record::of(&Dataset::default()).is_none());
    }

    #[test]
    fn an_id_that_is_not_written_as_ours_is_none() {
        for text in ["", "7", "A|", "|", "||x", "A%7c|7", "A|7|8", "%|7"] {
            assert!(Record::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_number_that_the_bus_could_not_take_is_none() {
        let is_by_number = |id: &str| named("", id).unwrap().number().is_some();
        assert!(is_by_number(&"9".repeat(255)));
        assert!(!is_by_number(&"9".repeat(256)));
        assert!(!is_by_number(&"|".repeat(100)));
    }
}
