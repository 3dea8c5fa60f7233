//! What the writer is given.

use crate::audit::{AuditError, streams::Sent};
use archwire_proto::admin::v1::AuditRecord;
use tokio::sync::oneshot;

/// Somebody who waits, for where it is stored.
pub(in crate::audit) type Waiter<T> = oneshot::Sender<Result<T, AuditError>>;

/// What somebody waits for.
pub(in crate::audit) enum Order {
    /// A record. Of one that opens a subscription, or lets more of it go out, account is kept.
    Record {
        record: Box<AuditRecord>,
        stored: Waiter<u64>,
        opens: bool,
    },
    /// Everything that was handed over before.
    Settle(Waiter<()>),
    /// The same, and that the writer has ended.
    Close(Waiter<()>),
}

/// What nobody waits for.
pub(in crate::audit) enum Later {
    /// What follows from the log's record `sequence`, if anything.
    Derived {
        sequence: u64,
        record: Option<Box<AuditRecord>>,
    },
    /// An event on its way to a subscription.
    Sent { stream: u64, event: Sent },
    /// What may have gone out before a kill, or is noted.
    Note(Box<AuditRecord>),
    /// The end of a subscription's stream.
    Closed { stream: u64, through: u64 },
}
