//! Who was let in, and whether that still holds.

use super::{BookReader, TokenDigest};
use crate::api::status::not_admitted;
use archwire_core::{
    SystemName,
    contract::{Contract, NotInForce},
};
use std::{fmt, future::pending, sync::Arc};
use tonic::Status;

/// By what a vendor showed who it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A token, by its digest.
    Token(TokenDigest),
    /// A client certificate, by the SHA-256 of its DER form.
    Certificate([u8; 32]),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(..)",
            Self::Certificate(_) => "Certificate(..)",
        })
    }
}

/// Why somebody who was known is not let in, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// What was shown is not good any more: the token was revoked, or the vendor left the configuration.
    #[error(
        "what you showed is not good any more: the token or certificate was revoked, or the practice removed the vendor"
    )]
    Revoked,
    /// The token's time is over.
    #[error("the token has expired; ask the practice for another one")]
    Expired,
    /// There is a contract, and it does not count now.
    #[error(transparent)]
    NotInForce(#[from] NotInForce),
}

impl NotAdmitted {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Revoked => "token_revoked",
            Self::Expired => "token_expired",
            Self::NotInForce(reason) => reason.code(),
        }
    }
}

/// A vendor that was let in. Every answer asks again whether it still is.
#[derive(Debug, Clone)]
pub struct Admitted {
    vendor: SystemName,
    shown: Credential,
    book: BookReader,
}

impl Admitted {
    /// Of who showed this, by a reader that has seen the book in which that stands.
    pub(crate) fn new(vendor: SystemName, shown: Credential, book: BookReader) -> Self {
        Self { vendor, shown, book }
    }

    /// Its name on the bus.
    #[must_use]
    pub fn vendor(&self) -> &SystemName {
        &self.vendor
    }

    /// The contract, if it is in force at this moment and what was shown is still good.
    ///
    /// # Errors
    /// The status that says why not.
    pub fn contract(&self) -> Result<Arc<Contract>, Status> {
        self.standing().map_err(|error| not_admitted(&error))
    }

    /// The same, with why not.
    pub(crate) fn standing(&self) -> Result<Arc<Contract>, NotAdmitted> {
        let book = self.book.borrow();
        book.contract(&self.vendor, &self.shown, book.clock())
    }

    /// Whether [`Self::changed`] would return at once.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.book.has_changed().unwrap_or(false)
    }

    /// Waits until the book is another one, or another day has begun: then the contract may be another one, have begun or
    /// ended, or what was shown may be revoked. Ask [`Self::contract`] again; often nothing has changed for this vendor. No
    /// change after the last return is missed.
    pub async fn changed(&mut self) {
        if self.book.changed().await.is_err() {
            // Nobody puts another one any more: the broker stops, which ends the call by itself.
            pending::<()>().await;
        }
    }
}
