//! A system of the model, its record as the bus knows it, and how far a delivery to it has come.

use crate::lossy::{Loss, place, shown};
use archwire_core::{Fields, Path, SystemName};
use std::collections::BTreeSet;

/// What happened to the patient, by whom.
pub(crate) struct Event {
    pub(crate) by: usize,
    pub(crate) changed: BTreeSet<Path>,
}

/// What the bus knows of a system's record.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) shadow: Option<Fields>,
    pub(crate) delivered: usize,
    pub(crate) writing: Option<(BTreeSet<Path>, Fields)>,
    pub(crate) owed: BTreeSet<Path>,
    pub(crate) read_at: u64,
}

/// What a delivery is about.
pub(crate) struct Plan {
    /// What it writes.
    pub(crate) paths: BTreeSet<Path>,
    /// Up to where the record is up to date after it.
    pub(crate) revision: usize,
    /// The state that the paths are from.
    pub(crate) wanted: Fields,
}

/// How far a delivery has come.
pub(crate) enum Delivery {
    None,
    /// The record was looked at.
    Looked {
        due: BTreeSet<Path>,
        revision: usize,
        seen: Fields,
        begun: u64,
    },
    /// It is known what to write.
    Planned(Plan),
    /// It was written.
    Written(Plan),
    /// It was read back.
    ReadBack {
        plan: Plan,
        back: Fields,
        begun: u64,
    },
}

/// A system and its staff.
pub(crate) struct System {
    pub(crate) name: SystemName,
    pub(crate) losses: Vec<Loss>,
    /// The record as the staff see it.
    pub(crate) shows: Option<Fields>,
    pub(crate) record: Option<Record>,
    pub(crate) delivery: Delivery,
    pub(crate) polled: Option<(Fields, u64)>,
    /// What the staff did that the bus has not heard of: where, and when.
    pub(crate) edits: BTreeSet<(Path, u64)>,
    /// Where the system and the bus disagree, for a person to decide.
    pub(crate) disputed: BTreeSet<Path>,
    /// Where it was to be put right at once.
    pub(crate) put_right: BTreeSet<Path>,
    /// Writes to it.
    pub(crate) writes: usize,
}

impl System {
    pub(crate) fn new(name: &str, losses: &[Loss], has: Option<&Fields>) -> Self {
        Self {
            name: name.parse().unwrap(),
            losses: losses.to_vec(),
            shows: has.map(|fields| shown(losses, fields)),
            record: None,
            delivery: Delivery::None,
            polled: None,
            edits: BTreeSet::new(),
            disputed: BTreeSet::new(),
            put_right: BTreeSet::new(),
            writes: 0,
        }
    }

    /// Whether writing these paths writes to the element that a path is in.
    pub(crate) fn is_touched(&self, path: &Path, paths: &BTreeSet<Path>) -> bool {
        let place = |path| place(&self.losses, path);
        paths.iter().any(|other| place(other) == place(path))
    }

    /// Whether a delivery is just about to write to the element that a path is in, or has written to it without having
    /// settled: an edit there in that moment cannot be told from the system's own way of showing what it was given.
    pub(crate) fn in_the_air(&self, path: &Path) -> bool {
        match &self.delivery {
            Delivery::None | Delivery::Looked { .. } => false,
            Delivery::Planned(plan) | Delivery::Written(plan) | Delivery::ReadBack { plan, .. } => {
                self.is_touched(path, &plan.paths)
            }
        }
    }
}
