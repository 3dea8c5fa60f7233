//! The programs: found where set-up put them, or installed.

use crate::programs;
use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Orthanc's and dcmtk's programs.
pub(super) struct Tools {
    pub(super) root: PathBuf,
    libraries: PathBuf,
    dictionary: Option<PathBuf>,
}

impl Tools {
    pub(super) fn find() -> Result<Self> {
        let fetched = programs::place("ARCHWIRE_ORTHANC", |target| target.join("tools/orthanc"))?;
        let roots = [fetched.clone(), PathBuf::from("/")];
        let plugin = "usr/share/orthanc/plugins/libOrthancDicomWeb.so";
        let is_here = |root: &&PathBuf| {
            ["usr/sbin/Orthanc", plugin, "usr/bin/storescu", "usr/bin/dcmdump"]
                .iter()
                .all(|file| root.join(file).exists())
        };
        let Some(root) = roots.iter().find(is_here) else {
            bail!(
                "Orthanc with DICOMweb and dcmtk are not below {}; run: cargo xtask setup",
                fetched.display()
            );
        };
        let folder = |parent: &str, wanted: &dyn Fn(&str) -> bool| {
            let entries = fs::read_dir(root.join(parent)).ok()?;
            let mut paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
            paths.find(|path| wanted(&path.to_string_lossy()))
        };
        Ok(Self {
            root: root.clone(),
            libraries: folder("usr/lib", &|name| name.ends_with("-linux-gnu"))
                .unwrap_or_else(|| root.join("usr/lib")),
            dictionary: folder("usr/share", &|name| name.contains("libdcmtk"))
                .map(|folder| folder.join("dicom.dic"))
                .filter(|file| file.is_file()),
        })
    }

    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.root.join("usr/bin").join(program));
        self.environment(&mut command);
        command
    }

    fn environment(&self, command: &mut Command) {
        command
            .env("LD_LIBRARY_PATH", &self.libraries)
            .stdin(Stdio::null());
        if let Some(dictionary) = &self.dictionary {
            command.env("DCMDICTPATH", dictionary);
        }
    }

    pub(super) fn run(&self, program: &str, arguments: &[&std::ffi::OsStr]) -> Result<String> {
        let output = self
            .command(program)
            .args(arguments)
            .output()
            .with_context(|| format!("{program} does not start"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program}: {said}");
        // What dcmtk only warns of is a fault, too: these files are meant to be right.
        ensure!(!said.contains("W:") && !said.contains("E:"), "{program}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(super) fn spawn(&self, folder: &Path) -> Result<Child> {
        let log = fs::File::create(folder.join("orthanc.log")).context("cannot write Orthanc's log")?;
        // Beyond a limit for its files it is to hear of an error, as from a disk that is full, and not to be killed.
        let mut command = Command::new("/bin/sh");
        self.environment(&mut command);
        command
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(self.root.join("usr/sbin/Orthanc"))
            .arg(folder.join("orthanc.json"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("Orthanc does not start")
    }
}
