//! The layers of the configuration: the file, then the environment over it; and where each key is written.
//!
//! `ARCHWIRE__API__LISTEN` overrides `api.listen`: after the prefix, two underscores separate the parts of a key, a
//! single one is a dash, and letters become lower case. Elements of lists cannot be overridden. The merging is the
//! `config` crate's; the lines come from the TOML parser, whose positions that crate does not keep.

use super::problem::{ConfigError, Place, Problem, ProblemKind};
use config::{FileFormat, Value};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{self, Read},
    ops::Bound,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};

const PREFIX: &str = "ARCHWIRE__";
/// Largest configuration file, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// The environment of this process, for [`super::Config::load`]. Variables that are not UTF-8 are left out.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// All layers together. Not printable: somebody may have written a secret into it.
pub(super) struct Sources {
    file: PathBuf,
    digest: [u8; 32],
    merged: Value,
    lines: BTreeMap<String, usize>,
    /// Variable of each overridden key.
    overrides: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the file and lays the environment over it.
    pub(super) fn load(file: &Path, environment: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let text = read(file).map_err(|error| not_read(file, &error))?;
        let (table, errors) = DeTable::parse_recoverable(&text);
        let text_lines = TextLines::new(&text);
        if !errors.is_empty() {
            let problems = errors.iter().map(|error| {
                let line = error.span().map(|span| text_lines.of(span.start));
                problem(
                    place_in(file, line),
                    ProblemKind::Unreadable,
                    format!("not TOML: {}", error.message()),
                )
            });
            return Err(ConfigError {
                problems: problems.take(super::MAX_PROBLEMS).collect(),
            });
        }
        let mut lines = BTreeMap::new();
        note_lines(table.get_ref(), "", &text_lines, &mut lines);
        let overrides = overrides(environment)?;
        let mut layers =
            config::Config::builder().add_source(config::File::from_str(&text, FileFormat::Toml));
        for (key, variable) in &overrides {
            let value = environment.get(variable).map_or("", String::as_str);
            layers = layers
                .set_override(key, value)
                .map_err(|_| bad_variable(variable))?;
        }
        let merged = layers.build().map_err(|error| ConfigError {
            problems: vec![unreadable(file, &error.to_string())],
        })?;
        Ok(Self {
            file: file.to_owned(),
            digest: Sha256::digest(&text).into(),
            merged: merged.cache,
            lines,
            overrides,
        })
    }

    /// SHA-256 of the file.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// All layers as one tree.
    pub(super) fn merged(&self) -> &Value {
        &self.merged
    }

    /// Whether an environment variable gives this very key.
    pub(super) fn is_override(&self, key: &str) -> bool {
        self.overrides.contains_key(key)
    }

    /// Where a key is written; for one that is not, the nearest table around it that is.
    pub(super) fn place(&self, key: &str) -> Place {
        let mut around = Some(key);
        while let Some(key) = around {
            if let Some(variable) = self.overrides.get(key) {
                return Place::Environment {
                    variable: variable.clone(),
                };
            }
            if let Some(line) = self.lines.get(key) {
                return place_in(&self.file, Some(*line));
            }
            if let Some(variable) = self.variable_inside(key) {
                return Place::Environment {
                    variable: variable.to_owned(),
                };
            }
            around = key.rfind(['.', '[']).and_then(|end| key.get(..end));
        }
        place_in(&self.file, None)
    }

    /// A variable for a key inside the table `key`.
    fn variable_inside(&self, key: &str) -> Option<&str> {
        let inside = format!("{key}.");
        let mut from = self
            .overrides
            .range::<str, _>((Bound::Included(inside.as_str()), Bound::Unbounded));
        from.next()
            .filter(|(other, _)| other.starts_with(&inside))
            .map(|(_, variable)| variable.as_str())
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let bytes = File::open(file)?.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= MAX_FILE) {
        Ok(text)
    } else {
        Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than 1 MiB",
        ))
    }
}

/// The key that each `ARCHWIRE__` variable overrides.
fn overrides(environment: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut overrides = BTreeMap::new();
    let mut problems = Vec::new();
    for variable in environment.keys() {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let parts: Vec<_> = name
            .split("__")
            .map(|part| part.to_ascii_lowercase().replace('_', "-"))
            .collect();
        let letters = |part: &String| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if parts.iter().all(letters) {
            overrides.insert(parts.join("."), variable.clone());
        } else {
            problems.extend(bad_variable(variable).problems);
        }
    }
    if problems.is_empty() {
        Ok(overrides)
    } else {
        Err(ConfigError { problems })
    }
}

fn bad_variable(variable: &str) -> ConfigError {
    let place = Place::Environment {
        variable: variable.to_owned(),
    };
    let mut problem = problem(place, ProblemKind::UnknownKey, "does not name a key".to_owned());
    problem.way_out = Some(
        "the key's parts follow ARCHWIRE__, two underscores between them: ARCHWIRE__API__LISTEN".to_owned(),
    );
    ConfigError {
        problems: vec![problem],
    }
}

fn not_read(file: &Path, error: &io::Error) -> ConfigError {
    let mut problem = unreadable(file, &error.to_string());
    if error.kind() == io::ErrorKind::NotFound {
        let way_out = "name it with --config FILE; deploy/archwire.toml is one to begin with";
        problem.way_out = Some(way_out.to_owned());
    }
    ConfigError {
        problems: vec![problem],
    }
}

fn unreadable(file: &Path, why: &str) -> Problem {
    let what = format!("cannot be read: {why}");
    problem(place_in(file, None), ProblemKind::Unreadable, what)
}

fn problem(place: Place, kind: ProblemKind, what: String) -> Problem {
    Problem {
        place,
        key: String::new(),
        kind,
        what,
        way_out: None,
    }
}

fn place_in(file: &Path, line: Option<usize>) -> Place {
    Place::File {
        file: file.to_owned(),
        line,
    }
}

/// Where the lines of a text end, so that looking up thousands of keys does not read it thousands of times.
struct TextLines(Vec<usize>);

impl TextLines {
    fn new(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(offset, _)| offset).collect())
    }

    /// Line of a byte offset, counted from 1.
    fn of(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|end| *end < offset)
    }
}

fn note_lines(table: &DeTable<'_>, parent: &str, text: &TextLines, lines: &mut BTreeMap<String, usize>) {
    for (name, value) in table {
        let name_text = name.get_ref();
        let key = if parent.is_empty() {
            name_text.to_string()
        } else {
            format!("{parent}.{name_text}")
        };
        lines.insert(key.clone(), text.of(name.span().start));
        note_inner_lines(value.get_ref(), &key, text, lines);
    }
}

fn note_inner_lines(value: &DeValue<'_>, key: &str, text: &TextLines, lines: &mut BTreeMap<String, usize>) {
    match value {
        DeValue::Table(table) => note_lines(table, key, text, lines),
        DeValue::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                let key = format!("{key}[{index}]");
                lines.insert(key.clone(), text.of(element.span().start));
                note_inner_lines(element.get_ref(), &key, text, lines);
            }
        }
        _ => {}
    }
}
