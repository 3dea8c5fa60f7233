//! Whether an audit is what it was: every block against the one before it, and the chain against what was signed. Pure.
//!
//! Blocks come in the order of the stream, one at a time; what is kept of them is bounded: the hashes at the ends of the last
//! 1,024 blocks, for checkpoints in the audit itself, and [`MOST_FINDINGS`] findings. A finding says which records it is about.
//! Within a block that was changed clumsily that is one record; where the block was made anew around the change, it is the block;
//! where everything behind it was made anew too, it is what stands between two checkpoints that were kept elsewhere.
//!
//! A beginning that is not there was let go of where a record further on says so, signed; else somebody took it away.
//!
//! Here is the chain; what was signed of it, and by whom, is in `signed`.

mod found;
mod signed;

pub use found::{Fault, Finding, OtherKey, Verified};

use super::{
    chain::{Hash, Link, walk},
    checkpoint::Checkpoint,
    removal::Removal,
};
use archwire_core::PracticeName;
use archwire_proto::admin::v1::{AuditBlock, AuditRecord};
use bytes::Bytes;
use prost::Message as _;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::SystemTime,
};

/// Findings that are kept; more are counted.
pub const MOST_FINDINGS: usize = 100;
/// CloudEvents `type` of a block.
pub const BLOCK_KIND: &str = "archwire.audit.block.v1";
/// CloudEvents `type` of a record from before there was a chain.
pub const RECORD_KIND: &str = "archwire.audit.recorded.v1";

/// `type` of what a broker says behind the last block when it has shown all of them.
pub const END_KIND: &str = "archwire.audit.end.v1";

/// Goes through an audit.
pub struct Verifier {
    practice: PracticeName,
    keys: BTreeSet<[u8; 32]>,
    /// From elsewhere, by their place.
    signed: BTreeMap<u64, Vec<Checkpoint>>,
    /// Where the chain begins, behind what is from before it.
    genesis: Link,
    standing: Option<Standing>,
    ends: VecDeque<(u64, Hash)>,
    /// Where the first block is not the first that there was.
    beginning: Option<Beginning>,
    /// What was let go of, as records say that are signed by one of `keys`.
    removals: Vec<Removal>,
    /// When the first block behind the last checkpoint that holds was stored, and when the last one.
    unsigned: Option<(SystemTime, SystemTime)>,
    verified: Verified,
}

/// The first block, where others were before it.
struct Beginning {
    /// What was before it.
    link: Link,
    sequence: u64,
    at: Option<String>,
    /// What was signed of those before it.
    signed: Vec<Checkpoint>,
}

/// Behind the last block.
struct Standing {
    sequence: u64,
    /// The first place of the last block.
    first: u64,
    index: u64,
    /// What the chain came to; `None` where the last block is known to be wrong.
    hash: Option<Hash>,
    at: Option<String>,
}

impl Verifier {
    /// Of a practice's audit, against checkpoints from elsewhere, signed by one of `keys`; by any key where there are none.
    #[must_use]
    pub fn new(
        practice: PracticeName,
        keys: impl IntoIterator<Item = [u8; 32]>,
        checkpoints: Vec<Checkpoint>,
    ) -> Self {
        let mut verifier = Self {
            genesis: Link::genesis(&practice),
            practice,
            keys: keys.into_iter().collect(),
            signed: BTreeMap::new(),
            standing: None,
            ends: VecDeque::new(),
            beginning: None,
            removals: Vec::new(),
            unsigned: None,
            verified: Verified::default(),
        };
        for checkpoint in checkpoints {
            if verifier.is_trusted(&checkpoint, None) {
                verifier
                    .signed
                    .entry(checkpoint.index)
                    .or_default()
                    .push(checkpoint);
            }
        }
        verifier
    }

