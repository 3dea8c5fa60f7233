//! What a body says of a document apart from its bytes, checked field by field (Open Dental API, Documents).
//!
//! Refused with 400: words and keys that the office does not know, dates in another form, teeth that are no numbers from 1 to
//! 32, and fields newer than the office.

use jiff::civil::DateTime;
use serde_json::{Map, Value};

use crate::documents::{DocumentFields, IMG_TYPES};
use crate::options::Options;
use crate::refusal::Refusal;
use crate::version::Version;

const FIELDS: [(&str, Version); 7] = [
    ("Description", Version(21, 1, 0)),
    ("DateCreated", Version(22, 1, 0)),
    ("DocCategory", Version(21, 1, 0)),
    ("ImgType", Version(21, 1, 0)),
    ("ToothNumbers", Version(23, 1, 35)),
    ("ProvNum", Version(24, 2, 32)),
    ("PrintHeading", Version(24, 2, 32)),
];

/// Reads the fields of a body.
pub(crate) fn read(body: &Map<String, Value>, options: &Options) -> Result<DocumentFields, Refusal> {
    for (name, since) in FIELDS {
        if options.version < since && body.get(name).is_some_and(|value| !value.is_null()) {
            return Err(Refusal::too_old(name, since));
        }
    }
    let doc_category = key(body, "DocCategory")?;
    let known = |number: i64| {
        options
            .image_categories
            .iter()
            .any(|category| category.def_num == number)
    };
    if doc_category.is_some_and(|number| !known(number)) {
        return Err(Refusal::invalid("DocCategory"));
    }
    let prov_num = key(body, "ProvNum")?;
    let provider =
        |number: i64| number == 0 || options.providers.iter().any(|known| known.prov_num == number);
    if prov_num.is_some_and(|number| !provider(number)) {
        return Err(Refusal::invalid("ProvNum"));
    }
    Ok(DocumentFields {
        description: text(body, "Description")?.map(str::to_owned),
        date_created: text(body, "DateCreated")?.map(date_time).transpose()?,
        doc_category,
        img_type: text(body, "ImgType")?.map(img_type).transpose()?,
        tooth_numbers: text(body, "ToothNumbers")?.map(teeth).transpose()?,
        prov_num,
        print_heading: text(body, "PrintHeading")?.map(boolean).transpose()?,
    })
}

/// A number of a row of another table; also as a text, as the vendor's JSON library takes it.
pub(crate) fn key(body: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    let number = match body.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    number.map(Some).ok_or_else(|| Refusal::invalid(name))
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::invalid(name)),
    }
}

fn date_time(text: &str) -> Result<DateTime, Refusal> {
    let shape: String = text
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '9' } else { letter })
        .collect();
    let date_time = text.parse().ok().filter(|_| shape == "9999-99-99 99:99:99");
    date_time.ok_or_else(|| Refusal::bad("DateCreated format must be yyyy-MM-dd HH:mm:ss"))
}

fn img_type(text: &str) -> Result<&'static str, Refusal> {
    let mut known = IMG_TYPES.into_iter();
    known
        .find(|word| *word == text)
        .ok_or_else(|| Refusal::invalid("ImgType"))
}

fn boolean(text: &str) -> Result<bool, Refusal> {
    text.to_ascii_lowercase()
        .parse()
        .map_err(|_| Refusal::invalid("PrintHeading"))
}

/// `1-5,8` as `1,2,3,4,5,8`.
fn teeth(text: &str) -> Result<String, Refusal> {
    let invalid = || Refusal::invalid("ToothNumbers");
    let tooth = |text: &str| {
        let number: Option<u8> = text.trim().parse().ok();
        number
            .filter(|tooth| (1..=32).contains(tooth))
            .ok_or_else(invalid)
    };
    let mut teeth = Vec::new();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        match part.split_once('-') {
            Some((first, last)) => teeth.extend(tooth(first)?..=tooth(last)?),
            None => teeth.push(tooth(part)?),
        }
    }
    let words: Vec<_> = teeth.iter().map(u8::to_string).collect();
    Ok(words.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_of(body: Value, version: Version) -> Result<DocumentFields, Refusal> {
        let options = Options {
            version,
            ..Options::default()
        };
        read(body.as_object().unwrap(), &options)
    }

    #[test]
    fn ranges_of_teeth_are_written_out_and_other_numberings_are_refused() {
        assert_eq!(teeth("1-5,8").unwrap(), "1,2,3,4,5,8");
        assert_eq!(teeth("").unwrap(), "");
        for bad in ["0", "33", "A", "1-40", "18;19"] {
            assert_eq!(teeth(bad).unwrap_err().text, "ToothNumbers is invalid", "{bad}");
        }
    }

    #[test]
    fn what_the_office_does_not_know_is_refused_by_name() {
        let now = Version(25, 3, 1);
        for (body, said) in [
            (json!({"DocCategory": 1}), "DocCategory is invalid"),
            (json!({"DocCategory": "Xrays"}), "DocCategory is invalid"),
            (json!({"ImgType": "Picture"}), "ImgType is invalid"),
            (json!({"ProvNum": 99}), "ProvNum is invalid"),
            (json!({"PrintHeading": true}), "PrintHeading is invalid"),
            (
                json!({"DateCreated": "2026-11-01T01:30:00"}),
                "DateCreated format must be yyyy-MM-dd HH:mm:ss",
            ),
        ] {
            assert_eq!(read_of(body, now).unwrap_err().text, said);
        }
        let old = read_of(json!({"ToothNumbers": "1"}), Version(23, 1, 34)).unwrap_err();
        assert_eq!((old.status, old.text.contains("23.1.35")), (400, true));
    }
}
