//! Contracts, as an input says.

use crate::input::Input;
use archwire_core::{
    EventKind, FieldGroup, PatientId, SystemName,
    contract::{Contract, Grantee, ImageAccess, Pace, PatientScope, Purpose, Reading, Validity, Writing},
};
use std::num::NonZeroU32;

/// The vendor whose contract it is.
pub(crate) const VENDOR: &str = "tracer";
/// The system that keeps records of those with whom a contract may be about.
const DESK: &str = "front-desk";

pub(crate) fn name(name: &str) -> SystemName {
    name.parse().expect("it is a name")
}

/// Everything that can be granted, of all patients, as fast as a machine can.
pub(crate) fn everything(vendor: &str) -> Contract {
    Contract {
        grantee: Grantee {
            vendor: name(vendor),
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
        pace: Pace {
            requests_per_second: NonZeroU32::MAX,
            ..Pace::default()
        },
    }
}

/// A contract: which groups and kinds it reads, and three switches.
pub(crate) fn contract(input: &mut Input<'_>) -> Contract {
    let (groups, kinds, switches) = (input.byte(), input.byte(), input.byte());
    let is_on = |bits: u8, place: usize| bits & (1 << place) != 0;
    let mut contract = everything(VENDOR);
    let chosen = FieldGroup::ALL.into_iter().enumerate();
    contract.read.fields = chosen
        .filter(|(place, _)| is_on(groups, *place))
        .map(|(_, group)| group)
        .collect();
    let chosen = EventKind::ALL.into_iter().enumerate();
    contract.read.kinds = chosen
        .filter(|(place, _)| is_on(kinds, *place))
        .map(|(_, kind)| kind)
        .collect();
    contract.read.source = is_on(switches, 0);
    contract.images.read = is_on(switches, 1);
    if is_on(switches, 2) {
        let of = if is_on(switches, 3) { VENDOR } else { DESK };
        contract.patients = PatientScope::LinkedWith(name(of));
    }
    contract
}

/// Whether a system keeps a record of a patient: every second one, by the last bit of the id.
pub(crate) fn keeps_record(_: &SystemName, patient: PatientId) -> bool {
    patient.as_bytes().last().is_some_and(|byte| byte & 1 == 0)
}

/// Whether a contract is about somebody who is told by an id.
pub(crate) fn is_about(contract: &Contract, patient: &str) -> bool {
    match &contract.patients {
        PatientScope::All => true,
        PatientScope::LinkedWith(system) => {
            patient.parse().is_ok_and(|patient| keeps_record(system, patient))
        }
    }
}
