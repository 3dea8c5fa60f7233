//! Checkpoints: what the chain had come to at a time, signed, and kept also in a file outside the audit.
//!
//! The key is made once, in the data folder, in a file that only the broker's user may read. Whoever has that file and the whole
//! stream can make another history and sign it; that shows by a file of checkpoints that is kept on another machine. A file is
//! only ever added to, one JSON object a line, a few hundred bytes each.

use super::chain::{Hash, Link};
use crate::private_file;
use archwire_core::PracticeName;
use archwire_proto::admin::v1::AuditCheckpoint;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use rand::RngCore as _;
use secrecy::{ExposeSecret as _, ExposeSecretMut as _, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The key's file in the data folder.
const KEY_FILE: &str = "audit.key";
/// The file of checkpoints in the data folder, where the configuration names no other.
pub const CHECKPOINT_FILE: &str = "audit-checkpoints.jsonl";
/// The first of the lines that are signed.
const SIGNED: &str = "archwire.audit.checkpoint.v1";

/// What the chain had come to, signed. As in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The practice.
    pub practice: PracticeName,
    /// The place of the last record.
    pub index: u64,
    /// The hash up to there, in hexadecimal.
    pub hash: String,
    /// When: RFC 3339, in UTC.
    pub at: String,
    /// By which key, in hexadecimal.
    pub public_key: String,
    /// Over the five lines, in hexadecimal.
    pub signature: String,
}

/// The key that signs checkpoints.
pub struct CheckpointKey(SigningKey);

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot read or write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no key.
    #[error(
        "{} does not hold a key; restore it, or remove it to have a new one made, which `archwire audit verify` tells",
        .0.display()
    )]
    Malformed(PathBuf),
}

impl KeyError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "audit_key_file",
            Self::Malformed(_) => "audit_key_malformed",
        }
    }
}

impl CheckpointKey {
    /// The key of a data folder; makes it when there is none.
    ///
    /// # Errors
    /// When the file cannot be used. A broken key is not replaced: that would look like somebody else's work.
    pub fn of(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(KEY_FILE);
        match fs::read_to_string(&path).map(SecretString::from) {
            Ok(text) => {
                let mut seed = SecretBox::new(Box::new([0_u8; 32]));
                let decoded = hex::decode_to_slice(text.expose_secret().trim(), seed.expose_secret_mut());
                decoded.map_err(|_| KeyError::Malformed(path))?;
                Ok(Self(SigningKey::from_bytes(seed.expose_secret())))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::made(path),
            Err(source) => Err(KeyError::File { path, source }),
        }
    }

    fn made(path: PathBuf) -> Result<Self, KeyError> {
        let mut seed = SecretBox::new(Box::new([0_u8; 32]));
        rand::rng().fill_bytes(seed.expose_secret_mut());
        let text: SecretString = format!("{}\n", hex::encode(seed.expose_secret())).into();
        let written = private_file::replace(&path, text.expose_secret());
        written.map_err(|source| KeyError::File { path, source })?;
        Ok(Self(SigningKey::from_bytes(seed.expose_secret())))
    }

    /// By which its signatures are known.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs lines.
    pub(super) fn sign_lines(&self, lines: &str) -> String {
        hex::encode(self.0.sign(lines.as_bytes()).to_bytes())
    }

    /// Signs what the chain has come to.
    #[must_use]
    pub fn sign(&self, practice: &PracticeName, link: &Link, at: jiff::Timestamp) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            practice: practice.clone(),
            index: link.index,
            hash: hex::encode(link.hash.bytes()),
            at: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            public_key: hex::encode(self.public()),
            signature: String::new(),
        };
        checkpoint.signature = self.sign_lines(&checkpoint.lines());
        checkpoint
    }
}

impl Checkpoint {
    fn lines(&self) -> String {
        let Self {
            practice,
            index,
            hash,
            at,
            ..
        } = self;
        format!("{SIGNED}\n{practice}\n{index}\n{hash}\n{at}\n")
    }

