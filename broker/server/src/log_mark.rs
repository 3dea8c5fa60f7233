//! Remembers how far the log had come, so that a log that lost something is never taken for a new one.
//!
//! A practice whose log is gone, or was put back from an older copy, would get its known patients a second time, under new
//! ids, in every program. So a start compares the log's last sequence with the one that the data folder remembers, and
//! refuses to go on with a log that holds less.

use crate::private_file;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const FILE: &str = "log.sequence";

/// The log is not what it was, or that cannot be found out.
#[derive(Debug, thiserror::Error)]
pub enum LogMarkError {
    /// It holds less than it did.
    #[error(
        "the log ends at {found} and had come to {known}: records are gone; put the log back from a backup. To go on without them, and have known patients come as new ones, remove {}",
        path.display()
    )]
    Behind {
        /// Where the log ends.
        found: u64,
        /// Where it had come to.
        known: u64,
        /// What remembers that.
        path: PathBuf,
    },
    /// The file holds no number.
    #[error("{} does not hold a number; restore it, or remove it if the log is known to be whole", .0.display())]
    Unreadable(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot read or write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl LogMarkError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Behind { .. } => "log_behind",
            Self::Unreadable(_) => "log_mark_unreadable",
            Self::File { .. } => "log_mark_file",
        }
    }
}

/// Compares the log's last sequence with what the data folder remembers, and remembers it.
///
/// # Errors
/// When the log holds less than it did.
pub fn check(folder: &Path, last: u64) -> Result<(), LogMarkError> {
    let path = folder.join(FILE);
    let known = match fs::read_to_string(&path) {
        Ok(text) => text
            .trim()
            .parse()
            .map_err(|_| LogMarkError::Unreadable(path.clone()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(source) => return Err(LogMarkError::File { path, source }),
    };
    if last < known {
        return Err(LogMarkError::Behind {
            found: last,
            known,
            path,
        });
    }
    private_file::replace(&path, &format!("{last}\n")).map_err(|source| LogMarkError::File { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_grows_is_accepted_and_one_that_shrank_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for last in [0, 7, 7, 9] {
            check(folder.path(), last).unwrap();
        }
        let error = check(folder.path(), 8).unwrap_err();
        assert!(
            matches!(
                error,
                LogMarkError::Behind {
                    found: 8,
                    known: 9,
                    ..
                }
            ),
            "{error}"
        );
        assert!(check(folder.path(), 9).is_ok(), "a refusal changes nothing");
    }

    #[test]
    fn a_mark_that_is_no_number_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "many\n").unwrap();
        assert_eq!(check(folder.path(), 9).unwrap_err().code(), "log_mark_unreadable");
    }
}
