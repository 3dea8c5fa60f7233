//! From a patient to its flat form. The compiler sees to it that no field is forgotten: every struct is taken apart whole.

use crate::{
    Address, ContactPoint, HumanName, Identifier, Patient, ResponsibleParty, Text,
    element_key::Key,
    fields::{FieldsError, Leaf, Path, is_stated},
};
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;

type Flat = BTreeMap<Path, Leaf>;

/// The flat form of a patient.
pub(crate) fn flat(patient: &Patient) -> Result<Flat, FieldsError> {
    let Patient {
        identifiers,
        names,
        birth_date,
        administrative_sex,
        gender_identity,
        pronouns,
        deceased,
        deceased_at,
        telecom,
        addresses,
        marital_status,
        preferred_language,
        interpreter_required,
        status,
        responsible_parties,
        primary_provider,
        photo_sha256,
        multiple_birth,
        multiple_birth_order,
        confidentiality,
        merged_into,
    } = patient;
    let mut flat = Flat::new();
    let mut once = Once(&mut flat);
    once.put("birth_date", birth_date)?;
    once.put("administrative_sex", administrative_sex)?;
    once.put("gender_identity", gender_identity)?;
    once.put("pronouns", pronouns)?;
    once.put("deceased", deceased)?;
    once.put("deceased_at", deceased_at)?;
    once.put("marital_status", marital_status)?;
    once.put("preferred_language", preferred_language)?;
    once.put("interpreter_required", interpreter_required)?;
    once.put("status", status)?;
    once.put("primary_provider", primary_provider)?;
    once.put("photo_sha256", photo_sha256)?;
    once.put("multiple_birth", multiple_birth)?;
    once.put("multiple_birth_order", multiple_birth_order)?;
    once.put("confidentiality", confidentiality)?;
    once.put("merged_into", merged_into)?;
    put_identifiers(List::new("identifiers", &mut flat), identifiers)?;
    put_names(List::new("names", &mut flat), names)?;
    put_contacts(List::new("telecom", &mut flat), telecom)?;
    put_addresses(List::new("addresses", &mut flat), addresses)?;
    put_parties(List::new("responsible_parties", &mut flat), responsible_parties)?;
    Ok(flat)
}

fn put_identifiers(mut list: List<'_>, identifiers: &[Identifier]) -> Result<(), FieldsError> {
    for identifier in identifiers {
        let Identifier {
            system,
            value,
            kind,
            assigner,
            period,
            status,
        } = identifier;
        let mut element = list.element(Key::of_namespace(system));
        element.put("value", value)?;
        element.put("kind", kind)?;
        element.put("assigner", assigner)?;
        element.put("period", period)?;
        element.put("status", status)?;
    }
    Ok(())
}

fn put_names(mut list: List<'_>, names: &[HumanName]) -> Result<(), FieldsError> {
    for name in names {
        let HumanName {
            r#use,
            family,
            given,
            prefix,
            suffix,
            text,
            period,
        } = name;
        let mut element = list.element(Key::of_use(r#use));
        element.put("family", family)?;
        element.put("given", given)?;
        element.put("prefix", prefix)?;
        element.put("suffix", suffix)?;
        element.put("text", text)?;
        element.put("period", period)?;
    }
    Ok(())
}

fn put_contacts(mut list: List<'_>, telecom: &[ContactPoint]) -> Result<(), FieldsError> {
    for contact in telecom {
        let ContactPoint {
            system,
            value,
            r#use,
            rank,
            period,
        } = contact;
        let mut element = list.element(Key::of_contact(system, r#use));
        element.put("value", value)?;
        element.put("rank", rank)?;
        element.put("period", period)?;
    }
    Ok(())
}

fn put_addresses(mut list: List<'_>, addresses: &[Address]) -> Result<(), FieldsError> {
    for address in addresses {
        let Address {
            r#use,
            lines,
            city,
            district,
            state,
            postal_code,
            country,
            period,
        } = address;
        let mut element = list.element(Key::of_use(r#use));
        element.put("lines", lines)?;
        element.put("city", city)?;
        element.put("district", district)?;
        element.put("state", state)?;
        element.put("postal_code", postal_code)?;
        element.put("country", country)?;
        element.put("period", period)?;
    }
    Ok(())
}

fn put_parties(mut list: List<'_>, responsible_parties: &[ResponsibleParty]) -> Result<(), FieldsError> {
    for party in responsible_parties {
        let ResponsibleParty {
            person,
            name,
            relationship,
            is_guarantor,
            may_receive_records,
            telecom,
        } = party;
        let key = Key::of_party(*is_guarantor, relationship.as_ref().map(Text::as_str));
        let mut element = list.element(key);
        element.put("person", person)?;
        element.put("name", name)?;
        element.put("relationship", relationship)?;
        element.put("may_receive_records", may_receive_records)?;
        element.put("telecom", telecom)?;
    }
    Ok(())
}

/// What a patient has once.
struct Once<'a>(&'a mut Flat);

impl Once<'_> {
    fn put(&mut self, field: &'static str, value: &impl Serialize) -> Result<(), FieldsError> {
        if let Some(leaf) = stated(value)? {
            self.0.insert(Path(SmolStr::new_static(field)), leaf);
        }
        Ok(())
    }
}

/// A list of elements with a key.
struct List<'a> {
    name: &'static str,
    flat: &'a mut Flat,
    /// How many elements there were of each key.
    seen: BTreeMap<SmolStr, usize>,
}

impl<'a> List<'a> {
    fn new(name: &'static str, flat: &'a mut Flat) -> Self {
        Self {
            name,
            flat,
            seen: BTreeMap::new(),
        }
    }

    /// The next element. One of which nothing is stated is as if it were not there.
    fn element(&mut self, name: SmolStr) -> Element<'_> {
        let seen = self.seen.entry(name.clone()).or_default();
        let key = Key {
            name,
            number: *seen + 1,
        };
        Element {
            list: self.name,
            key,
            flat: self.flat,
            seen,
        }
    }
}

struct Element<'a> {
    list: &'static str,
    key: Key,
    flat: &'a mut Flat,
    seen: &'a mut usize,
}

impl Element<'_> {
    fn put(&mut self, field: &'static str, value: &impl Serialize) -> Result<(), FieldsError> {
        if let Some(leaf) = stated(value)? {
            let path = format_smolstr!("{}/{}/{field}", self.list, self.key);
            self.flat.insert(Path(path), leaf);
            *self.seen = self.key.number;
        }
        Ok(())
    }
}

