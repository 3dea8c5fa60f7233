//! What a check finds, and what it comes to.

use crate::audit::removal::Removal;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// These records are not what they were, or one of them is not.
    Changed,
    /// These records are not there.
    Removed,
    /// These records come where others should.
    Displaced,
    /// Something in the stream is no block.
    NotABlock,
    /// These records, or one of them, are not those that were signed.
    CheckpointDiffers,
    /// The audit ends before what was signed.
    Truncated,
    /// These records are not signed, although a broker signs after fewer and sooner.
    Unsigned,
    /// These records were let go of before their time: one of them is younger than was signed.
    LetGoEarly,
    /// A checkpoint is not signed by the key that it names.
    SignatureBad,
    /// A checkpoint is signed by a key that is not the broker's.
    KeyUnknown,
}

impl Fault {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Changed => "audit_changed",
            Self::Removed => "audit_removed",
            Self::Displaced => "audit_displaced",
            Self::NotABlock => "audit_not_a_block",
            Self::CheckpointDiffers => "audit_checkpoint_differs",
            Self::Truncated => "audit_truncated",
            Self::Unsigned => "audit_unsigned",
            Self::LetGoEarly => "audit_let_go_early",
            Self::SignatureBad => "audit_signature_bad",
            Self::KeyUnknown => "audit_key_unknown",
        }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Removed => "not there any more",
            Self::Displaced => "where other records should be",
            Self::NotABlock => "no records of an audit",
            Self::CheckpointDiffers => "not what was signed",
            Self::Truncated => "cut off from the end",
            Self::Unsigned => "not signed, although a broker would have",
            Self::LetGoEarly => "let go of before their time",
            Self::SignatureBad => {
                "a checkpoint, or a record of what was let go of, with a signature that does not hold"
            }
            Self::KeyUnknown => {
                "a checkpoint, or a record of what was let go of, signed by another key than the broker's"
            }
        }
    }
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub fault: Fault,
    /// The first record that it is about.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// The place in the stream at which it was seen; `None` where nothing is there.
    pub sequence: Option<u64>,
    /// When that was stored, as the server says; of a checkpoint, when it was signed.
    pub at: Option<String>,
}

/// A key that is none of the known ones, and what it signed: another broker of the practice has a key of its own, and so has somebody
/// who writes an audit anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherKey {
    /// The public key.
    pub key: [u8; 32],
    /// The first place that it signed.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Verified {
    /// Records that are chained.
    pub records: u64,
    /// Records from before there was a chain: of them is known only that they are those which the chain was begun behind.
    pub unchained: u64,
    /// The first and the last place that is chained.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Checkpoints that hold.
    pub checkpoints: u64,
    /// The last place that a checkpoint holds for: what comes behind it is chained, and not signed yet.
    pub signed_through: u64,
    /// What was let go of before the first record, as it was signed.
    pub let_go: Option<Removal>,
    /// Keys that are none of the known ones; at most 16. Each is one of `findings`.
    pub other_keys: Vec<OtherKey>,
    /// What is wrong, in the order of the audit; at most [`super::MOST_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How much is wrong in all.
    pub found: u64,
}
