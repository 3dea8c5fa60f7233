//! Deliveries that are given up for good.

use archwire::registry::Registry;
use archwire_core::{PatientId, Receipt, ReceiptOutcome, Revision, SystemName};
use std::collections::BTreeSet;

/// Gives up what is due to a system up to a revision, as an administrator's drop does.
pub(crate) async fn give_up(registry: &Registry, system: &SystemName, patient: PatientId, revision: u64) {
    let newest = registry.newest(patient).await.unwrap().unwrap();
    let receipt = Receipt {
        event_id: newest.event_id,
        revision: Revision::new(revision),
        outcome: ReceiptOutcome::Dropped,
        action: None,
        written: BTreeSet::new(),
        rendered: BTreeSet::new(),
        differs: BTreeSet::new(),
        reason: None,
        attempts: 12,
        connector_version: "0.1.0".into(),
    };
    registry.receipted(system, patient, receipt).await.unwrap();
}
