//! The patient, field by field.

use super::{
    WireError,
    parts::{
        all, date, plain, plain_all, read_address, read_contact, read_name, read_period, required, text,
        texts, write_address, write_contact, write_name, write_period,
    },
};
use archwire_core::{
    AdministrativeSex, Identifier, IdentifierStatus, Patient, PatientStatus, PersonReference, Provider,
    ResponsibleParty, Text,
};
use archwire_proto::v1;

/// Reads a patient and checks it against the contract's bounds.
///
/// # Errors
/// Names the first field that cannot be taken.
pub fn read_patient(message: v1::Patient) -> Result<Patient, WireError> {
    let patient = Patient {
        administrative_sex: read_sex(message.administrative_sex)?,
        status: read_status(message.status)?,
        identifiers: all(message.identifiers, read_identifier)?,
        names: all(message.names, read_name)?,
        birth_date: date("birth_date", message.birth_date)?,
        gender_identity: text("gender_identity", message.gender_identity)?,
        pronouns: text("pronouns", message.pronouns)?,
        deceased: message.deceased,
        deceased_at: text("deceased_at", message.deceased_at)?,
        telecom: all(message.telecom, read_contact)?,
        addresses: all(message.addresses, read_address)?,
        marital_status: text("marital_status", message.marital_status)?,
        preferred_language: text("preferred_language", message.preferred_language)?,
        interpreter_required: message.interpreter_required,
        responsible_parties: all(message.responsible_parties, read_party)?,
        primary_provider: message.primary_provider.map(read_provider).transpose()?,
        photo_sha256: text("photo_sha256", message.photo_sha256)?,
        multiple_birth: message.multiple_birth,
        multiple_birth_order: message.multiple_birth_order,
        confidentiality: texts("confidentiality", message.confidentiality)?,
        merged_into: message
            .merged_into
            .filter(|id| !id.is_empty())
            .map(|id| id.parse())
            .transpose()
            .map_err(|error| WireError::Name("merged_into", error))?,
    };
    patient.check().map_err(WireError::Bound)?;
    Ok(patient)
}

/// Writes a patient.
#[must_use]
pub fn write_patient(patient: &Patient) -> v1::Patient {
    v1::Patient {
        identifiers: patient.identifiers.iter().map(write_identifier).collect(),
        names: patient.names.iter().map(write_name).collect(),
        birth_date: patient.birth_date.as_ref().map(|date| date.as_str().to_owned()),
        administrative_sex: write_sex(patient.administrative_sex).into(),
        gender_identity: plain(patient.gender_identity.as_ref()),
        pronouns: plain(patient.pronouns.as_ref()),
        deceased: patient.deceased,
        deceased_at: plain(patient.deceased_at.as_ref()),
        telecom: patient.telecom.iter().map(write_contact).collect(),
        addresses: patient.addresses.iter().map(write_address).collect(),
        marital_status: plain(patient.marital_status.as_ref()),
        preferred_language: plain(patient.preferred_language.as_ref()),
        interpreter_required: patient.interpreter_required,
        status: write_status(patient.status).into(),
        responsible_parties: patient.responsible_parties.iter().map(write_party).collect(),
        primary_provider: patient.primary_provider.as_ref().map(write_provider),
        photo_sha256: plain(patient.photo_sha256.as_ref()),
        multiple_birth: patient.multiple_birth,
        multiple_birth_order: patient.multiple_birth_order,
        confidentiality: plain_all(&patient.confidentiality),
        merged_into: patient.merged_into.map(|id| id.to_string()),
    }
}

