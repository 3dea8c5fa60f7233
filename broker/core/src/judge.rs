//! What an observation comes to, when there are owners: what of it counts, what is a disagreement for a person to decide,
//! and what the bus owes the record in return.
//!
//! | | a group without an owner, or whose owner has no record of the patient | the owner itself | another system than the owner |
//! |---|---|---|---|
//! | a new patient | counts | counts | counts |
//! | first sight: something that the bus does not know | counts | counts | disagreement |
//! | first sight: an element that contradicts the bus's | disagreement, whole | counts, whole | disagreement, whole; restored |
//! | a change since the last sight | counts | counts | disagreement; restored |
//!
//! Restored, where the owner wants it. An element is what a path is in ([`Path::element`]): half of one address with half
//! of another is no address, so that an element which contradicts is taken, disputed and restored as a whole, and one that
//! is gone from a record is gone as a whole. What is merely written differently contradicts nothing.

use crate::{
    Change, Fields, Ownership, Path, SystemName,
    merge::{self, apply},
    rendering::{form, is_rendering},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// All that decides what an observation comes to.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// Who observes.
    pub system: &'a SystemName,
    /// The patient as the bus knows them; `None` for a new one.
    pub current: Option<&'a Fields>,
    /// What the record is expected to show, by [`crate::expected_after`]; `None` when it is seen for the first time.
    pub shadow: Option<&'a Fields>,
    /// What it shows.
    pub observed: &'a Fields,
    /// Who is right about what.
    pub ownership: &'a Ownership,
    /// Whether a system has a record of the patient.
    pub holds: &'a dyn Fn(&SystemName) -> bool,
    /// The record was superseded by another one of its system: what it says about its own standing and its family is not
    /// about the patient.
    pub is_given_up: bool,
}

impl fmt::Debug for Situation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Situation")
            .field("system", &self.system.as_str())
            .finish_non_exhaustive()
    }
}

/// What an observation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What counts.
    pub change: Change,
    /// Where the system says otherwise than the bus and was not heard. Each is told once, because what a system showed is
    /// its shadow from then on.
    pub disagreements: BTreeSet<Path>,
    /// Those of the disagreements that the record is owed the bus's values at.
    pub restore: BTreeSet<Path>,
    /// Where the record does not show what the bus holds, nobody disputes that, and no event of another system will bring
    /// it: on a first sight what the bus knew before, and later what has another number in the bus than in the record, as
    /// when another system took an element away in the meantime. The record is owed that too.
    pub lacks: BTreeSet<Path>,
}

/// Judges an observation.
#[must_use]
pub fn judge(situation: &Situation<'_>) -> Judgement {
    let nobody = Fields::default();
    let bench = Bench {
        situation,
        current: situation.current.unwrap_or(&nobody),
    };
    let mut verdict = Verdict::default();
    match (situation.current, situation.shadow) {
        (Some(_), None) => bench.first_sight(&mut verdict),
        (_, shadow) => {
            let shadow = shadow.unwrap_or(&nobody);
            for path in bench.changes(shadow) {
                bench.change(path, &mut verdict);
            }
        }
    }
    let Verdict {
        counts,
        disagreements,
    } = verdict;
    let taken = apply(bench.current, counts, situation.observed);
    let change = renumbered(bench.current, &taken);
    let mut lacks = match (situation.current, situation.shadow) {
        (Some(_), None) => change.fields.difference(situation.observed),
        _ => to_write(
            &taken.changed.union(&change.changed).cloned().collect(),
            &change.fields,
            situation.observed,
        ),
    };
    lacks.retain(|path| !disagreements.contains(path) && !bench.is_ignored(path));
    let restore = bench.restored(&disagreements);
    Judgement {
        change,
        disagreements,
        restore,
        lacks,
    }
}

/// A change as it comes out when the elements that are left are numbered anew, and those are left out that lost what they
/// cannot be without.
fn renumbered(current: &Fields, taken: &Change) -> Change {
    if taken.changed.is_empty() {
        return taken.clone();
    }
    let patient = taken.fields.to_patient();
    match patient.and_then(|patient| Fields::of(&patient)) {
        Ok(fields) => Change {
            changed: current.difference(&fields),
            fields,
        },
        // Values that make no patient are for whoever wants a patient of them to refuse.
        Err(_) => taken.clone(),
    }
}

