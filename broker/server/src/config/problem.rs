//! What is wrong with a configuration, in words that an administrator can act on.
//!
//! All problems are found in one go, at most 100 ([`MAX_PROBLEMS`]). A message names keys, files, lines and variables,
//! and values only where they cannot be secrets.

use std::{fmt, path::PathBuf};

/// More problems than this are not looked for; the rest shows after the first ones are mended.
pub const MAX_PROBLEMS: usize = 100;

/// A configuration that cannot be used. Nothing was opened or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// Everything that was found, in the order of the file; then what came from the environment.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "config_invalid"
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => write!(f, "the configuration has 1 problem")?,
            count if count >= MAX_PROBLEMS => write!(f, "the configuration has {count} problems or more")?,
            count => write!(f, "the configuration has {count} problems")?,
        }
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n\n{problem}"))
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is written.
    pub place: Place,
    /// The key: `systems.front-desk.grants[0].methods`. Empty when it is about the whole file.
    pub key: String,
    /// What kind of problem.
    pub kind: ProblemKind,
    /// What is wrong, as the rest of a sentence that begins with the key.
    pub what: String,
    /// What to do about it.
    pub way_out: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:", self.place)?;
        if !self.key.is_empty() {
            write!(f, "  {}: ", self.key)?;
        } else {
            write!(f, "  ")?;
        }
        write!(f, "{}", self.what)?;
        match &self.way_out {
            Some(way_out) => write!(f, "\n  -> {way_out}"),
            None => Ok(()),
        }
    }
}

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the configuration file.
    File {
        /// The file.
        file: PathBuf,
        /// Counted from 1; none when it is about something that the file does not have.
        line: Option<usize>,
    },
    /// In an environment variable that overrides the file.
    Environment {
        /// The variable's name.
        variable: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                file,
                line: Some(line),
            } => write!(f, "{}, line {line}", file.display()),
            Self::File { file, line: None } => write!(f, "{}", file.display()),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
        }
    }
}

/// Kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The file cannot be read, or is not TOML.
    Unreadable,
    /// A key that does not exist.
    UnknownKey,
    /// A value of another type than the key takes.
    WrongType,
    /// A key that must be there is not.
    Missing,
    /// A value of the right type that the key does not take.
    Value,
    /// Two keys that exclude each other.
    Conflict,
    /// A secret that cannot be had.
    Secret,
    /// A file or folder that the configuration points to and that cannot be used.
    File,
}

impl ProblemKind {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "config_unreadable",
            Self::UnknownKey => "config_unknown_key",
            Self::WrongType => "config_wrong_type",
            Self::Missing => "config_missing",
            Self::Value => "config_value",
            Self::Conflict => "config_conflict",
            Self::Secret => "config_secret",
            Self::File => "config_file",
        }
    }
}
