//! What the last block of the audit tells whoever goes on behind it.

use super::{
    AuditError,
    chain::{Hash, Link, walk},
    verify::{BLOCK_KIND, RECORD_KIND},
};
use archwire_core::PracticeName;
use archwire_nats::AuditStored;
use archwire_proto::admin::v1::AuditBlock;
use prost::Message as _;

/// Where the audit has come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    /// The last block's place in the stream.
    pub(super) sequence: u64,
    /// The chain up to there.
    pub(super) link: Link,
    /// What the last block says was before it; `None` where there is none.
    pub(super) before: Option<(u64, Hash)>,
    /// Up to where the log was gone through.
    pub(super) log_sequence: u64,
    /// From which block on everything is said about open subscriptions.
    pub(super) resume_from: u64,
}

impl Tail {
    /// Of an audit in which nothing is chained yet, behind so many records from before.
    pub(super) fn unchained(practice: &PracticeName, unchained: u64) -> Self {
        Self {
            sequence: unchained,
            link: Link::genesis(practice, unchained),
            before: None,
            log_sequence: 0,
            resume_from: 0,
        }
    }

    /// What a message of the stream tells.
    pub(super) fn of(practice: &PracticeName, stored: &AuditStored) -> Result<Self, AuditError> {
        let sequence = stored.sequence;
        if stored.kind == RECORD_KIND {
            return Ok(Self::unchained(practice, sequence));
        }
        let block = AuditBlock::decode(stored.payload.clone());
        let block = block.ok().filter(|_| stored.kind == BLOCK_KIND);
        let read = block.and_then(|block| {
            let link = walk(&block)?.link;
            let before = Hash::read(&block.previous)?;
            Some(Self {
                sequence,
                link,
                before: Some((block.first.checked_sub(1)?, before)),
                log_sequence: block.log_sequence,
                resume_from: block.resume_from,
            })
        });
        read.ok_or(AuditError::Unreadable(sequence))
    }

    /// Whether it goes on where another one ends.
    pub(super) fn goes_behind(&self, other: &Self) -> bool {
        self.before == Some((other.link.index, other.link.hash))
    }
}