    /// Takes the next message of the stream.
    pub fn take(&mut self, sequence: u64, at: Option<SystemTime>, kind: &str, payload: Bytes) {
        let stored_at = at;
        let at = at.and_then(|at| jiff::Timestamp::try_from(at).ok());
        let at = at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        if kind == RECORD_KIND && self.standing.is_none() {
            self.verified.unchained += 1;
            self.genesis = self.genesis.behind_unchained(&payload);
            return;
        }
        let block = AuditBlock::decode(payload).ok().filter(|_| kind == BLOCK_KIND);
        let walked = block.and_then(|block| Some((walk(&block)?, block)));
        let Some((walked, block)) = walked else {
            let next = self.next();
            self.find(Fault::NotABlock, next, next, Some(sequence), at);
            // A broker goes on behind it, from where the chain was.
            if let Some(standing) = &mut self.standing {
                standing.sequence = sequence;
            }
            return;
        };
        self.compare(sequence, at.as_deref(), &block);
        if let Some(wrong) = walked.wrong {
            self.find(Fault::Changed, wrong, wrong, Some(sequence), at.clone());
        }
        self.verified.records += u64::try_from(block.records.len()).unwrap_or_default();
        self.verified.last = walked.link.index;
        self.end(walked.link, sequence, at.as_deref(), walked.wrong.is_none());
        for record in &block.records {
            let Ok(record) = AuditRecord::decode(record.clone()) else {
                continue;
            };
            if let Some(message) = record.checkpoint {
                let checkpoint = Checkpoint::read(&self.practice, &message);
                self.heed(&checkpoint, sequence);
            }
            if let Some(removal) = record.removal {
                self.heed_removal(Removal::read(&self.practice, &removal), sequence);
            }
        }
        if let Some(at) = stored_at {
            let from = self.unsigned.map_or(at, |(from, _)| from);
            self.unsigned = (self.verified.signed_through < walked.link.index).then_some((from, at));
        }
        self.standing = Some(Standing {
            sequence,
            first: block.first,
            index: walked.link.index,
            hash: walked.wrong.is_none().then_some(walked.link.hash),
            at,
        });
    }

    /// At the end of the stream.
    #[must_use]
    pub fn finish(mut self) -> Verified {
        if let Some(beginning) = self.beginning.take() {
            self.begin(beginning);
        }
        self.find_unsigned();
        let last = self.verified.last;
        let behind: Vec<_> = self
            .signed
            .split_off(&(last + 1))
            .into_values()
            .flatten()
            .collect();
        if let Some(checkpoint) = behind.last() {
            let (through, at) = (checkpoint.index, Some(checkpoint.at.clone()));
            self.find(Fault::Truncated, last + 1, through, None, at);
        }
        self.verified
    }

    fn next(&self) -> u64 {
        let standing = self.standing.as_ref();
        standing.map_or(self.verified.unchained, |standing| standing.index) + 1
    }

    /// Compares a block with what was before it.
    fn compare(&mut self, sequence: u64, at: Option<&str>, block: &AuditBlock) {
        let next = self.next();
        let at = at.map(str::to_owned);
        let Some(standing) = &self.standing else {
            let genesis = self.genesis;
            self.verified.first = block.first;
            let before = Hash::read(&block.previous).filter(|_| block.first > next && next == 1);
            if let Some(hash) = before {
                let link = Link {
                    index: block.first - 1,
                    hash,
                };
                let others = self.signed.split_off(&block.first);
                let signed = std::mem::replace(&mut self.signed, others);
                self.genesis = link;
                self.beginning = Some(Beginning {
                    link,
                    sequence,
                    at,
                    signed: signed.into_values().flatten().collect(),
                });
            } else if block.first > next {
                self.find(Fault::Removed, next, block.first - 1, Some(sequence), at);
            } else if block.first < next {
                self.find(Fault::Displaced, block.first, block.first, Some(sequence), at);
            } else if block.previous != genesis.hash.bytes()[..] {
                self.find(Fault::Changed, block.first, block.first, Some(sequence), at);
            }
            return;
        };
        let (known, from, to, was) = (standing.hash, standing.first, standing.index, standing.at.clone());
        let is_gap = sequence != standing.sequence.saturating_add(1);
        let behind = standing.sequence;
        match known {
            _ if block.first > next => self.find(Fault::Removed, next, block.first - 1, Some(sequence), at),
            _ if block.first < next && known.is_some() => {
                self.find(Fault::Displaced, block.first, block.first, Some(sequence), at);
            }
            Some(hash) if block.first == next && block.previous != hash.bytes()[..] => {
                self.find(Fault::Changed, from, to, Some(behind), was);
            }
            // Somebody took a message away, and what is left fits nevertheless.
            Some(_) if is_gap => self.find(Fault::Removed, next, next, Some(sequence), at),
            _ => {}
        }
    }

    /// Of what is before everything else.
    fn find_first(&mut self, finding: Finding) {
        self.verified.found += 1;
        self.verified.findings.insert(0, finding);
        self.verified.findings.truncate(MOST_FINDINGS);
    }

    fn find(&mut self, fault: Fault, first: u64, last: u64, sequence: Option<u64>, at: Option<String>) {
        self.verified.found += 1;
        if self.verified.findings.len() < MOST_FINDINGS {
            self.verified.findings.push(Finding {
                fault,
                first,
                last,
                sequence,
                at,
            });
        }
    }
}

#[cfg(test)]
mod tests;
