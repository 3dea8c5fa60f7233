//! The key of the encryption at rest: one file that only its owner can read.
//!
//! The file holds exactly what the server is given: the letter `k` and 64 hexadecimal digits (256 random bits). The
//! letter is there because the server reads the variable as a configuration value, and digits first would be a number.

use super::SupervisorError;
use rand::TryRngCore;
use secrecy::SecretString;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

/// The key in `path`; makes one when there is no store yet that would need the old one.
pub(super) fn load_or_create(path: &Path, store: &Path) -> Result<SecretString, SupervisorError> {
    match File::open(path) {
        Ok(file) => load(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !store.exists() => {
            create(path).map_err(|source| failed("create", path, source))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SupervisorError::KeyMissing {
            path: path.to_owned(),
        }),
        Err(error) => Err(failed("read", path, error)),
    }
}

fn load(path: &Path, file: File) -> Result<SecretString, SupervisorError> {
    let mode = mode(&file).map_err(|source| failed("read", path, source))?;
    if mode & 0o077 != 0 {
        return Err(SupervisorError::KeyExposed {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = String::new();
    // A key has 65 bytes; more than 1 KiB of whatever it is need not be read to know that it is none.
    file.take(1024)
        .read_to_string(&mut text)
        .map_err(|source| failed("read", path, source))?;
    let key = text.trim_end();
    let digits = key.strip_prefix('k').unwrap_or_default();
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(SupervisorError::KeyMalformed {
            path: path.to_owned(),
        });
    }
    Ok(key.to_owned().into())
}

/// Writes a new key beside its place and renames it, so that a crash leaves a whole key or none.
fn create(path: &Path) -> io::Result<SecretString> {
    let key = format!("k{}", random_hex()?);
    let partial = path.with_extension("key.partial");
    let mut file = private_file(&partial)?;
    file.write_all(key.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&partial, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(key.into())
}

/// 256 random bits from the system, as hexadecimal digits.
pub(super) fn random_hex() -> io::Result<String> {
    let mut bytes = [0; 32];
    rand::rngs::OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(io::Error::other)?;
    Ok(hex::encode(bytes))
}

/// An empty file that only its owner can read, from its first moment on.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn mode(file: &File) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o777)
}

/// Where there are no permission bits, the folder's own access list has to do.
#[cfg(not(unix))]
fn mode(_file: &File) -> io::Result<u32> {
    Ok(0o600)
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> SupervisorError {
    SupervisorError::Folder {
        action,
        path: path.to_owned(),
        source,
    }
}
