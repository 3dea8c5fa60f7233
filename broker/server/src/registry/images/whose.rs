//! Whether the number that a file bears is another patient's.

use crate::registry::Index;
use archwire_core::{
    Identifier, LocalId, Patient, PatientId, SystemName,
    identity::{Evidence, Profile},
};

/// Whether an identifier in a file is one by which somebody else is known and the patient is not: the id of a record that the
/// same system keeps of somebody else, alone or behind its issuer and `|`, or an identifier that is trusted to belong to one person.
pub(super) fn names_another(index: &Index, system: &SystemName, named: &Patient, patient: PatientId) -> bool {
    let mut identifiers = named.identifiers.iter();
    identifiers.any(|identifier| {
        is_record_of_another(index, system, identifier, patient)
            || is_trusted_of_another(index, system, identifier, patient)
    })
}

fn is_record_of_another(
    index: &Index,
    system: &SystemName,
    identifier: &Identifier,
    patient: PatientId,
) -> bool {
    let value = identifier.value.as_str();
    let written = [value.to_owned(), format!("{}|{value}", identifier.system)];
    let ids = written.into_iter().filter_map(|id| id.parse::<LocalId>().ok());
    let owners: Vec<_> = ids.filter_map(|id| index.linked(system, &id)).collect();
    !owners.is_empty() && !owners.contains(&patient)
}

fn is_trusted_of_another(
    index: &Index,
    system: &SystemName,
    identifier: &Identifier,
    patient: PatientId,
) -> bool {
    let alone = Patient {
        identifiers: vec![identifier.clone()],
        ..Patient::default()
    };
    let verdict = index.identify(&Profile::of(&alone), system, None);
    let holders = verdict
        .review
        .iter()
        .filter(|candidate| candidate.agrees.contains(&Evidence::TrustedIdentifier));
    let holders: Vec<_> = holders.map(|candidate| candidate.patient).collect();
    !holders.is_empty() && !holders.contains(&patient)
}
