//! What practices agree with vendors.

use archwire::vendors::{Book, Books, TokenDigest, Vendor};
use archwire_core::{
    EventKind, FieldGroup,
    contract::{Contract, Grantee, ImageAccess, Pace, PatientScope, Purpose, Reading, Validity, Writing},
};
use jiff::tz::TimeZone;
use std::{collections::BTreeSet, sync::Arc};

/// Everything that can be granted, of all patients.
pub(crate) fn everything(vendor: &str) -> Contract {
    Contract {
        grantee: Grantee {
            vendor: vendor.parse().unwrap(),
            organization: "Example Vendor Ltd".to_owned(),
            contact: None,
        },
        enabled: true,
        purpose: Purpose::Treatment,
        basis: "agreement of a test".to_owned(),
        validity: Validity::default(),
        read: Reading {
            kinds: EventKind::ALL.into(),
            fields: FieldGroup::ALL.into(),
            source: true,
        },
        write: Writing {
            kinds: EventKind::ALL.into(),
            fields: FieldGroup::ALL.into(),
        },
        patients: PatientScope::All,
        images: ImageAccess {
            read: true,
            write: true,
        },
        pace: Pace::default(),
    }
}

/// A vendor that shows this token.
pub(crate) fn vendor(contract: Contract, token: &str) -> Vendor {
    Vendor {
        name: contract.grantee.vendor.clone(),
        digest: contract.digest(),
        contract: Arc::new(contract),
        tokens: BTreeSet::from([TokenDigest::of(token)]),
        certificates: BTreeSet::new(),
    }
}

/// A book of these.
pub(crate) fn books(vendors: impl IntoIterator<Item = Vendor>) -> Books {
    Books::new(Book::new(vendors, TimeZone::UTC))
}
