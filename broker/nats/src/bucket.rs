//! Small values beside the log: cursors, receipts and the like. One JetStream bucket each, named after the practice.
//!
//! Bounds: a value has at most 768 KiB, a key at most 256 bytes of `a-z A-Z 0-9 - _ = . /`, a bucket 128 MiB where
//! nothing else was asked for, which the server reserves. Only the last value of a key is kept. When a bucket is full, writing fails loudly. Keys are indexed
//! in the server's memory and appear in its logs: nothing by which a person could be identified belongs there.

use crate::{ByteSize, Cause, Log, OpenError, log};
use archwire_core::SystemName;
use async_nats::jetstream::{
    kv::{Operation, PutErrorKind, Store, UpdateErrorKind},
    stream::{Compression, Config, DiscardPolicy, RetentionPolicy, StorageType},
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use std::time::Duration;

/// Room for the largest source record in hexadecimal; below the 1 MB that a server takes by default.
const LARGEST_VALUE: usize = 768 * 1024;
const LONGEST_KEY: usize = 256;
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
const USUAL_BUCKET: ByteSize = ByteSize::mebibytes(128);

/// Values by key; cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    store: Store,
}

/// A value that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// Not a key.
    #[error(
        "a key of a bucket is 1 to 256 of a-z, A-Z, 0-9, -, _, =, . and /, and neither begins nor ends with a dot"
    )]
    Key,
    /// Too large a value. Nothing was stored.
    #[error("a value of a bucket has at most 786432 bytes, this one has {0}")]
    TooLarge(usize),
    /// Somebody else has set the value since it was read. Nothing was stored.
    #[error("the value was changed by somebody else")]
    Changed,
    /// The server refuses. Nothing was stored.
    #[error("the NATS server refuses the value; the bucket may be full")]
    Refused {
        /// Its reason.
        source: Cause,
    },
    /// No answer; a write may have been made or not.
    #[error("the NATS server does not answer")]
    Unavailable {
        /// What happened instead.
        source: Cause,
    },
}

impl BucketError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Key => "bucket_key_invalid",
            Self::TooLarge(_) => "bucket_value_too_large",
            Self::Changed => "bucket_value_changed",
            Self::Refused { .. } => "bucket_refused",
            Self::Unavailable { .. } => "bucket_unavailable",
        }
    }
}

impl Log {
    /// Opens a bucket of 128 MiB beside the log; makes it when there is none yet. Verified like the log itself.
    ///
    /// # Errors
    /// When it cannot be relied on.
    pub async fn bucket(&self, name: &SystemName) -> Result<Bucket, OpenError> {
        self.bucket_of(name, USUAL_BUCKET).await
    }

    /// Opens a bucket of at most `max` bytes beside the log; makes it when there is none yet. One that exists is made
    /// larger, or smaller where what it holds fits. Verified like the log itself.
    ///
    /// # Errors
    /// When it cannot be relied on.
    #[tracing::instrument(name = "log.bucket", skip_all, fields(%name))]
    pub async fn bucket_of(&self, name: &SystemName, max: ByteSize) -> Result<Bucket, OpenError> {
        let store = open(self, name.as_str(), max, None).await?;
        Ok(Bucket { store })
    }
}

/// Opens the bucket `name` of the log's practice; one with a `ttl` forgets what is older.
pub(crate) async fn open(
    log: &Log,
    name: &str,
    max: ByteSize,
    ttl: Option<Duration>,
) -> Result<Store, OpenError> {
    // A practice's name holds no underscore, so that no two practices share a bucket.
    let bucket = format!("aw_{}_{name}", log.practice());
    let jetstream = &log.inner.records.connection.jetstream;
    let stream = log::open_stream(jetstream, config(&bucket, log.inner.replicas, max, ttl)).await?;
    let stream = stream.cached_info().config.name.clone();
    let store = jetstream.get_key_value(bucket).await;
    store.map_err(|error| OpenError::Unavailable {
        stream,
        source: Cause::new(error),
    })
}

