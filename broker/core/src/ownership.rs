//! Which system is right about what: field groups and their owners.
//!
//! A group has at most one owner. Whether an owner has a record of the patient at all, so that there is something for it
//! to be right about, is for [`crate::judge`] to ask.

use crate::{Path, SystemName};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Fields of a patient that have one owner together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldGroup {
    /// Identifiers of every namespace.
    Identifiers,
    /// All names.
    Name,
    /// Birth, death, sex and gender, marital status, languages.
    Demographics,
    /// Phones, mail addresses, postal addresses.
    Contact,
    /// Guarantors and others who answer for the patient.
    ResponsibleParties,
    /// Standing in the practice, provider, confidentiality.
    Administrative,
    /// The portrait.
    Photo,
}

/// A word that names no group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the groups of fields are `identifiers`, `name`, `demographics`, `contact`, `responsible-parties`, `administrative` and `photo`"
)]
pub struct FieldGroupError;

impl FieldGroup {
    /// All groups.
    pub const ALL: [Self; 7] = [
        Self::Identifiers,
        Self::Name,
        Self::Demographics,
        Self::Contact,
        Self::ResponsibleParties,
        Self::Administrative,
        Self::Photo,
    ];

    /// The group of what stands at a path; none for a path that no patient has.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let path = path.as_str();
        let field = path.split_once('/').map_or(path, |(field, _)| field);
        match field {
            "identifiers" => Some(Self::Identifiers),
            "names" => Some(Self::Name),
            "birth_date"
            | "administrative_sex"
            | "gender_identity"
            | "pronouns"
            | "deceased"
            | "deceased_at"
            | "marital_status"
            | "preferred_language"
            | "interpreter_required"
            | "multiple_birth"
            | "multiple_birth_order" => Some(Self::Demographics),
            "telecom" | "addresses" => Some(Self::Contact),
            "responsible_parties" => Some(Self::ResponsibleParties),
            "status" | "primary_provider" | "confidentiality" | "merged_into" => Some(Self::Administrative),
            "photo_sha256" => Some(Self::Photo),
            _ => None,
        }
    }

    /// The group's word in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identifiers => "identifiers",
            Self::Name => "name",
            Self::Demographics => "demographics",
            Self::Contact => "contact",
            Self::ResponsibleParties => "responsible-parties",
            Self::Administrative => "administrative",
            Self::Photo => "photo",
        }
    }
}

impl fmt::Display for FieldGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FieldGroup {
    type Err = FieldGroupError;

    fn from_str(word: &str) -> Result<Self, FieldGroupError> {
        let same = |group: &Self| group.as_str() == word;
        Self::ALL.into_iter().find(same).ok_or(FieldGroupError)
    }
}

/// What the owner of a group wants done when another system changes what it owns. The change does not count either way,
/// and a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDisagreement {
    /// The other system keeps what it shows until the person decides.
    #[default]
    Review,
    /// The owner's value is written back at once.
    Restore,
}

/// Who owns a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The system that is right.
    pub system: SystemName,
    /// What to do with those who disagree.
    pub on_disagreement: OnDisagreement,
}

/// The owners of all groups that have one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ownership(BTreeMap<FieldGroup, Owner>);

impl Ownership {
    /// Makes a system the owner of a group. Gives back whom it took the group from.
    pub fn assign(&mut self, group: FieldGroup, owner: Owner) -> Option<Owner> {
        self.0.insert(group, owner)
    }

    /// The owner of a group.
    #[must_use]
    pub fn owner(&self, group: FieldGroup) -> Option<&Owner> {
        self.0.get(&group)
    }

    /// The system that is right about a path.
    #[must_use]
    pub fn owner_of(&self, path: &Path) -> Option<&SystemName> {
        self.of(path).map(|owner| &owner.system)
    }

    /// Whether the owner's value at a path is to be written back to those who disagree.
    #[must_use]
    pub fn restores(&self, path: &Path) -> bool {
        self.of(path)
            .is_some_and(|owner| owner.on_disagreement == OnDisagreement::Restore)
    }

    fn of(&self, path: &Path) -> Option<&Owner> {
        self.owner(FieldGroup::of(path)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Patient;

    #[test]
    fn every_field_of_a_patient_is_in_a_group() {
        let patient = serde_json::to_value(Patient::default()).unwrap();
        for field in patient.as_object().unwrap().keys() {
            assert!(FieldGroup::of(&field.as_str().into()).is_some(), "{field}");
            let inside = format!("{field}/any/value");
            assert!(FieldGroup::of(&inside.into()).is_some(), "{field}");
        }
        assert_eq!(FieldGroup::of(&"shoe_size".into()), None);
    }

    #[test]
    fn every_group_is_read_by_its_own_word_and_named_when_a_word_is_none() {
        for group in FieldGroup::ALL {
            assert_eq!(group.as_str().parse(), Ok(group));
            assert!(FieldGroupError.to_string().contains(group.as_str()));
        }
        assert_eq!("names".parse::<FieldGroup>(), Err(FieldGroupError));
    }

    #[test]
    fn an_owner_owns_all_of_its_groups_and_nothing_else() {
        let mut ownership = Ownership::default();
        let owner = Owner {
            system: "front-desk".parse().unwrap(),
            on_disagreement: OnDisagreement::Restore,
        };
        assert_eq!(ownership.assign(FieldGroup::Contact, owner.clone()), None);
        let phone = "telecom/phone-home/value".into();
        assert_eq!(ownership.owner_of(&phone), Some(&owner.system));
        assert!(ownership.restores(&phone));
        assert_eq!(ownership.owner_of(&"birth_date".into()), None);
        assert!(!ownership.restores(&"birth_date".into()));
        assert_eq!(ownership.assign(FieldGroup::Contact, owner.clone()), Some(owner));
    }
}
