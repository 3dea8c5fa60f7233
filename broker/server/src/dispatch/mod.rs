//! Brings events to the systems of the practice: hops 6 to 8 of the way of a change.
//!
//! One dispatcher per system reads the log through a durable consumer. What it gets says only *whom* there is something to
//! tell about; what that is, is read from the log and the registry when it is delivered, so that what waits costs little,
//! is never stale, and may come in any order. Each patient has a lane, and patients do not wait for each other. At most
//! [`MOST_HELD`] events are held at a time; the rest waits in the log. An event is acknowledged after the system showed its
//! state back, or after it was parked with its reason, so that a restart repeats what was not finished.

mod attempt;
mod breaker;
mod desk;
mod lanes;
mod parked;

pub use breaker::Breaker;
pub use desk::{Desk, DeskStatus};

use crate::registry::Registry;
use archwire_core::SystemName;
use archwire_host::Connector;
use archwire_nats::{Bucket, Deliveries};
use lanes::{Lanes, Shared};
use std::{sync::Arc, time::Duration};
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

/// Most events held by one dispatcher.
pub const MOST_HELD: u32 = 256;
/// How long the log waits for a sign of life of an event that is held. After a crash an event that was held comes again
/// after that time.
pub const ACK_WAIT: Duration = Duration::from_secs(6);
/// Between two attempts to read a log that does not answer.
const BETWEEN_READS: Duration = Duration::from_millis(500);

/// Brings events to one system.
pub struct Dispatcher {
    /// The system's name.
    pub system: SystemName,
    /// Its connector.
    pub connector: Arc<Connector>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// What waits in the log.
    pub deliveries: Deliveries,
    /// Where what cannot be delivered is kept.
    pub parked: Bucket,
    /// Whether the system may be called.
    pub breaker: Arc<Breaker>,
    /// Most deliveries to the system at a time.
    pub at_a_time: usize,
}

impl Dispatcher {
    /// Runs until `shutdown`, and then until what is being written is settled. What is not begun stays in the log.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self {
            system,
            connector,
            registry,
            mut deliveries,
            parked,
            breaker,
            at_a_time,
        } = self;
        let shared = Shared::new(
            system.clone(),
            connector,
            Arc::clone(&registry),
            parked,
            breaker,
            at_a_time,
        );
        let mut lanes = Lanes::new(shared, shutdown.clone());
        let owed = registry.index().owed(&system);
        owed.into_iter().for_each(|patient| lanes.look_at(patient));
        let mut signs_of_life = interval(ACK_WAIT / 3);
        while !shutdown.is_cancelled() {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(ended) = lanes.next_ended() => lanes.ended(ended).await,
                woken = registry.woken(&system) => woken.into_iter().for_each(|patient| lanes.look_at(patient)),
                _ = signs_of_life.tick() => lanes.give_signs_of_life().await,
                work = deliveries.next(), if lanes.held() < MOST_HELD as usize => match work {
                    Ok(work) => lanes.take(work),
                    // The consumer is made anew by the next call; what was handed out comes again.
                    Err(error) => {
                        tracing::warn!(%system, code = error.code(), "the log could not be read; trying again");
                        sleep(BETWEEN_READS).await;
                    }
                },
            }
        }
        while let Some(ended) = lanes.next_ended().await {
            lanes.ended(ended).await;
        }
        // What is not settled need not wait for a sign of life that will not come.
        lanes.give_back().await;
        deliveries.close().await;
    }
}
