//! Contracts in the tests.

mod examples;
mod properties;

use super::*;

fn name(name: &str) -> SystemName {
    name.parse().unwrap()
}

/// One that grants nothing.
fn contract() -> Contract {
    Contract {
        grantee: Grantee {
            vendor: name("ceph-tracer"),
            organization: "Example Cephalometry Ltd".to_owned(),
            contact: Some("privacy@example.com".to_owned()),
        },
        enabled: true,
        purpose: Purpose::Treatment,
        basis: "Business associate agreement of 2026-01-15".to_owned(),
        validity: Validity::new("2026-01-01".parse().ok(), "2026-12-31".parse().ok()).unwrap(),
        read: Reading::default(),
        write: Writing::default(),
        patients: PatientScope::All,
        images: ImageAccess::default(),
        pace: Pace::default(),
    }
}
