//! Whether a file that names somebody can be a patient's.

use archwire_core::{
    Patient,
    identity::{Evidence, contradictions},
};
use std::collections::BTreeSet;

/// In what the person whom a file names cannot be the patient, by the rules of [`contradictions`]: `name`, `birth-date`, `sex`.
/// What one of the two does not state contradicts nothing. Identifiers are for the registry, which knows whose they are.
#[must_use]
pub fn contradicts(named: &Patient, patient: &Patient) -> BTreeSet<&'static str> {
    contradictions(named, patient)
        .into_iter()
        .map(|evidence| match evidence {
            Evidence::BirthDate => "birth-date",
            Evidence::Sex => "sex",
            _ => "name",
        })
        .collect()
}
