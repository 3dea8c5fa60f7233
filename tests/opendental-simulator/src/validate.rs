//! The body of a POST or PUT of patients, turned into fields or refused with 400.
//!
//! Source: Open Dental API, Patients. Checked here is what one field can tell alone; what needs the other patients
//! (guarantor, super family, duplicates) is in `family` and `duplicate`. JSON `null` counts as absent and a number is
//! taken for a text, as the vendor's JSON library does. A body has at most 16.8 million characters.

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::fields::{Field, Kind};
use crate::model::PatientFields;
use crate::options::{Options, Unmentioned};
use crate::refusal::Refusal;

/// The documented maximum of a body, in characters.
pub const MAX_BODY_CHARS: usize = 16_800_000;

/// Whether a patient is created or changed, which decides what an empty or missing name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Post,
    Put,
}

/// The body as a JSON object.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::bad("Request body is not valid UTF-8"))?;
    if text.len() > MAX_BODY_CHARS && text.chars().count() > MAX_BODY_CHARS {
        return Err(Refusal::bad("Request body exceeds the maximum length"));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Refusal::bad("Request body is not valid JSON")),
    }
}

/// The fields of a body, each checked.
pub(crate) fn fields(
    body: &Map<String, Value>,
    verb: Verb,
    options: &Options,
) -> Result<PatientFields, Refusal> {
    let mut fields = PatientFields::new();
    for (name, value) in body.iter().filter(|(_, value)| !value.is_null()) {
        let Some(field) = Field::from_name(name) else {
            match options.unknowns.body_fields {
                Unmentioned::Ignore => continue,
                Unmentioned::Reject => return Err(Refusal::bad(format!("{name} is not a valid field"))),
            }
        };
        if options.version < field.spec().since {
            return Err(Refusal::too_old(name, field.spec().since));
        }
        if let Some(text) = checked(field, value, verb, options)? {
            fields.set(field, text);
        }
    }
    if verb == Verb::Post {
        for name in [Field::LName, Field::FName] {
            fields.get(name).ok_or_else(|| Refusal::required(name.name()))?;
        }
    }
    Ok(fields)
}

/// The canonical text of one value; nothing when it is to be ignored.
fn checked(field: Field, value: &Value, verb: Verb, options: &Options) -> Result<Option<String>, Refusal> {
    let invalid = || Refusal::invalid(field.name());
    let text = match (field.kind(), value) {
        (_, Value::String(text)) => text.clone(),
        (Kind::Name(_) | Kind::Text(_) | Kind::Key, Value::Number(number)) => number.to_string(),
        _ => return Err(invalid()),
    };
    match field.kind() {
        Kind::Name(_) if text.trim().is_empty() => blank_name(field, verb, options),
        Kind::Name(_) => Ok(Some(text)),
        Kind::Text(max) => text_field(field, text, max, options).map(Some),
        Kind::Enum(words) if words.contains(&text.as_str()) => Ok(Some(text)),
        Kind::Enum(_) => Err(invalid()),
        Kind::Date => date(&text).map(Some).ok_or_else(|| bad_date(field)),
        Kind::Key => key(field, &text, options).map(Some).ok_or_else(invalid),
        Kind::Bool => match text.to_ascii_lowercase().as_str() {
            lower @ ("true" | "false") => Ok(Some(lower.to_owned())),
            _ => Err(invalid()),
        },
    }
    .and_then(|text| hospitals_only(field, text, options))
}

fn blank_name(field: Field, verb: Verb, options: &Options) -> Result<Option<String>, Refusal> {
    match (verb, options.unknowns.blank_names) {
        (Verb::Post, _) => Err(Refusal::required(field.name())),
        (Verb::Put, Unmentioned::Ignore) => Ok(None),
        (Verb::Put, Unmentioned::Reject) => Err(Refusal::bad(format!("{} cannot be blank", field.name()))),
    }
}

fn text_field(field: Field, text: String, max: usize, options: &Options) -> Result<String, Refusal> {
    let good = match field {
        // The only length that the documentation promises to check; the database cuts the others.
        Field::ChartNumber => text.chars().count() <= max,
        Field::Ssn => text.is_empty() || (text.len() == 9 && digits(&text)),
        Field::State => text.is_empty() || (text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())),
        Field::Zip => text.is_empty() || zip(&text),
        Field::BillingType => options.billing_types.contains(&text),
        Field::Language => language(&text, options),
        _ => true,
    };
    if good {
        Ok(text)
    } else {
        Err(Refusal::invalid(field.name()))
    }
}

fn hospitals_only(field: Field, text: Option<String>, options: &Options) -> Result<Option<String>, Refusal> {
    let locked = matches!(field, Field::Ward | Field::AdmitDate) && !options.hospitals;
    match text {
        Some(text) if locked && text != field.empty() => Err(Refusal::bad(format!(
            "{} requires the Hospitals feature to be enabled",
            field.name()
        ))),
        other => Ok(other),
    }
}

