//! The rules: when a record is linked without asking, and whom a person should look at.
//!
//! A duplicate is a nuisance, a false merge is harm: whatever is not certain is not linked. The order is that of the
//! clauses; each is a function that says what it wants.

use super::{
    Candidate, Known, People, Profile, Rule, Verdict, birth::Dates, compare::Comparison, contact::Contact,
    identifier::Token, key, name::Likeness, score,
};
use crate::PatientId;
use std::collections::BTreeSet;

/// Family names, and patients, that may have a phone or mail address in common for it to say something: a blended family
/// with a few duplicates. More is an office, a school or a shelter.
const LARGEST_HOUSEHOLD: (usize, usize) = (5, 24);

/// Patients that may have a trusted identifier in common for it to be a conflict: a guardian's number that is typed on
/// every child is no identifier of a person.
const MOST_IN_CONFLICT: usize = 3;

/// One profile, and everybody it might be.
pub(super) struct Question<'a> {
    people: &'a People,
    profile: &'a Profile,
    seen: Vec<Seen>,
    /// Not everybody was looked at, so it cannot be told whether there is only one.
    is_cut: bool,
}

struct Seen {
    id: PatientId,
    known: Known,
    compared: Comparison,
}

impl<'a> Question<'a> {
    pub(super) fn new(
        people: &'a People,
        profile: &'a Profile,
        known: &dyn Fn(PatientId) -> Option<Known>,
    ) -> Self {
        let found = people.find(profile);
        let seen = found.patients.into_iter().filter_map(|id| {
            let known = known(id)?;
            let compared = Comparison::of(profile, &known.profile, people.trust());
            Some(Seen { id, known, compared })
        });
        Self {
            people,
            profile,
            seen: seen.collect(),
            is_cut: found.is_cut,
        }
    }

    pub(super) fn answer(&self) -> Verdict {
        let by_identifier = self
            .same_by_identifier()
            .map(|same| (same.id, Rule::TrustedIdentifier));
        let same = by_identifier.or_else(|| {
            self.same_by_demographics()
                .map(|same| (same.id, Rule::Demographics))
        });
        Verdict {
            same,
            review: self.review(same.map(|(id, _)| id)),
        }
    }

    /// A trusted identifier that exactly one known patient holds, where names, birth date and sex agree. When two
    /// identifiers lead to two patients, to neither.
    fn same_by_identifier(&self) -> Option<&Seen> {
        let mut holders = self
            .trusted()
            .filter_map(|token| match self.holders_of(token).as_slice() {
                [one] => Some(*one),
                _ => None,
            });
        let same = holders.next()?;
        let only_one = holders.all(|other| other.id == same.id);
        let given = self
            .profile
            .name
            .given
            .as_ref()
            .zip(same.known.profile.name.given.as_ref());
        // "Juan" and "Juan Carlos" are two brothers where a family has one number.
        let given_agree = given.is_some_and(|(one, two)| one.is_same_with_initials(two));
        (only_one && given_agree && self.may_link(same)).then_some(same)
    }

    /// Full name, birth date and sex, exactly one known patient with them, and a phone or mail address of the person's
    /// own.
    fn same_by_demographics(&self) -> Option<&Seen> {
        let mut namesakes = self.seen.iter().filter(|seen| self.is_namesake(seen));
        let same = namesakes.next()?;
        let only_one = namesakes.next().is_none() && !self.is_family_crowded();
        let full = self
            .profile
            .name
            .given
            .as_ref()
            .is_some_and(super::name::Part::is_full);
        let certain = only_one
            && full
            && same.compared.sex == Some(true)
            && self.may_link(same)
            && born_alone(self.profile, &same.known.profile)
            && !self.has_a_twin_in_name(same)
            && self.has_a_contact_of_ones_own(same);
        certain.then_some(same)
    }

    /// What both rules want: the same family name and birth date, nothing that contradicts, no decision against it, no
    /// other record in the same system, and that everything was looked at.
    fn may_link(&self, seen: &Seen) -> bool {
        let compared = &seen.compared;
        let agree = compared.family == Some(Likeness::Equal)
            && compared.birth == Some(Dates::Same)
            && compared.sex != Some(false)
            && compared.generation != Some(false)
            && !compared.contradiction
            && self.profile.name.accents_agree(&seen.known.profile.name);
        let allowed = !seen.known.ruled_out && !seen.known.has_record_in_system;
        agree && allowed && !self.is_cut && !self.profile.is_cut && !seen.known.profile.is_cut
    }

    /// Same given and family name and birth date, and no other sex. A patient who was ruled out is still a namesake.
    fn is_namesake(&self, seen: &Seen) -> bool {
        seen.compared.given == Some(Likeness::Equal)
            && seen.compared.family == Some(Likeness::Equal)
            && seen.compared.birth == Some(Dates::Same)
            && seen.compared.sex != Some(false)
    }

