//! What was signed of an audit: checkpoints from elsewhere and in the audit itself, and what says that a beginning was let go of. Each
//! counts where one of the known keys signed it. Each broker has a key of its own, in its data folder, so that an audit which two have
//! written is signed by two: whoever checks it names both.

use super::{Beginning, Fault, Finding, OtherKey, Verifier};
use crate::audit::{chain::Link, checkpoint::Checkpoint, removal::Removal};
use std::time::Duration;

/// Ends of blocks that are remembered. A checkpoint is in one of the next few blocks behind what it signs.
const ENDS: usize = 1024;
/// More records behind the last checkpoint that holds were not left by a broker: it signs after 10,000, and at each stop.
const MOST_UNSIGNED: u64 = 20_000;
/// Nor more than a few over such a time: it signs each day, and a minute after a start.
const LONGEST_UNSIGNED: Duration = Duration::from_secs(3 * 24 * 3600);
const FEW: u64 = 100;
/// Keys that are told apart which are none of the known ones.
const MOST_KEYS: usize = 16;

impl Verifier {
    /// Whether a broker that signs would have left so much unsigned. Who has no key has no broker that signs.
    pub(super) fn find_unsigned(&mut self) {
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
    pub(super) fn begin(&mut self, beginning: Beginning) {
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

    /// What the chain came to at the end of a block, against what was signed elsewhere.
    pub(super) fn end(&mut self, link: Link, sequence: u64, at: Option<&str>, is_whole: bool) {
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
    pub(super) fn heed(&mut self, checkpoint: &Checkpoint, sequence: u64) {
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
    pub(super) fn heed_removal(&mut self, removal: Option<Removal>, sequence: u64) {
        let Some(removal) = removal else {
            let next = self.next();
            return self.find(Fault::SignatureBad, next, next, Some(sequence), None);
        };
        let is_signed = removal.is_signed() && removal.practice == self.practice;
        let (key, at) = (Some(removal.public_key), Some(removal.at.clone()));
        match self.distrust(is_signed, key) {
            None => self.removals.push(removal),
            Some(fault) if self.is_new(fault, key, removal.index) => {
                self.find(fault, removal.index, removal.index, Some(sequence), at);
            }
            Some(_) => {}
        }
    }

    pub(super) fn is_trusted(&mut self, checkpoint: &Checkpoint, sequence: Option<u64>) -> bool {
        let is_signed = checkpoint.is_signed() && checkpoint.practice == self.practice;
        let Some(fault) = self.distrust(is_signed, checkpoint.key()) else {
            return true;
        };
        let (place, at) = (checkpoint.index, Some(checkpoint.at.clone()));
        if self.is_new(fault, checkpoint.key(), place) {
            self.find(fault, place, place, sequence, at);
        }
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

    /// Whether a fault is to be found: what one other key signed is found once.
    fn is_new(&mut self, fault: Fault, key: Option<[u8; 32]>, index: u64) -> bool {
        let (Fault::KeyUnknown, Some(key)) = (fault, key) else {
            return true;
        };
        let others = &mut self.verified.other_keys;
        if let Some(other) = others.iter_mut().find(|other| other.key == key) {
            other.first = other.first.min(index);
            other.last = other.last.max(index);
            return false;
        }
        if others.len() < MOST_KEYS {
            others.push(OtherKey {
                key,
                first: index,
                last: index,
            });
        }
        true
    }
}
