//! Orthanc with its DICOMweb plug-in, and dcmtk: a real image archive and a machine that sends to it, for tests and
//! demonstration. The broker itself needs neither.
//!
//! Taken from Debian's packages, unpacked into `target/tools/orthanc` and never installed. About 10 MB are downloaded where the
//! libraries that they share with other programs are installed, up to 40 MB on a bare system.

use std::env;
use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{locked, output};
use crate::packages::{self, Order};
use crate::report::say;
use crate::setup::Archive;
use crate::tree::{Tree, clear};

const PACKAGES: Order = Order {
    part: "orthanc",
    wanted: &["orthanc", "orthanc-dicomweb", "dcmtk"],
    never_installed: None,
    // The first with an answer to a message that is sent in chunks.
    oldest: Some("1.10"),
};

/// Below the root of an unpacked or installed system.
const SERVER: &str = "usr/sbin/Orthanc";
const NEEDED: [&str; 4] = [
    SERVER,
    "usr/share/orthanc/plugins/libOrthancDicomWeb.so",
    "usr/bin/storescu",
    "usr/bin/dcmdump",
];

/// An archive that was found and told its version.
#[derive(Debug)]
pub(crate) struct Orthanc {
    /// `/` where it is installed.
    pub(crate) root: PathBuf,
    /// For people: `Orthanc 1.10.1`.
    pub(crate) version: String,
}

/// The one below `ARCHWIRE_ORTHANC`, else the one fetched before, else an installed one.
pub(crate) fn find(tree: &Tree) -> Result<Option<Orthanc>> {
    if let Some(root) = env::var_os("ARCHWIRE_ORTHANC").filter(|root| !root.is_empty()) {
        let root = std::path::absolute(root).context("ARCHWIRE_ORTHANC is no path")?;
        let orthanc =
            ask(&root).context("ARCHWIRE_ORTHANC does not name a folder with an Orthanc that runs")?;
        return Ok(Some(orthanc));
    }
    let places = [fetched(tree), PathBuf::from("/")];
    Ok(places.iter().find_map(|root| ask(root).ok()))
}

/// Fetches it. `None` when a person declines, or this system has no packages of Debian's.
pub(crate) fn fetch(tree: &Tree, archive: Archive) -> Result<Option<Orthanc>> {
    if let Err(error) = packages::refuse_without_apt() {
        say(
            "orthanc",
            &format!(
                "missing, and the demonstration and tests with an archive will fail: {error:#}. Install Orthanc with DICOMweb, and dcmtk"
            ),
        );
        return Ok(None);
    }
    if archive.asks() && !agrees(tree)? {
        return Ok(None);
    }
    let partial = tree.tools().join("orthanc.partial");
    clear(&partial)?;
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    packages::unpack(tree, &partial, &PACKAGES)?;
    ask(&partial).context("what was unpacked does not run")?;
    let place = fetched(tree);
    clear(&place)?;
    fs::rename(&partial, &place).with_context(|| format!("cannot write {}", place.display()))?;
    ask(&place).map(Some)
}

/// Asks the person at the terminal. Where there is none, and on machines that check, nobody has to be asked: nothing is
/// installed.
fn agrees(tree: &Tree) -> Result<bool> {
    let what = format!(
        "the demonstration and tests with an image archive need Debian's packages {}: 10 to 40 MB, unpacked into {}, installed nowhere",
        PACKAGES.wanted.join(", "),
        tree.show(&fetched(tree))
    );
    say("orthanc", &what);
    if !locked().is_empty() || !io::stdin().is_terminal() {
        return Ok(true);
    }
    print!("[orthanc] download them now? [Y/n] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

fn fetched(tree: &Tree) -> PathBuf {
    tree.tools().join("orthanc")
}

fn ask(root: &Path) -> Result<Orthanc> {
    for file in NEEDED {
        if !root.join(file).exists() {
            bail!("{} is missing", root.join(file).display());
        }
    }
    let mut server = Command::new(root.join(SERVER));
    server.arg("--version").env("LD_LIBRARY_PATH", libraries(root)?);
    let said = output(&mut server)?;
    let version = said
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().last());
    Ok(Orthanc {
        root: root.to_owned(),
        version: format!("Orthanc {}", version.unwrap_or("of unknown version")),
    })
}

/// `usr/lib/x86_64-linux-gnu` or the like: where libraries are that came with it.
fn libraries(root: &Path) -> Result<PathBuf> {
    let library = root.join("usr/lib");
    let folders = fs::read_dir(&library).with_context(|| format!("cannot read {}", library.display()))?;
    let mut folders = folders.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(folders
        .find(|folder| folder.to_string_lossy().ends_with("-linux-gnu"))
        .unwrap_or(library))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_agrees_and_anything_but_yes_does_not() {
        assert!(is_yes("\n") && is_yes("Y\n") && is_yes(" yes "));
        assert!(!is_yes("n\n") && !is_yes("perhaps"));
    }

    #[test]
    fn a_folder_without_an_archive_is_told_with_what_is_missing() {
        let error = ask(Path::new("/nowhere")).expect_err("nothing is there");
        assert_eq!(error.to_string(), "/nowhere/usr/sbin/Orthanc is missing");
    }
}
