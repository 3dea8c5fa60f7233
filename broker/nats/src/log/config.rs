//! What a log is asked to be, and the stream that is asked for it.

use crate::ByteSize;
use archwire_core::{PracticeName, Subject};
use async_nats::jetstream::stream::{Compression, Config, DiscardPolicy, RetentionPolicy, StorageType};
use std::{num::NonZeroUsize, time::Duration};

/// What a log is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Most bytes; when they are used up, appending fails loudly and nothing is removed. The server reserves them, so
    /// that all logs and buckets together have to fit into its store.
    pub max_bytes: ByteSize,
    /// On how many servers of a cluster every record is kept; 1 without a cluster.
    pub replicas: NonZeroUsize,
    /// For how long an event's id is remembered, so that appending it again appends nothing. The server keeps the ids
    /// of that time in memory, about 100 bytes each.
    pub duplicate_window: Duration,
    /// How long an append may take, a restart of the server in the middle of it included.
    pub append_timeout: Duration,
}

impl LogConfig {
    /// One copy, ids remembered for 10 minutes, 10 s for an append.
    #[must_use]
    pub fn new(max_bytes: ByteSize) -> Self {
        let (duplicate_window, append_timeout) = (Duration::from_secs(600), Duration::from_secs(10));
        Self {
            max_bytes,
            replicas: NonZeroUsize::MIN,
            duplicate_window,
            append_timeout,
        }
    }
}

/// The name of a practice's stream.
pub(crate) fn stream_name(practice: &PracticeName) -> String {
    format!("ARCHWIRE_{practice}")
}

/// The stream behind a log.
pub(super) fn stream(practice: &PracticeName, config: &LogConfig) -> Config {
    Config {
        name: stream_name(practice),
        description: Some("Archwire: every patient event of the practice".to_owned()),
        subjects: vec![Subject::everything(practice)],
        num_replicas: config.replicas.get(),
        max_bytes: config.max_bytes.as_limit(),
        duplicate_window: config.duplicate_window,
        max_consumers: MOST_CONSUMERS,
        ..kept()
    }
}

/// Those who may follow a log at a time, or read large images. Said as a number, because nats-server 2.15 takes what is not greater
/// than zero for its own default of 1,000. A stream that was made with another number keeps it.
pub(crate) const MOST_CONSUMERS: i32 = 16_384;

/// A stream on disk, compressed, in which nothing is ever removed or overwritten.
pub(crate) fn kept() -> Config {
    Config {
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_message_size: -1,
        max_consumers: -1,
        max_age: Duration::ZERO,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        compression: Some(Compression::S2),
        ..Config::default()
    }
}