fn stated(value: &impl Serialize) -> Result<Option<Leaf>, FieldsError> {
    let value = serde_json::to_value(value).map_err(|_| FieldsError)?;
    Ok(is_stated(&value).then_some(Leaf(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AddressUse, AdministrativeSex, ContactSystem, ContactUse, Fields, IdentifierStatus, NameUse,
        PartialDate, PatientId, PatientStatus, Period, PersonReference, Provider, sample,
    };
    use proptest::prelude::*;
    use serde_json::Value;

    /// What a patient's JSON states, as pairs of a field's name and its value; without what keys are made of.
    fn stated_in_json(patient: &Patient) -> Vec<(String, Value)> {
        let mut pairs = Vec::new();
        let Value::Object(object) = serde_json::to_value(patient).unwrap() else {
            panic!("a patient is an object");
        };
        for (name, value) in object {
            let in_key: &[&str] = match name.as_str() {
                "telecom" => &["system", "use"],
                "identifiers" => &["system"],
                "responsible_parties" => &["is_guarantor"],
                "names" | "addresses" => &["use"],
                _ => {
                    pairs.push((name, value));
                    continue;
                }
            };
            for element in value.as_array().unwrap() {
                let fields = element.as_object().unwrap().iter();
                let fields = fields.filter(|(field, _)| !in_key.contains(&field.as_str()));
                pairs.extend(fields.map(|(field, value)| (format!("{name}/{field}"), value.clone())));
            }
        }
        pairs.retain(|(_, value)| is_stated(value));
        pairs.sort_by_key(|(field, value)| (field.clone(), value.to_string()));
        pairs
    }

    proptest! {
        #[test]
        fn the_flat_form_says_what_the_json_says(patient in sample::patient()) {
            let mut pairs: Vec<_> = flat(&patient).unwrap().into_iter().map(|(path, leaf)| {
                let mut segments = path.as_str().split('/');
                let (first, last) = (segments.next().unwrap(), segments.next_back());
                let field = last.map_or(first.to_owned(), |last| format!("{first}/{last}"));
                (field, leaf.0)
            }).collect();
            pairs.sort_by_key(|(field, value)| (field.clone(), value.to_string()));
            prop_assert_eq!(pairs, stated_in_json(&patient));
        }
    }

    #[test]
    fn whatever_a_patient_can_state_comes_back_from_the_flat_form() {
        let text = |text: &str| Some(Text::from(text));
        let period = Some(Period {
            start: PartialDate::parse("2020-01").ok(),
            end: None,
        });
        let name = HumanName {
            r#use: Some(NameUse::Official),
            family: text("Moss"),
            given: vec!["Ann".into()],
            prefix: vec!["Dr".into()],
            suffix: vec!["Jr".into()],
            text: text("Dr Ann Moss Jr"),
            period: period.clone(),
        };
        let contact = ContactPoint {
            system: ContactSystem::Phone,
            value: "555-0100".into(),
            r#use: Some(ContactUse::Mobile),
            rank: Some(1),
            period: period.clone(),
        };
        let patient = Patient {
            identifiers: vec![Identifier {
                system: "urn:a/b~c%d".into(),
                value: "1".into(),
                kind: text("MR"),
                assigner: text("office"),
                period: period.clone(),
                status: Some(IdentifierStatus::Retired),
            }],
            names: vec![name.clone()],
            birth_date: PartialDate::parse("1987-06").ok(),
            administrative_sex: Some(AdministrativeSex::Other),
            gender_identity: text("agender"),
            pronouns: text("they"),
            deceased: Some(false),
            deceased_at: text("2026-01-01"),
            telecom: vec![contact.clone(), contact.clone()],
            addresses: vec![Address {
                r#use: Some(AddressUse::Billing),
                lines: vec!["1 Elm".into()],
                city: text("Salem"),
                district: text("Marion"),
                state: text("OR"),
                postal_code: text("97301"),
                country: text("US"),
                period,
            }],
            marital_status: text("M"),
            preferred_language: text("en"),
            interpreter_required: Some(true),
            status: Some(PatientStatus::Prospective),
            responsible_parties: vec![ResponsibleParty {
                person: Some(PersonReference {
                    system: "front-desk".parse().unwrap(),
                    local_id: "7".parse().unwrap(),
                    patient_id: Some(PatientId::generate()),
                }),
                name: Some(name),
                relationship: text("MTH"),
                is_guarantor: true,
                may_receive_records: Some(false),
                telecom: vec![contact],
            }],
            primary_provider: Some(Provider {
                system: "front-desk".parse().unwrap(),
                local_id: "3".into(),
                display: Some("DOC1".into()),
            }),
            photo_sha256: text("00"),
            multiple_birth: Some(true),
            multiple_birth_order: Some(2),
            confidentiality: vec!["R".into()],
            merged_into: Some(PatientId::generate()),
        };
        let again = Fields::of(&patient).unwrap().to_patient().unwrap();
        assert!(again == patient);
    }
}
