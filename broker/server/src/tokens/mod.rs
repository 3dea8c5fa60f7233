//! Tokens that were made for vendors: kept as SHA-256, so that nobody who reads the broker's files can use them.
//!
//! A token is `awv1_`, its id (ten hexadecimal digits, which are no secret), `_`, and 32 random bytes in base64url without padding.
//! Each is an entry `VENDOR/ID` in the bucket `vendors`. At most [`MOST`] of a vendor are good at a time, and the last [`LAST`] that are
//! not good any more are remembered, so that whoever still has one is told that it was revoked. What changes here is in the
//! [`Books`](crate::vendors::Books) before the call ends: it counts at once, for calls under way too. What is revoked is revoked before it
//! is stored, because a token in wrong hands cannot wait for a disk; the tokens of a vendor that leaves the configuration are revoked.

mod entry;
mod store;

pub use entry::{Token, TokenSecret};
pub(crate) use store::{BUCKET, ROOM};
pub use store::{Tokens, TokensError};

/// Tokens of a vendor that are good at a time: enough to change them on several machines, one after another.
pub const MOST: usize = 16;
/// Tokens of a vendor that are remembered although they are not good any more.
pub const LAST: usize = 16;
