//! A disk of one's own for a practice's data: a file system in an image file, which can be cut off and filled.
//!
//! Needs Linux, the right to mount, `mkfs.ext4` and `python3` (for one ioctl). Where that is not to be had,
//! [`Disk::obstacle`] says what is missing.
//!
//! **The power cut.** The file system is told to shut down without writing anything any more (`FS_IOC_SHUTDOWN`, flag
//! `NOLOGFLUSH`, as the kernel's own tests do it): the image holds what had been written to the disk until then, and
//! nothing of what was only in the machine's memory. What this does not show is a disk that calls something written which it
//! holds in a volatile memory of its own.

use crate::eventually;
use anyhow::{Context as _, Result, bail, ensure};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `FS_IOC_SHUTDOWN` with `NOLOGFLUSH`, as (request, argument).
const SHUTDOWN: (u32, u32) = (0x8004_587d, 2);
/// How much is written at a time when the disk is filled.
const FILLING: usize = 64 * 1024;
/// The file that fills it. The broker refuses files in its folder that it does not know, so it lies where nobody looks for
/// such.
const FILLER: &str = "nats/filler";

/// A mounted image. Dropping it unmounts it.
pub struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// Why no disk can be made here; `None` when one can.
    #[must_use]
    pub fn obstacle() -> Option<String> {
        let try_it = || -> Result<()> {
            let folder = tempfile::tempdir()?;
            let mount = folder.path().join("mount");
            fs::create_dir(&mount)?;
            let mut disk = Self::make(folder.path(), &mount, 8)?;
            disk.cut()?;
            disk.unmount()
        };
        try_it().err().map(|error| format!("{error:#}"))
    }

    /// Makes a disk of so many MiB, with its image in a folder, and mounts it over another folder. Links that lie there are
    /// made again on it.
    ///
    /// # Errors
    /// When that is not to be had here.
    pub fn make(folder: &Path, mount: &Path, mebibytes: u64) -> Result<Self> {
        let image = folder.join("disk.image");
        File::create(&image)
            .and_then(|file| file.set_len(mebibytes * 1024 * 1024))
            .with_context(|| format!("cannot make {}", image.display()))?;
        // Nothing is kept back for the administrator, so that what is free is free for all.
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-m", "0"])
            .arg(&image))?;
        let links = links(mount)?;
        let disk = Self {
            image,
            mount: mount.to_owned(),
        };
        disk.mount()?;
        fs::remove_dir(mount.join("lost+found")).context("the new disk is not as expected")?;
        fs::set_permissions(mount, fs::Permissions::from_mode(0o700))?;
        for (link, target) in links {
            symlink(target, link).context("a link cannot be made again")?;
        }
        File::open(mount).and_then(|folder| folder.sync_all())?;
        Ok(disk)
    }

    fn mount(&self) -> Result<()> {
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(&self.image)
            .arg(&self.mount))
    }

    fn unmount(&mut self) -> Result<()> {
        run(Command::new("umount").arg(&self.mount))
    }

    /// The power is cut: nothing reaches the disk any more, and whoever writes hears of an error. Who must not hear of
    /// anything is to be frozen before.
    ///
    /// # Errors
    /// When the file system cannot do that.
    pub fn cut(&mut self) -> Result<()> {
        let (request, argument) = SHUTDOWN;
        let script = format!(
            "import fcntl, os, struct, sys\n\
             fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), {request}, struct.pack('I', {argument}))"
        );
        run(Command::new("python3").arg("-c").arg(script).arg(&self.mount))
    }

    /// The machine starts again with what is on the disk. Whoever used it must be gone.
    ///
    /// # Errors
    /// When the disk cannot be mounted.
    pub async fn start_again(&mut self) -> Result<()> {
        eventually("nobody uses the disk", async || self.unmount()).await?;
        self.mount()
    }

    /// Fills the disk until nothing more fits.
    ///
    /// # Errors
    /// When it cannot be written for another reason.
    pub fn fill(&self) -> Result<()> {
        let mut filler = File::create(self.mount.join(FILLER))?;
        let (mut size, filling) = (FILLING, vec![1; FILLING]);
        while let Some(part) = filling.get(..size).filter(|part| !part.is_empty()) {
            match filler.write_all(part).and_then(|()| filler.sync_data()) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => size /= 4,
                Err(error) => return Err(error).context("the disk cannot be filled"),
            }
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When it was not filled.
    pub fn make_room(&self) -> Result<()> {
        fs::remove_file(self.mount.join(FILLER)).context("the disk was not filled")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, if it must be: the folder is about to be removed, and nothing may be left mounted.
        if self.unmount().is_err() {
            _ = run(Command::new("umount").arg("-l").arg(&self.mount));
        }
    }
}

/// The links in a folder, and where they point.
fn links(folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut links = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if let Ok(target) = fs::read_link(&path) {
            links.push((path, target));
        }
    }
    Ok(links)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}: {}", command.get_program().display(), said.trim());
    }
    Ok(())
}

/// Copies a folder with everything in it, links as links.
///
/// # Errors
/// When something cannot be copied.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    ensure!(!to.exists(), "{} exists already", to.display());
    run(Command::new("cp").arg("-a").arg(from).arg(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn made() -> Option<(TempDir, PathBuf, Disk)> {
        if let Some(obstacle) = Disk::obstacle() {
            println!("not shown here: {obstacle}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mount = folder.path().join("data");
        fs::create_dir(&mount).unwrap();
        symlink("elsewhere", mount.join("link")).unwrap();
        let disk = Disk::make(folder.path(), &mount, 16).unwrap();
        Some((folder, mount, disk))
    }

    #[tokio::test]
    async fn a_power_cut_takes_what_was_not_flushed_and_nothing_else() {
        let Some((_folder, mount, mut disk)) = made() else {
            return;
        };
        let mut flushed = File::create(mount.join("flushed")).unwrap();
        flushed.write_all(b"whole").unwrap();
        flushed.sync_all().unwrap();
        File::open(&mount).unwrap().sync_all().unwrap();
        fs::write(mount.join("not-flushed"), "gone").unwrap();
        flushed.write_all(b" and more").unwrap();
        drop(flushed);
        disk.cut().unwrap();
        assert!(fs::write(mount.join("later"), "never").is_err());
        disk.start_again().await.unwrap();
        assert_eq!(fs::read(mount.join("flushed")).unwrap(), b"whole");
        assert!(!mount.join("not-flushed").exists() && !mount.join("later").exists());
        assert_eq!(fs::read_link(mount.join("link")).unwrap(), Path::new("elsewhere"));
    }

    #[test]
    fn a_disk_is_full_until_there_is_room_again() {
        let Some((_folder, mount, disk)) = made() else {
            return;
        };
        fs::create_dir(mount.join("nats")).unwrap();
        disk.fill().unwrap();
        let error = fs::write(mount.join("more"), [1; 8192]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        disk.make_room().unwrap();
        fs::write(mount.join("more"), [1; 8192]).unwrap();
    }
}
