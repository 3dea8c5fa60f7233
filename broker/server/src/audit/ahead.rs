//! An audit that has gone further through the log than the log goes: one that was put back from an older copy, or a place that
//! somebody made up.

use archwire_nats::{Log, ReadError};
use archwire_proto::admin::v1::AuditRecord;
use std::time::SystemTime;

/// A place that the audit says it has gone through the log to, or the log's end where it has not so much: behind a place that is not
/// there yet nothing would be followed until the log gets there.
///
/// # Errors
/// When the log's end cannot be found out.
pub(super) async fn within(log: &Log, place: u64) -> Result<u64, ReadError> {
    if place == 0 {
        return Ok(0);
    }
    let last = log.last_sequence().await?;
    if place > last {
        tracing::error!(
            code = "audit_ahead_of_log",
            place,
            last,
            "the audit knows more of the log than the log has; the log is not what it was"
        );
    }
    Ok(place.min(last))
}

/// Says so in the audit.
pub(super) fn told(place: u64, last: u64) -> AuditRecord {
    AuditRecord {
        at: Some(SystemTime::now().into()),
        program: super::ITSELF.to_owned(),
        action: super::Action::Ahead.as_str().to_owned(),
        reason: format!("the audit had gone through the log up to {place}, and the log ends at {last}"),
        through: last,
        ..AuditRecord::default()
    }
}
