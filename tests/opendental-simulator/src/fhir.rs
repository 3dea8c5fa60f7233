//! FHIR R4 Patients, one JSON a line, as fields of Open Dental.
//!
//! Taken over are the official name (else the first that is not a maiden name, else the maiden name), gender, birth
//! date, phones and e-mail, the first address, marital status, language, and death (status Deceased). Identifiers
//! are left behind on purpose, a social security number most of all. A line that is no Patient is skipped and
//! reported by its number; the report never repeats what the line holds. Reading holds one line in memory at a time.

use std::io::{BufRead, Read as _};

use serde_json::Value;

use crate::fields::Field;
use crate::model::PatientFields;
use crate::validate;

mod codes;

/// The longest line that is read, in bytes. A longer one is skipped and reported.
pub const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// A line that was skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it, without its content.
    pub reason: &'static str,
}

/// Reads all lines. Empty lines are passed over in silence.
pub fn read_patients(mut reader: impl BufRead) -> (Vec<PatientFields>, Vec<BadLine>) {
    let (mut patients, mut bad) = (Vec::new(), Vec::new());
    for line in 1.. {
        let mut bytes = Vec::new();
        let read = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes);
        match read {
            Ok(0) => break,
            Err(_) => {
                bad.push(BadLine {
                    line,
                    reason: "cannot be read",
                });
                break;
            }
            Ok(_) if bytes.trim_ascii().is_empty() => continue,
            Ok(_) => {}
        }
        let whole = bytes.ends_with(b"\n") || (bytes.len() as u64) < MAX_LINE_BYTES;
        let parsed = if whole {
            patient(&bytes)
        } else {
            Err("longer than 1 MiB")
        };
        if !whole {
            skip_line(&mut reader);
        }
        match parsed {
            Ok(fields) => patients.push(fields),
            Err(reason) => bad.push(BadLine { line, reason }),
        }
    }
    (patients, bad)
}

fn skip_line(reader: &mut impl BufRead) {
    loop {
        let mut rest = Vec::new();
        match reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut rest) {
            Ok(read) if read > 0 && !rest.ends_with(b"\n") => {}
            _ => return,
        }
    }
}

fn patient(line: &[u8]) -> Result<PatientFields, &'static str> {
    let value: Value = serde_json::from_slice(line).map_err(|_| "not JSON")?;
    if text(&value, "resourceType") != Some("Patient") {
        return Err("not a FHIR Patient");
    }
    let name = name(&value).ok_or("no name")?;
    let last = text(name, "family")
        .filter(|last| !last.is_empty())
        .ok_or("no family name")?;
    let mut given = list(name, "given").iter().filter_map(Value::as_str);
    let first = given
        .next()
        .filter(|first| !first.is_empty())
        .ok_or("no given name")?;
    let mut fields = PatientFields::named(last, first);
    let middle = given.collect::<Vec<_>>().join(" ");
    set(
        &mut fields,
        Field::MiddleI,
        Some(middle.as_str()).filter(|middle| !middle.is_empty()),
    );
    if let Some(date) = text(&value, "birthDate") {
        fields.set(
            Field::Birthdate,
            validate::date(date).ok_or("birthDate is not a full date")?,
        );
    }
    set(
        &mut fields,
        Field::Gender,
        text(&value, "gender").map(codes::gender),
    );
    set(
        &mut fields,
        Field::Position,
        value.get("maritalStatus").and_then(code).map(codes::position),
    );
    set(&mut fields, Field::Language, language(&value));
    if value.get("deceasedDateTime").is_some() || value.get("deceasedBoolean") == Some(&Value::Bool(true)) {
        fields.set(Field::PatStatus, "Deceased");
    }
    telecom(&value, &mut fields);
    address(&value, &mut fields);
    Ok(fields)
}

/// The official name; else one that is not a maiden name; else the maiden name.
fn name(patient: &Value) -> Option<&Value> {
    let rank = |name: &&Value| match text(name, "use") {
        Some("official") => 0,
        Some("maiden" | "old") => 2,
        _ => 1,
    };
    list(patient, "name").iter().min_by_key(rank)
}

