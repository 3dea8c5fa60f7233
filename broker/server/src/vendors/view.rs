//! A vendor's view of what the registry has.

use crate::{
    disclosure::{Disclosed, VendorView},
    registry::Registry,
    wire::WireError,
};
use archwire_core::{
    PatientId, Subject, SystemName,
    contract::{Contract, PatientScope},
};
use archwire_nats::Stored;
use std::sync::Arc;

/// The view that a contract gives of what the registry has.
#[must_use]
pub fn view_of(registry: &Arc<Registry>, contract: &Arc<Contract>) -> VendorView {
    let registry = Arc::clone(registry);
    let keeps_record = move |system: &SystemName, patient: PatientId| registry.keeps_record(system, patient);
    VendorView::new(Arc::clone(contract), Arc::new(keeps_record))
}

/// What a vendor is sent of an event. Where it depends on whose records there are, the registry is waited for: it may be a
/// moment behind the log.
///
/// # Errors
/// When the bytes are no event; then nothing is shown.
pub async fn told(registry: &Registry, view: &VendorView, stored: &Stored) -> Result<Disclosed, WireError> {
    if let (PatientScope::LinkedWith(_), Subject::Patient(patient)) =
        (&view.contract().patients, &stored.subject)
    {
        registry.caught_up(*patient).await;
    }
    view.event(&stored.payload)
}
