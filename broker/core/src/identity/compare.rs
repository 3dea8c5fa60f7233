//! Two profiles side by side: in what they agree and differ. Decides nothing.

use super::{
    Evidence, Profile, Trust,
    birth::Dates,
    contact::Contact,
    identifier::{Token, contradict},
    name::{Likeness, Part, PersonName},
};
use std::collections::BTreeSet;

/// How two profiles compare. `None` is "not stated in both".
#[derive(Clone, Copy)]
pub(super) struct Comparison {
    pub(super) family: Option<Likeness>,
    pub(super) given: Option<Likeness>,
    /// The family name, or the given name, of one is a former or familiar name of the other.
    pub(super) family_is_other_name: bool,
    pub(super) given_is_other_name: bool,
    /// Family and given name are exchanged.
    pub(super) names_exchanged: bool,
    pub(super) generation: Option<bool>,
    pub(super) birth: Option<Dates>,
    pub(super) sex: Option<bool>,
    pub(super) phone: Option<bool>,
    pub(super) email: Option<bool>,
    pub(super) address: Option<bool>,
    pub(super) party: Option<bool>,
    pub(super) trusted_identifier: Option<bool>,
    pub(super) identifier: Option<bool>,
    /// Some namespace is in both without a value in common.
    pub(super) contradiction: bool,
}

impl Comparison {
    pub(super) fn of(one: &Profile, two: &Profile, trust: &Trust) -> Self {
        let both = |part: fn(&PersonName) -> Option<&Part>| part(&one.name).zip(part(&two.name));
        let exchanged = |one: &PersonName, two: &PersonName| {
            one.family
                .as_ref()
                .zip(two.given.as_ref())
                .is_some_and(|(one, two)| one.joined == two.joined)
        };
        let (phones, emails) = by_system(&one.contacts);
        let (other_phones, other_emails) = by_system(&two.contacts);
        Self {
            family: both(|name| name.family.as_ref()).map(|(one, two)| one.family_likeness(two)),
            given: both(|name| name.given.as_ref()).map(|(one, two)| one.given_likeness(two)),
            family_is_other_name: is_other_name(one, two, |name| name.family.as_ref()),
            given_is_other_name: is_other_name(one, two, |name| name.given.as_ref()),
            names_exchanged: exchanged(&one.name, &two.name) && exchanged(&two.name, &one.name),
            generation: one
                .name
                .generation
                .zip(two.name.generation)
                .map(|(one, two)| one == two),
            birth: one.birth.zip(two.birth).map(|(one, two)| one.compare(&two)),
            sex: one.sex.zip(two.sex).map(|(one, two)| one == two),
            phone: shared(phones, other_phones, Contact::is_same),
            email: shared(emails, other_emails, Contact::is_same),
            address: shared(&one.addresses, &two.addresses, PartialEq::eq),
            party: shared(&one.parties, &two.parties, PartialEq::eq),
            trusted_identifier: shared_tokens(one, two, |token| token.is_trusted(trust)),
            identifier: shared_tokens(one, two, |token| !token.is_trusted(trust)),
            contradiction: contradict(&one.tokens, &two.tokens),
        }
    }

    /// Whether names, birth date, sex or generation are not the same: with the same trusted identifier, a conflict.
    pub(super) fn is_of_others(&self) -> bool {
        let differs = |likeness: Option<Likeness>| {
            likeness.is_some_and(|likeness| !matches!(likeness, Likeness::Equal | Likeness::Compatible))
        };
        let family =
            self.family.is_some_and(|family| family != Likeness::Equal) && !self.family_is_other_name;
        family
            || differs(self.given)
            || self
                .birth
                .is_some_and(|birth| !matches!(birth, Dates::Same | Dates::Compatible))
            || self.sex == Some(false)
            || self.generation == Some(false)
    }

    /// In what both agree, and in what they differ.
    pub(super) fn evidence(&self) -> (BTreeSet<Evidence>, BTreeSet<Evidence>) {
        let like = |likeness: Option<Likeness>| likeness.map(|likeness| likeness == Likeness::Equal);
        let stated = [
            (Evidence::Family, like(self.family)),
            (Evidence::Given, like(self.given)),
            (Evidence::Generation, self.generation),
            (Evidence::BirthDate, self.birth.map(|birth| birth == Dates::Same)),
            (Evidence::Sex, self.sex),
            (Evidence::Phone, self.phone),
            (Evidence::Email, self.email),
            (Evidence::Address, self.address),
            (Evidence::ResponsibleParty, self.party),
            (Evidence::TrustedIdentifier, self.trusted_identifier),
            (Evidence::Identifier, self.identifier),
        ];
        let those = |agree: bool| {
            let those = stated.iter().filter(move |(_, agreed)| *agreed == Some(agree));
            those.map(|(evidence, _)| *evidence).collect()
        };
        (those(true), those(false))
    }
}

fn is_other_name(one: &Profile, two: &Profile, part: fn(&PersonName) -> Option<&Part>) -> bool {
    let among = |name: &PersonName, others: &[PersonName]| {
        part(name).is_some_and(|own| {
            others
                .iter()
                .filter_map(part)
                .any(|other| own.joined == other.joined)
        })
    };
    among(&one.name, &two.other_names) || among(&two.name, &one.other_names)
}

/// Phones and mail addresses, of contacts in order.
fn by_system(contacts: &[Contact]) -> (&[Contact], &[Contact]) {
    let phones = contacts.partition_point(|contact| matches!(contact, Contact::Phone(_)));
    contacts.split_at(phones)
}

fn shared<T>(one: &[T], two: &[T], same: fn(&T, &T) -> bool) -> Option<bool> {
    let stated = !one.is_empty() && !two.is_empty();
    stated.then(|| one.iter().any(|one| two.iter().any(|two| same(one, two))))
}

/// Whether an identifier that counts is in both; `Some(false)` where a namespace is in both without one.
fn shared_tokens(one: &Profile, two: &Profile, counts: impl Fn(&Token) -> bool) -> Option<bool> {
    let mut comparable = false;
    for token in one.tokens.iter().filter(|token| counts(token)) {
        for other in two
            .tokens
            .iter()
            .filter(|other| counts(other) && token.is_comparable(other))
        {
            if token.is_same(other) {
                return Some(true);
            }
            comparable = true;
        }
    }
    comparable.then_some(false)
}
