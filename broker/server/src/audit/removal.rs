//! What was let go of, signed: a beginning that is not there any more without such a record was taken away by somebody.

use super::{
    chain::Hash,
    checkpoint::{Checkpoint, CheckpointKey, holds},
};
use archwire_core::PracticeName;
use archwire_proto::admin::v1::AuditRemoval;

/// The first of the lines that are signed.
const SIGNED: &str = "archwire.audit.removal.v1";

/// Up to where an audit was let go of: everything that a checkpoint was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The practice.
    pub practice: PracticeName,
    /// The place of the last record.
    pub index: u64,
    /// The hash up to there.
    pub hash: Hash,
    /// When the checkpoint was signed: RFC 3339, in UTC. Nothing that was let go of is younger.
    pub through: String,
    /// When it was let go of: RFC 3339, in UTC.
    pub at: String,
    /// By which key.
    pub public_key: [u8; 32],
    /// Over the six lines, in hexadecimal.
    pub signature: String,
}

impl Removal {
    /// Of everything that a checkpoint was made for, signed; `None` where that checkpoint has no hash.
    pub(super) fn of(checkpoint: &Checkpoint, key: &CheckpointKey, at: jiff::Timestamp) -> Option<Self> {
        let mut removal = Self {
            practice: checkpoint.practice.clone(),
            index: checkpoint.index,
            hash: checkpoint.hash()?,
            through: checkpoint.at.clone(),
            at: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            public_key: key.public(),
            signature: String::new(),
        };
        removal.signature = key.sign_lines(&removal.lines());
        Some(removal)
    }

    fn lines(&self) -> String {
        let Self {
            practice,
            index,
            hash,
            through,
            at,
            ..
        } = self;
        let hash = hex::encode(hash.bytes());
        format!("{SIGNED}\n{practice}\n{index}\n{hash}\n{through}\n{at}\n")
    }

    /// Whether the key that it names signed it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        holds(&self.public_key, &self.lines(), &self.signature)
    }

    /// Whether something that was signed at this time is younger than everything that was let go of.
    #[must_use]
    pub fn is_before(&self, at: &str) -> bool {
        match (
            self.through.parse::<jiff::Timestamp>(),
            at.parse::<jiff::Timestamp>(),
        ) {
            (Ok(through), Ok(at)) => through < at,
            _ => true,
        }
    }

    /// As it stands in the audit.
    #[must_use]
    pub fn write(&self) -> AuditRemoval {
        AuditRemoval {
            index: self.index,
            hash: self.hash.bytes().to_vec().into(),
            through: self.through.clone(),
            at: self.at.clone(),
            public_key: self.public_key.to_vec().into(),
            signature: hex::decode(&self.signature).unwrap_or_default().into(),
        }
    }

    /// From what stands in the audit of a practice; `None` where it is none.
    #[must_use]
    pub fn read(practice: &PracticeName, message: &AuditRemoval) -> Option<Self> {
        Some(Self {
            practice: practice.clone(),
            index: message.index,
            hash: Hash::read(&message.hash)?,
            through: message.through.clone(),
            at: message.at.clone(),
            public_key: message.public_key[..].try_into().ok()?,
            signature: hex::encode(&message.signature),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::chain::Link;

    #[test]
    fn what_was_let_go_of_holds_as_it_was_signed_and_not_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::of(folder.path()).unwrap();
        let practice: PracticeName = "maple-street".parse().unwrap();
        let link = Link {
            index: 7,
            ..Link::genesis(&practice)
        };
        let signed_at = "2026-11-22T13:00:00Z".parse().unwrap();
        let checkpoint = key.sign(&practice, &link, signed_at);
        let removal = Removal::of(&checkpoint, &key, "2032-11-22T13:00:00Z".parse().unwrap()).unwrap();
        assert!(removal.is_signed());
        assert_eq!(Removal::read(&practice, &removal.write()).unwrap(), removal);
        assert!(!removal.is_before("2026-11-22T13:00:00Z"));
        assert!(removal.is_before("2026-11-22T13:00:01Z"));
        let changes: [fn(&mut Removal); 5] = [
            |one| one.index += 1,
            |one| one.hash = Hash::from_bytes([7; 32]),
            |one| one.at = "2026-11-23T13:00:00Z".to_owned(),
            |one| one.through = "2030-11-22T13:00:00Z".to_owned(),
            |one| one.signature = String::new(),
        ];
        for change in changes {
            let mut changed = removal.clone();
            change(&mut changed);
            assert!(!changed.is_signed(), "{changed:?}");
        }
    }
}
