//! What the last block of the audit tells whoever goes on behind it.

use super::{
    chain::{Hash, Link, walk},
    verify::{BLOCK_KIND, RECORD_KIND},
};
use archwire_core::PracticeName;
use archwire_nats::{AuditStored, AuditStream, ReadError};
use archwire_proto::admin::v1::AuditBlock;
use futures_util::TryStreamExt as _;
use prost::Message as _;
use std::pin::pin;

/// How far from the end the last block is looked for first.
const FIRST_BACK: u64 = 64;

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

/// Where the audit has come to behind one more message.
pub(super) enum Behind {
    /// It goes on there.
    Next(Tail),
    /// The message does not fit what was before it, or is none of an audit.
    Broken(Tail),
}

impl Tail {
    /// Of an audit in which nothing is.
    pub(super) fn empty(practice: &PracticeName) -> Self {
        Self {
            sequence: 0,
            link: Link::genesis(practice),
            before: None,
            log_sequence: 0,
            resume_from: 0,
        }
    }

    /// Behind a message of the stream. One that does not belong there is left behind, and the chain goes on from where it was.
    pub(super) fn behind(self, stored: &AuditStored) -> Behind {
        if let Some(tail) = Self::of(stored) {
            return match tail.goes_behind(&self) {
                true => Behind::Next(tail),
                false => Behind::Broken(tail),
            };
        }
        let sequence = stored.sequence;
        // A record from before the chain, which can only stand before every block.
        if stored.kind == RECORD_KIND && self.before.is_none() {
            let link = self.link.behind_unchained(&stored.payload);
            return Behind::Next(Self {
                sequence,
                link,
                ..self
            });
        }
        Behind::Broken(Self { sequence, ..self })
    }

    /// What a block tells; `None` of what is none.
    pub(super) fn of(stored: &AuditStored) -> Option<Self> {
        let block = AuditBlock::decode(stored.payload.clone());
        let block = block.ok().filter(|_| stored.kind == BLOCK_KIND)?;
        let link = walk(&block)?.link;
        let before = Hash::read(&block.previous)?;
        Some(Self {
            sequence: stored.sequence,
            link,
            before: Some((block.first.checked_sub(1)?, before)),
            log_sequence: block.log_sequence,
            resume_from: block.resume_from,
        })
    }

    /// Whether it goes on where another one ends.
    fn goes_behind(&self, other: &Self) -> bool {
        self.before == Some((other.link.index, other.link.hash))
    }
}

/// Reads where an audit has come to. Its last message is its last block, unless somebody has put something else behind it, or there
/// is no block yet: then the last block is looked for, in ever larger parts from the end, and everything behind it is gone through.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn end_of(stream: &AuditStream, practice: &PracticeName) -> Result<Tail, ReadError> {
    let Some(last) = stream.last().await? else {
        return Ok(Tail::empty(practice));
    };
    if let Some(tail) = Tail::of(&last) {
        return Ok(tail);
    }
    let mut back = FIRST_BACK;
    loop {
        let from = last.sequence.saturating_sub(back).max(1);
        let mut tail = Tail::empty(practice);
        let (mut has_block, mut broken) = (false, None);
        let mut stored = pin!(stream.read(from));
        while let Some(stored) = stored.try_next().await? {
            tail = match tail.behind(&stored) {
                Behind::Next(tail) => tail,
                // The first block that is read goes behind what is not.
                Behind::Broken(tail) if !has_block && Tail::of(&stored).is_some() => tail,
                Behind::Broken(tail) => {
                    broken = Some(stored.sequence);
                    tail
                }
            };
            has_block |= tail.before.is_some();
        }
        if has_block || from == 1 {
            if let Some(sequence) = broken {
                is_broken(sequence);
            }
            return Ok(tail);
        }
        back = back.saturating_mul(16);
    }
}

/// Says that the audit is not what it was.
pub(super) fn is_broken(sequence: u64) {
    tracing::error!(
        code = "audit_chain_broken",
        sequence,
        "the audit holds what does not fit what was before it; `archwire audit verify` tells where"
    );
}
