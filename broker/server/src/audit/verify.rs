//! Whether an audit is what it was: every block against the one before it, and the chain against what was signed. Pure.
//!
//! Blocks come in the order of the stream, one at a time; what is kept of them is bounded: the hashes at the ends of the last
//! `ENDS` blocks, for checkpoints in the audit itself, and [`MOST_FINDINGS`] findings. A finding says which records it is about.
//! Within a block that was changed clumsily that is one record; where the block was made anew around the change, it is the block;
//! where everything behind it was made anew too, it is what stands between two checkpoints that were kept elsewhere.
//!
//! A beginning that is not there was let go of where a record further on says so, signed; else somebody took it away.

mod found;

pub use found::{Fault, Finding, Verified};

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
    time::{Duration, SystemTime},
};

/// Findings that are kept; more are counted.
pub const MOST_FINDINGS: usize = 100;
/// Ends of blocks that are remembered. A checkpoint is in one of the next few blocks behind what it signs.
const ENDS: usize = 1024;

/// More records behind the last checkpoint that holds were not left by a broker: it signs after 10,000, and at each stop.
const MOST_UNSIGNED: u64 = 20_000;
/// Nor more than a few over such a time: it signs each day, and a minute after a start.
const LONGEST_UNSIGNED: Duration = Duration::from_secs(3 * 24 * 3600);
const FEW: u64 = 100;

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

    /// Whether a broker that signs would have left so much unsigned. Who has no key has no broker that signs.
    fn find_unsigned(&mut self) {
        let (signed, last) = (self.verified.signed_through, self.verified.last);
        let signed = signed.max(self.verified.first.saturating_sub(1));
        let count = last.saturating_sub(signed);
        let since = self.unsigned.and_then(|(from, to)| to.duration_since(from).ok());
        let is_long = count > FEW && since.is_some_and(|since| since > LONGEST_UNSIGNED);
        if !self.keys.is_empty() && (count > MOST_UNSIGNED || is_long) {
            self.find(Fault::Unsigned, signed + 1, last, None, None);
        }
    }

    /// Whether what is not there before the first block was let go of.
    fn begin(&mut self, beginning: Beginning) {
        let Beginning {
            link,
            sequence,
            at,
            signed,
        } = beginning;
        let mut of_it = self.removals.iter();
        let removal = of_it.find(|removal| removal.index == link.index && removal.hash == link.hash);
        let Some(removal) = removal.cloned() else {
            // What was let go of before is not what is missed.
            let before = self.removals.iter().map(|removal| removal.index);
            let known = before.filter(|index| *index < link.index).max().unwrap_or(0);
            let finding = Finding {
                fault: Fault::Removed,
                first: known + 1,
                last: link.index,
                sequence: Some(sequence),
                at,
            };
            return self.find_first(finding);
        };
        for checkpoint in signed.iter().filter(|checkpoint| checkpoint.index == link.index) {
            if checkpoint.hash() == Some(link.hash) {
                self.hold(link.index);
            } else {
                let (sequence, at) = (Some(sequence), Some(checkpoint.at.clone()));
                self.find(Fault::CheckpointDiffers, link.index, link.index, sequence, at);
            }
        }
        let early = signed.iter().find(|checkpoint| removal.is_before(&checkpoint.at));
        if let Some(early) = early {
            let finding = Finding {
                fault: Fault::LetGoEarly,
                first: early.index,
                last: link.index,
                sequence: None,
                at: Some(removal.at.clone()),
            };
            self.find_first(finding);
        }
        self.verified.let_go = Some(removal);
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

    /// What the chain came to at the end of a block, against what was signed elsewhere.
    fn end(&mut self, link: Link, sequence: u64, at: Option<&str>, is_whole: bool) {
        let behind = self.signed.split_off(&link.index.saturating_add(1));
        let upto = std::mem::replace(&mut self.signed, behind);
        for checkpoint in upto.into_values().flatten() {
            // Before the first block there is nothing that could have been signed, but what it is chained to.
            let holds = [link, self.genesis]
                .iter()
                .any(|link| checkpoint.index == link.index && checkpoint.hash() == Some(link.hash));
            if holds {
                self.hold(checkpoint.index);
            } else {
                let unchained = self.verified.first.saturating_sub(1);
                let known = match checkpoint.index > unchained {
                    true => self.verified.signed_through.max(unchained),
                    false => self.verified.signed_through,
                };
                let first = known + 1;
                let (last, at) = (checkpoint.index.max(first), at.map(str::to_owned));
                self.find(Fault::CheckpointDiffers, first, last, Some(sequence), at);
            }
        }
        if is_whole {
            if self.ends.len() == ENDS {
                self.ends.pop_front();
            }
            self.ends.push_back((link.index, link.hash));
        }
    }

    /// A checkpoint that stands in the audit itself.
    fn heed(&mut self, checkpoint: &Checkpoint, sequence: u64) {
        if !self.is_trusted(checkpoint, Some(sequence)) {
            return;
        }
        let end = self
            .ends
            .iter()
            .rev()
            .find(|(index, _)| *index == checkpoint.index);
        match end {
            Some((_, hash)) if checkpoint.hash() == Some(*hash) => self.hold(checkpoint.index),
            Some(_) => {
                let first = self.verified.signed_through + 1;
                let (last, at) = (checkpoint.index.max(first), Some(checkpoint.at.clone()));
                self.find(Fault::CheckpointDiffers, first, last, Some(sequence), at);
            }
            // No block ends there any more: somebody made others of the same records.
            None if self.verified.found == 0 && self.is_in_reach(checkpoint.index) => {
                let (place, at) = (checkpoint.index, Some(checkpoint.at.clone()));
                self.find(Fault::CheckpointDiffers, place, place, Some(sequence), at);
            }
            // Its block is known to be wrong, or was let go of.
            None => {}
        }
    }

    /// Whether the end of the block with this record is remembered, if there is one.
    fn is_in_reach(&self, index: u64) -> bool {
        self.ends.front().is_some_and(|(first, _)| *first <= index)
    }

    fn hold(&mut self, index: u64) {
        self.unsigned = None;
        if index > self.verified.signed_through {
            self.verified.checkpoints += 1;
            self.verified.signed_through = index;
        }
    }

    /// What was let go of, as a record says.
    fn heed_removal(&mut self, removal: Option<Removal>, sequence: u64) {
        let Some(removal) = removal else {
            let next = self.next();
            return self.find(Fault::SignatureBad, next, next, Some(sequence), None);
        };
        let is_signed = removal.is_signed() && removal.practice == self.practice;
        let (key, at) = (Some(removal.public_key), Some(removal.at.clone()));
        match self.distrust(is_signed, key) {
            None => self.removals.push(removal),
            Some(fault) => self.find(fault, removal.index, removal.index, Some(sequence), at),
        }
    }

    fn is_trusted(&mut self, checkpoint: &Checkpoint, sequence: Option<u64>) -> bool {
        let is_signed = checkpoint.is_signed() && checkpoint.practice == self.practice;
        let Some(fault) = self.distrust(is_signed, checkpoint.key()) else {
            return true;
        };
        let (place, at) = (checkpoint.index, Some(checkpoint.at.clone()));
        self.find(fault, place, place, sequence, at);
        false
    }

    /// Why what is signed by a key does not count.
    fn distrust(&self, is_signed: bool, key: Option<[u8; 32]>) -> Option<Fault> {
        if !is_signed {
            return Some(Fault::SignatureBad);
        }
        let is_ours = self.keys.is_empty() || key.is_some_and(|key| self.keys.contains(&key));
        (!is_ours).then_some(Fault::KeyUnknown)
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
