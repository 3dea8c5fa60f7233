//! The hash chain of the audit: how blocks are made, and what a block comes to. Pure.
//!
//! What is hashed is written with the message `AuditBlock` of `archwire.admin.v1`. A block is chained with everything in it, how far
//! the log was gone through included, so that nobody can make the audit pass over a part of the log. The hash of a record is no
//! secret and needs no key: whoever can write the whole stream anew can chain it anew. That shows by the checkpoints, which are
//! signed and are kept elsewhere.

use archwire_core::PracticeName;
use archwire_proto::admin::v1::AuditBlock;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Bytes of a hash that a block repeats for each record, for finding the place of a change.
const CHECK: usize = 8;
const RECORD: u8 = 0;
const BLOCK: u8 = 1;
const PRACTICE: u8 = 2;
const UNCHAINED: u8 = 3;

/// A hash of the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

/// Where the chain has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The place of the last record; 0 before the first.
    pub index: u64,
    /// The hash up to there.
    pub hash: Hash,
}

/// What a block comes to, by what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// Where the chain has come to behind it.
    pub link: Link,
    /// The first record that is not what it was when the block was made, as far as the block itself tells.
    pub wrong: Option<u64>,
}

impl Hash {
    /// Of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads it; `None` where there are not 32 bytes.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    fn of_record(before: &Self, index: u64, record: &[u8]) -> Self {
        let hash = Sha256::new_with_prefix([RECORD])
            .chain_update(before.0)
            .chain_update(index.to_be_bytes())
            .chain_update(record);
        Self(hash.finalize().into())
    }

    fn of_block(last: &Self, block: &AuditBlock) -> Self {
        let count = u64::try_from(block.records.len()).unwrap_or(u64::MAX);
        let mut hash = Sha256::new_with_prefix([BLOCK]).chain_update(last.0);
        for number in [block.first, count, block.log_sequence, block.resume_from] {
            hash.update(number.to_be_bytes());
        }
        Self(hash.finalize().into())
    }

    fn check(&self) -> &[u8] {
        self.0.get(..CHECK).unwrap_or_default()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Link {
    /// Where the chain of a practice begins.
    #[must_use]
    pub fn genesis(practice: &PracticeName) -> Self {
        let hash = Sha256::new_with_prefix([PRACTICE]).chain_update(practice.as_str());
        Self {
            index: 0,
            hash: Hash(hash.finalize().into()),
        }
    }

    /// Where it begins behind one more record from before there was a chain: what these say, and how many they are, goes into what
    /// the first block is chained to.
    #[must_use]
    pub fn behind_unchained(self, record: &[u8]) -> Self {
        let index = self.index.saturating_add(1);
        let hash = Sha256::new_with_prefix([UNCHAINED])
            .chain_update(self.hash.0)
            .chain_update(index.to_be_bytes())
            .chain_update(record);
        Self {
            index,
            hash: Hash(hash.finalize().into()),
        }
    }
}

/// Makes the block of these records that goes behind `before`.
#[must_use]
pub fn block(before: &Link, records: Vec<Bytes>, log_sequence: u64, resume_from: u64) -> (AuditBlock, Link) {
    let first = before.index.saturating_add(1);
    let (mut hash, mut index) = (before.hash, before.index);
    let mut checks = Vec::with_capacity(records.len() * CHECK);
    for record in &records {
        index = index.saturating_add(1);
        hash = Hash::of_record(&hash, index, record);
        checks.extend_from_slice(hash.check());
    }
    let block = AuditBlock {
        first,
        previous: before.hash.0.to_vec().into(),
        records,
        checks: checks.into(),
        log_sequence,
        resume_from,
    };
    let hash = Hash::of_block(&hash, &block);
    (block, Link { index, hash })
}

/// What a block comes to behind what it says was before it; `None` where it does not say that.
#[must_use]
pub fn walk(block: &AuditBlock) -> Option<Walked> {
    let (mut hash, mut index) = (Hash::read(&block.previous)?, block.first.checked_sub(1)?);
    let mut checks = block.checks.chunks(CHECK);
    let mut wrong = None;
    for record in &block.records {
        index = index.checked_add(1)?;
        hash = Hash::of_record(&hash, index, record);
        if checks.next() != Some(hash.check()) {
            wrong.get_or_insert(index);
        }
    }
    if checks.next().is_some() {
        wrong.get_or_insert(index.checked_add(1)?);
    }
    let hash = Hash::of_block(&hash, block);
    let link = Link { index, hash };
    Some(Walked { link, wrong })
}
