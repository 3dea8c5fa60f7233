//! The receipt of an image: how bringing what was told of it ended.

use crate::registry::ImageEvent;
use archwire_core::{DeliveryAction, Receipt, ReceiptOutcome};
use std::collections::BTreeSet;

impl ImageEvent {
    /// The receipt of how bringing this to a system ended.
    pub(super) fn receipt(
        &self,
        outcome: ReceiptOutcome,
        action: Option<DeliveryAction>,
        reason: Option<&str>,
        attempts: u32,
        connector_version: &str,
    ) -> Receipt {
        Receipt {
            event_id: self.event_id.clone(),
            revision: self.revision,
            outcome,
            action,
            written: BTreeSet::new(),
            rendered: BTreeSet::new(),
            differs: BTreeSet::new(),
            reason: reason.map(ToOwned::to_owned),
            attempts,
            connector_version: connector_version.to_owned(),
        }
    }
}
