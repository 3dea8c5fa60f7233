//! Opens the audit, as large as the configuration or the server allows, and writes down what has to be there before anybody is let in.

use super::BrokerError;
use crate::{
    api::status::with_causes,
    audit::{
        Audit, Signing,
        checkpoint::{CHECKPOINT_FILE, CheckpointKey},
    },
    config::{self, Config},
    disclosure::Disclosed,
    registry::{LARGEST_SNAPSHOT, Registry, SNAPSHOT_BUCKET},
    tokens,
    vendors::{Book, Books, view_of},
    workers::bucket,
};
use archwire_core::SystemName;
use archwire_nats::{ByteSize, Log, OpenError, Stored};
use archwire_proto::admin::v1::AuditRecord;
use std::{path::Path, sync::Arc, time::Duration};

/// After so many records a checkpoint is made, and after so long.
const SIGNED_EVERY: u64 = 10_000;
const SIGNED_AT_LEAST: Duration = Duration::from_secs(24 * 3600);
/// Less room than this is none.
const LEAST: ByteSize = ByteSize::mebibytes(64);

/// Buckets of the usual size, which are opened further on.
const BUCKETS: [&str; 4] = ["cursors", "parked", "reconciled", "subscriptions"];

/// Makes the room of the buckets on the server, before the audit and images take what it has.
pub(super) async fn reserve_buckets(log: &Log) -> Result<(), BrokerError> {
    for name in BUCKETS {
        bucket(log, name).await?;
    }
    for (name, room) in [
        (SNAPSHOT_BUCKET, LARGEST_SNAPSHOT),
        (tokens::BUCKET, tokens::ROOM),
    ] {
        let name: SystemName = name.parse().map_err(BrokerError::BucketName)?;
        log.bucket_of(&name, room).await?;
    }
    Ok(())
}

/// Makes the audit's room on the server, before images take what it has. Where nobody wrote how much that is, and somebody else's server
/// has not so much, it is what the server has, and no less than it was.
pub(super) async fn reserve(log: &Log, config: &config::Audit) -> Result<(), OpenError> {
    let wanted = ByteSize::bytes(config.most().bytes());
    let mut size = wanted;
    loop {
        match log.audit_stream(size).await {
            Ok(_) => break,
            Err(OpenError::NoRoom { .. }) if config.max_size.is_none() && size > LEAST => {
                let known = log.audit_size().await?.filter(|known| *known < size);
                let half = ByteSize::bytes(size.get() / 2).max(LEAST);
                size = known.map_or(half, |known| known.max(half));
            }
            Err(error) => return Err(error),
        }
    }
    if size != wanted {
        let code = "audit_less_room";
        tracing::warn!(code, most = %size, "the NATS server has less room for the audit than it could use");
    }
    Ok(())
}

/// Opens the audit, and writes down what vendors may have been told before the last broker ended, and what their contracts say.
pub(super) async fn open(
    log: &Log,
    config: &Config,
    folder: &Path,
    registry: &Arc<Registry>,
    books: &Books,
) -> Result<Audit, BrokerError> {
    let signing = Signing {
        key: CheckpointKey::of(folder)?.into(),
        file: folder.join(CHECKPOINT_FILE),
        every: SIGNED_EVERY,
        at_least: SIGNED_AT_LEAST,
    };
    // As large as it was made.
    let size = log.audit_size().await?;
    let size = size.unwrap_or_else(|| ByteSize::bytes(config.audit.most().bytes()));
    let audit = Audit::open_with(log, size, Some(signing)).await?;
    let book = books.now();
    let presumed = audit.presume(log, |opened, stored| sees(registry, &book, opened, stored));
    // An audit that takes nothing now lets nothing be told either. The next start comes back to it.
    match presumed.await {
        Ok(0) => {}
        Ok(events) => tracing::info!(events, "what vendors may have been told before is in the audit"),
        Err(error) => tracing::error!(
            code = error.code(),
            cause = with_causes(&error),
            "what vendors may have been told before is not in the audit"
        ),
    }
    for vendor in book.vendors() {
        if let Err(error) = audit.contract_stated(&vendor.contract).await {
            tracing::error!(
                code = error.code(),
                cause = with_causes(&error),
                vendor = %vendor.name,
                "what a contract says is not in the audit"
            );
        }
    }
    Ok(audit)
}

/// Whether an event is for the vendor that opened a subscription; `None` where its contract is another one by now.
fn sees(registry: &Arc<Registry>, book: &Book, opened: &AuditRecord, stored: &Stored) -> Option<bool> {
    let name: SystemName = opened.vendor.as_deref()?.parse().ok()?;
    let contract = &book.vendor(&name)?.contract;
    if contract.digest().as_bytes()[..] != opened.contract[..] {
        return None;
    }
    match view_of(registry, contract).event(&stored.payload).ok()? {
        Disclosed::Withheld => Some(false),
        Disclosed::Whole | Disclosed::Part(_) => Some(true),
    }
}
