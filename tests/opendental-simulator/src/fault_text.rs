//! Faults as text: JSON for the admin endpoints, `key=value` for the command line. Both have the same words.
//!
//! `status`, `retry-after` and `by` mean what [`FaultKind`] says; durations are written `500ms`, `2s`, `1m`. A word
//! that is not known, missing or of no use for the kind of fault is an error that names it.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::faults::{Fault, FaultKind};

/// The text does not describe a fault; the message says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad fault: {0}")]
pub struct BadFault(pub String);

/// A fault as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WrittenFault {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default)]
    after_applying: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default)]
    skip: u32,
}

impl TryFrom<WrittenFault> for Fault {
    type Error = BadFault;

    fn try_from(written: WrittenFault) -> Result<Self, BadFault> {
        let misplaced = |name: &str| BadFault(format!("`{name}` does not go with kind `{}`", written.kind));
        if written.by.is_some() && written.kind != "delay" {
            return Err(misplaced("by"));
        }
        if (written.status.is_some() || written.retry_after.is_some()) && written.kind != "status" {
            return Err(misplaced("status"));
        }
        let kind = match written.kind.as_str() {
            "status" => FaultKind::Status {
                status: written
                    .status
                    .filter(|status| (400..600).contains(status))
                    .ok_or_else(|| BadFault("kind `status` needs `status` from 400 to 599".to_owned()))?,
                retry_after: written.retry_after.as_deref().map(duration).transpose()?,
            },
            "delay" => FaultKind::Delay(duration(
                written
                    .by
                    .as_deref()
                    .ok_or_else(|| BadFault("kind `delay` needs `by`".to_owned()))?,
            )?),
            "hang" => FaultKind::Hang,
            "drop" => FaultKind::Drop,
            "half-body" => FaultKind::HalfBody,
            "invalid-json" => FaultKind::InvalidJson,
            "garbage" => FaultKind::Garbage,
            other => {
                return Err(BadFault(format!(
                    "unknown kind `{other}`; known are status, delay, hang, drop, half-body, invalid-json, garbage"
                )));
            }
        };
        Ok(Self {
            kind,
            after_applying: written.after_applying,
            method: written.method,
            path: written.path,
            times: written.times,
            skip: written.skip,
        })
    }
}

impl From<&Fault> for WrittenFault {
    fn from(fault: &Fault) -> Self {
        let text = |duration: Duration| format!("{}ms", duration.as_millis());
        let (status, retry_after, by) = match &fault.kind {
            FaultKind::Status { status, retry_after } => (Some(*status), retry_after.map(text), None),
            FaultKind::Delay(by) => (None, None, Some(text(*by))),
            _ => (None, None, None),
        };
        Self {
            kind: fault.name().to_owned(),
            status,
            retry_after,
            by,
            after_applying: fault.after_applying,
            method: fault.method.clone(),
            path: fault.path.clone(),
            times: fault.times,
            skip: fault.skip,
        }
    }
}

impl FromStr for Fault {
    type Err = BadFault;

    /// Reads `drop,after-applying=true,method=POST,path=/patients,times=1`. The first word is the kind.
    fn from_str(text: &str) -> Result<Self, BadFault> {
        let mut words = text.split(',');
        let mut map = Map::new();
        map.insert("kind".to_owned(), words.next().unwrap_or_default().trim().into());
        for word in words {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| BadFault(format!("`{word}` is not written name=value")))?;
            let typed = match (name.trim(), value.trim()) {
                ("status" | "times" | "skip" | "after-applying", value) => {
                    serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))
                }
                (_, value) => Value::from(value),
            };
            map.insert(name.trim().to_owned(), typed);
        }
        let written: WrittenFault =
            serde_json::from_value(Value::Object(map)).map_err(|error| BadFault(error.to_string()))?;
        written.try_into()
    }
}

/// Reads a duration such as `500ms`, `2s` or `1m`.
pub(crate) fn duration(text: &str) -> Result<Duration, BadFault> {
    let bad = || BadFault(format!("`{text}` is not a duration; write 500ms, 2s or 1m"));
    let signed: jiff::SignedDuration = text.parse().map_err(|_| bad())?;
    signed.try_into().map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_form_says_the_same_as_the_builder() {
        let parsed: Fault = "drop,after-applying=true,method=POST,path=/patients,times=1"
            .parse()
            .unwrap();
        assert_eq!(parsed, Fault::drop_after().on("POST", "/patients").times(1));
        let parsed: Fault = "delay,by=250ms".parse().unwrap();
        assert_eq!(parsed, Fault::delay(Duration::from_millis(250)));
    }

    #[test]
    fn a_fault_that_makes_no_sense_is_refused_with_the_word_at_fault() {
        for (text, word) in [
            ("explode", "explode"),
            ("status,status=200", "400"),
            ("drop,by=2s", "`by`"),
            ("delay,by=soon", "soon"),
            ("drop,colour=red", "colour"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
