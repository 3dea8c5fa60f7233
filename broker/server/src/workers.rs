//! What works for each system: its poller, its dispatcher, and the breaker that both heed.

use crate::{
    broker::BrokerError,
    config,
    dispatch::{ACK_WAIT, Breaker, Dispatcher, MOST_HELD},
    poll::Poller,
    registry::Registry,
};
use archwire_core::SystemName;
use archwire_host::{Ability, Connector};
use archwire_nats::{Bucket, DeliveriesConfig, Log};
use std::{num::NonZeroU32, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often a system is read when the configuration does not say.
const POLL_EVERY: Duration = Duration::from_secs(10);

/// A bucket by one of the names that this broker uses.
pub(crate) async fn bucket(log: &Log, name: &str) -> Result<Bucket, BrokerError> {
    let name: SystemName = name.parse().map_err(BrokerError::BucketName)?;
    Ok(log.bucket(&name).await?)
}

/// What works for one system.
pub(crate) struct Worker {
    breaker: Arc<Breaker>,
    connector: Arc<Connector>,
    poller: Option<Poller>,
    dispatcher: Option<Dispatcher>,
}

impl Worker {
    pub(crate) fn spawn(self, tasks: &TaskTracker, shutdown: &CancellationToken) {
        let Self {
            breaker,
            connector,
            poller,
            dispatcher,
        } = self;
        let ended = shutdown.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = breaker.watch_over(&connector) => {}
            }
        });
        if let Some(poller) = poller {
            tasks.spawn(poller.run(shutdown.clone()));
        }
        if let Some(dispatcher) = dispatcher {
            tasks.spawn(dispatcher.run(shutdown.clone()));
        }
    }
}

/// What reads and what writes each system.
pub(crate) async fn workers(
    log: &Log,
    registry: &Arc<Registry>,
    connectors: Vec<(SystemName, config::System, Arc<Connector>)>,
) -> Result<Vec<Worker>, BrokerError> {
    let cursors = bucket(log, "cursors").await?;
    let parked = bucket(log, "parked").await?;
    let mut workers = Vec::new();
    for (system, config, connector) in connectors {
        let breaker = Arc::new(Breaker::new(system.clone()));
        let abilities = &connector.component().description().abilities;
        let poller = abilities.contains(&Ability::Poll).then(|| Poller {
            system: system.clone(),
            connector: Arc::clone(&connector),
            registry: Arc::clone(registry),
            cursors: cursors.clone(),
            breaker: Arc::clone(&breaker),
            every: config.poll_every.unwrap_or(POLL_EVERY),
        });
        let mut dispatcher = None;
        if config.deliver && abilities.contains(&Ability::Deliver) {
            let max_ack_pending = NonZeroU32::new(MOST_HELD).unwrap_or(NonZeroU32::MIN);
            dispatcher = Some(Dispatcher {
                deliveries: log
                    .deliveries(
                        &system,
                        DeliveriesConfig {
                            ack_wait: ACK_WAIT,
                            max_ack_pending,
                        },
                    )
                    .await?,
                system,
                connector: Arc::clone(&connector),
                registry: Arc::clone(registry),
                parked: parked.clone(),
                breaker: Arc::clone(&breaker),
                at_a_time: config
                    .grants
                    .iter()
                    .map(|grant| grant.in_flight.get())
                    .max()
                    .unwrap_or(1),
            });
        }
        workers.push(Worker {
            breaker,
            connector,
            poller,
            dispatcher,
        });
    }
    Ok(workers)
}
