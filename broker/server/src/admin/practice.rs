//! What of the running broker its administrators may ask about and act on.

use super::status::not_audited;
use crate::{
    audit::{Act, Audit},
    dispatch::{Breaker, Desk},
    parked::ParkedStore,
    poll::LastPoll,
    reconcile::Reconciler,
    registry::Registry,
};
use archwire_core::SystemName;
use archwire_host::Account;
use std::{collections::BTreeMap, sync::Arc, time::SystemTime};
use tonic::Status;

/// The practice as its administrators reach it.
pub struct Practice {
    /// Who is who.
    pub registry: Arc<Registry>,
    /// Where everything is written first.
    pub audit: Audit,
    /// What compares systems with the log.
    pub reconciler: Reconciler,
    /// What waits for a person.
    pub parked: ParkedStore,
    /// The systems that are configured and have a connector.
    pub systems: BTreeMap<SystemName, SystemHandle>,
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
    /// Its deliveries; `None` when the bus does not write to it.
    pub desk: Option<Desk>,
    /// When it was last read.
    pub last_poll: LastPoll,
    /// Whose quota it uses.
    pub account: Account,
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
