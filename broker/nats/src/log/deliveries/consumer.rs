//! The durable consumer behind a queue: made once, and verified at every opening.

use crate::{Cause, Log, verify};
use archwire_core::{Subject, SystemName};
use async_nats::jetstream::{
    self, ErrorCode,
    consumer::{self, AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use futures_util::StreamExt as _;
use std::{num::NonZeroU32, time::Duration};

/// How a queue hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveriesConfig {
    /// After how long an event that is neither settled nor [`Work::in_progress`](crate::Work::in_progress) comes again.
    pub ack_wait: Duration,
    /// How many events may be handed out and not settled. When that many are, nothing more comes.
    pub max_ack_pending: NonZeroU32,
}

/// A queue that cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum DeliveriesError {
    /// The server's queue is not as it has to be.
    #[error(
        "the queue {consumer} exists with other settings: {}; remove it with `nats consumer rm {stream} {consumer}` and \
         every event is delivered again",
        listed(differences)
    )]
    Different {
        /// The log's stream.
        stream: String,
        /// The queue's consumer.
        consumer: String,
        /// Each setting that differs.
        differences: Vec<verify::Difference>,
    },
    /// The server does not answer or refuses.
    #[error("the NATS server does not open the queue {consumer}")]
    Unavailable {
        /// The queue's consumer.
        consumer: String,
        /// What happened instead.
        source: Cause,
    },
}

fn listed(differences: &[verify::Difference]) -> String {
    differences
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

impl DeliveriesError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Different { .. } => "deliveries_settings_different",
            Self::Unavailable { .. } => "deliveries_unavailable",
        }
    }
}

impl Log {
    /// Gets or makes the consumer, and verifies what the server echoes.
    pub(super) async fn consumer(
        &self,
        system: &SystemName,
        config: DeliveriesConfig,
    ) -> Result<PullConsumer, DeliveriesError> {
        let wanted = self.consumer_config(system, config);
        let consumer = self.get_or_make(&wanted).await?;
        let differences = verify::consumer_differences(&pulled(&consumer.cached_info().config), &wanted);
        if differences.is_empty() {
            return Ok(consumer);
        }
        let stream = self.inner.records.stream.cached_info().config.name.clone();
        Err(DeliveriesError::Different {
            stream,
            consumer: name(&wanted),
            differences,
        })
    }

    fn consumer_config(&self, system: &SystemName, config: DeliveriesConfig) -> pull::Config {
        pull::Config {
            durable_name: Some(durable(system)),
            description: Some(format!("Archwire: events to be delivered to {system}")),
            filter_subject: Subject::all_patients(&self.inner.practice),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: config.ack_wait,
            max_deliver: -1,
            max_ack_pending: i64::from(config.max_ack_pending.get()),
            headers_only: true,
            num_replicas: self.inner.replicas,
            ..pull::Config::default()
        }
    }

    /// Only what the configuration may change is changed.
    async fn get_or_make(&self, wanted: &pull::Config) -> Result<PullConsumer, DeliveriesError> {
        let stream = &self.inner.records.stream;
        let found = match stream.consumer_info(name(wanted)).await {
            Ok(info) => pulled(&info.config),
            Err(error) if is_missing(&error) => {
                let made = stream.create_consumer_strict(wanted.clone()).await;
                return made.map_err(|error| unavailable(wanted, error));
            }
            Err(error) => return Err(unavailable(wanted, error)),
        };
        let tuned = pull::Config {
            ack_wait: wanted.ack_wait,
            max_ack_pending: wanted.max_ack_pending,
            // Queues of earlier versions handed out whole events.
            headers_only: wanted.headers_only,
            ..found.clone()
        };
        if tuned != found {
            tracing::info!(
                consumer = name(wanted),
                "ack_wait, max_ack_pending and headers_only follow this version"
            );
            let updated = stream.update_consumer(tuned).await;
            return updated.map_err(|error| unavailable(wanted, error));
        }
        stream
            .get_consumer(&name(wanted))
            .await
            .map_err(|error| unavailable(wanted, error))
    }
}

const PREFIX: &str = "deliver-";

fn durable(system: &SystemName) -> String {
    format!("{PREFIX}{system}")
}

/// A queue that the server keeps, whether anybody reads it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Whose queue it is.
    pub system: SystemName,
    /// Events that are not settled: those that were not handed out yet, and those that were.
    pub waiting: u64,
}

impl Log {
    /// Every queue that was ever opened and that nobody removed, also of systems that are no longer configured.
    ///
    /// # Errors
    /// When the server does not tell.
    pub async fn queues(&self) -> Result<Vec<Queue>, DeliveriesError> {
        let unavailable = |error: &dyn std::fmt::Display| DeliveriesError::Unavailable {
            consumer: format!("{PREFIX}*"),
            source: Cause::new(error),
        };
        let mut consumers = self.inner.records.stream.consumers();
        let mut queues = Vec::new();
        while let Some(info) = consumers.next().await {
            let info = info.map_err(|error| unavailable(&error))?;
            let name = info.name.strip_prefix(PREFIX);
            if let Some(system) = name.and_then(|name| name.parse().ok()) {
                let handed_out = u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX);
                let waiting = info.num_pending.saturating_add(handed_out);
                queues.push(Queue { system, waiting });
            }
        }
        Ok(queues)
    }
}

/// The error for a consumer that is there and cannot be read from.
pub(super) fn not_read(system: &SystemName, error: impl std::fmt::Display) -> DeliveriesError {
    DeliveriesError::Unavailable {
        consumer: durable(system),
        source: Cause::new(error),
    }
}

fn name(config: &pull::Config) -> String {
    config.durable_name.clone().unwrap_or_default()
}

fn is_missing(error: &jetstream::context::ConsumerInfoError) -> bool {
    use jetstream::context::ConsumerInfoErrorKind::{JetStream, NotFound};
    match error.kind() {
        NotFound => true,
        JetStream(error) => error.error_code() == ErrorCode::CONSUMER_NOT_FOUND,
        _ => false,
    }
}

fn unavailable(config: &pull::Config, error: impl std::fmt::Display) -> DeliveriesError {
    DeliveriesError::Unavailable {
        consumer: name(config),
        source: Cause::new(error),
    }
}

/// The echoed configuration in the terms of the one asked for.
fn pulled(config: &consumer::Config) -> pull::Config {
    use consumer::FromConsumer;
    pull::Config::try_from_consumer_config(config.clone()).unwrap_or_default()
}
