//! Who is calling: a vendor, by its token.

use super::status::refuse;
use archwire_core::SystemName;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::{collections::HashMap, sync::Arc};
use tonic::{Code, Request, Status, metadata::MetadataMap};

/// The vendors of the configuration, by the SHA-256 of their tokens: comparing digests takes the same time whatever
/// was guessed.
#[derive(Clone)]
pub struct Vendors(Arc<HashMap<[u8; 32], SystemName>>);

impl Vendors {
    /// The vendors and their tokens.
    pub fn new<'a>(tokens: impl IntoIterator<Item = (SystemName, &'a SecretString)>) -> Self {
        let digests = tokens
            .into_iter()
            .map(|(name, token)| (digest(token.expose_secret()), name));
        Self(Arc::new(digests.collect()))
    }

    /// The vendor that is calling.
    pub(super) fn caller<T>(&self, request: &Request<T>) -> Result<SystemName, Status> {
        let token = bearer(request.metadata());
        let token = token.ok_or_else(|| {
            refuse(
                Code::Unauthenticated,
                "token_missing",
                "send the metadata `authorization: Bearer TOKEN`",
            )
        })?;
        let vendor = self.0.get(&digest(token)).cloned();
        vendor.ok_or_else(|| {
            refuse(
                Code::Unauthenticated,
                "token_unknown",
                "no vendor in the practice's configuration has this token",
            )
        })
    }
}

fn bearer(metadata: &MetadataMap) -> Option<&str> {
    metadata
        .get("authorization")?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
