//! A small model of the bus: one patient, a truth with its history, systems that lose things, and deliveries step by step.
//!
//! What decides is the real thing (`judge`, `expected_after_writing`, `to_write`); only what carries it is modelled, as the broker
//! does it: a delivery looks, has what it saw judged, writes what others changed, reads back and settles. Every edit and
//! every change is accounted for on the way, so that a lost edit or an echo fails at once, where it happens.

use crate::lossy::{place, shown, written};
use crate::system::{Delivery, Event, Plan, Record, System};
use archwire_core::{
    Fields, Judgement, Ownership, Path, Situation, SystemName, expected_after_writing, judge,
    still_disagrees, to_write,
};
use std::collections::BTreeSet;

pub(crate) struct Bus {
    pub(crate) truth: Option<Fields>,
    pub(crate) systems: Vec<System>,
    pub(crate) ownership: Ownership,
    pub(crate) log: Vec<Event>,
    clock: u64,
}

impl Bus {
    pub(crate) fn new(ownership: Ownership, systems: Vec<System>) -> Self {
        Self {
            truth: None,
            systems,
            ownership,
            log: Vec::new(),
            clock: 0,
        }
    }

    /// Events so far.
    pub(crate) fn revision(&self) -> usize {
        self.log.len()
    }

    /// The staff of a system make its record show something else. Nothing comes of an edit of what is in the air, nor of
    /// one that the system does not keep.
    pub(crate) fn edit(&mut self, at: usize, change: impl Fn(&Fields) -> Fields) {
        self.clock += 1;
        let system = &mut self.systems[at];
        let Some(before) = system.shows.clone() else {
            return;
        };
        let after = shown(&system.losses, &change(&before));
        let edited = before.difference(&after);
        if edited.iter().any(|path| system.in_the_air(path)) {
            return;
        }
        system
            .edits
            .extend(edited.into_iter().map(|path| (path, self.clock)));
        system.shows = Some(after);
    }

    /// A poll reads the record.
    pub(crate) fn fetch(&mut self, at: usize) {
        self.clock += 1;
        let system = &mut self.systems[at];
        system.polled = system.shows.clone().map(|shows| (shows, self.clock));
    }

    /// The bus hears of what the poll read.
    pub(crate) fn hear(&mut self, at: usize) {
        if let Some((view, begun)) = self.systems[at].polled.take() {
            self.observe(at, view, begun, None);
        }
    }

    pub(crate) fn poll(&mut self, at: usize) {
        self.fetch(at);
        self.hear(at);
    }

    /// One step of the delivery to a system. False when there is nothing to do.
    pub(crate) fn step(&mut self, at: usize) -> bool {
        self.clock += 1;
        match std::mem::replace(&mut self.systems[at].delivery, Delivery::None) {
            Delivery::None => return self.begin(at),
            Delivery::Looked {
                due,
                revision,
                seen,
                begun,
            } => {
                self.observe(at, seen.clone(), begun, None);
                let wanted = self.truth.clone().unwrap();
                let record = self.systems[at].record.as_ref().unwrap();
                // A poll may have begun after the look and been heard before it.
                let (seen, begun) = (record.shadow.clone().unwrap(), record.read_at);
                let due = due.union(&record.owed).cloned().collect();
                let plan = Plan {
                    paths: to_write(&due, &wanted, &seen),
                    revision,
                    wanted,
                };
                let system = &mut self.systems[at];
                let mut edits = system.edits.iter().filter(|(_, when)| *when >= begun);
                if plan.paths.is_empty() {
                    self.settle(at, plan, seen, begun);
                } else if edits.any(|(path, _)| system.is_touched(path, &plan.paths)) {
                    // The staff edited there after the look: the known gap, which the model leaves out. It looks again.
                    system.delivery = Delivery::None;
                } else {
                    if let Some(record) = &mut system.record {
                        record.writing = Some((plan.paths.clone(), plan.wanted.clone()));
                    }
                    system.delivery = Delivery::Planned(plan);
                }
            }
            Delivery::Planned(plan) => {
                let system = &mut self.systems[at];
                let before = system.shows.clone().unwrap_or_default();
                let after = written(&system.losses, &before, &plan.paths, &plan.wanted);
                for path in before.difference(&after) {
                    assert!(
                        !system.edits.iter().any(|(edited, _)| *edited == path),
                        "an edit at {path} was written over before the bus heard of it"
                    );
                }
                system.shows = Some(after);
                system.writes += 1;
                if system.record.is_none() {
                    system.record = Some(Record {
                        shadow: Some(Fields::default()),
                        writing: Some((plan.paths.clone(), plan.wanted.clone())),
                        ..Record::default()
                    });
                }
                system.delivery = Delivery::Written(plan);
            }
            Delivery::Written(plan) => {
                let system = &mut self.systems[at];
                let back = system.shows.clone().unwrap();
                system.delivery = Delivery::ReadBack {
                    plan,
                    back,
                    begun: self.clock,
                };
            }
            Delivery::ReadBack { plan, back, begun } => self.settle(at, plan, back, begun),
        }
        true
    }

    fn begin(&mut self, at: usize) -> bool {
        let system = &mut self.systems[at];
        let Some(truth) = &self.truth else { return false };
        let revision = self.log.len();
        match (&system.record, &system.shows) {
            (Some(record), Some(shows)) => {
                let due = due(&self.log, record, at);
                if due.is_empty() {
                    return false;
                }
                system.delivery = Delivery::Looked {
                    due,
                    revision,
                    seen: shows.clone(),
                    begun: self.clock,
                };
            }
            (None, None) => {
                let plan = Plan {
                    paths: truth.paths().cloned().collect(),
                    revision,
                    wanted: truth.clone(),
                };
                system.delivery = Delivery::Planned(plan);
            }
            // A record that the bus has not seen is for a poll to find.
            _ => return false,
        }
        true
    }

