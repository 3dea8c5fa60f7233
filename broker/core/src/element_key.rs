//! What makes an element of a list the same element in two programs: the middle part of a path, as the table in
//! [`crate::fields`](crate::Fields) has it.

use serde_json::{Map, Value};
use std::fmt;

/// Whether an element has what it cannot be without.
pub(crate) fn is_whole(list: &str, element: &Map<String, Value>) -> bool {
    match list {
        "telecom" | "identifiers" => element.contains_key("value"),
        "responsible_parties" => element.keys().any(|field| field != "is_guarantor"),
        _ => true,
    }
}

/// What makes an element the same element in two programs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) number: usize,
}

impl Key {
    pub(crate) fn name(list: &str, element: &Map<String, Value>) -> String {
        let text = |field: &str| element.get(field).and_then(Value::as_str);
        match list {
            "telecom" => format!(
                "{}-{}",
                text("system").unwrap_or("other"),
                text("use").unwrap_or("any")
            ),
            "identifiers" => encoded(text("system").unwrap_or_default()),
            "responsible_parties" if element.get("is_guarantor") == Some(&Value::Bool(true)) => {
                "guarantor".into()
            }
            "responsible_parties" => match text("relationship") {
                // The word `guarantor` is taken.
                Some(code)
                    if code.bytes().all(|byte| byte.is_ascii_alphanumeric())
                        && !code.eq_ignore_ascii_case("guarantor") =>
                {
                    code.to_ascii_lowercase()
                }
                _ => "party".into(),
            },
            _ => text("use").unwrap_or("any").to_owned(),
        }
    }

    /// Whether the key already says what the field says.
    pub(crate) fn holds(list: &str, field: &str) -> bool {
        match list {
            "telecom" => matches!(field, "system" | "use"),
            "identifiers" => field == "system",
            "responsible_parties" => field == "is_guarantor",
            _ => field == "use",
        }
    }

    pub(crate) fn parse(key: &str) -> Self {
        let numbered = key
            .rsplit_once('~')
            .and_then(|(name, number)| Some((name, number.parse().ok()?)));
        let (name, number) = numbered.unwrap_or((key, 1));
        Self {
            name: name.to_owned(),
            number,
        }
    }

    /// Puts back what [`Key::holds`] left out.
    pub(crate) fn restore(&self, list: &str, element: &mut Map<String, Value>) {
        let mut put = |field: &str, value: Value| _ = element.insert(field.to_owned(), value);
        match list {
            "telecom" => {
                let (system, r#use) = self.name.split_once('-').unwrap_or((&self.name, "any"));
                put("system", system.into());
                put("use", use_value(r#use));
            }
            "identifiers" => put("system", decoded(&self.name).into()),
            "responsible_parties" => put("is_guarantor", (self.name == "guarantor").into()),
            _ => put("use", use_value(&self.name)),
        }
    }
}

/// A namespace as a key: without what separates segments and numbers.
fn encoded(namespace: &str) -> String {
    namespace
        .replace('%', "%25")
        .replace('/', "%2F")
        .replace('~', "%7E")
}

fn decoded(key: &str) -> String {
    key.replace("%7E", "~").replace("%2F", "/").replace("%25", "%")
}

fn use_value(name: &str) -> Value {
    if name == "any" { Value::Null } else { name.into() }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number == 1 {
            f.write_str(&self.name)
        } else {
            write!(f, "{}~{}", self.name, self.number)
        }
    }
}
