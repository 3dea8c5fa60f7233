//! One parked delivery, and its form in the bucket: JSON.

use super::filter::ParkedKey;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The reason of an entry that this version does not understand.
pub const UNREADABLE: &str = "entry_unreadable";

/// What may be listed of a parked delivery: nothing in it tells anything about the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedLine {
    /// Whose delivery to which system.
    pub key: ParkedKey,
    /// Place in the log of the newest event that was to be delivered; 0 when none led to it.
    pub sequence: u64,
    /// Why, as a stable code: of the last time that it was given up.
    pub reason: String,
    /// HTTP status that led to it.
    pub status: Option<u16>,
    /// Attempts that were made, all together.
    pub attempts: u32,
    /// Version of the connector that was asked the last time.
    pub connector_version: String,
    /// Since when it waits for a person: when it was given up for the first time, to the second.
    pub parked_at: SystemTime,
    /// Whether somebody asked for it to be tried again, and it has not been given up since.
    pub redriven: bool,
}

/// A parked delivery.
#[derive(Clone, PartialEq, Eq)]
pub struct Parked {
    /// What may be listed.
    pub line: ParkedLine,
    /// The system's own words. May name the patient: shown on request, never logged.
    pub detail: Option<String>,
}

impl fmt::Debug for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parked")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// The JSON of an entry. Its key says whose it is.
#[derive(Serialize, Deserialize)]
struct Entry {
    system: String,
    patient_id: String,
    /// Where it is about an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_id: Option<String>,
    #[serde(default)]
    sequence: u64,
    /// Earlier versions kept every sequence that waited.
    #[serde(default, skip_serializing)]
    sequences: Vec<u64>,
    reason: String,
    status: Option<u16>,
    detail: Option<String>,
    attempts: u32,
    connector_version: String,
    parked_at_unix: u64,
    #[serde(default)]
    redriven: bool,
}

impl Parked {
    /// What an entry says; one that says nothing that this version understands is [`UNREADABLE`].
    pub(super) fn read(key: ParkedKey, json: &[u8]) -> Self {
        let Ok(entry) = serde_json::from_slice::<Entry>(json) else {
            return Self::unreadable(key);
        };
        Self {
            line: ParkedLine {
                key,
                sequence: entry
                    .sequences
                    .into_iter()
                    .fold(entry.sequence, |newest, sequence| newest.max(sequence)),
                reason: entry.reason,
                status: entry.status,
                attempts: entry.attempts,
                connector_version: entry.connector_version,
                parked_at: UNIX_EPOCH
                    .checked_add(Duration::from_secs(entry.parked_at_unix))
                    .unwrap_or(UNIX_EPOCH),
                redriven: entry.redriven,
            },
            detail: entry.detail,
        }
    }

    fn unreadable(key: ParkedKey) -> Self {
        Self {
            line: ParkedLine {
                key,
                sequence: 0,
                reason: UNREADABLE.to_owned(),
                status: None,
                attempts: 0,
                connector_version: String::new(),
                parked_at: UNIX_EPOCH,
                redriven: false,
            },
            detail: None,
        }
    }

    /// Whether it says nothing that this version understands.
    pub(super) fn is_unreadable(&self) -> bool {
        self.line.reason == UNREADABLE
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let Self { line, detail } = self;
        let since_1970 = line.parked_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let entry = Entry {
            system: line.key.system.to_string(),
            patient_id: line.key.patient.to_string(),
            image_id: line.key.image.map(|image| image.to_string()),
            sequence: line.sequence,
            sequences: Vec::new(),
            reason: line.reason.clone(),
            status: line.status,
            detail: detail.clone(),
            attempts: line.attempts,
            connector_version: line.connector_version.clone(),
            parked_at_unix: since_1970.as_secs(),
            redriven: line.redriven,
        };
        // Texts and numbers always serialise.
        serde_json::to_vec(&entry).unwrap_or_default()
    }
}

/// Now, as an entry keeps it: to the second.
pub(super) fn this_second() -> SystemTime {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since_1970.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ParkedKey {
        "front-desk.019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".parse().unwrap()
    }

    #[test]
    fn an_entry_comes_out_as_it_went_in() {
        let parked = Parked {
            line: ParkedLine {
                key: key(),
                sequence: 812,
                reason: "birth-date-missing".to_owned(),
                status: Some(400),
                attempts: 24,
                connector_version: "0.1.0".to_owned(),
                parked_at: this_second(),
                redriven: true,
            },
            detail: Some("Birthdate is required".to_owned()),
        };
        assert_eq!(Parked::read(key(), &parked.write()), parked);
        assert!(!format!("{parked:?}").contains("Birthdate"));
    }

    #[test]
    fn entries_of_earlier_versions_are_understood() {
        let json = r#"{"system":"front-desk","patient_id":"019a8f30-8d5e-7c31-b5a5-02d1f0a4c001","sequences":[0,7,12],
            "reason":"record_gone","status":null,"detail":null,"attempts":12,"connector_version":"0.1.0",
            "parked_at_unix":1772373802}"#;
        let line = Parked::read(key(), json.as_bytes()).line;
        assert_eq!((line.sequence, line.attempts, line.redriven), (12, 12, false));
        assert_eq!(line.parked_at, UNIX_EPOCH + Duration::from_secs(1_772_373_802));
    }

    #[test]
    fn what_is_not_understood_is_listed_all_the_same() {
        for json in [&b""[..], b"{}", b"[1]", b"\xff", b"{\"reason\":7}"] {
            assert_eq!(Parked::read(key(), json).line.reason, UNREADABLE);
        }
    }

    #[test]
    fn a_time_beyond_all_time_is_no_time() {
        let json = String::from_utf8(Parked::unreadable(key()).write()).unwrap();
        let json = json.replace(
            "\"parked_at_unix\":0",
            &format!("\"parked_at_unix\":{}", u64::MAX),
        );
        assert_eq!(Parked::read(key(), json.as_bytes()).line.parked_at, UNIX_EPOCH);
    }
}
