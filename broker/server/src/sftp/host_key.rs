//! By what the broker is known again: an Ed25519 key in its data folder, made once, which only its own user may read.
//!
//! A file that cannot be understood is not replaced: a program may have been told to accept no other key. One that others may
//! read is not used: whoever has the key can pass for the broker.

use crate::private_file;
use russh::keys::{Algorithm, HashAlg, PrivateKey, key::safe_rng, ssh_key::LineEnding};
use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

const FILE: &str = "sftp-host-key";
/// Most bytes of the file that are read; a key has about 400.
const MOST: u64 = 16 * 1024;

/// The key.
pub struct HostKey(PrivateKey);

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// The file cannot be read or written.
    #[error("the file `{FILE}` of the data folder cannot be read or written")]
    File(#[source] io::Error),
    /// The file holds no key, or a new one could not be made.
    #[error("the file `{FILE}` of the data folder holds no key; remove it, and a new one is made")]
    Key(#[source] russh::keys::ssh_key::Error),
    /// Others than the broker's own user may have read or changed it.
    #[error(
        "others may read or write the file `{FILE}` of the data folder (mode {mode:03o}); if nobody did, `chmod 600` it, else remove it, and a new one is made"
    )]
    TooOpen {
        /// Its permissions.
        mode: u32,
    },
}

impl HostKeyError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "sftp_host_key_failed",
            Self::Key(_) => "sftp_host_key_unreadable",
            Self::TooOpen { .. } => "sftp_host_key_too_open",
        }
    }
}

impl HostKey {
    /// Reads the key of a data folder; makes one when there is none.
    ///
    /// # Errors
    /// When there is none that can be used.
    pub fn of(folder: &Path) -> Result<Self, HostKeyError> {
        let path = folder.join(FILE);
        match File::open(&path) {
            Ok(file) => Self::read(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(&path),
            Err(error) => Err(HostKeyError::File(error)),
        }
    }

    fn read(file: File) -> Result<Self, HostKeyError> {
        let metadata = file.metadata().map_err(HostKeyError::File)?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(HostKeyError::TooOpen { mode });
        }
        let mut text = String::new();
        file.take(MOST)
            .read_to_string(&mut text)
            .map_err(HostKeyError::File)?;
        PrivateKey::from_openssh(text)
            .map(Self)
            .map_err(HostKeyError::Key)
    }

    fn make(path: &Path) -> Result<Self, HostKeyError> {
        let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(HostKeyError::Key)?;
        let text = key.to_openssh(LineEnding::LF).map_err(HostKeyError::Key)?;
        private_file::replace(path, &text).map_err(HostKeyError::File)?;
        Ok(Self(key))
    }

    /// What programs show of it: `SHA256:...`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.public_key().fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn into_key(self) -> PrivateKey {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn a_key_is_made_once_and_only_for_the_brokers_own_user() {
        let folder = tempfile::tempdir().unwrap();
        let fingerprint = HostKey::of(folder.path()).unwrap().fingerprint();
        assert!(fingerprint.starts_with("SHA256:"), "{fingerprint}");
        assert_eq!(HostKey::of(folder.path()).unwrap().fingerprint(), fingerprint);
        let mode = fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_no_key_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "something").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let error = HostKey::of(folder.path()).err().unwrap();
        assert_eq!(error.code(), "sftp_host_key_unreadable");
        let left = fs::read_to_string(path).unwrap();
        assert_eq!(left, "something");
    }

    #[test]
    fn a_key_that_others_may_read_is_not_used_until_that_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let fingerprint = HostKey::of(folder.path()).unwrap().fingerprint();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = HostKey::of(folder.path()).err().unwrap();
            assert_eq!(error.code(), "sftp_host_key_too_open");
            let said = error.to_string();
            assert!(
                said.contains(&format!("mode {mode:o}")) && said.contains("chmod 600"),
                "{said}"
            );
        }
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert_eq!(HostKey::of(folder.path()).unwrap().fingerprint(), fingerprint);
    }
}
