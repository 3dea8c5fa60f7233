//! Patients as a connector shows them: read and checked.

use super::{Flaw, stated};
use crate::bindings::patients as wit;
use archwire_core as core;
use archwire_core::Text;

type Read<T> = Result<T, Flaw>;

/// Longest system namespace and provider id or name.
const LONGEST_LABEL: usize = 1024;

pub(super) fn read(patient: wit::Patient) -> Read<core::Patient> {
    let patient = core::Patient {
        identifiers: each(patient.identifiers, read_identifier)?,
        names: each(patient.names, read_name)?,
        birth_date: stated(patient.birth_date)
            .map(|date| read_date(&date, "birth_date_invalid"))
            .transpose()?,
        administrative_sex: patient.administrative_sex.map(read_sex),
        gender_identity: option(patient.gender_identity)?,
        pronouns: option(patient.pronouns)?,
        deceased: patient.deceased,
        deceased_at: option(patient.deceased_at)?,
        telecom: each(patient.telecom, read_contact)?,
        addresses: each(patient.addresses, read_address)?,
        marital_status: option(patient.marital_status)?,
        preferred_language: option(patient.preferred_language)?,
        interpreter_required: patient.interpreter_required,
        status: patient.status.map(read_status),
        responsible_parties: each(patient.responsible_parties, read_party)?,
        primary_provider: patient.primary_provider.map(read_provider).transpose()?,
        photo_sha256: stated(patient.photo_sha256).map(read_digest).transpose()?,
        multiple_birth: patient.multiple_birth,
        multiple_birth_order: patient.multiple_birth_order,
        confidentiality: texts(patient.confidentiality)?,
        merged_into: stated(patient.merged_into)
            .map(|id| id.parse())
            .transpose()
            .map_err(|_| Flaw("patient_id_invalid"))?,
    };
    patient.check().map_err(|_| Flaw("patient_too_large"))?;
    Ok(patient)
}

fn each<T, U>(list: Vec<T>, read: impl FnMut(T) -> Read<U>) -> Read<Vec<U>> {
    list.into_iter().map(read).collect()
}

/// The texts of a list; empty ones state nothing.
fn texts(mut list: Vec<String>) -> Read<Vec<Text>> {
    list.retain(|text| !text.is_empty());
    each(list, text)
}

fn text(text: String) -> Read<Text> {
    if text.len() <= core::Patient::LONGEST_TEXT {
        Ok(text.into())
    } else {
        Err(Flaw("text_too_long"))
    }
}

fn option(value: Option<String>) -> Read<Option<Text>> {
    stated(value).map(text).transpose()
}

fn label(text: String) -> Read<String> {
    if text.len() <= LONGEST_LABEL {
        Ok(text)
    } else {
        Err(Flaw("text_too_long"))
    }
}

fn read_date(date: &str, code: &'static str) -> Read<core::PartialDate> {
    core::PartialDate::parse(date).map_err(|_| Flaw(code))
}

fn read_digest(digest: String) -> Read<Text> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_digest = digest.len() == 64 && digest.bytes().all(hexadecimal);
    if is_digest {
        Ok(digest.into())
    } else {
        Err(Flaw("photo_sha256_invalid"))
    }
}

fn read_period(period: wit::Period) -> Read<core::Period> {
    let date = |date: Option<String>| {
        stated(date)
            .map(|date| read_date(&date, "period_invalid"))
            .transpose()
    };
    Ok(core::Period {
        start: date(period.start)?,
        end: date(period.end)?,
    })
}

fn read_identifier(identifier: wit::Identifier) -> Read<core::Identifier> {
    Ok(core::Identifier {
        system: label(identifier.system)?,
        value: text(identifier.value)?,
        kind: option(identifier.kind)?,
        assigner: option(identifier.assigner)?,
        period: identifier.period.map(read_period).transpose()?,
        status: identifier.status.map(|status| match status {
            wit::IdentifierStatus::Active => core::IdentifierStatus::Active,
            wit::IdentifierStatus::Retired => core::IdentifierStatus::Retired,
        }),
    })
}

fn read_name(name: wit::HumanName) -> Read<core::HumanName> {
    Ok(core::HumanName {
        r#use: name.use_.map(|name_use| match name_use {
            wit::NameUse::Official => core::NameUse::Official,
            wit::NameUse::Usual => core::NameUse::Usual,
            wit::NameUse::Nickname => core::NameUse::Nickname,
            wit::NameUse::Maiden => core::NameUse::Maiden,
            wit::NameUse::Old => core::NameUse::Old,
            wit::NameUse::Temp => core::NameUse::Temp,
            wit::NameUse::Anonymous => core::NameUse::Anonymous,
        }),
        family: option(name.family)?,
        given: texts(name.given)?,
        prefix: few(texts(name.prefix)?)?,
        suffix: few(texts(name.suffix)?)?,
        text: option(name.text)?,
        period: name.period.map(read_period).transpose()?,
    })
}