    /// The hash, where it is one.
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        Hash::read(&hex::decode(&self.hash).ok()?)
    }

    /// The key, where it is one.
    #[must_use]
    pub fn key(&self) -> Option<[u8; 32]> {
        hex::decode(&self.public_key).ok()?.try_into().ok()
    }

    /// Whether the key that it names signed it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.key()
            .is_some_and(|key| holds(&key, &self.lines(), &self.signature))
    }

    /// As it stands in the audit.
    #[must_use]
    pub fn write(&self) -> AuditCheckpoint {
        let bytes = |text: &str| hex::decode(text).unwrap_or_default().into();
        AuditCheckpoint {
            index: self.index,
            hash: bytes(&self.hash),
            at: self.at.clone(),
            public_key: bytes(&self.public_key),
            signature: bytes(&self.signature),
        }
    }

    /// From what stands in the audit of a practice.
    #[must_use]
    pub fn read(practice: &PracticeName, message: &AuditCheckpoint) -> Self {
        Self {
            practice: practice.clone(),
            index: message.index,
            hash: hex::encode(&message.hash),
            at: message.at.clone(),
            public_key: hex::encode(&message.public_key),
            signature: hex::encode(&message.signature),
        }
    }

    /// Adds it to a file, flushed; makes the file when there is none.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn append_to(&self, path: &Path) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let mut line = Vec::new();
        if file.seek(SeekFrom::End(-1)).is_ok() {
            let mut last = [0];
            file.read_exact(&mut last)?;
            // Half a line, after a power cut, stays a line of its own.
            if last != *b"\n" {
                line.push(b'\n');
            }
        }
        serde_json::to_writer(&mut line, self)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_all()
    }
}

/// Whether a key signed these lines.
pub(super) fn holds(key: &[u8; 32], lines: &str, signature: &str) -> bool {
    let signature = || Signature::from_slice(&hex::decode(signature).ok()?).ok();
    match (VerifyingKey::from_bytes(key), signature()) {
        (Ok(key), Some(signature)) => key.verify_strict(lines.as_bytes(), &signature).is_ok(),
        _ => false,
    }
}

/// What a file of checkpoints holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointFile {
    /// The checkpoints, as they stand there.
    pub checkpoints: Vec<Checkpoint>,
    /// Numbers of lines, from 1, that are none: half a line after a power cut, or somebody's doing.
    pub broken: Vec<usize>,
}

/// Reads a file of checkpoints.
///
/// # Errors
/// When it cannot be read.
pub fn read_file(path: &Path) -> io::Result<CheckpointFile> {
    let text = fs::read_to_string(path)?;
    let mut file = CheckpointFile::default();
    for (number, line) in text.lines().enumerate() {
        match serde_json::from_str(line) {
            Ok(checkpoint) => file.checkpoints.push(checkpoint),
            Err(_) => file.broken.push(number + 1),
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn practice() -> PracticeName {
        "maple-street".parse().unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let first = CheckpointKey::of(folder.path()).unwrap();
        let again = CheckpointKey::of(folder.path()).unwrap();
        assert_eq!(first.public(), again.public());
        let mode = fs::metadata(folder.path().join(KEY_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(folder.path().join(KEY_FILE), "deadbeef\n").unwrap();
        let broken = CheckpointKey::of(folder.path()).err().unwrap();
        assert_eq!(broken.code(), "audit_key_malformed");
    }

    #[test]
    fn a_checkpoint_holds_for_what_was_signed_and_for_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::of(folder.path()).unwrap();
        let link = Link {
            index: 7,
            ..Link::genesis(&practice())
        };
        let at = "2026-11-22T13:00:00Z".parse().unwrap();
        let signed = key.sign(&practice(), &link, at);
        assert!(signed.is_signed());
        let other = CheckpointKey::of(tempfile::tempdir().unwrap().path()).unwrap();
        let changes: [fn(&mut Checkpoint, &CheckpointKey); 6] = [
            |one, _| one.index += 1,
            |one, _| one.hash = hex::encode([7; 32]),
            |one, _| one.at = "2026-11-23T13:00:00Z".to_owned(),
            |one, _| one.practice = "elm-street".parse().unwrap(),
            |one, other| one.public_key = hex::encode(other.public()),
            |one, _| one.signature = String::new(),
        ];
        for change in changes {
            let mut changed = signed.clone();
            change(&mut changed, &other);
            assert!(!changed.is_signed(), "{changed:?}");
        }
        assert_eq!(Checkpoint::read(&practice(), &signed.write()), signed);
    }

    #[test]
    fn a_file_is_added_to_and_half_a_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CHECKPOINT_FILE);
        let key = CheckpointKey::of(folder.path()).unwrap();
        let signed: Vec<_> = [3, 9]
            .map(|index| {
                let link = Link {
                    index,
                    ..Link::genesis(&practice())
                };
                key.sign(&practice(), &link, jiff::Timestamp::UNIX_EPOCH)
            })
            .into();
        for one in &signed {
            one.append_to(&path).unwrap();
        }
        assert_eq!(read_file(&path).unwrap().checkpoints, signed);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"practice\":");
        fs::write(&path, &text).unwrap();
        signed[0].append_to(&path).unwrap();
        let file = read_file(&path).unwrap();
        assert_eq!(file.broken, [3]);
        assert_eq!(file.checkpoints.len(), 3);
    }
}
