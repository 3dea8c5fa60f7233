//! Patients as a connector gets them. Nothing can fail on the way out: the bus holds checked patients only.

use crate::bindings::patients as wit;
use archwire_core as core;
use archwire_core::Text;

pub(super) fn write(patient: &core::Patient) -> wit::Patient {
    wit::Patient {
        identifiers: patient.identifiers.iter().map(write_identifier).collect(),
        names: patient.names.iter().map(write_name).collect(),
        birth_date: write_date(patient.birth_date.as_ref()),
        administrative_sex: patient.administrative_sex.map(write_sex),
        gender_identity: write_option(patient.gender_identity.as_ref()),
        pronouns: write_option(patient.pronouns.as_ref()),
        deceased: patient.deceased,
        deceased_at: write_option(patient.deceased_at.as_ref()),
        telecom: patient.telecom.iter().map(write_contact).collect(),
        addresses: patient.addresses.iter().map(write_address).collect(),
        marital_status: write_option(patient.marital_status.as_ref()),
        preferred_language: write_option(patient.preferred_language.as_ref()),
        interpreter_required: patient.interpreter_required,
        status: patient.status.map(write_status),
        responsible_parties: patient.responsible_parties.iter().map(write_party).collect(),
        primary_provider: patient.primary_provider.as_ref().map(write_provider),
        photo_sha256: write_option(patient.photo_sha256.as_ref()),
        multiple_birth: patient.multiple_birth,
        multiple_birth_order: patient.multiple_birth_order,
        confidentiality: write_texts(&patient.confidentiality),
        merged_into: patient.merged_into.map(|id| id.to_string()),
    }
}

fn write_option(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn write_texts(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.as_str().to_owned()).collect()
}

fn write_date(date: Option<&core::PartialDate>) -> Option<String> {
    date.map(|date| date.as_str().to_owned())
}

fn write_period(period: &core::Period) -> wit::Period {
    wit::Period {
        start: write_date(period.start.as_ref()),
        end: write_date(period.end.as_ref()),
    }
}

fn write_identifier(identifier: &core::Identifier) -> wit::Identifier {
    wit::Identifier {
        system: identifier.system.clone(),
        value: identifier.value.as_str().to_owned(),
        kind: write_option(identifier.kind.as_ref()),
        assigner: write_option(identifier.assigner.as_ref()),
        period: identifier.period.as_ref().map(write_period),
        status: identifier.status.map(|status| match status {
            core::IdentifierStatus::Active => wit::IdentifierStatus::Active,
            core::IdentifierStatus::Retired => wit::IdentifierStatus::Retired,
        }),
    }
}

fn write_name(name: &core::HumanName) -> wit::HumanName {
    wit::HumanName {
        use_: name.r#use.map(|name_use| match name_use {
            core::NameUse::Official => wit::NameUse::Official,
            core::NameUse::Usual => wit::NameUse::Usual,
            core::NameUse::Nickname => wit::NameUse::Nickname,
            core::NameUse::Maiden => wit::NameUse::Maiden,
            core::NameUse::Old => wit::NameUse::Old,
            core::NameUse::Temp => wit::NameUse::Temp,
            core::NameUse::Anonymous => wit::NameUse::Anonymous,
        }),
        family: write_option(name.family.as_ref()),
        given: write_texts(&name.given),
        prefix: write_texts(&name.prefix),
        suffix: write_texts(&name.suffix),
        text: write_option(name.text.as_ref()),
        period: name.period.as_ref().map(write_period),
    }
}

fn write_sex(sex: core::AdministrativeSex) -> wit::AdministrativeSex {
    match sex {
        core::AdministrativeSex::Male => wit::AdministrativeSex::Male,
        core::AdministrativeSex::Female => wit::AdministrativeSex::Female,
        core::AdministrativeSex::Other => wit::AdministrativeSex::Other,
        core::AdministrativeSex::Unknown => wit::AdministrativeSex::Unknown,
    }
}

fn write_status(status: core::PatientStatus) -> wit::PatientStatus {
    match status {
        core::PatientStatus::Active => wit::PatientStatus::Active,
        core::PatientStatus::Inactive => wit::PatientStatus::Inactive,
        core::PatientStatus::Archived => wit::PatientStatus::Archived,
        core::PatientStatus::NonPatient => wit::PatientStatus::NonPatient,
        core::PatientStatus::Prospective => wit::PatientStatus::Prospective,
        core::PatientStatus::MergedInto => wit::PatientStatus::MergedInto,
    }
}

fn write_contact(contact: &core::ContactPoint) -> wit::ContactPoint {
    wit::ContactPoint {
        system: match contact.system {
            core::ContactSystem::Phone => wit::ContactSystem::Phone,
            core::ContactSystem::Fax => wit::ContactSystem::Fax,
            core::ContactSystem::Email => wit::ContactSystem::Email,
            core::ContactSystem::Pager => wit::ContactSystem::Pager,
            core::ContactSystem::Url => wit::ContactSystem::Url,
            core::ContactSystem::Sms => wit::ContactSystem::Sms,
            core::ContactSystem::Other => wit::ContactSystem::Other,
        },
        value: contact.value.as_str().to_owned(),
        use_: contact.r#use.map(|contact_use| match contact_use {
            core::ContactUse::Home => wit::ContactUse::Home,
            core::ContactUse::Work => wit::ContactUse::Work,
            core::ContactUse::Temp => wit::ContactUse::Temp,
            core::ContactUse::Old => wit::ContactUse::Old,
            core::ContactUse::Mobile => wit::ContactUse::Mobile,
        }),
        rank: contact.rank,
        period: contact.period.as_ref().map(write_period),
    }
}

fn write_address(address: &core::Address) -> wit::Address {
    wit::Address {
        use_: address.r#use.map(|address_use| match address_use {
            core::AddressUse::Home => wit::AddressUse::Home,
            core::AddressUse::Work => wit::AddressUse::Work,
            core::AddressUse::Temp => wit::AddressUse::Temp,
            core::AddressUse::Old => wit::AddressUse::Old,
            core::AddressUse::Billing => wit::AddressUse::Billing,
        }),
        lines: write_texts(&address.lines),
        city: write_option(address.city.as_ref()),
        district: write_option(address.district.as_ref()),
        state: write_option(address.state.as_ref()),
        postal_code: write_option(address.postal_code.as_ref()),
        country: write_option(address.country.as_ref()),
        period: address.period.as_ref().map(write_period),
    }
}

fn write_party(party: &core::ResponsibleParty) -> wit::ResponsibleParty {
    wit::ResponsibleParty {
        person: party.person.as_ref().map(|person| wit::PersonReference {
            system: person.system.to_string(),
            local_id: person.local_id.as_str().to_owned(),
            patient_id: person.patient_id.map(|id| id.to_string()),
        }),
        name: party.name.as_ref().map(write_name),
        relationship: write_option(party.relationship.as_ref()),
        is_guarantor: party.is_guarantor,
        may_receive_records: party.may_receive_records,
        telecom: party.telecom.iter().map(write_contact).collect(),
    }
}

fn write_provider(provider: &core::Provider) -> wit::Provider {
    wit::Provider {
        system: provider.system.to_string(),
        local_id: provider.local_id.clone(),
        display: provider.display.clone(),
    }
}
