//! What a system holds, compared with what the bus knows of it.
//!
//! [`Survey`] is what a system lists: at most [`Survey::MOST`] records, each once, in whatever order its pages came. It tells
//! which records are missing, which are extra, and which are to be looked into. [`Comparison`] is one of those, looked into:
//! at which paths the system shows something that the bus has not heard of, and at which it lacks what the bus wants.
//!
//! | what a record shows at a path, against what the bus wants there | comes to |
//! |---|---|
//! | the same, or only written differently | nothing |
//! | something else than when it was last taken | unheard: an observation to be taken, whoever is right about the path |
//! | what it showed before, and the bus has not brought it its own value yet | lacking |
//! | what it showed before, although it was brought another value | lacking, unless a person has that in review, or the system is the one that is right |
//! | nothing, as before, after it was brought a value | nothing: the system does not keep that |
//! | as before something where the bus holds nothing | nothing: the system keeps it, or files it otherwise |
//!
//! Nothing in here fails but a survey that does not end.

use crate::{Fields, LocalId, Path, SurveyEntry, judge::still_disagrees, rendering::is_rendering};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A record's version, as far as it takes to tell it from another one: 64 bits of its SHA-256. What a connector makes a
/// version of is its own business, and not for the bus to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordVersion(u64);

impl RecordVersion {
    /// The version that a connector tells.
    #[must_use]
    pub fn of(told: &str) -> Self {
        let digest = Sha256::digest(told.as_bytes());
        let first = digest.iter().take(8);
        Self(first.fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    /// As a number, to be kept.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl From<u64> for RecordVersion {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// More records than a survey may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system lists more than {} records", Survey::MOST)]
pub struct SurveyTooLarge;

/// What a system lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey(BTreeMap<LocalId, Option<RecordVersion>>);

impl Survey {
    /// Most records of a system.
    pub const MOST: usize = 1_000_000;

    /// Takes in a page. A record that is listed twice is one; where its version is not the same both times, it has none.
    ///
    /// # Errors
    /// When there are more records than [`Survey::MOST`].
    pub fn add(&mut self, page: impl IntoIterator<Item = SurveyEntry>) -> Result<(), SurveyTooLarge> {
        for SurveyEntry { local_id, version } in page {
            let version = version.as_deref().map(RecordVersion::of);
            let listed = self.0.entry(local_id).or_insert(version);
            if *listed != version {
                *listed = None;
            }
            if self.0.len() > Self::MOST {
                return Err(SurveyTooLarge);
            }
        }
        Ok(())
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Holds what is listed against the records that the bus knows in the system.
    #[must_use]
    pub fn against<T>(mut self, known: impl IntoIterator<Item = (LocalId, T)>) -> Against<T> {
        let (mut listed, mut missing) = (Vec::new(), Vec::new());
        for (local_id, what) in known {
            match self.0.remove(&local_id) {
                Some(version) => listed.push((local_id, version, what)),
                None => missing.push((local_id, what)),
            }
        }
        Against {
            listed,
            missing,
            extra: self.0.into_keys().collect(),
        }
    }
}

/// A survey held against what the bus knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Against<T> {
    /// Known and listed, with the version that is listed, in the order in which they are known.
    pub listed: Vec<(LocalId, Option<RecordVersion>, T)>,
    /// Known and not listed, in that order.
    pub missing: Vec<(LocalId, T)>,
    /// Listed and not known, by their ids.
    pub extra: Vec<LocalId>,
}

/// What there is to compare of one record, all of it in the terms of its system.
pub struct Comparison<'a> {
    /// What the bus wants it to show.
    pub wanted: &'a Fields,
    /// What it showed when it was last taken; `None` when it never was.
    pub shadow: Option<&'a Fields>,
    /// What it shows.
    pub shown: &'a Fields,
    /// Where a person has to decide who is right.
    pub disputed: &'a BTreeSet<Path>,
    /// Whether the system itself is the one that is right about a path.
    pub is_owner: &'a dyn Fn(&Path) -> bool,
}

/// Where a record differs from what the bus knows and wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// Where it shows what the bus has not heard of. An observation, to be taken as any other.
    pub unheard: BTreeSet<Path>,
    /// Where it shows another value than the bus's, as it did before.
    pub lacking: BTreeSet<Path>,
    /// Where it lacks what the bus wants, as it did before, unless it has been brought that: then it is the system's way.
    pub unless_brought: BTreeSet<Path>,
}

impl Comparison<'_> {
    /// Where the record differs. What is said `unless_brought` is for [`Differences::settle`], because what has been brought
    /// has to be looked up in the log.
    #[must_use]
    pub fn differences(&self) -> Differences {
        let mut differences = Differences::default();
        for path in self.wanted.difference(self.shown) {
            if self.is_unheard(&path) {
                differences.unheard.insert(path);
            } else if still_disagrees(&path, self.shown, self.wanted) {
                if self.is_made_otherwise(&path) {
                    differences.lacking.insert(path);
                } else {
                    differences.unless_brought.insert(path);
                }
            }
        }
        differences
    }

    /// Whether the system shows something else than when the record was last taken, and not merely what the bus wants.
    fn is_unheard(&self, path: &Path) -> bool {
        let before = self.shadow.and_then(|shadow| shadow.get(path));
        match (before, self.shown.get(path), self.wanted.get(path)) {
            (before, shown, _) if before == shown => false,
            // Gone, or come; of a record that was never taken, everything that it shows has come.
            (Some(_), None, _) => true,
            (None, Some(shown), wanted) => wanted.is_none_or(|wanted| !is_rendering(path, shown, wanted)),
            (Some(before), Some(shown), wanted) => {
                let is_less = is_rendering(path, shown, before);
                let is_same = is_less && is_rendering(path, before, shown);
                let is_brought = wanted.is_some_and(|wanted| is_rendering(path, shown, wanted));
                !is_same && (is_less || !is_brought)
            }
            (None, None, _) => false,
        }
    }

    /// Whether the system shows another value than the bus's, which nobody disputes and which it is not right about.
    fn is_made_otherwise(&self, path: &Path) -> bool {
        self.shown.get(path).is_some()
            && self.wanted.get(path).is_some()
            && !self.disputed.contains(path)
            && !(self.is_owner)(path)
    }
}

impl Differences {
    /// Whether there is none, whatever is due.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.unheard.is_empty() && self.lacking.is_empty() && self.unless_brought.is_empty()
    }

    /// What remains, when `due` is what the bus has not brought to the record yet.
    #[must_use]
    pub fn settle(mut self, due: &BTreeSet<Path>) -> Self {
        let unless_brought = std::mem::take(&mut self.unless_brought);
        let not_brought = unless_brought.into_iter().filter(|path| due.contains(path));
        self.lacking.extend(not_brought);
        self
    }

    /// All paths at which there is a difference, once settled.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<Path> {
        self.unheard.union(&self.lacking).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
