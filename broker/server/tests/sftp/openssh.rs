//! OpenSSH's programs, with the password that they are told.

use crate::counter::Told;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};
use tempfile::TempDir;

/// A client, and a folder of its own.
pub(crate) struct OpenSsh {
    pub(crate) folder: TempDir,
}

impl OpenSsh {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let asked = folder.path().join("asked");
        fs::write(&asked, "#!/bin/sh\necho \"$TOLD_PASSWORD\"\n").unwrap();
        fs::set_permissions(&asked, fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder }
    }

    fn program(&self, name: &str, told: &Told) -> Command {
        let found = Command::new(name).arg("-V").output();
        assert!(
            found.is_ok(),
            "`{name}` is missing, and nobody else's client can be tried: install OpenSSH's (Debian: openssh-client)"
        );
        let mut command = Command::new(name);
        let port = told.port.to_string();
        command
            .args([
                "-F",
                "/dev/null",
                "-o",
                "BatchMode=no",
                "-o",
                "StrictHostKeyChecking=no",
            ])
            .args([
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "NumberOfPasswordPrompts=1",
            ])
            .args(["-o", "PreferredAuthentications=password", "-o"])
            .arg(format!("Port={port}"))
            .env("SSH_ASKPASS", self.folder.path().join("asked"))
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("TOLD_PASSWORD", &told.password)
            .current_dir(self.folder.path());
        command
    }

    /// Runs commands of `sftp`, up to the first that fails.
    pub(crate) async fn sftp(&self, told: &Told, commands: &str) -> Output {
        let batch = self.folder.path().join("batch");
        fs::write(&batch, commands).unwrap();
        let mut command = self.program("sftp", told);
        command
            .arg("-b")
            .arg(&batch)
            .arg(format!("{}@127.0.0.1", told.user));
        run(command).await
    }

    /// Runs `ssh` with these arguments after the host.
    pub(crate) async fn ssh(&self, told: &Told, before: &[&str], after: &[&str]) -> Output {
        let mut command = self.program("ssh", told);
        command
            .args(before)
            .arg(format!("{}@127.0.0.1", told.user))
            .args(after);
        run(command).await
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

async fn run(mut command: Command) -> Output {
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    ran.await.unwrap()
}

/// What a program printed.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

pub(crate) fn digest_of(path: &Path) -> archwire_core::Digest {
    archwire_core::Digest::of(&fs::read(path).unwrap())
}