fn telecom(patient: &Value, fields: &mut PatientFields) {
    for contact in list(patient, "telecom") {
        let field = match (text(contact, "system"), text(contact, "use")) {
            (Some("email"), _) => Field::Email,
            (Some("phone"), Some("work")) => Field::WkPhone,
            (Some("phone"), Some("mobile")) => Field::WirelessPhone,
            (Some("phone"), _) => Field::HmPhone,
            _ => continue,
        };
        if fields.get(field).is_none() {
            set(fields, field, text(contact, "value"));
        }
    }
}

fn address(patient: &Value, fields: &mut PatientFields) {
    let Some(address) = list(patient, "address").first() else {
        return;
    };
    let mut lines = list(address, "line").iter().filter_map(Value::as_str);
    set(fields, Field::Address, lines.next());
    set(fields, Field::Address2, lines.next());
    set(fields, Field::City, text(address, "city"));
    set(
        fields,
        Field::State,
        text(address, "state").and_then(codes::state),
    );
    set(fields, Field::Zip, text(address, "postalCode"));
}

fn language(patient: &Value) -> Option<&'static str> {
    let language = list(patient, "communication").first()?.get("language")?;
    codes::language(code(language)?)
}

fn set(fields: &mut PatientFields, field: Field, value: Option<&str>) {
    if let Some(value) = value {
        fields.set(field, value);
    }
}

/// The first code of a CodeableConcept; its text when it has none.
fn code(concept: &Value) -> Option<&str> {
    list(concept, "coding")
        .first()
        .and_then(|coding| text(coding, "code"))
        .or_else(|| text(concept, "text"))
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROSA: &str = r#"{"resourceType":"Patient","name":[{"use":"maiden","family":"Alt","given":["Rosa"]},{"use":"official","family":"Neu","given":["Rosa","Eva"]}],"telecom":[{"system":"phone","value":"555-978-4581","use":"home"}],"gender":"female","birthDate":"1956-08-03","address":[{"line":["313 Lockman Row"],"city":"Peabody","state":"Massachusetts","postalCode":"01940"}],"maritalStatus":{"coding":[{"code":"M"}]},"communication":[{"language":{"coding":[{"code":"es"}]}}],"deceasedDateTime":"2001-01-01T00:00:00-05:00","identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"999-22-1962"}]}"#;

    #[test]
    fn a_patient_is_mapped_field_by_field_and_the_ssn_stays_behind() {
        let (patients, bad) = read_patients(ROSA.as_bytes());
        assert_eq!(bad, []);
        let rosa = PatientFields::named("Neu", "Rosa")
            .with(Field::MiddleI, "Eva")
            .with(Field::HmPhone, "555-978-4581")
            .with(Field::Gender, "Female")
            .with(Field::Birthdate, "1956-08-03")
            .with(Field::Address, "313 Lockman Row")
            .with(Field::City, "Peabody")
            .with(Field::State, "MA")
            .with(Field::Zip, "01940")
            .with(Field::Position, "Married")
            .with(Field::Language, "spa")
            .with(Field::PatStatus, "Deceased");
        assert_eq!(patients, [rosa]);
    }

    #[test]
    fn bad_lines_are_counted_by_number_and_never_quoted() {
        let lines = format!("{ROSA}\n\nnot json\n{{\"resourceType\":\"Observation\"}}\n{ROSA}\n");
        let (patients, bad) = read_patients(lines.as_bytes());
        assert_eq!(patients.len(), 2);
        assert_eq!(bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(bad[0].to_string(), "line 3: not JSON");
    }

    #[test]
    fn a_line_without_end_is_skipped_and_the_next_one_is_read() {
        let lines = format!("{}\n{ROSA}\n", "x".repeat(2_500_000));
        let (patients, bad) = read_patients(lines.as_bytes());
        assert_eq!((patients.len(), bad.len()), (1, 1));
        assert_eq!(bad[0].reason, "longer than 1 MiB");
    }
}