/// A date in exactly the documented form, or nothing.
pub(crate) fn date(text: &str) -> Option<String> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| {
            if i == 4 || i == 7 {
                b == b'-'
            } else {
                b.is_ascii_digit()
            }
        });
    (shape && !text.starts_with("0000") && text.parse::<Date>().is_ok()).then(|| text.to_owned())
}

fn bad_date(field: Field) -> Refusal {
    Refusal::bad(format!("{} format must be yyyy-MM-dd", field.name()))
}

fn key(field: Field, text: &str, options: &Options) -> Option<String> {
    let number: i64 = text.parse().ok().filter(|number| *number >= 0)?;
    let provider = |number| {
        options
            .providers
            .iter()
            .any(|provider| provider.prov_num == number)
    };
    let good = match field {
        Field::PriProv => provider(number),
        Field::SecProv => number == 0 || provider(number),
        Field::ClinicNum => number == 0 || options.clinics.iter().any(|clinic| clinic.clinic_num == number),
        _ => true,
    };
    good.then(|| number.to_string())
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// 12345, 12345-1234, 123456789, or A0A 0A0.
fn zip(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'A'..='Z' => 'A',
            other => other,
        })
        .collect();
    matches!(shape.as_str(), "99999" | "99999-9999" | "999999999" | "A9A 9A9")
}

fn language(text: &str, options: &Options) -> bool {
    !options.unknowns.strict_languages
        || text.is_empty()
        || (text.len() == 3 && text.bytes().all(|b| b.is_ascii_lowercase()))
        || options.custom_languages.iter().any(|custom| custom == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(body: Value) -> Result<PatientFields, Refusal> {
        fields(body.as_object().unwrap(), Verb::Put, &Options::default())
    }

    fn text_of(body: Value) -> String {
        put(body).unwrap_err().text
    }

    #[test]
    fn the_documented_forms_of_a_zip_are_accepted_and_no_other() {
        for good in ["12345", "12345-1234", "123456789", "K1A 0B1", ""] {
            assert!(put(json!({ "Zip": good })).is_ok(), "{good}");
        }
        for bad in ["1234", "12345 1234", "K1A0B1", "k1a 0b1"] {
            assert_eq!(text_of(json!({ "Zip": bad })), "Zip is invalid", "{bad}");
        }
        assert_eq!(
            put(json!({ "Zip": 97301 })).unwrap().get(Field::Zip),
            Some("97301")
        );
    }

    #[test]
    fn enumerations_are_words_and_never_numbers() {
        assert!(put(json!({ "PatStatus": "Archived" })).is_ok());
        assert_eq!(text_of(json!({ "PatStatus": 1 })), "PatStatus is invalid");
        assert_eq!(text_of(json!({ "PatStatus": "Deleted" })), "PatStatus is invalid");
        assert_eq!(text_of(json!({ "Gender": "Other" })), "Gender is invalid");
    }

    #[test]
    fn state_ssn_chart_number_and_dates_have_one_form_each() {
        assert_eq!(text_of(json!({ "State": "Oregon" })), "State is invalid");
        assert_eq!(text_of(json!({ "SSN": "123-45-6789" })), "SSN is invalid");
        assert_eq!(
            text_of(json!({ "ChartNumber": "1234567890123456" })),
            "ChartNumber is invalid"
        );
        assert_eq!(
            text_of(json!({ "Birthdate": "5/24/1976" })),
            "Birthdate format must be yyyy-MM-dd"
        );
        assert_eq!(
            text_of(json!({ "Birthdate": "1976-02-30" })),
            "Birthdate format must be yyyy-MM-dd"
        );
        assert_eq!(text_of(json!({ "Premed": true })), "Premed is invalid");
    }

    #[test]
    fn a_field_newer_than_the_office_is_refused() {
        let options = Options {
            version: crate::Version(24, 1, 0),
            ..Options::default()
        };
        let body = json!({ "LName": "A", "FName": "B", "MedicaidID": "1" });
        let refusal = fields(body.as_object().unwrap(), Verb::Post, &options).unwrap_err();
        assert_eq!((refusal.status, refusal.text.contains("24.4.13")), (400, true));
    }

    #[test]
    fn names_are_required_on_creation_and_are_never_cleared() {
        let body = json!({ "LName": "A" });
        let refusal = fields(body.as_object().unwrap(), Verb::Post, &Options::default()).unwrap_err();
        assert_eq!(refusal.text, "FName is required");
        assert_eq!(text_of(json!({ "LName": "" })), "LName cannot be blank");
        assert_eq!(
            put(json!({ "MiddleI": "" })).unwrap().get(Field::MiddleI),
            Some("")
        );
        assert!(put(json!({ "MiddleI": null })).unwrap().is_empty());
    }
}
