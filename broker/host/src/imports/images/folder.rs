//! Files of the folder that the administrator granted. Nothing outside of it is reached: not by `..`, not by an absolute path,
//! not by a link. Only regular files are read.
//!
//! A file that somebody is still writing is unavailable: one that was changed within 2 s, and one that changes while it is
//! read. The folder may be a share that stops to answer, and what waits for it keeps a thread: at most one for each system.
//! Whoever does not get to the folder within 5 s finds it unavailable.

use crate::bindings::archwire::connector::images::ImageError;
use bytes::Bytes;
use cap_std::{
    ambient_authority,
    fs::{Dir, File, Metadata, OpenOptions, OpenOptionsExt as _},
};
use rustix::{fs::OFlags, io::Errno};
use std::{
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;
/// Longest path within the folder.
const LONGEST_PATH: usize = 4 * 1024;

/// How long a file has to have been as it is.
const SETTLED: Duration = Duration::from_secs(2);
/// Longest wait for those who are at the folder. One who gets an answer from it is done in milliseconds.
const TURN: Duration = Duration::from_secs(5);

/// The folder that one system's connector may take files from. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Whose turn it is to wait for the folder, over all calls.
    turn: Arc<Semaphore>,
}

/// A file that is being read.
pub(super) struct Reading {
    folder: Folder,
    /// `None` once it is read.
    file: Option<(File, Stamp)>,
}

/// By what a file is seen to have changed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: SystemTime,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Opens a file by its path within the folder. The folder is opened anew each time, because shares come and go.
    pub(super) async fn open(&self, path: String) -> Result<Reading, ImageError> {
        if !is_within(&path) {
            return Err(ImageError::Denied);
        }
        let folder = self.path.clone();
        let file = self.when_free(move || open_now(&folder, &path)).await?;
        Ok(Reading {
            folder: self.clone(),
            file: Some(file),
        })
    }

    /// Does what may take long, on a thread of its own. Nobody else's turn comes before it is over, also if nobody waits for
    /// it any more.
    async fn when_free<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ImageError> + Send + 'static,
    ) -> Result<T, ImageError> {
        let turn = timeout(TURN, Arc::clone(&self.turn).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(ImageError::Unavailable);
        };
        let done = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.unwrap_or(Err(ImageError::Unavailable))
    }
}

/// Whether the path by itself stays in the folder. What its links do is seen when it is opened.
fn is_within(path: &str) -> bool {
    let is_normal = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    (1..=LONGEST_PATH).contains(&path.len())
        && !path.contains('\0')
        && Path::new(path).components().all(is_normal)
}

