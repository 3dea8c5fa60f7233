//! Files of the folder that the administrator granted. Nothing outside of it is reached: not by `..`, not by an absolute path,
//! not by a link. Only regular files are read.

use crate::bindings::archwire::connector::images::ImageError;
use bytes::Bytes;
use cap_std::{
    ambient_authority,
    fs::{Dir, File, OpenOptions, OpenOptionsExt as _},
};
use rustix::{fs::OFlags, io::Errno};
use std::{
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};
use tokio::task::spawn_blocking;

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;
/// Longest path within the folder.
const LONGEST_PATH: usize = 4 * 1024;

/// A file that is being read.
pub(super) struct Reading(Option<File>);

/// Opens a file by its path within the folder. The folder is opened anew each time, because shares come and go.
pub(super) async fn open(folder: PathBuf, path: String) -> Result<Reading, ImageError> {
    if !is_within(&path) {
        return Err(ImageError::Denied);
    }
    let opened = spawn_blocking(move || open_now(&folder, &path)).await;
    opened.unwrap_or(Err(ImageError::Unavailable))
}

/// Whether the path by itself stays in the folder. What its links do is seen when it is opened.
fn is_within(path: &str) -> bool {
    let is_normal = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    (1..=LONGEST_PATH).contains(&path.len())
        && !path.contains('\0')
        && Path::new(path).components().all(is_normal)
}

fn open_now(folder: &Path, path: &str) -> Result<Reading, ImageError> {
    let folder = Dir::open_ambient_dir(folder, ambient_authority()).map_err(|_| ImageError::Unavailable)?;
    let mut options = OpenOptions::new();
    // Opening a pipe would wait for somebody to write into it.
    let without_waiting = OFlags::NONBLOCK.bits().try_into().unwrap_or_default();
    options.read(true).custom_flags(without_waiting);
    let file = folder
        .open_with(path, &options)
        .map_err(|error| refusal(&error))?;
    let metadata = file.metadata().map_err(|_| ImageError::Unavailable)?;
    match metadata.is_file() {
        true => Ok(Reading(Some(file))),
        false => Err(ImageError::Denied),
    }
}

/// What leads out of the folder is refused as what may not be read.
fn refusal(error: &io::Error) -> ImageError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ImageError::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => ImageError::Denied,
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => ImageError::Denied,
        _ => ImageError::Unavailable,
    }
}

impl Reading {
    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ImageError> {
        let Some(mut file) = self.0.take() else {
            return Ok(None);
        };
        let read = spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let count = file.read(&mut piece)?;
            piece.truncate(count);
            Ok::<_, io::Error>((file, Bytes::from(piece)))
        });
        let (file, piece) = read
            .await
            .map_err(|_| ImageError::Unavailable)?
            .map_err(|_| ImageError::Unavailable)?;
        if piece.is_empty() {
            return Ok(None);
        }
        self.0 = Some(file);
        Ok(Some(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    async fn bytes(folder: &Path, path: &str) -> Result<Vec<u8>, ImageError> {
        let mut reading = open(folder.to_owned(), path.to_owned()).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = reading.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    #[tokio::test]
    async fn a_file_is_read_and_nothing_leads_out_of_the_folder() {
        let office = tempfile::tempdir().unwrap();
        let folder = office.path().join("images");
        fs::create_dir_all(folder.join("Smith")).unwrap();
        fs::write(office.path().join("secret"), "secret").unwrap();
        let large = vec![7; 3 * PIECE + 1];
        fs::write(folder.join("Smith/1.jpg"), &large).unwrap();
        symlink("Smith/1.jpg", folder.join("link-within")).unwrap();
        symlink("../secret", folder.join("link-out")).unwrap();
        symlink(office.path(), folder.join("way-out")).unwrap();
        symlink("loop", folder.join("loop")).unwrap();
        for path in ["Smith/1.jpg", "./Smith//1.jpg", "link-within"] {
            assert!(bytes(&folder, path).await.as_ref() == Ok(&large), "{path}");
        }
        let absolute = office.path().join("secret").display().to_string();
        for path in [
            "",
            ".",
            "..",
            "../secret",
            "Smith/../../secret",
            "Smith/../Smith/1.jpg",
            &absolute,
            "/etc/passwd",
            "link-out",
            "way-out/secret",
            "loop",
            "Smith",
            "a\0b",
        ] {
            assert_eq!(bytes(&folder, path).await, Err(ImageError::Denied), "{path:?}");
        }
        assert_eq!(bytes(&folder, "Smith/2.jpg").await, Err(ImageError::NotFound));
        assert_eq!(bytes(&folder, "Smith/1.jpg/x").await, Err(ImageError::NotFound));
        assert_eq!(
            bytes(&office.path().join("away"), "x").await,
            Err(ImageError::Unavailable)
        );
    }

    #[tokio::test]
    async fn a_pipe_is_no_image_and_does_not_hold_anybody_up() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(bytes(folder.path(), "pipe").await, Err(ImageError::Denied));
        assert_eq!(bytes(Path::new("/dev"), "null").await, Err(ImageError::Denied));
    }
}
