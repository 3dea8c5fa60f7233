//! The records that the stream's blocks hold.

use super::{
    AuditError, tail,
    verify::{BLOCK_KIND, RECORD_KIND},
};
use archwire_nats::{AuditStored, AuditStream};
use archwire_proto::admin::v1::{AuditBlock, AuditRecord};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;

/// The records behind a place, in what the stream holds from a sequence on.
pub(super) fn records(
    stream: &AuditStream,
    from: u64,
    after: u64,
) -> impl Stream<Item = Result<(u64, AuditRecord), AuditError>> + Send + use<> {
    let stored = stream.read(from.max(1)).map_err(AuditError::read);
    let mut is_chained = from > 1;
    let records = stored.map(move |stored| match stored {
        Ok(stored) => {
            let (is_block, records) = unpacked(&stored, after, is_chained);
            is_chained |= is_block;
            records.into_iter().map(Ok).collect()
        }
        Err(error) => vec![Err(error)],
    });
    records.flat_map(stream::iter)
}

/// Whether a message of the stream is a block, and the records behind a place that it holds: none where it does not belong there.
fn unpacked(stored: &AuditStored, after: u64, is_chained: bool) -> (bool, Vec<(u64, AuditRecord)>) {
    let block = match stored.kind.as_str() {
        BLOCK_KIND => AuditBlock::decode(stored.payload.clone()).ok(),
        // A record from before the chain is its own block.
        RECORD_KIND if !is_chained => Some(AuditBlock {
            first: stored.sequence,
            records: vec![stored.payload.clone()],
            ..AuditBlock::default()
        }),
        _ => None,
    };
    let Some(block) = block else {
        tail::is_broken(stored.sequence);
        return (false, Vec::new());
    };
    let records = (block.first..).zip(block.records);
    let wanted = records.filter(|(index, _)| *index > after);
    let read = wanted.filter_map(|(index, bytes)| match AuditRecord::decode(bytes) {
        Ok(record) => Some((index, record)),
        Err(_) => {
            tail::is_broken(stored.sequence);
            None
        }
    });
    (stored.kind == BLOCK_KIND, read.collect())
}