/// Whether what a record shows at a path is still something else than what the bus holds, and not only written
/// differently.
#[must_use]
pub fn still_disagrees(path: &Path, shown: &Fields, held: &Fields) -> bool {
    match (shown.get(path), held.get(path)) {
        (Some(shown), Some(held)) => !is_rendering(path, shown, held),
        (shown, held) => shown != held,
    }
}

/// Of the paths that a record does not have yet, those that have to be written, because it does not show them as wanted.
///
/// Elements with the same key are told apart by number, and have other numbers when one of them goes: they are written
/// together. And what is to go is written also where the record does not show it, when it shows something in the same list
/// that the bus does not have: it may file what it was given under another key.
#[must_use]
pub fn to_write(due: &BTreeSet<Path>, wanted: &Fields, shown: &Fields) -> BTreeSet<Path> {
    let differing = wanted.difference(shown);
    let numbered: BTreeSet<&str> = wanted
        .paths()
        .chain(shown.paths())
        .filter(|path| path.element().contains('~'))
        .map(without_number)
        .collect();
    let together: BTreeSet<&str> = due
        .iter()
        .filter(|path| differing.contains(path))
        .map(without_number)
        .filter(|element| numbered.contains(element))
        .collect();
    let known: BTreeSet<&str> = wanted.paths().map(Path::element).collect();
    let filed_elsewhere: BTreeSet<&str> = shown
        .paths()
        .filter(|path| !known.contains(path.element()))
        .filter_map(list)
        .collect();
    let to_go = |path: &&Path| {
        wanted.get(path).is_none() && list(path).is_some_and(|list| filed_elsewhere.contains(list))
    };
    differing
        .iter()
        .filter(|path| due.contains(path) || together.contains(without_number(path)))
        .chain(due.iter().filter(to_go))
        .cloned()
        .collect()
}

/// The element of a path without its number among those with the same key.
fn without_number(path: &Path) -> &str {
    merge::without_number(path.element())
}

/// The list that a path is in; none for what a patient has once.
fn list(path: &Path) -> Option<&str> {
    path.as_str().split_once('/').map(|(list, _)| list)
}

#[derive(Default)]
struct Verdict {
    counts: BTreeSet<Path>,
    disagreements: BTreeSet<Path>,
}

/// What a system has to say about a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Say {
    /// It is right.
    Owner,
    /// Nobody else who is there is right.
    Free,
    /// Somebody else is.
    None,
}

/// How what a system shows differs from what the bus holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// It shows nothing.
    Absent,
    /// It shows a rendering with less in it: shortened, all upper case, without accents.
    Less,
    /// It shows the same with as much form as the bus holds, or more.
    Form,
    /// It shows what the bus does not know, or holds only a rendering of.
    More,
    /// It shows something else.
    Other,
}

struct Bench<'a> {
    situation: &'a Situation<'a>,
    current: &'a Fields,
}

