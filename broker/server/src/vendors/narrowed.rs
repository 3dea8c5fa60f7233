//! What is left of a contract where it is replaced by less, and nothing more may be granted on the way.

use archwire_core::contract::{
    Contract, ImageAccess, Pace, PatientScope, Reading, Validity, ValidityError, Writing,
};

/// What two contracts with one vendor both grant, for the purpose and on the basis of the first one. It is suspended where either is,
/// and where there is nothing that both grant: no day, or no patient of whom that can be told.
#[must_use]
pub fn narrowed(now: &Contract, wanted: &Contract) -> Contract {
    let (validity, patients) = (days(now.validity, wanted.validity), whom(now, wanted));
    let enabled = now.enabled && wanted.enabled && validity.is_ok() && patients.is_some();
    Contract {
        grantee: now.grantee.clone(),
        enabled,
        purpose: now.purpose,
        basis: now.basis.clone(),
        validity: validity.unwrap_or(now.validity),
        read: Reading {
            kinds: &now.read.kinds & &wanted.read.kinds,
            fields: &now.read.fields & &wanted.read.fields,
            source: now.read.source && wanted.read.source,
        },
        write: Writing {
            kinds: &now.write.kinds & &wanted.write.kinds,
            fields: &now.write.fields & &wanted.write.fields,
        },
        patients: patients.unwrap_or_else(|| now.patients.clone()),
        images: ImageAccess {
            read: now.images.read && wanted.images.read,
            write: now.images.write && wanted.images.write,
        },
        pace: Pace {
            requests_per_second: now.pace.requests_per_second.min(wanted.pace.requests_per_second),
            streams: now.pace.streams.min(wanted.pace.streams),
        },
    }
}

/// The same contract, suspended.
#[must_use]
pub fn suspended(now: &Contract) -> Contract {
    Contract {
        enabled: false,
        ..now.clone()
    }
}

fn days(one: Validity, other: Validity) -> Result<Validity, ValidityError> {
    let until = match (one.until(), other.until()) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    // None is before every day.
    Validity::new(one.from().max(other.from()), until)
}

fn whom(now: &Contract, wanted: &Contract) -> Option<PatientScope> {
    match (&now.patients, &wanted.patients) {
        (PatientScope::All, scope) | (scope, PatientScope::All) => Some(scope.clone()),
        (one, other) => (one == other).then(|| one.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::{
        EventKind, FieldGroup,
        contract::{Grantee, Purpose},
    };

    fn contract() -> Contract {
        Contract {
            grantee: Grantee {
                vendor: "imaging".parse().unwrap(),
                organization: "Example Imaging Ltd".to_owned(),
                contact: None,
            },
            enabled: true,
            purpose: Purpose::Treatment,
            basis: "agreement of a test".to_owned(),
            validity: Validity::default(),
            read: Reading {
                kinds: [EventKind::PatientCreated, EventKind::PatientUpdated].into(),
                fields: [FieldGroup::Name, FieldGroup::Contact].into(),
                source: false,
            },
            write: Writing {
                kinds: [EventKind::PatientUpdated].into(),
                fields: [FieldGroup::Contact].into(),
            },
            patients: PatientScope::All,
            images: ImageAccess::default(),
            pace: Pace::default(),
        }
    }

    #[test]
    fn what_only_one_of_them_grants_is_not_left() {
        let now = contract();
        let mut wanted = contract();
        wanted.purpose = Purpose::Research;
        wanted.read.kinds = [EventKind::PatientUpdated, EventKind::PatientMerged].into();
        wanted.read.fields = [FieldGroup::Name, FieldGroup::Photo].into();
        wanted.read.source = true;
        wanted.write.fields = [FieldGroup::Name].into();
        wanted.images.read = true;
        wanted.patients = PatientScope::LinkedWith("archive".parse().unwrap());
        let left = narrowed(&now, &wanted);
        assert_eq!(left.read.kinds, [EventKind::PatientUpdated].into());
        assert_eq!(left.read.fields, [FieldGroup::Name].into());
        assert!(!left.read.source && !left.images.read && left.write.fields.is_empty());
        assert_eq!(left.patients, wanted.patients);
        assert_eq!(
            left.purpose,
            Purpose::Treatment,
            "for another purpose nothing was agreed"
        );
        assert!(left.enabled);
        assert_eq!(narrowed(&left, &wanted), left, "and again, nothing changes");
        assert_eq!(narrowed(&now, &contract()), now);
    }

    #[test]
    fn nothing_in_common_is_a_contract_that_is_suspended() {
        let day = |text: &str| Some(text.parse().unwrap());
        let now = Contract {
            validity: Validity::new(None, day("2026-06-30")).unwrap(),
            patients: PatientScope::LinkedWith("archive".parse().unwrap()),
            ..contract()
        };
        let later = Contract {
            validity: Validity::new(day("2026-07-01"), None).unwrap(),
            patients: now.patients.clone(),
            ..contract()
        };
        let others = Contract {
            patients: PatientScope::LinkedWith("front-desk".parse().unwrap()),
            ..contract()
        };
        let shut = Contract {
            enabled: false,
            patients: now.patients.clone(),
            ..contract()
        };
        for wanted in [later, others, shut, suspended(&now)] {
            assert!(!narrowed(&now, &wanted).enabled, "{wanted}");
        }
    }
}