fn read_identifier(message: v1::Identifier) -> Result<Identifier, WireError> {
    use v1::IdentifierStatus as Wire;
    let status = match Wire::try_from(message.status) {
        Ok(Wire::Unspecified) => None,
        Ok(Wire::Active) => Some(IdentifierStatus::Active),
        Ok(Wire::Retired) => Some(IdentifierStatus::Retired),
        Err(_) => return Err(WireError::UnknownValue("identifiers.status")),
    };
    Ok(Identifier {
        system: required("identifiers.system", message.system)?.into_string(),
        value: required("identifiers.value", message.value)?,
        kind: text("identifiers.type", message.r#type)?,
        assigner: text("identifiers.assigner", message.assigner)?,
        period: message.period.map(read_period).transpose()?,
        status,
    })
}

fn write_identifier(identifier: &Identifier) -> v1::Identifier {
    use v1::IdentifierStatus as Wire;
    v1::Identifier {
        system: identifier.system.clone(),
        value: identifier.value.as_str().to_owned(),
        r#type: plain(identifier.kind.as_ref()),
        assigner: plain(identifier.assigner.as_ref()),
        period: identifier.period.as_ref().map(write_period),
        status: match identifier.status {
            None => Wire::Unspecified,
            Some(IdentifierStatus::Active) => Wire::Active,
            Some(IdentifierStatus::Retired) => Wire::Retired,
        }
        .into(),
    }
}

fn read_sex(value: i32) -> Result<Option<AdministrativeSex>, WireError> {
    use v1::AdministrativeSex as Wire;
    Ok(match Wire::try_from(value) {
        Ok(Wire::Unspecified) => None,
        Ok(Wire::Male) => Some(AdministrativeSex::Male),
        Ok(Wire::Female) => Some(AdministrativeSex::Female),
        Ok(Wire::Other) => Some(AdministrativeSex::Other),
        Ok(Wire::Unknown) => Some(AdministrativeSex::Unknown),
        Err(_) => return Err(WireError::UnknownValue("administrative_sex")),
    })
}

fn write_sex(sex: Option<AdministrativeSex>) -> v1::AdministrativeSex {
    match sex {
        None => v1::AdministrativeSex::Unspecified,
        Some(AdministrativeSex::Male) => v1::AdministrativeSex::Male,
        Some(AdministrativeSex::Female) => v1::AdministrativeSex::Female,
        Some(AdministrativeSex::Other) => v1::AdministrativeSex::Other,
        Some(AdministrativeSex::Unknown) => v1::AdministrativeSex::Unknown,
    }
}

fn read_status(value: i32) -> Result<Option<PatientStatus>, WireError> {
    use v1::PatientStatus as Wire;
    Ok(match Wire::try_from(value) {
        Ok(Wire::Unspecified) => None,
        Ok(Wire::Active) => Some(PatientStatus::Active),
        Ok(Wire::Inactive) => Some(PatientStatus::Inactive),
        Ok(Wire::Archived) => Some(PatientStatus::Archived),
        Ok(Wire::NonPatient) => Some(PatientStatus::NonPatient),
        Ok(Wire::Prospective) => Some(PatientStatus::Prospective),
        Ok(Wire::MergedInto) => Some(PatientStatus::MergedInto),
        Err(_) => return Err(WireError::UnknownValue("status")),
    })
}

fn write_status(status: Option<PatientStatus>) -> v1::PatientStatus {
    match status {
        None => v1::PatientStatus::Unspecified,
        Some(PatientStatus::Active) => v1::PatientStatus::Active,
        Some(PatientStatus::Inactive) => v1::PatientStatus::Inactive,
        Some(PatientStatus::Archived) => v1::PatientStatus::Archived,
        Some(PatientStatus::NonPatient) => v1::PatientStatus::NonPatient,
        Some(PatientStatus::Prospective) => v1::PatientStatus::Prospective,
        Some(PatientStatus::MergedInto) => v1::PatientStatus::MergedInto,
    }
}

fn read_party(message: v1::ResponsibleParty) -> Result<ResponsibleParty, WireError> {
    Ok(ResponsibleParty {
        person: message.person.map(read_reference).transpose()?,
        name: message.name.map(read_name).transpose()?,
        relationship: text("responsible_parties.relationship", message.relationship)?,
        is_guarantor: message.is_guarantor,
        may_receive_records: message.may_receive_records,
        telecom: all(message.telecom, read_contact)?,
    })
}

fn write_party(party: &ResponsibleParty) -> v1::ResponsibleParty {
    v1::ResponsibleParty {
        person: party.person.as_ref().map(|person| v1::PersonReference {
            system: person.system.to_string(),
            local_id: person.local_id.as_str().to_owned(),
            patient_id: person.patient_id.map(|id| id.to_string()),
        }),
        name: party.name.as_ref().map(write_name),
        relationship: plain(party.relationship.as_ref()),
        is_guarantor: party.is_guarantor,
        may_receive_records: party.may_receive_records,
        telecom: party.telecom.iter().map(write_contact).collect(),
    }
}

fn read_reference(message: v1::PersonReference) -> Result<PersonReference, WireError> {
    let patient_id = message.patient_id.filter(|id| !id.is_empty());
    let patient_id = patient_id.map(|id| id.parse()).transpose();
    Ok(PersonReference {
        system: name("responsible_parties.person.system", &message.system)?,
        local_id: name("responsible_parties.person.local_id", &message.local_id)?,
        patient_id: patient_id
            .map_err(|error| WireError::Name("responsible_parties.person.patient_id", error))?,
    })
}

fn name<T: std::str::FromStr<Err = archwire_core::NameError>>(
    field: &'static str,
    text: &str,
) -> Result<T, WireError> {
    text.parse().map_err(|error| WireError::Name(field, error))
}

fn read_provider(message: v1::Provider) -> Result<Provider, WireError> {
    Ok(Provider {
        system: name("primary_provider.system", &message.system)?,
        local_id: required("primary_provider.local_id", message.local_id)?.into_string(),
        display: text("primary_provider.display", message.display)?.map(Text::into_string),
    })
}

fn write_provider(provider: &Provider) -> v1::Provider {
    v1::Provider {
        system: provider.system.to_string(),
        local_id: provider.local_id.clone(),
        display: provider.display.clone(),
    }
}