impl Bench<'_> {
    /// What the system shows otherwise than before. An element that it no longer shows at all is gone with all that the
    /// bus holds in it, also with what the system has no place for; and one that the bus does not have comes with all that
    /// the system shows in it, also with what it showed before: a city without its street is no address.
    fn changes(&self, shadow: &Fields) -> BTreeSet<Path> {
        let (observed, current) = (self.situation.observed, self.current);
        let changes = shadow.difference(observed);
        if changes.is_empty() {
            return changes;
        }
        let elements_of = |is_shown: bool| -> BTreeSet<&str> {
            let paths = changes
                .iter()
                .filter(|path| observed.get(path).is_some() == is_shown);
            paths.map(Path::element).collect()
        };
        let gone = &elements_of(false) - &observed.elements();
        let new = &elements_of(true) - &current.elements();
        let left = current.paths().filter(|path| gone.contains(path.element()));
        let shown = observed.paths().filter(|path| new.contains(path.element()));
        let with_them: Vec<_> = left.chain(shown).cloned().collect();
        let mut changes = changes;
        changes.extend(with_them);
        changes
    }

    /// Something that the system shows otherwise than before: somebody edited it there.
    fn change(&self, path: Path, verdict: &mut Verdict) {
        if self.is_ignored(&path) {
            return;
        }
        if self.say(&path) != Say::None {
            verdict.counts.insert(path);
        } else if still_disagrees(&path, self.situation.observed, self.current) {
            verdict.disagreements.insert(path);
        }
    }

    fn first_sight(&self, verdict: &mut Verdict) {
        let mut elements: BTreeMap<String, BTreeSet<Path>> = BTreeMap::new();
        for path in self.current.difference(self.situation.observed) {
            if !self.is_ignored(&path) {
                elements
                    .entry(path.element().to_owned())
                    .or_default()
                    .insert(path);
            }
        }
        for paths in elements.into_values() {
            self.first_sight_of(paths, verdict);
        }
    }

    /// `paths` are those of one element at which the bus and the system differ.
    fn first_sight_of(&self, paths: BTreeSet<Path>, verdict: &mut Verdict) {
        let Some(say) = paths.first().map(|path| self.say(path)) else {
            return;
        };
        let told: BTreeMap<Path, Difference> = paths
            .into_iter()
            .map(|path| (path.clone(), self.difference(&path)))
            .collect();
        let contradicts = told.values().any(|difference| *difference == Difference::Other);
        for (path, difference) in told {
            let is_told = match difference {
                Difference::Other | Difference::More => true,
                Difference::Form => say == Say::Owner,
                Difference::Less => false,
                // What the system does not show, it need not have a place for; but half of it is no element.
                Difference::Absent => contradicts,
            };
            let is_new = self.current.get(&path).is_none();
            match say {
                _ if !is_told => {}
                Say::Owner => _ = verdict.counts.insert(path),
                Say::Free if is_new && !contradicts => _ = verdict.counts.insert(path),
                Say::Free | Say::None => _ = verdict.disagreements.insert(path),
            }
        }
    }

    /// What of the disagreements is put right at once. An element is, as far as it is disputed, when anything that the bus
    /// holds in it is disputed; what a system merely has in addition may be what the owner has no place for, and stays.
    fn restored(&self, disagreements: &BTreeSet<Path>) -> BTreeSet<Path> {
        let held: BTreeSet<&str> = disagreements
            .iter()
            .filter(|path| self.current.get(path).is_some())
            .map(Path::element)
            .collect();
        let is_restored = |path: &&Path| {
            held.contains(path.element())
                && self.say(path) == Say::None
                && self.situation.ownership.restores(path)
        };
        disagreements.iter().filter(is_restored).cloned().collect()
    }

    /// How what the system shows at a path differs from what the bus holds.
    fn difference(&self, path: &Path) -> Difference {
        match (self.current.get(path), self.situation.observed.get(path)) {
            (_, None) => Difference::Absent,
            (None, Some(_)) => Difference::More,
            (Some(held), Some(shown)) => {
                match (is_rendering(path, shown, held), is_rendering(path, held, shown)) {
                    (true, true) if form(shown) >= form(held) => Difference::Form,
                    (true, _) => Difference::Less,
                    (false, true) => Difference::More,
                    (false, false) => Difference::Other,
                }
            }
        }
    }

    fn say(&self, path: &Path) -> Say {
        match self.situation.ownership.owner_of(path) {
            Some(owner) if owner == self.situation.system => Say::Owner,
            // Nobody has a record of a patient who is new.
            Some(owner) if self.situation.current.is_some() && (self.situation.holds)(owner) => Say::None,
            _ => Say::Free,
        }
    }

    /// What a program does to a record that it gives up: it is put away, is neither alive nor dead any more, and its family
    /// goes over to the record that took its place.
    fn is_ignored(&self, path: &Path) -> bool {
        let path = path.as_str();
        self.situation.is_given_up
            && (matches!(path, "status" | "merged_into" | "deceased" | "deceased_at")
                || path.starts_with("responsible_parties/"))
    }
}
