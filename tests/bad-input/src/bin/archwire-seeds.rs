//! Writes the inputs to begin with into a folder, one folder in it for each target.

use anyhow::{Context as _, Result};
use archwire_bad_input::{TARGETS, seeds};
use std::{env, fs, path::PathBuf};

fn main() -> Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.context("say into which folder")?;
    for target in TARGETS {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds(target).into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:03}")), seed)?;
        }
    }
    Ok(())
}