    /// Whether there is another patient of the same birth date, and of the same household or family name, who may be
    /// meant: with a given name so alike that a slip or a shortening makes it this one, or with none yet.
    fn has_a_twin_in_name(&self, same: &Seen) -> bool {
        self.others(same).any(|other| {
            let compared = &other.compared;
            let close = compared.family == Some(Likeness::Equal)
                || compared.phone == Some(true)
                || compared.email == Some(true);
            let may_be_meant = match compared.given {
                Some(Likeness::Compatible) => self.is_more_than(other),
                Some(Likeness::Near) | None => true,
                // Of the same name: a namesake, who was asked for before, or somebody whom another family name tells apart.
                Some(Likeness::Equal | Likeness::Nickname | Likeness::Different) => false,
            };
            compared.birth == Some(Dates::Same) && close && may_be_meant
        })
    }

    /// Whether the other's given names are more than the profile's, which may so be the other's shortened. "Juan Carlos"
    /// is never short for "Juan".
    fn is_more_than(&self, other: &Seen) -> bool {
        let given = self
            .profile
            .name
            .given
            .as_ref()
            .zip(other.known.profile.name.given.as_ref());
        given.is_none_or(|(own, other)| !own.joined.starts_with(&other.joined))
    }

    /// Whether there is a phone or mail address in common that nobody else with that given name has.
    fn has_a_contact_of_ones_own(&self, same: &Seen) -> bool {
        let has = |seen: &Seen, contact: &Contact| {
            seen.known.profile.contacts.iter().any(|own| own.is_same(contact))
        };
        self.profile.contacts.iter().any(|contact| {
            let others: Vec<&Seen> = self.others(same).filter(|other| has(other, contact)).collect();
            has(same, contact)
                && !self.people.is_crowded(key::contact(contact))
                && is_a_household(&others)
                && !others
                    .into_iter()
                    .any(|other| may_be_called_the_same(&other.compared))
        })
    }

    fn review(&self, same: Option<PatientId>) -> Vec<Candidate> {
        let disputed: BTreeSet<PatientId> = self.disputed().collect();
        let open = self
            .seen
            .iter()
            .filter(|seen| Some(seen.id) != same && !seen.known.ruled_out);
        let mut candidates: Vec<Candidate> = open
            .filter_map(|seen| {
                let score_tenths = score::tenths(&seen.compared);
                let hard_conflict = disputed.contains(&seen.id) && seen.compared.is_of_others();
                (hard_conflict || score_tenths >= score::REVIEW).then(|| {
                    let (agrees, differs) = seen.compared.evidence();
                    Candidate {
                        patient: seen.id,
                        score_tenths,
                        hard_conflict,
                        agrees,
                        differs,
                    }
                })
            })
            .collect();
        candidates.sort_by_key(|candidate| {
            (
                !candidate.hard_conflict,
                -candidate.score_tenths,
                candidate.patient,
            )
        });
        candidates.truncate(Verdict::MOST_CANDIDATES);
        candidates
    }

    /// Who holds a trusted identifier of the profile, of those that only few hold.
    fn disputed(&self) -> impl Iterator<Item = PatientId> {
        self.trusted()
            .map(|token| self.holders_of(token))
            .filter(|holders| holders.len() <= MOST_IN_CONFLICT)
            .flatten()
            .map(|seen| seen.id)
    }

    fn trusted(&self) -> impl Iterator<Item = &Token> {
        let trust = self.people.trust();
        let tokens = self
            .profile
            .tokens
            .iter()
            .filter(move |token| token.is_trusted(trust));
        tokens.filter(|token| !self.people.is_crowded(key::token(token)))
    }

    fn holders_of(&self, token: &Token) -> Vec<&Seen> {
        let holds = |seen: &&Seen| seen.known.profile.tokens.iter().any(|own| own.is_same(token));
        self.seen.iter().filter(holds).collect()
    }

    fn others<'b>(&'b self, same: &'b Seen) -> impl Iterator<Item = &'b Seen> {
        self.seen.iter().filter(move |seen| seen.id != same.id)
    }

    fn is_family_crowded(&self) -> bool {
        key::family_and_birth(self.profile).is_none_or(|key| self.people.is_crowded(key))
    }
}

fn is_a_household(holders: &[&Seen]) -> bool {
    let family = |seen: &&Seen| {
        seen.known
            .profile
            .name
            .family
            .as_ref()
            .map(|family| family.joined.clone())
    };
    let families: BTreeSet<String> = holders.iter().filter_map(family).collect();
    let (most_families, most_patients) = LARGEST_HOUSEHOLD;
    families.len() <= most_families && holders.len() <= most_patients
}

/// Whether another holder of a phone is another person of this given name, as father and son are. One of the same birth
/// date, but for a slip, is a duplicate, or somebody whom the rest of the name tells apart.
fn may_be_called_the_same(other: &Comparison) -> bool {
    let another_age = !matches!(other.birth, Some(Dates::Same | Dates::Swapped | Dates::Mistyped));
    match other.given {
        Some(likeness) => matches!(likeness, Likeness::Equal | Likeness::Compatible) && another_age,
        None => other.birth.is_none_or(|birth| birth != Dates::Different),
    }
}

/// Whether neither is stated to be one of several born together, or both to be the same of them.
fn born_alone(one: &Profile, two: &Profile) -> bool {
    match (one.born_with_others, two.born_with_others) {
        (None, None) => true,
        (Some(one), Some(two)) => one == two && one != 0,
        _ => false,
    }
}
