//! The one key of the lease's bucket: looked at, written by its revision, given back, watched.

use super::LeaseError;
use crate::{ByteSize, Cause, Log, bucket};
use async_nats::jetstream::kv::{self, Operation, Store, UpdateErrorKind};
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::Duration;

const KEY: &str = "writer";
const BUCKET: &str = "lease";
const ROOM: ByteSize = ByteSize::mebibytes(1);

/// The key, and who wants it.
pub(super) struct Key {
    store: Store,
    holder: String,
}

/// How an attempt to take the key ended.
pub(super) enum Taking {
    /// It is ours, as of this revision.
    Taken(u64),
    /// Somebody else has it.
    Held(String),
    /// Somebody else was faster, whoever it was.
    Raced,
}

/// Who has the key; with the revision by which it can be written.
enum Found {
    Free(u64),
    Ours(u64),
    Other(String),
}

impl Key {
    pub(super) async fn open(log: &Log, holder: &str, ttl: Duration) -> Result<Self, LeaseError> {
        let opened = bucket::open(log, BUCKET, ROOM, Some(ttl)).await;
        let store = opened.map_err(|source| LeaseError::Bucket { source })?;
        let holder = holder.to_owned();
        Ok(Self { store, holder })
    }

    pub(super) fn holder(&self) -> &str {
        &self.holder
    }

    async fn look(&self) -> Result<Found, Cause> {
        let entry = self.store.entry(KEY).await.map_err(Cause::new)?;
        Ok(match entry {
            None => Found::Free(0),
            Some(entry) if entry.operation != Operation::Put => Found::Free(entry.revision),
            Some(entry) if entry.value == self.holder.as_bytes() => Found::Ours(entry.revision),
            Some(entry) => Found::Other(String::from_utf8_lossy(&entry.value).into_owned()),
        })
    }

    /// Takes the key where it is free, or ours already.
    pub(super) async fn take(&self) -> Result<Taking, Cause> {
        match self.look().await? {
            Found::Free(revision) | Found::Ours(revision) => {
                Ok(self.write(revision).await?.map_or(Taking::Raced, Taking::Taken))
            }
            Found::Other(holder) => Ok(Taking::Held(holder)),
        }
    }

    /// Writes the key where this is still its revision; returns the new one.
    pub(super) async fn write(&self, revision: u64) -> Result<Option<u64>, Cause> {
        let value = Bytes::copy_from_slice(self.holder.as_bytes());
        match self.store.update(KEY, value, revision).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
            Err(error) => Err(Cause::new(error)),
        }
    }

    /// Removes the key where it is ours.
    pub(super) async fn give_back(&self) -> Result<(), Cause> {
        match self.look().await? {
            Found::Ours(revision) => {
                let removed = self.store.delete_expect_revision(KEY, Some(revision)).await;
                removed.map_err(Cause::new)
            }
            Found::Free(_) | Found::Other(_) => Ok(()),
        }
    }

    /// A watch on the key; `None` when the server does not give one now.
    pub(super) async fn watch(&self) -> Option<Watch> {
        match self.store.watch(KEY).await {
            Ok(entries) => Some(Watch(entries)),
            Err(error) => {
                tracing::debug!(%error, "the lease cannot be watched now");
                None
            }
        }
    }
}

/// A watch on the key. The server tells of what is written, not of what it forgets.
pub(super) struct Watch(kv::Watch);

/// How a watch ended.
pub(super) enum Watched {
    Released,
    /// It is of no use any more.
    Broken,
}

impl Watch {
    /// Returns when the key was given back. May be dropped and called again.
    pub(super) async fn released(&mut self) -> Watched {
        loop {
            match self.0.next().await {
                Some(Ok(entry)) if entry.operation == Operation::Put => {}
                Some(Ok(_)) => return Watched::Released,
                Some(Err(_)) | None => return Watched::Broken,
            }
        }
    }
}