fn open_now(folder: &Path, path: &str) -> Result<(File, Stamp), ImageError> {
    let folder = Dir::open_ambient_dir(folder, ambient_authority()).map_err(|_| ImageError::Unavailable)?;
    let mut options = OpenOptions::new();
    // Opening a pipe would wait for somebody to write into it.
    let without_waiting = OFlags::NONBLOCK.bits().try_into().unwrap_or_default();
    options.read(true).custom_flags(without_waiting);
    let file = folder
        .open_with(path, &options)
        .map_err(|error| refusal(&error))?;
    let metadata = file.metadata().map_err(|_| ImageError::Unavailable)?;
    if !metadata.is_file() {
        return Err(ImageError::Denied);
    }
    let stamp = Stamp::of(&metadata)?;
    match stamp.is_settled() {
        true => Ok((file, stamp)),
        false => Err(ImageError::Unavailable),
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Result<Self, ImageError> {
        let modified = metadata.modified().map_err(|_| ImageError::Unavailable)?;
        Ok(Self {
            size: metadata.len(),
            modified: modified.into_std(),
        })
    }

    /// A time that is still to come is that of a share whose clock is ahead. It is believed, because the file would else be
    /// unavailable for as long as the clock is ahead.
    fn is_settled(&self) -> bool {
        let age = SystemTime::now().duration_since(self.modified);
        age.unwrap_or_else(|ahead| ahead.duration()) >= SETTLED
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
    /// The next bytes; `None` at the end, if the file is still as it was at the beginning.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ImageError> {
        let Some((mut file, stamp)) = self.file.take() else {
            return Ok(None);
        };
        let read = move || {
            let piece = piece(&mut file).map_err(|_| ImageError::Unavailable)?;
            if !piece.is_empty() {
                return Ok(Some((file, piece)));
            }
            let metadata = file.metadata().map_err(|_| ImageError::Unavailable)?;
            match Stamp::of(&metadata)? == stamp {
                true => Ok(None),
                false => Err(ImageError::Unavailable),
            }
        };
        let Some((file, piece)) = self.folder.when_free(read).await? else {
            return Ok(None);
        };
        self.file = Some((file, stamp));
        Ok(Some(piece))
    }
}

/// Nothing at the end.
fn piece(file: &mut File) -> io::Result<Bytes> {
    let mut piece = vec![0; PIECE];
    let count = file.read(&mut piece)?;
    piece.truncate(count);
    Ok(piece.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write as _, os::unix::fs::symlink, sync::mpsc};
    use tokio::time::advance;

    async fn bytes(folder: &Path, path: &str) -> Result<Vec<u8>, ImageError> {
        rest(Folder::new(folder.to_owned()).open(path.to_owned()).await?).await
    }

    async fn rest(mut reading: Reading) -> Result<Vec<u8>, ImageError> {
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
        write(&folder.join("Smith/1.jpg"), &large, 60);
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

    /// Writes a file that looks as if that had been so many seconds ago.
    fn write(path: &Path, bytes: &[u8], seconds: u64) {
        fs::write(path, bytes).unwrap();
        changed_at(path, SystemTime::now() - Duration::from_secs(seconds));
    }

    fn changed_at(path: &Path, time: SystemTime) {
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    }

    #[tokio::test]
    async fn a_file_that_was_just_changed_is_unavailable_until_it_has_been_so_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("1.jpg");
        for written in ["", "half"] {
            fs::write(&file, written).unwrap();
            assert_eq!(bytes(folder.path(), "1.jpg").await, Err(ImageError::Unavailable));
        }
        write(&file, b"whole", 3);
        assert_eq!(bytes(folder.path(), "1.jpg").await.unwrap(), b"whole");
        changed_at(&file, SystemTime::now() + Duration::from_secs(3600));
        assert_eq!(bytes(folder.path(), "1.jpg").await.unwrap(), b"whole");
    }

    #[tokio::test]
    async fn a_file_that_changes_while_it_is_read_is_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        let (file, large) = (folder.path().join("1.jpg"), vec![7; 3 * PIECE]);
        let longer = || {
            let mut file = fs::File::options().append(true).open(&file).unwrap();
            file.write_all(b"more").unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        };
        let other = || fs::write(&file, vec![8; 3 * PIECE]).unwrap();
        for change in [&longer as &dyn Fn(), &other] {
            write(&file, &large, 60);
            changed_at(&file, SystemTime::UNIX_EPOCH);
            let folder = Folder::new(folder.path().to_owned());
            let mut reading = folder.open("1.jpg".to_owned()).await.unwrap();
            assert_eq!(reading.next().await.unwrap().unwrap().len(), PIECE);
            change();
            assert_eq!(rest(reading).await, Err(ImageError::Unavailable));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_that_does_not_answer_keeps_one_thread_and_is_unavailable() {
        let office = tempfile::tempdir().unwrap();
        write(&office.path().join("1.jpg"), b"image", 60);
        let folder = Folder::new(office.path().to_owned());
        let mut reading = folder.open("1.jpg".to_owned()).await.unwrap();
        let (answer, hangs) = mpsc::channel();
        let (begins, began) = tokio::sync::oneshot::channel();
        let hung = tokio::spawn({
            let folder = folder.clone();
            let wait = move || {
                begins.send(()).unwrap();
                hangs.recv().map_err(|_| ImageError::NotFound)
            };
            async move { folder.when_free(wait).await }
        });
        began.await.unwrap();
        // The call is given up, and the thread is not back.
        hung.abort();
        assert!(hung.await.unwrap_err().is_cancelled());
        let (opened, ()) = tokio::join!(folder.open("1.jpg".to_owned()), advance(TURN));
        assert_eq!(opened.err(), Some(ImageError::Unavailable));
        let (read, ()) = tokio::join!(reading.next(), advance(TURN));
        assert_eq!(read.err(), Some(ImageError::Unavailable));
        answer.send(()).unwrap();
        let reading = folder.open("1.jpg".to_owned()).await.unwrap();
        assert_eq!(rest(reading).await.unwrap(), b"image");
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