fn few(list: Vec<Text>) -> Read<Vec<Text>> {
    if list.len() <= 16 {
        Ok(list)
    } else {
        Err(Flaw("patient_too_large"))
    }
}

fn read_sex(sex: wit::AdministrativeSex) -> core::AdministrativeSex {
    match sex {
        wit::AdministrativeSex::Male => core::AdministrativeSex::Male,
        wit::AdministrativeSex::Female => core::AdministrativeSex::Female,
        wit::AdministrativeSex::Other => core::AdministrativeSex::Other,
        wit::AdministrativeSex::Unknown => core::AdministrativeSex::Unknown,
    }
}

fn read_status(status: wit::PatientStatus) -> core::PatientStatus {
    match status {
        wit::PatientStatus::Active => core::PatientStatus::Active,
        wit::PatientStatus::Inactive => core::PatientStatus::Inactive,
        wit::PatientStatus::Archived => core::PatientStatus::Archived,
        wit::PatientStatus::NonPatient => core::PatientStatus::NonPatient,
        wit::PatientStatus::Prospective => core::PatientStatus::Prospective,
        wit::PatientStatus::MergedInto => core::PatientStatus::MergedInto,
    }
}

fn read_contact(contact: wit::ContactPoint) -> Read<core::ContactPoint> {
    Ok(core::ContactPoint {
        system: match contact.system {
            wit::ContactSystem::Phone => core::ContactSystem::Phone,
            wit::ContactSystem::Fax => core::ContactSystem::Fax,
            wit::ContactSystem::Email => core::ContactSystem::Email,
            wit::ContactSystem::Pager => core::ContactSystem::Pager,
            wit::ContactSystem::Url => core::ContactSystem::Url,
            wit::ContactSystem::Sms => core::ContactSystem::Sms,
            wit::ContactSystem::Other => core::ContactSystem::Other,
        },
        value: text(contact.value)?,
        r#use: contact.use_.map(|contact_use| match contact_use {
            wit::ContactUse::Home => core::ContactUse::Home,
            wit::ContactUse::Work => core::ContactUse::Work,
            wit::ContactUse::Temp => core::ContactUse::Temp,
            wit::ContactUse::Old => core::ContactUse::Old,
            wit::ContactUse::Mobile => core::ContactUse::Mobile,
        }),
        rank: contact.rank,
        period: contact.period.map(read_period).transpose()?,
    })
}

fn read_address(address: wit::Address) -> Read<core::Address> {
    Ok(core::Address {
        r#use: address.use_.map(|address_use| match address_use {
            wit::AddressUse::Home => core::AddressUse::Home,
            wit::AddressUse::Work => core::AddressUse::Work,
            wit::AddressUse::Temp => core::AddressUse::Temp,
            wit::AddressUse::Old => core::AddressUse::Old,
            wit::AddressUse::Billing => core::AddressUse::Billing,
        }),
        lines: texts(address.lines)?,
        city: option(address.city)?,
        district: option(address.district)?,
        state: option(address.state)?,
        postal_code: option(address.postal_code)?,
        country: option(address.country)?,
        period: address.period.map(read_period).transpose()?,
    })
}

fn read_party(party: wit::ResponsibleParty) -> Read<core::ResponsibleParty> {
    Ok(core::ResponsibleParty {
        person: party.person.map(read_person).transpose()?,
        name: party.name.map(read_name).transpose()?,
        relationship: option(party.relationship)?,
        is_guarantor: party.is_guarantor,
        may_receive_records: party.may_receive_records,
        telecom: each(party.telecom, read_contact)?,
    })
}

fn read_person(person: wit::PersonReference) -> Read<core::PersonReference> {
    Ok(core::PersonReference {
        system: person.system.parse().map_err(|_| Flaw("system_name_invalid"))?,
        local_id: person.local_id.parse().map_err(|_| Flaw("local_id_invalid"))?,
        patient_id: stated(person.patient_id)
            .map(|id| id.parse())
            .transpose()
            .map_err(|_| Flaw("patient_id_invalid"))?,
    })
}

fn read_provider(provider: wit::Provider) -> Read<core::Provider> {
    Ok(core::Provider {
        system: provider.system.parse().map_err(|_| Flaw("system_name_invalid"))?,
        local_id: label(provider.local_id)?,
        display: stated(provider.display).map(label).transpose()?,
    })
}
