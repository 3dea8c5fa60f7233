//! The words in which identity is decided. None of them holds a value of a person, except [`Known`], which does not
//! print itself.

use super::Profile;
use crate::PatientId;
use std::{collections::BTreeSet, sync::Arc};

/// Which identifiers are trusted to belong to one person only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Those of the kinds that HL7 v2-0203 defines for one person.
    ByKind,
    /// Those of the namespaces that the administrator lists, and no others.
    Only(BTreeSet<String>),
}

impl Default for Trust {
    fn default() -> Self {
        Self::by_kind()
    }
}

impl Trust {
    /// Trusts the kinds of HL7 v2-0203 that belong to one person.
    #[must_use]
    pub const fn by_kind() -> Self {
        Self::ByKind
    }

    /// Trusts these namespaces and no others.
    #[must_use]
    pub const fn only(namespaces: BTreeSet<String>) -> Self {
        Self::Only(namespaces)
    }
}

/// What the caller knows of a candidate.
#[derive(Debug, Clone)]
pub struct Known {
    /// The patient as it is now.
    pub profile: Arc<Profile>,
    /// Whether the observing system has another record of the patient: then nothing is linked silently.
    pub has_record_in_system: bool,
    /// Whether a person decided that this is somebody else.
    pub ruled_out: bool,
}

/// What identity came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The patient to link to without asking, and why.
    pub same: Option<(PatientId, Rule)>,
    /// Whom a person should look at, the best first, at most [`Verdict::MOST_CANDIDATES`].
    pub review: Vec<Candidate>,
}

impl Verdict {
    /// Longest list of candidates.
    pub const MOST_CANDIDATES: usize = 5;
}

/// Why a link was made without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A trusted identifier, with names, birth date and sex that agree.
    TrustedIdentifier,
    /// Full name, birth date and sex, with a phone or email of the person's own.
    Demographics,
}

impl Rule {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TrustedIdentifier => "trusted-identifier",
            Self::Demographics => "demographics",
        }
    }
}

/// A patient who may be the one observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The patient.
    pub patient: PatientId,
    /// Tenths of a bit of evidence. Ranks; never links.
    pub score_tenths: i32,
    /// The same trusted identifier, but another name, birth date or sex: a recycled number, or one that was mistyped.
    pub hard_conflict: bool,
    /// What both state and agree in.
    pub agrees: BTreeSet<Evidence>,
    /// What both state and differ in.
    pub differs: BTreeSet<Evidence>,
}

impl Candidate {
    /// A patient whom a rule would link, if there were not two patients already.
    #[must_use]
    pub fn sure(patient: PatientId) -> Self {
        Self {
            patient,
            score_tenths: 1000,
            hard_conflict: false,
            agrees: BTreeSet::from([
                Evidence::Family,
                Evidence::Given,
                Evidence::BirthDate,
                Evidence::Sex,
            ]),
            differs: BTreeSet::new(),
        }
    }
}

/// A kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Family name.
    Family,
    /// Given names.
    Given,
    /// Generation: junior, senior, the third.
    Generation,
    /// Birth date.
    BirthDate,
    /// Administrative sex.
    Sex,
    /// An identifier that is trusted to belong to one person.
    TrustedIdentifier,
    /// Another identifier.
    Identifier,
    /// A phone number.
    Phone,
    /// A mail address.
    Email,
    /// A postal address.
    Address,
    /// A responsible party.
    ResponsibleParty,
}

impl Evidence {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Family => "family-name",
            Self::Given => "given-names",
            Self::Generation => "generation",
            Self::BirthDate => "birth-date",
            Self::Sex => "administrative-sex",
            Self::TrustedIdentifier => "trusted-identifier",
            Self::Identifier => "identifier",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Address => "address",
            Self::ResponsibleParty => "responsible-party",
        }
    }
}
