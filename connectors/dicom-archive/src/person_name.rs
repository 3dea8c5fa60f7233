//! A patient's name as DICOM writes it: value representation PN, five parts between `^`.

use archwire_connector::{HumanName, NameUse, Patient};

/// The official name, else the first; empty for nobody. Second given names go into the middle part.
#[must_use]
pub fn write(patient: &Patient) -> String {
    let official = patient
        .names
        .iter()
        .find(|name| name.use_ == Some(NameUse::Official));
    official.or(patient.names.first()).map_or_else(String::new, one)
}

fn one(name: &HumanName) -> String {
    let (first, others) = match name.given.split_first() {
        Some((first, others)) => (first.as_str(), others.join(" ")),
        None => ("", String::new()),
    };
    let parts = [
        name.family.as_deref().unwrap_or_default().to_owned(),
        first.to_owned(),
        others,
        name.prefix.join(" "),
        name.suffix.join(" "),
    ];
    // What divides parts, writings and values is nothing that a name may hold.
    let plain = parts.map(|part| part.replace(['^', '=', '\\'], " ").trim().to_owned());
    plain.join("^").trim_end_matches('^').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::person;

    #[test]
    fn a_name_comes_out_as_it_went_in() {
        for name in ["Müller^Jörg^Karl^Dr^Jr", "Doe^Ann", "Doe", "^Ann", "Doe^^^Dr", ""] {
            assert_eq!(write(&person(name, "")), name);
        }
    }

    #[test]
    fn nothing_in_a_name_begins_another_part_of_it() {
        let mut patient = person("Doe^Ann", "");
        patient.names[0].family = Some("D^o=e\\".into());
        assert_eq!(write(&patient), "D o e^Ann");
    }
}
