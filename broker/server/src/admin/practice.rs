//! What of the running broker its administrators may ask about and act on.

use super::status::not_audited;
use crate::{
    audit::{Act, Audit},
    broker::Reloading,
    dispatch::{Breaker, Desk, ImageDesk},
    imaging::{Collector, Intake},
    parked::{Cargo, ParkedStore},
    poll::LastPoll,
    reconcile::Reconciler,
    registry::Registry,
    tokens::Tokens,
};
use archwire_core::{Priority, SystemName};
use archwire_host::{Account, Connector};
use std::{collections::BTreeMap, sync::Arc, time::SystemTime};
use tonic::Status;

/// The practice as its administrators reach it.
pub struct Practice {
    /// Who is who.
    pub registry: Arc<Registry>,
    /// Where everything is written first.
    pub audit: Audit,
    /// Where images come in; `None` when none are kept.
    pub images: Option<Intake>,
    /// What removes the bytes that no image has; `None` when none are kept.
    pub collector: Option<Collector>,
    /// What compares systems with the log.
    pub reconciler: Reconciler,
    /// What waits for a person.
    pub parked: ParkedStore,
    /// The systems that are configured and have a connector.
    pub systems: BTreeMap<SystemName, SystemHandle>,
    /// Tokens of vendors, and the vendors.
    pub tokens: Tokens,
    /// What reads the configuration.
    pub reloading: Reloading,
    /// Since when the broker runs.
    pub started_at: SystemTime,
}

/// One system.
#[derive(Clone)]
pub struct SystemHandle {
    /// Its connector's name.
    pub connector: String,
    /// And version.
    pub connector_version: String,
    /// Whether it is called.
    pub breaker: Arc<Breaker>,
    /// Deliveries of patients; `None` when the bus brings it none.
    pub desk: Option<Desk>,
    /// Deliveries of images; `None` when the bus brings it none.
    pub images: Option<ImageDesk>,
    /// Its connector, where that shows images.
    pub viewer: Option<Arc<Connector>>,
    /// When it was last read.
    pub last_poll: LastPoll,
    /// Whose quota it uses.
    pub account: Account,
}

impl SystemHandle {
    /// Whether the bus brings such things to the system.
    #[must_use]
    pub fn is_brought(&self, cargo: Cargo) -> bool {
        match cargo {
            Cargo::Record(_) => self.desk.is_some(),
            Cargo::Image(_) => self.images.is_some(),
        }
    }

    /// Has a delivery looked at, without an event that says so.
    pub fn look_at(&self, cargo: Cargo, priority: Priority) {
        match cargo {
            Cargo::Record(patient) => {
                if let Some(desk) = &self.desk {
                    desk.look_at(patient, priority);
                }
            }
            Cargo::Image(image) => {
                if let Some(desk) = &self.images {
                    desk.look_at(image, priority);
                }
            }
        }
    }
}

impl Practice {
    /// Writes down what is about to be done. Nothing is done when this fails.
    pub(super) async fn audit(&self, act: Act) -> Result<(), Status> {
        match self.audit.record(act).await {
            Ok(_) => Ok(()),
            Err(error) => Err(not_audited(&error)),
        }
    }
}