/// The stream behind a bucket (NATS ADR-8).
fn config(bucket: &str, replicas: usize, max: ByteSize, ttl: Option<Duration>) -> Config {
    // The server takes no window that is longer than what it keeps.
    let duplicate_window = ttl.unwrap_or(DUPLICATE_WINDOW).min(DUPLICATE_WINDOW);
    Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: replicas,
        discard: DiscardPolicy::New,
        max_bytes: max.as_limit(),
        max_messages: -1,
        max_messages_per_subject: 1,
        max_message_size: i32::try_from(LARGEST_VALUE + 4096).unwrap_or(i32::MAX),
        max_consumers: -1,
        max_age: ttl.unwrap_or_default(),
        duplicate_window,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        compression: Some(Compression::S2),
        ..Config::default()
    }
}

impl Bucket {
    /// The value of `key`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, BucketError> {
        self.store.get(checked(key)?).await.map_err(unavailable)
    }

    /// Sets the value of `key`. Success means stored, and flushed where the server promises that.
    ///
    /// # Errors
    /// When it is not stored, or when that is unknown.
    pub async fn put(&self, key: &str, value: Bytes) -> Result<(), BucketError> {
        if value.len() > LARGEST_VALUE {
            return Err(BucketError::TooLarge(value.len()));
        }
        match self.store.put(checked(key)?, value).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == PutErrorKind::Ack && !is_timeout(&error) => {
                Err(BucketError::Refused {
                    source: Cause::new(error),
                })
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// The value of `key`, and the number of its last change: 0 when there was none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get_numbered(&self, key: &str) -> Result<(Option<Bytes>, u64), BucketError> {
        let entry = self.store.entry(checked(key)?).await.map_err(unavailable)?;
        Ok(entry.map_or((None, 0), |entry| {
            let value = (entry.operation == Operation::Put).then_some(entry.value);
            (value, entry.revision)
        }))
    }

    /// Sets the value of `key` if `number` is still its last change. Gives the number of this one.
    ///
    /// # Errors
    /// When somebody else has set it since ([`BucketError::Changed`]), when it is not stored, or when that is unknown.
    pub async fn replace(&self, key: &str, value: Bytes, number: u64) -> Result<u64, BucketError> {
        if value.len() > LARGEST_VALUE {
            return Err(BucketError::TooLarge(value.len()));
        }
        let replaced = self.store.update(checked(key)?, value, number).await;
        replaced.map_err(|error| match error.kind() {
            UpdateErrorKind::WrongLastRevision => BucketError::Changed,
            _ => unavailable(error),
        })
    }

    /// Removes `key`; nothing happens when there is none.
    ///
    /// # Errors
    /// When it may not have been removed.
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.store.purge(checked(key)?).await.map_err(unavailable)
    }

    /// Every key that has a value, in no order. Meant for a start: it reads the whole bucket's index.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn keys(&self) -> Result<Vec<String>, BucketError> {
        self.store
            .keys()
            .await
            .map_err(unavailable)?
            .try_collect()
            .await
            .map_err(unavailable)
    }
}

fn checked(key: &str) -> Result<&str, BucketError> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=' | b'.' | b'/');
    let allowed = (1..=LONGEST_KEY).contains(&key.len())
        && key.bytes().all(inner)
        && !key.starts_with('.')
        && !key.ends_with('.')
        && !key.contains("..");
    if allowed { Ok(key) } else { Err(BucketError::Key) }
}

fn is_timeout(error: &async_nats::jetstream::kv::PutError) -> bool {
    use async_nats::jetstream::context::{PublishError, PublishErrorKind};
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<PublishError>());
    cause.is_none_or(|cause| {
        matches!(
            cause.kind(),
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe
        )
    })
}

fn unavailable(error: impl std::fmt::Display) -> BucketError {
    BucketError::Unavailable {
        source: Cause::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_reach_beyond_its_bucket() {
        for key in ["", ".", "a.", "a..b", "a b", "a.*", ">", "ä", &"k".repeat(257)] {
            assert!(checked(key).is_err(), "{key}");
        }
        for key in ["front-desk", "front-desk/0190", "a.b=c_d", &"k".repeat(256)] {
            assert!(checked(key).is_ok(), "{key}");
        }
    }
}
