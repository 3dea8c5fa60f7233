//! What makes an element of a list the same element in two programs: the middle part of a path, as the table in
//! [`crate::fields`](crate::Fields) has it.

use crate::{ContactSystem, ContactUse};
use serde::Serialize;
use serde_json::{Map, Value};
use smol_str::{SmolStr, format_smolstr};
use std::fmt;

/// The use of what has none.
const ANY: SmolStr = SmolStr::new_static("any");
const GUARANTOR: SmolStr = SmolStr::new_static("guarantor");

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
    pub(crate) name: SmolStr,
    pub(crate) number: usize,
}

impl Key {
    /// Of names and addresses.
    pub(crate) fn of_use(r#use: &Option<impl Serialize>) -> SmolStr {
        r#use.as_ref().map_or(ANY, word)
    }

    /// Of a phone, a mail address and the like.
    pub(crate) fn of_contact(system: &ContactSystem, r#use: &Option<ContactUse>) -> SmolStr {
        format_smolstr!("{}-{}", word(system), Self::of_use(r#use))
    }

    /// Of an identifier.
    pub(crate) fn of_namespace(system: &str) -> SmolStr {
        encoded(system).into()
    }

    /// Of a responsible party.
    pub(crate) fn of_party(is_guarantor: bool, relationship: Option<&str>) -> SmolStr {
        match relationship {
            _ if is_guarantor => GUARANTOR,
            // The word `guarantor` is taken.
            Some(code)
                if code.bytes().all(|byte| byte.is_ascii_alphanumeric())
                    && !code.eq_ignore_ascii_case(&GUARANTOR) =>
            {
                code.to_ascii_lowercase().into()
            }
            _ => SmolStr::new_static("party"),
        }
    }

    pub(crate) fn parse(key: &str) -> Self {
        let numbered = key
            .rsplit_once('~')
            .and_then(|(name, number)| Some((name, number.parse().ok()?)));
        let (name, number) = numbered.unwrap_or((key, 1));
        Self {
            name: name.into(),
            number,
        }
    }

    /// Puts back what the key says.
    pub(crate) fn restore(&self, list: &str, element: &mut Map<String, Value>) {
        let mut put = |field: &str, value: Value| _ = element.insert(field.to_owned(), value);
        match list {
            "telecom" => {
                let (system, r#use) = self.name.split_once('-').unwrap_or((&self.name, "any"));
                put("system", system.into());
                put("use", use_value(r#use));
            }
            "identifiers" => put("system", decoded(&self.name).into()),
            "responsible_parties" => put("is_guarantor", (self.name == GUARANTOR).into()),
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

/// A code of a value set as it is written.
fn word(code: &impl Serialize) -> SmolStr {
    match serde_json::to_value(code) {
        Ok(Value::String(word)) => word.into(),
        _ => ANY,
    }
}

fn use_value(name: &str) -> Value {
    if name == ANY { Value::Null } else { name.into() }
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
