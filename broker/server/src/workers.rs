//! What works for each system: its poller, its dispatcher, what brings it images, and the breaker that both heed.

use crate::{
    admin::SystemHandle,
    broker::BrokerError,
    config,
    dispatch::{ACK_WAIT, Breaker, Desk, Dispatcher, ImageDesk, ImageRunner, MOST_HANDED_OUT},
    imaging::Intake,
    parked::ParkedStore,
    poll::{LastPoll, Poller},
    registry::Registry,
};
use archwire_core::SystemName;
use archwire_host::{Ability, CallError, Connector};
use archwire_nats::{Bucket, DeliveriesConfig, Log, Queue};
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
    images: Option<ImageRunner>,
}

impl Worker {
    pub(crate) fn spawn(self, tasks: &TaskTracker, shutdown: &CancellationToken) {
        let Self {
            breaker,
            connector,
            poller,
            dispatcher,
            images,
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
        if let Some(images) = images {
            let (breaker, connector) = (Arc::clone(images.desk.breaker()), Arc::clone(&images.connector));
            let ended = shutdown.clone();
            tasks.spawn(async move {
                let watching = breaker.watch_over(|| check(&connector));
                _ = ended.run_until_cancelled(watching).await;
            });
            tasks.spawn(images.run(shutdown.clone()));
        }
    }
}

/// Tells of queues that nobody reads: of systems that are not configured any more, or that the bus may no longer write to.
/// Such a queue is kept where it is, so that a system that comes back under its name gets what it missed, in one go for each
/// patient; it takes no room but for its position. So are deliveries of it that are parked.
async fn tell_of_unread(log: &Log, read: &BTreeMap<SystemName, SystemHandle>) {
    let queues = match log.queues().await {
        Ok(queues) => queues,
        Err(error) => {
            tracing::warn!(
                code = error.code(),
                "it is not known whether events wait for systems that are gone"
            );
            return;
        }
    };
    let is_read = |system: &SystemName| read.get(system).is_some_and(|handle| handle.desk.is_some());
    for Queue { system, waiting } in queues {
        if waiting > 0 && !is_read(&system) {
            tracing::warn!(
                %system,
                waiting,
                code = "queue_unread",
                "events wait for a system that is not written to any more; it gets them when it is configured again"
            );
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

/// Whether patients are written to a system.
pub(crate) fn delivers(config: &config::System, connector: &Connector) -> bool {
    let abilities = &connector.component().description().abilities;
    config.deliver && abilities.contains(&Ability::Deliver)
}

/// What reads and what writes each system, and how its administrators reach it.
pub(crate) async fn workers(
    log: &Log,
    registry: &Arc<Registry>,
    parked: &ParkedStore,
    connectors: Vec<(SystemName, config::System, Arc<Connector>)>,
    images: Option<&Intake>,
) -> Result<(Vec<Worker>, BTreeMap<SystemName, SystemHandle>), BrokerError> {
    let cursors = bucket(log, "cursors").await?;
    let (mut workers, mut handles) = (Vec::new(), BTreeMap::new());
    for (system, config, connector) in connectors {
        let breaker = Arc::new(Breaker::new(system.clone()));
        let description = connector.component().description();
        let abilities = &description.abilities;
        let delivers = delivers(&config, &connector);
        let images_desk =
            (images.is_some() && config.deliver_images && abilities.contains(&Ability::DeliverImages))
                .then(|| ImageDesk::new(system.clone()));
        let desk = delivers.then(|| Desk::new(system.clone(), Arc::clone(registry), Arc::clone(&breaker)));
        let handle = SystemHandle {
            connector: description.name.clone(),
            connector_version: description.version.clone(),
            breaker: Arc::clone(&breaker),
            desk: desk.clone(),
            images: images_desk.clone(),
            viewer: abilities
                .contains(&Ability::FetchImages)
                .then(|| Arc::clone(&connector)),
            last_poll: LastPoll::default(),
            account: connector.account().clone(),
        };
        let poller = abilities.contains(&Ability::Poll).then(|| Poller {
            system: system.clone(),
            connector: Arc::clone(&connector),
            registry: Arc::clone(registry),
            images: images.cloned(),
            cursors: cursors.clone(),
            breaker: Arc::clone(&breaker),
            every: config.poll_every.unwrap_or(POLL_EVERY),
            last: handle.last_poll.clone(),
        });
        let dispatcher = match desk {
            Some(desk) => {
                let max_ack_pending = u32::try_from(MOST_HANDED_OUT).ok().and_then(NonZeroU32::new);
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
        let images = images_desk.map(|desk| ImageRunner {
            connector: Arc::clone(&connector),
            registry: Arc::clone(registry),
            parked: parked.clone(),
            breaker: Arc::clone(&breaker),
            desk,
        });
        handles.insert(system, handle);
        workers.push(Worker {
            breaker,
            connector,
            poller,
            dispatcher,
            images,
        });
    }
    tell_of_unread(log, &handles).await;
    Ok((workers, handles))
}
