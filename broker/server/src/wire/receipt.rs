//! Receipts.

use super::WireError;
use archwire_core::{DeliveryAction, Receipt, ReceiptOutcome, Revision};
use archwire_proto::v1;

/// Writes a receipt.
#[must_use]
pub fn write_receipt(receipt: &Receipt) -> v1::Receipt {
    let paths = |paths: &std::collections::BTreeSet<archwire_core::Path>| {
        paths.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    v1::Receipt {
        event_id: receipt.event_id.clone(),
        revision: receipt.revision.get(),
        outcome: write_receipt_outcome(receipt.outcome).into(),
        action: write_action(receipt.action).into(),
        written: paths(&receipt.written),
        rendered: paths(&receipt.rendered),
        differs: paths(&receipt.differs),
        reason: receipt.reason.clone(),
        attempts: receipt.attempts,
        connector_version: receipt.connector_version.clone(),
    }
}

/// Reads a receipt of the log.
pub(super) fn read_receipt(message: v1::Receipt) -> Result<Receipt, WireError> {
    let outcome = read_receipt_outcome(message.outcome)?;
    Ok(Receipt {
        event_id: message.event_id,
        revision: Revision::new(message.revision),
        outcome: outcome.ok_or(WireError::Missing("outcome"))?,
        action: read_action(message.action)?,
        written: message.written.into_iter().map(Into::into).collect(),
        rendered: message.rendered.into_iter().map(Into::into).collect(),
        differs: message.differs.into_iter().map(Into::into).collect(),
        reason: message.reason,
        attempts: message.attempts,
        connector_version: message.connector_version,
    })
}

/// The contract's word for an outcome.
#[must_use]
pub fn write_receipt_outcome(outcome: ReceiptOutcome) -> v1::ReceiptOutcome {
    match outcome {
        ReceiptOutcome::Verified => v1::ReceiptOutcome::Verified,
        ReceiptOutcome::Differs => v1::ReceiptOutcome::Differs,
        ReceiptOutcome::Unreadable => v1::ReceiptOutcome::Unreadable,
        ReceiptOutcome::Parked => v1::ReceiptOutcome::Parked,
        ReceiptOutcome::Superseded => v1::ReceiptOutcome::Superseded,
        ReceiptOutcome::Dropped => v1::ReceiptOutcome::Dropped,
    }
}

/// An outcome, where one is said.
///
/// # Errors
/// When this version of the contract does not have it.
pub fn read_receipt_outcome(outcome: i32) -> Result<Option<ReceiptOutcome>, WireError> {
    let unknown = || WireError::UnknownValue("outcome");
    Ok(
        match v1::ReceiptOutcome::try_from(outcome).map_err(|_| unknown())? {
            v1::ReceiptOutcome::Unspecified => None,
            v1::ReceiptOutcome::Verified => Some(ReceiptOutcome::Verified),
            v1::ReceiptOutcome::Differs => Some(ReceiptOutcome::Differs),
            v1::ReceiptOutcome::Unreadable => Some(ReceiptOutcome::Unreadable),
            v1::ReceiptOutcome::Parked => Some(ReceiptOutcome::Parked),
            v1::ReceiptOutcome::Superseded => Some(ReceiptOutcome::Superseded),
            v1::ReceiptOutcome::Dropped => Some(ReceiptOutcome::Dropped),
        },
    )
}

fn write_action(action: Option<DeliveryAction>) -> v1::DeliveryAction {
    match action {
        None => v1::DeliveryAction::Unspecified,
        Some(DeliveryAction::Created) => v1::DeliveryAction::Created,
        Some(DeliveryAction::Updated) => v1::DeliveryAction::Updated,
        Some(DeliveryAction::Unchanged) => v1::DeliveryAction::Unchanged,
        Some(DeliveryAction::Adopted) => v1::DeliveryAction::Adopted,
    }
}

fn read_action(action: i32) -> Result<Option<DeliveryAction>, WireError> {
    let unknown = || WireError::UnknownValue("action");
    Ok(
        match v1::DeliveryAction::try_from(action).map_err(|_| unknown())? {
            v1::DeliveryAction::Unspecified => None,
            v1::DeliveryAction::Created => Some(DeliveryAction::Created),
            v1::DeliveryAction::Updated => Some(DeliveryAction::Updated),
            v1::DeliveryAction::Unchanged => Some(DeliveryAction::Unchanged),
            v1::DeliveryAction::Adopted => Some(DeliveryAction::Adopted),
        },
    )
}
