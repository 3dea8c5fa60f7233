//! The log of a practice: one stream, opened and verified before anybody may rely on it.

mod append;
mod config;
mod deliveries;
mod follow;
mod places;
mod read;
mod stored;

pub use append::{Entry, Expected};
pub use config::LogConfig;
pub(crate) use config::{MOST_CONSUMERS, kept, stream_name};
pub use deliveries::{Deliveries, DeliveriesConfig, DeliveriesError, HandedOut, Queue, SettleError, Work};
pub use read::Filter;
pub use stored::Stored;

use crate::{Cause, Connection, Status, connection::Flush, records::Records, verify};
use archwire_core::PracticeName;
use async_nats::jetstream::{
    self, ErrorCode, context::CreateStreamErrorKind, context::GetStreamErrorKind, stream,
};
use std::sync::Arc;
use tracing::Instrument;

/// The log of a practice; cheap to clone.
#[derive(Clone)]
pub struct Log {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) practice: PracticeName,
    pub(crate) records: Records,
    pub(crate) replicas: usize,
}

/// A log that cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A stream or bucket that is not as it has to be.
    #[error(
        "{stream} exists with weaker settings than promised: {}",
        verify::listed(stream, differences)
    )]
    Weaker {
        /// Its stream.
        stream: String,
        /// Each setting that differs.
        differences: Vec<verify::Difference>,
    },
    /// Not enough room in the server's store.
    #[error(
        "the NATS server has no room for {stream} ({wanted}): raise its `max_file_store`, or ask for less in the \
         configuration"
    )]
    NoRoom {
        /// The stream.
        stream: String,
        /// What was asked for.
        wanted: crate::ByteSize,
    },
    /// The server refuses.
    #[error("the NATS server refuses to open {stream}")]
    Refused {
        /// The stream.
        stream: String,
        /// Its reason.
        source: Cause,
    },
    /// No answer.
    #[error("the NATS server does not answer about {stream}")]
    Unavailable {
        /// The stream.
        stream: String,
        /// What happened instead.
        source: Cause,
    },
}

impl OpenError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Weaker { .. } => "log_settings_weaker",
            Self::NoRoom { .. } => "log_no_room",
            Self::Refused { .. } => "log_refused",
            Self::Unavailable { .. } => "log_unavailable",
        }
    }
}

impl Log {
    /// Opens the log of a practice; makes it when there is none yet.
    ///
    /// What exists is not changed, but for one thing: `max_bytes` follows the configuration, which can neither lose
    /// nor weaken anything. Everything else that is weaker than asked is refused.
    ///
    /// # Errors
    /// When the log cannot be relied on.
    pub async fn open(
        connection: &Connection,
        practice: &PracticeName,
        config: &LogConfig,
    ) -> Result<Self, OpenError> {
        let span = tracing::info_span!("log.open", %practice);
        Self::open_inside(connection, practice, config)
            .instrument(span)
            .await
    }

    async fn open_inside(
        connection: &Connection,
        practice: &PracticeName,
        config: &LogConfig,
    ) -> Result<Self, OpenError> {
        let wanted = config::stream(practice, config);
        let stream = open_stream(&connection.jetstream, wanted).await?;
        if connection.flush() == Flush::Unknown {
            tracing::warn!(
                "the NATS server does not tell whether it flushes every write; on a single server set `sync_interval: \
                 always` in its `jetstream` block, or a power cut may lose what was acknowledged"
            );
        }
        let inner = Inner {
            practice: practice.clone(),
            records: Records::new(connection.clone(), stream, config.append_timeout),
            replicas: config.replicas.get(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The practice.
    #[must_use]
    pub fn practice(&self) -> &PracticeName {
        &self.inner.practice
    }

    /// How the connection is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.inner.records.connection.status()
    }
}

/// Gets or makes a stream and verifies what the server echoes.
pub(crate) async fn open_stream(
    jetstream: &jetstream::Context,
    wanted: stream::Config,
) -> Result<stream::Stream, OpenError> {
    let found = match jetstream.get_stream(&wanted.name).await {
        Ok(stream) => stream,
        Err(error) if is_missing(&error.kind()) => jetstream
            .create_stream(wanted.clone())
            .await
            .map_err(|error| not_created(&wanted, error))?,
        Err(error) => return Err(unavailable(&wanted, error)),
    };
    let differences = verify::stream_differences(&found.cached_info().config, &wanted);
    if !differences.is_empty() {
        return Err(OpenError::Weaker {
            stream: wanted.name,
            differences,
        });
    }
    if found.cached_info().config.max_bytes != wanted.max_bytes {
        resize(jetstream, found.cached_info(), &wanted).await?;
    }
    Ok(found)
}

/// What a stream is; `None` where there is none.
pub(crate) async fn found_stream(
    jetstream: &jetstream::Context,
    name: &str,
) -> Result<Option<stream::Config>, OpenError> {
    match jetstream.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) if is_missing(&error.kind()) => Ok(None),
        Err(error) => Err(OpenError::Unavailable {
            stream: name.to_owned(),
            source: Cause::new(error),
        }),
    }
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// Changes how large a stream may become, and nothing else of it.
async fn resize(
    jetstream: &jetstream::Context,
    found: &stream::Info,
    wanted: &stream::Config,
) -> Result<(), OpenError> {
    let refused = |source| OpenError::Refused {
        stream: wanted.name.clone(),
        source,
    };
    if wanted.max_bytes.unsigned_abs() < found.state.bytes {
        let held = format!(
            "it holds {} bytes already, which is more than the configuration allows",
            found.state.bytes
        );
        return Err(refused(Cause::new(held)));
    }
    let resized = stream::Config {
        max_bytes: wanted.max_bytes,
        ..found.config.clone()
    };
    let echoed = jetstream
        .update_stream(&resized)
        .await
        .map_err(|error| not_created(wanted, error))?;
    if echoed.config.max_bytes != wanted.max_bytes {
        return Err(refused(Cause::new("it does not change max_bytes")));
    }
    tracing::info!(
        stream = wanted.name,
        from = found.config.max_bytes,
        to = wanted.max_bytes,
        "size changed"
    );
    Ok(())
}

fn not_created(wanted: &stream::Config, error: jetstream::context::CreateStreamError) -> OpenError {
    let stream = wanted.name.clone();
    match error.kind() {
        CreateStreamErrorKind::JetStream(refusal) => match refusal.error_code() {
            ErrorCode::STORAGE_RESOURCES_EXCEEDED | ErrorCode::INSUFFICIENT_RESOURCES => {
                let wanted = crate::ByteSize::bytes(wanted.max_bytes.unsigned_abs());
                OpenError::NoRoom { stream, wanted }
            }
            _ => OpenError::Refused {
                stream,
                source: Cause::new(refusal),
            },
        },
        CreateStreamErrorKind::TimedOut | CreateStreamErrorKind::JetStreamUnavailable => {
            unavailable(wanted, error)
        }
        _ => OpenError::Refused {
            stream,
            source: Cause::new(error),
        },
    }
}

fn unavailable(wanted: &stream::Config, error: impl std::fmt::Display) -> OpenError {
    OpenError::Unavailable {
        stream: wanted.name.clone(),
        source: Cause::new(error),
    }
}
