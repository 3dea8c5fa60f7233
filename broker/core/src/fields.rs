//! A patient as a flat map from path to value: the form in which changes are told and merged.
//!
//! A path is `field` for what a patient has once (`birth_date`), and `list/key/field` for what there may be several of
//! (`telecom/phone-mobile/value`). The key is what makes the element the same element in two programs, so that a
//! changed number is a change and not one number less and another more:
//!
//! | list | key |
//! |---|---|
//! | `names`, `addresses` | the use, or `any` |
//! | `telecom` | system and use: `phone-mobile`, `email-any` |
//! | `identifiers` | the namespace, with `%`, `/` and `~` percent-encoded |
//! | `responsible_parties` | `guarantor`, else the relationship in lower case, else `party` |
//!
//! A second element with the same key gets `~2`, a third `~3`. Lists inside an element (given names, address lines)
//! are one value. A patient has at most a few hundred paths, by [`Patient::check`].

use crate::{
    Patient,
    element_key::{Key, is_whole},
    flatten::flat,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Names a value of a patient. Holds no patient data: field names, keys from value sets, namespaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(pub(crate) SmolStr);

impl Path {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The element that the path is in (`telecom/phone-mobile`), or the path itself where the patient has it once.
    #[must_use]
    pub fn element(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(element, _)| element)
    }
}

impl From<String> for Path {
    fn from(path: String) -> Self {
        Self(path.into())
    }
}

impl From<&str> for Path {
    fn from(path: &str) -> Self {
        Self(path.into())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands at a path. Patient data: does not print itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Leaf(pub(crate) Value);

impl Leaf {
    pub(crate) fn value(&self) -> &Value {
        &self.0
    }

    /// The value in JSON, for whoever may see it.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.to_string()
    }

    /// Reads what [`Leaf::to_json`] wrote.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn from_json(json: &str) -> Result<Self, FieldsError> {
        serde_json::from_str(json).map(Self).map_err(|_| FieldsError)
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A patient as a flat map.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(BTreeMap<Path, Leaf>);

/// The values do not make a patient. Cannot happen to fields that were made from patients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the merged fields do not make a patient")]
pub struct FieldsError;

impl Fields {
    /// The flat form of a patient.
    ///
    /// # Errors
    /// Never, as long as what a [`Patient`] holds can be written as JSON, which a test holds.
    pub fn of(patient: &Patient) -> Result<Self, FieldsError> {
        flat(patient).map(Self)
    }

    /// The patient that the fields make. An element that lost what it cannot be without (a phone without its number)
    /// is left out.
    ///
    /// # Errors
    /// When a value has a type that its field cannot have.
    pub fn to_patient(&self) -> Result<Patient, FieldsError> {
        let mut object = Map::new();
        let mut lists: BTreeMap<(&str, Key), Map<String, Value>> = BTreeMap::new();
        for (Path(path), Leaf(value)) in &self.0 {
            let mut segments = path.splitn(3, '/');
            match (segments.next(), segments.next(), segments.next()) {
                (Some(list), Some(key), Some(field)) => {
                    let element = lists.entry((list, Key::parse(key))).or_default();
                    element.insert(field.to_owned(), value.clone());
                }
                _ => _ = object.insert(path.to_string(), value.clone()),
            }
        }
        for ((list, key), mut element) in lists {
            key.restore(list, &mut element);
            if is_whole(list, &element)
                && let Some(list) = object
                    .entry(list)
                    .or_insert_with(|| Value::Array(Vec::new()))
                    .as_array_mut()
            {
                list.push(Value::Object(element));
            }
        }
        serde_json::from_value(Value::Object(object)).map_err(|_| FieldsError)
    }

    /// What stands at a path.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Leaf> {
        self.0.get(path)
    }

    /// Puts a value at a path, or takes it away. Tells whether that made a difference.
    pub fn put(&mut self, path: &Path, leaf: Option<&Leaf>) -> bool {
        if self.0.get(path) == leaf {
            return false;
        }
        match leaf {
            Some(leaf) => _ = self.0.insert(path.clone(), leaf.clone()),
            None => _ = self.0.remove(path),
        }
        true
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys()
    }

    /// The elements that the paths are in.
    pub(crate) fn elements(&self) -> BTreeSet<&str> {
        self.paths().map(Path::element).collect()
    }

    /// The paths at which two patients differ.
    #[must_use]
    pub fn difference(&self, other: &Self) -> BTreeSet<Path> {
        let paths = self.0.keys().chain(other.0.keys());
        paths
            .filter(|path| self.get(path) != other.get(path))
            .cloned()
            .collect()
    }
}

/// Whether a value says anything.
pub(crate) fn is_stated(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContactPoint, ContactSystem, ContactUse, Text, sample};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_patient_made_from_its_fields_has_the_same_fields(patient in sample::patient()) {
            let fields = Fields::of(&patient).unwrap();
            let again = Fields::of(&fields.to_patient().unwrap()).unwrap();
            prop_assert_eq!(again, fields);
        }

        #[test]
        fn no_element_is_lost_on_the_way(patient in sample::patient()) {
            let again = Fields::of(&patient).unwrap().to_patient().unwrap();
            prop_assert_eq!(again.telecom.len(), patient.telecom.len());
            prop_assert_eq!(again.identifiers.len(), patient.identifiers.len());
        }

        #[test]
        fn paths_hold_nothing_of_the_values(patient in sample::patient()) {
            let fields = Fields::of(&patient).unwrap();
            for path in fields.paths() {
                prop_assert!(!path.as_str().contains("555") && !path.as_str().contains("Zo"));
            }
            let printed = format!("{fields:?} {patient:?}");
            prop_assert!(!printed.contains("555") && !printed.contains("Zo") && !printed.contains("1987"));
        }
    }

    fn phone(r#use: Option<ContactUse>) -> ContactPoint {
        let value = Text::from("555-0100");
        ContactPoint {
            system: ContactSystem::Phone,
            value,
            r#use,
            rank: None,
            period: None,
        }
    }

    #[test]
    fn elements_are_keyed_by_what_makes_them_the_same_element() {
        let telecom = vec![
            phone(Some(ContactUse::Mobile)),
            phone(Some(ContactUse::Mobile)),
            phone(None),
        ];
        let fields = Fields::of(&Patient {
            telecom,
            ..Patient::default()
        })
        .unwrap();
        let paths: Vec<_> = fields.paths().map(Path::as_str).collect();
        assert_eq!(
            paths,
            [
                "telecom/phone-any/value",
                "telecom/phone-mobile/value",
                "telecom/phone-mobile~2/value"
            ]
        );
    }

    #[test]
    fn an_element_without_what_it_needs_is_left_out() {
        let mut fields = Fields::of(&Patient {
            telecom: vec![phone(None)],
            ..Patient::default()
        })
        .unwrap();
        fields.put(&"telecom/phone-any/rank".into(), Some(&Leaf(1.into())));
        fields.put(&"telecom/phone-any/value".into(), None);
        assert!(fields.to_patient().unwrap().telecom.is_empty());
    }
}
