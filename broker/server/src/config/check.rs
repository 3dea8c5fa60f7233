//! What the second stage works with: it notes problems and goes on, so that one round finds them all.

use super::{
    flaw::{Flaw, FlawKind},
    problem::{ConfigError, MAX_PROBLEMS, Place, Problem, ProblemKind},
    sources::Sources,
    units::{ByteSize, duration},
};
use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

/// Notes problems. Whatever parses a value returns none after it noted why.
pub(super) struct Check<'a> {
    sources: &'a Sources,
    environment: &'a BTreeMap<String, String>,
    folder: &'a Path,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    /// Begins with what the first stage found. `folder` is where relative paths start.
    pub(super) fn new(
        sources: &'a Sources,
        environment: &'a BTreeMap<String, String>,
        folder: &'a Path,
        flaws: Vec<Flaw>,
    ) -> Self {
        let mut check = Self {
            sources,
            environment,
            folder,
            problems: Vec::new(),
        };
        for flaw in flaws {
            check.flaw(flaw);
        }
        check
    }

    /// The value when there was no problem at all, else all problems in the order of the file.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, ConfigError> {
        self.problems
            .sort_by(|one, other| (&one.place, &one.key).cmp(&(&other.place, &other.key)));
        self.problems.truncate(MAX_PROBLEMS);
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(ConfigError {
                problems: self.problems,
            }),
        }
    }

    /// Notes a problem with what `key` says.
    pub(super) fn problem(
        &mut self,
        key: &str,
        kind: ProblemKind,
        what: impl Into<String>,
        way_out: impl Into<String>,
    ) {
        let (what, way_out) = (what.into(), Some(way_out.into()).filter(|text| !text.is_empty()));
        self.problems.push(Problem {
            place: self.sources.place(key),
            key: key.to_owned(),
            kind,
            what,
            way_out,
        });
    }

    /// Notes a value that `key` does not take.
    pub(super) fn value(&mut self, key: &str, what: impl Into<String>, way_out: impl Into<String>) {
        self.problem(key, ProblemKind::Value, what, way_out);
    }

    /// The value, or the note that there must be one. Silent when the key, or the table around it, has a problem already:
    /// it is written, only wrong.
    pub(super) fn required<T>(&mut self, key: &str, value: Option<T>, way_out: &str) -> Option<T> {
        if value.is_none() && !self.has_problem(key) {
            self.problem(key, ProblemKind::Missing, "is missing", way_out);
        }
        value
    }

    fn has_problem(&self, key: &str) -> bool {
        let covers = |other: &str| {
            key.strip_prefix(other)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                || other
                    .strip_prefix(key)
                    .is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        self.problems.iter().any(|problem| covers(&problem.key))
    }

    /// A path as it is written, made absolute.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// An environment variable that the configuration names, or that the broker documents.
    pub(super) fn variable(&self, name: &str) -> Option<&'a str> {
        self.environment.get(name).map(String::as_str)
    }

    /// Whether the environment gives this very key.
    pub(super) fn is_override(&self, key: &str) -> bool {
        self.sources.is_override(key)
    }

    /// A duration within bounds.
    pub(super) fn duration(
        &mut self,
        key: &str,
        written: &str,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let range = || {
            let words = |bound: &Duration| humantime::format_duration(*bound).to_string();
            format!(
                "write a duration from {} to {}, such as \"5s\" or \"250ms\"",
                words(bounds.start()),
                words(bounds.end())
            )
        };
        match duration(written) {
            Some(duration) if bounds.contains(&duration) => Some(duration),
            Some(_) => {
                self.value(key, format!("\"{written}\" is out of bounds"), range());
                None
            }
            None => {
                self.value(key, format!("\"{written}\" is no duration"), range());
                None
            }
        }
    }

    /// A size within bounds.
    pub(super) fn size(
        &mut self,
        key: &str,
        written: &str,
        bounds: RangeInclusive<ByteSize>,
    ) -> Option<ByteSize> {
        let range = format!("write a size from {} to {}", bounds.start(), bounds.end());
        match written.parse::<ByteSize>() {
            Ok(size) if bounds.contains(&size) => Some(size),
            Ok(_) => {
                self.value(key, format!("\"{written}\" is out of bounds"), range);
                None
            }
            Err(error) => {
                self.value(key, format!("\"{written}\" is no size: {error}"), range);
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, key: &str, written: i64, bounds: RangeInclusive<usize>) -> Option<usize> {
        let number = usize::try_from(written)
            .ok()
            .filter(|number| bounds.contains(number));
        if number.is_none() {
            let range = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
            self.value(key, format!("{written} is out of bounds"), range);
        }
        number
    }

    fn flaw(&mut self, flaw: Flaw) {
        match flaw.kind {
            FlawKind::UnknownKey { known } => self.unknown_key(&flaw.key, known),
            FlawKind::WrongType { found, wanted } => {
                let what = format!("is {found}, but must be {wanted}");
                self.problem(&flaw.key, ProblemKind::WrongType, what, "");
            }
            FlawKind::Other(what) => self.problem(&flaw.key, ProblemKind::WrongType, what, ""),
        }
    }

    fn unknown_key(&mut self, key: &str, known: &[&str]) {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        let way_out = match nearest(name, known.iter().copied()) {
            Some(near) => match self.sources.place(key) {
                Place::Environment { .. } if table.is_empty() => {
                    format!("did you mean {}?", variable_of(near))
                }
                Place::Environment { .. } => {
                    format!("did you mean {}?", variable_of(&format!("{table}.{near}")))
                }
                Place::File { .. } => format!("did you mean {near}?"),
            },
            None => format!("known here: {}", known.join(", ")),
        };
        self.problem(
            key,
            ProblemKind::UnknownKey,
            "is not a key of the configuration",
            way_out,
        );
    }
}

/// The variable that overrides a key.
fn variable_of(key: &str) -> String {
    format!(
        "ARCHWIRE__{}",
        key.replace('.', "__").replace('-', "_").to_ascii_uppercase()
    )
}

/// The candidate that somebody who wrote `name` most likely meant.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = candidates.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, near)| near)
}
