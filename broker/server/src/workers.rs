//! What works for each system: its poller, its dispatcher, and the breaker that both heed.

use crate::{
    admin::SystemHandle,
    broker::BrokerError,
    config,
    dispatch::{ACK_WAIT, Breaker, Desk, Dispatcher, MOST_LANES},
    parked::ParkedStore,
    poll::{LastPoll, Poller},
    registry::Registry,
};
use archwire_core::SystemName;
use archwire_host::{Ability, CallError, Connector};
use archwire_nats::{Bucket, DeliveriesConfig, Log};
use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};
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
                () = breaker.watch_over(|| check(&connector)) => {}
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

/// Whether a system answers again. One whose connector cannot find out is given its chance.
async fn check(connector: &Connector) -> Result<(), String> {
    match connector.check().await {
        Ok(_) | Err(CallError::NotOffered(_)) => Ok(()),
        Err(CallError::Disposition(disposition)) => Err(disposition.reason().code.as_str().to_owned()),
        Err(error) => Err(error.code().to_owned()),
    }
}

/// What reads and what writes each system, and how its administrators reach it.
pub(crate) async fn workers(
    log: &Log,
    registry: &Arc<Registry>,
    parked: &ParkedStore,
    connectors: Vec<(SystemName, config::System, Arc<Connector>)>,
) -> Result<(Vec<Worker>, BTreeMap<SystemName, SystemHandle>), BrokerError> {
    let cursors = bucket(log, "cursors").await?;
    let (mut workers, mut handles) = (Vec::new(), BTreeMap::new());
    for (system, config, connector) in connectors {
        let breaker = Arc::new(Breaker::new(system.clone()));
        let description = connector.component().description();
        let abilities = &description.abilities;
        let delivers = config.deliver && abilities.contains(&Ability::Deliver);
        let desk = delivers.then(|| Desk::new(system.clone(), Arc::clone(registry), Arc::clone(&breaker)));
        let handle = SystemHandle {
            connector: description.name.clone(),
            connector_version: description.version.clone(),
            breaker: Arc::clone(&breaker),
            desk: desk.clone(),
            last_poll: LastPoll::default(),
            account: connector.account().clone(),
        };
        let poller = abilities.contains(&Ability::Poll).then(|| Poller {
            system: system.clone(),
            connector: Arc::clone(&connector),
            registry: Arc::clone(registry),
            cursors: cursors.clone(),
            breaker: Arc::clone(&breaker),
            every: config.poll_every.unwrap_or(POLL_EVERY),
            last: handle.last_poll.clone(),
        });
        let dispatcher = match desk {
            Some(desk) => {
                let max_ack_pending = u32::try_from(MOST_LANES).ok().and_then(NonZeroU32::new);
                let config = DeliveriesConfig {
                    ack_wait: ACK_WAIT,
                    max_ack_pending: max_ack_pending.unwrap_or(NonZeroU32::MIN),
                };
                Some(Dispatcher {
                    connector: Arc::clone(&connector),
                    registry: Arc::clone(registry),
                    deliveries: log.deliveries(&system, config).await?,
                    parked: parked.clone(),
                    breaker: Arc::clone(&breaker),
                    desk,
                })
            }
            None => None,
        };
        handles.insert(system, handle);
        workers.push(Worker {
            breaker,
            connector,
            poller,
            dispatcher,
        });
    }
    Ok((workers, handles))
}
