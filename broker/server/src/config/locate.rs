//! Where the data folder is, for whoever speaks to the broker that is running: of the whole configuration, only
//! `data.folder` has to be right.

use super::{
    check::Check,
    load,
    problem::{ConfigError, MAX_PROBLEMS},
    reader::read,
    sources::Sources,
};
use std::{
    collections::BTreeMap,
    path::{self, Path, PathBuf},
};

/// Reads `data.folder` from a configuration file with the environment over it. Secrets and files that the rest of it
/// points to are not looked at.
///
/// # Errors
/// When the file cannot be read or is not TOML, or its `data` table is not as it has to be.
pub fn locate_data_folder(
    file: &Path,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<PathBuf, ConfigError> {
    let environment: BTreeMap<_, _> = environment.collect();
    let file = path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let sources = Sources::load(&file, &environment)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let (raw, mut flaws) = read(&sources);
    // With so many flaws the reader has given up, and what it made of the file is nothing.
    if flaws.len() < MAX_PROBLEMS {
        flaws.retain(|flaw| flaw.key == "data" || flaw.key.starts_with("data."));
    }
    let mut check = Check::new(&sources, &environment, folder, flaws);
    let found = load::data_folder(&mut check, raw.data.folder);
    check.finish(found)
}
