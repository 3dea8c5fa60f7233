//! Which of a patient's names, numbers and addresses goes into Open Dental's one place for each.
//!
//! Each place has a key that this connector itself reports for it (`phone-home`), which wins; where the patient has no
//! such element, another one may stand in for it (a phone without use for the home phone). Elements that are old or
//! temporary never do. The keys are those of the paths in `changed`: the use, or `any`.

use archwire_connector::{
    Address, AddressUse, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier, IdentifierStatus,
    NameUse, Patient, ResponsibleParty,
};

/// A place for one element: its own key, and the keys that may stand in, best first.
pub(super) struct Place {
    own: &'static str,
    stand_ins: &'static [&'static str],
}

pub(super) const OFFICIAL: Place = Place {
    own: "official",
    stand_ins: &["any", "usual"],
};
pub(super) const NICKNAME: Place = Place {
    own: "nickname",
    stand_ins: &["usual"],
};
pub(super) const HOME: Place = Place {
    own: "home",
    stand_ins: &["any", "billing"],
};
pub(super) const HOME_PHONE: Place = Place {
    own: "phone-home",
    stand_ins: &["phone-any"],
};
pub(super) const WORK_PHONE: Place = Place {
    own: "phone-work",
    stand_ins: &[],
};
pub(super) const MOBILE_PHONE: Place = Place {
    own: "phone-mobile",
    stand_ins: &["sms-mobile", "sms-any"],
};
pub(super) const EMAIL: Place = Place {
    own: "email-any",
    stand_ins: &["email-home", "email-work", "email-mobile"],
};

impl Place {
    /// Of elements with their keys, the one for this place. Among several with the same key the first one.
    fn pick<'a, T>(&self, elements: impl Iterator<Item = (&'static str, &'a T)> + Clone) -> Option<&'a T> {
        let keys = std::iter::once(&self.own).chain(self.stand_ins);
        keys.filter_map(|key| elements.clone().find(|(present, _)| present == key))
            .map(|(_, element)| element)
            .next()
    }

    /// Whether a change of the element with this key is a change of this place. Without an element of its own, every
    /// key that may stand in counts, so that a stand-in that went away is noticed.
    pub(super) fn is_touched_by(&self, key: &str, has_own: bool) -> bool {
        let key = key.split_once('~').map_or(key, |(name, _)| name);
        key == self.own || (!has_own && self.stand_ins.contains(&key))
    }
}

/// The name under which Open Dental files the patient.
pub(super) fn official(patient: &Patient) -> Option<&HumanName> {
    OFFICIAL.pick(keyed_names(patient))
}

/// The name for `Preferred`; not the one that is filed already.
pub(super) fn nickname(patient: &Patient) -> Option<&HumanName> {
    let filed = official(patient);
    NICKNAME
        .pick(keyed_names(patient))
        .filter(|name| filed.is_none_or(|filed| !std::ptr::eq(*name, filed)))
}

pub(super) fn address(patient: &Patient) -> Option<&Address> {
    HOME.pick(keyed_addresses(patient))
}

/// The phone or mail address for a place: the lowest rank first.
pub(super) fn contact<'a>(patient: &'a Patient, place: &Place) -> Option<&'a ContactPoint> {
    let mut points: Vec<&ContactPoint> = patient.telecom.iter().collect();
    points.sort_by_key(|point| point.rank.unwrap_or(u32::MAX));
    place.pick(points.into_iter().map(|point| (contact_key(point), point)))
}

/// An identifier in use, from one of these namespaces.
pub(super) fn identifier<'a>(patient: &'a Patient, namespaces: &[&str]) -> Option<&'a Identifier> {
    let usable = |identifier: &&Identifier| {
        namespaces.contains(&identifier.system.as_str())
            && identifier.status != Some(IdentifierStatus::Retired)
    };
    patient.identifiers.iter().find(usable)
}

/// The payer.
pub(super) fn guarantor(patient: &Patient) -> Option<&ResponsibleParty> {
    patient
        .responsible_parties
        .iter()
        .find(|party| party.is_guarantor)
}

/// Whether the patient has an element for the place's own key.
pub(super) fn has_own(patient: &Patient, place: &Place) -> bool {
    keyed_names(patient).any(|(key, _)| key == place.own)
        || keyed_addresses(patient).any(|(key, _)| key == place.own)
        || patient
            .telecom
            .iter()
            .any(|point| contact_key(point) == place.own)
}

fn keyed_names(patient: &Patient) -> impl Iterator<Item = (&'static str, &HumanName)> + Clone {
    patient.names.iter().map(|name| (name_key(name), name))
}

fn name_key(name: &HumanName) -> &'static str {
    match name.use_ {
        None => "any",
        Some(NameUse::Official) => "official",
        Some(NameUse::Usual) => "usual",
        Some(NameUse::Nickname) => "nickname",
        Some(NameUse::Maiden | NameUse::Old | NameUse::Temp | NameUse::Anonymous) => "unused",
    }
}

fn keyed_addresses(patient: &Patient) -> impl Iterator<Item = (&'static str, &Address)> + Clone {
    patient
        .addresses
        .iter()
        .map(|address| (address_key(address), address))
}

fn address_key(address: &Address) -> &'static str {
    match address.use_ {
        None => "any",
        Some(AddressUse::Home) => "home",
        Some(AddressUse::Billing) => "billing",
        Some(AddressUse::Work | AddressUse::Temp | AddressUse::Old) => "unused",
    }
}

fn contact_key(point: &ContactPoint) -> &'static str {
    match (point.system, point.use_) {
        (ContactSystem::Phone, None) => "phone-any",
        (ContactSystem::Phone, Some(ContactUse::Home)) => "phone-home",
        (ContactSystem::Phone, Some(ContactUse::Work)) => "phone-work",
        (ContactSystem::Phone, Some(ContactUse::Mobile)) => "phone-mobile",
        (ContactSystem::Sms, None) => "sms-any",
        (ContactSystem::Sms, Some(ContactUse::Mobile)) => "sms-mobile",
        (ContactSystem::Email, None) => "email-any",
        (ContactSystem::Email, Some(ContactUse::Home)) => "email-home",
        (ContactSystem::Email, Some(ContactUse::Work)) => "email-work",
        (ContactSystem::Email, Some(ContactUse::Mobile)) => "email-mobile",
        _ => "unused",
    }
}
