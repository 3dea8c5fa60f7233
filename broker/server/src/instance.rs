//! Which broker this is: an id in its data folder, by which it knows its own lease again after a crash.
//!
//! The folder is locked while a broker works on it, so that no two brokers that run have the same id.

use crate::private_file;
use std::{fs, io, path::Path};
use uuid::Uuid;

const FILE: &str = "instance";

/// Reads the id of the broker on this data folder; gives it one when it has none.
///
/// # Errors
/// When the file cannot be read or written.
pub(crate) fn id(folder: &Path) -> io::Result<String> {
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(id) if Uuid::try_parse(id.trim()).is_ok() => return Ok(id.trim().to_owned()),
        // A broken id is as good as none: a broker under a new one waits until the lease of the old one has expired.
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let id = Uuid::new_v4().to_string();
    private_file::replace(&path, &format!("{id}\n"))?;
    Ok(id)
}
