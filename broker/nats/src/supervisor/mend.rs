//! Clears away what a killed server leaves and its next start would take for damage.
//!
//! An encrypting nats-server makes the file of a new block first and the block's key second. Killed in between, it finds
//! an empty block without a key at its next start, takes that for a block in clear text that cannot be read, and removes
//! the whole stream with everything in it (nats-server 2.15.1). Such a block holds nothing, so it can go before the
//! server sees it. New blocks are begun every 2 MiB, and at every start for a stream without messages.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// Removes every empty block without a key from `store`, and tells how many there were. Call it only while no server runs.
pub(super) fn remove_unborn_blocks(store: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for account in folders(&store.join("jetstream"))? {
        for stream in folders(&account.join("streams"))? {
            for block in unborn(&stream.join("msgs"))? {
                fs::remove_file(block)?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

fn unborn(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        let is_block = path.extension() == Some(OsStr::new("blk"));
        if is_block && fs::metadata(&path)?.len() == 0 && !path.with_extension("key").exists() {
            found.push(path);
        }
    }
    Ok(found)
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(entries(folder)?
        .into_iter()
        .filter(|path| path.is_dir())
        .collect())
}

/// What is in a folder; nothing when there is none.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
