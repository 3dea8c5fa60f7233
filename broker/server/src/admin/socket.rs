//! The socket's file: made with mode 0600 from its first moment, in place of what a dead broker left, and removed at
//! the end.
//!
//! The caller holds the data folder's lock, so that a socket that is there already is nobody's. A path of more than
//! 107 bytes is none that the operating system takes (`sun_path`, unix(7)).

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// The socket in the data folder.
const SOCKET: &str = "admin.sock";
/// Where it is made, so that nobody else can open it before it has its mode. Together with the name of the socket in
/// it no longer than [`SOCKET`], so that one bound is enough.
const NURSERY: &str = "admin.d";
/// Most bytes in the path of a socket.
const LONGEST_PATH: usize = 107;

/// A socket that cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A path that no socket can have.
    #[error(
        "the path of the admin socket, {path}, has {bytes} bytes, and the operating system takes {LONGEST_PATH}; give \
         `data.folder` a shorter path"
    )]
    TooLong {
        /// The socket.
        path: PathBuf,
        /// Its bytes.
        bytes: usize,
    },
    /// The socket cannot be made.
    #[error("cannot make the admin socket {path}")]
    NotMade {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server on the socket ended with an error.
    #[error("the admin server failed")]
    Serve(#[source] tonic::transport::Error),
}

impl SocketError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "admin_socket_path_too_long",
            Self::NotMade { .. } => "admin_socket_failed",
            Self::Serve(_) => "admin_failed",
        }
    }
}

/// Where the socket of a data folder is.
///
/// # Errors
/// When no socket can have that path.
pub fn socket_path(folder: &Path) -> Result<PathBuf, SocketError> {
    let path = folder.join(SOCKET);
    match path.as_os_str().as_bytes().len() {
        0..=LONGEST_PATH => Ok(path),
        bytes => Err(SocketError::TooLong { path, bytes }),
    }
}

/// The socket's file; gone when this is dropped.
pub(super) struct SocketFile(PathBuf);

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // One that stays behind is replaced by the next broker.
        _ = fs::remove_file(&self.0);
    }
}

/// Makes the socket.
pub(super) fn bind(folder: &Path) -> Result<(UnixListener, SocketFile), SocketError> {
    let path = socket_path(folder)?;
    let made = make(folder, &path).map_err(|source| SocketError::NotMade {
        path: path.clone(),
        source,
    });
    Ok((made?, SocketFile(path)))
}

fn make(folder: &Path, path: &Path) -> io::Result<UnixListener> {
    let nursery = folder.join(NURSERY);
    remove(fs::remove_dir_all(&nursery))?;
    DirBuilder::new().mode(0o700).create(&nursery)?;
    let new = nursery.join("s");
    let listener = UnixListener::bind(&new)?;
    fs::set_permissions(&new, Permissions::from_mode(0o600))?;
    fs::rename(&new, path)?;
    fs::remove_dir(&nursery)?;
    Ok(listener)
}

fn remove(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