    fn settle(&mut self, at: usize, plan: Plan, view: Fields, begun: u64) {
        let system = &mut self.systems[at];
        let record = system.record.as_mut().unwrap();
        let before = record.shadow.clone();
        let is_old = record.read_at > begun;
        if !is_old {
            let shadow = before.clone().unwrap_or_default();
            record.shadow = Some(expected_after_writing(&shadow, &plan.paths, &plan.wanted, &view));
        }
        record.delivered = record.delivered.max(plan.revision);
        record.writing = None;
        // What it shows of what was written is all that it has a place for.
        system.disputed.retain(|path| !plan.paths.contains(path));
        // The same may have come to be owed again in the meantime.
        let truth = self.truth.as_ref().unwrap();
        let is_paid =
            |path: &Path| plan.paths.contains(path) || (!is_old && truth.get(path) == view.get(path));
        record.owed.retain(|path| !is_paid(path));
        self.observe(at, view, begun, Some(before.unwrap_or_default()));
    }

    /// `told` is what the bus had heard before, where a delivery has since put its own expectation in its place.
    fn observe(&mut self, at: usize, view: Fields, begun: u64, told: Option<Fields>) {
        let holds: Vec<SystemName> = self
            .systems
            .iter()
            .filter(|system| system.record.is_some())
            .map(|system| system.name.clone())
            .collect();
        let system = &mut self.systems[at];
        if system
            .record
            .as_ref()
            .is_some_and(|record| record.read_at > begun)
        {
            return;
        }
        let is_first = system
            .record
            .as_ref()
            .is_none_or(|record| record.shadow.is_none());
        let record = system.record.get_or_insert_default();
        let expected = record.shadow.as_ref().map(|shadow| match &record.writing {
            Some((paths, wanted)) => expected_after_writing(shadow, paths, wanted, &view),
            None => shadow.clone(),
        });
        let told = told.or_else(|| record.shadow.clone()).unwrap_or_default();
        let judgement = judge(&Situation {
            system: &system.name,
            current: self.truth.as_ref(),
            shadow: expected.as_ref(),
            observed: &view,
            ownership: &self.ownership,
            holds: &|name| holds.contains(name),
            is_given_up: false,
        });
        for path in judgement.change.changed.iter().filter(|_| self.truth.is_some()) {
            let owner = self.ownership.owner_of(path);
            let is_owned = owner.is_some_and(|owner| *owner != system.name && holds.contains(owner));
            assert!(!is_owned, "{} changed {path}, which is not its own", system.name);
        }
        if let Some(expected) = expected.filter(|_| !is_first) {
            let is_owned = |path: &Path| self.ownership.owner_of(path).is_some();
            account(system, &judgement, &expected, &view, begun, &told, is_owned);
        }
        let system = &mut self.systems[at];
        system.edits.retain(|(_, when)| *when >= begun);
        let record = system.record.as_mut().unwrap();
        record.shadow = Some(view.clone());
        record.read_at = begun;
        record.owed.extend(judgement.restore.iter().cloned());
        system.put_right.extend(judgement.restore.iter().cloned());
        self.truth.get_or_insert_default();
        system
            .disputed
            .retain(|path| still_disagrees(path, &view, &judgement.change.fields));
        system.disputed.extend(judgement.disagreements.iter().cloned());
        if !judgement.change.changed.is_empty() {
            self.log.push(Event {
                by: at,
                changed: judgement.change.changed,
            });
            self.truth = Some(judgement.change.fields);
        }
        record.owed.extend(judgement.lacks);
        if is_first {
            record.delivered = self.log.len();
        }
    }
}

/// What others changed since a record was last brought up to date, and what the bus owes it.
pub(crate) fn due(log: &[Event], record: &Record, at: usize) -> BTreeSet<Path> {
    let news = log.iter().skip(record.delivered).filter(|event| event.by != at);
    news.flat_map(|event| &event.changed)
        .chain(&record.owed)
        .cloned()
        .collect()
}

/// No edit is lost, and nothing is made up.
fn account(
    system: &System,
    judgement: &Judgement,
    expected: &Fields,
    view: &Fields,
    begun: u64,
    told: &Fields,
    is_owned: impl Fn(&Path) -> bool,
) {
    let edited: BTreeSet<&Path> = system
        .edits
        .iter()
        .filter(|(_, when)| *when < begun)
        .map(|(path, _)| path)
        .collect();
    let news = expected.difference(view);
    for path in &news {
        // What was given under another key and is gone again was never known under this one.
        let is_unknown = view.get(path).is_none() && !judgement.change.changed.contains(path);
        assert!(
            is_unknown || edited.contains(path),
            "{} made up a change at {path}",
            system.name
        );
    }
    // Elements are numbered anew when one of them goes.
    for path in judgement.change.changed.iter().chain(&judgement.disagreements) {
        let has_news = news.iter().any(|other| place(&[], other) == place(&[], path));
        assert!(has_news, "the bus made up a change at {path}");
    }
    for path in edited {
        let taken = judgement.change.fields.get(path) == view.get(path);
        let renumbered = judgement.lacks.contains(path);
        let undone = told.get(path) == view.get(path);
        // Who does not own it may come round to what the owner says.
        let agreed = is_owned(path) && !still_disagrees(path, view, &judgement.change.fields);
        assert!(
            taken || agreed || renumbered || undone || judgement.disagreements.contains(path),
            "an edit at {path} in {} was lost",
            system.name
        );
    }
}
