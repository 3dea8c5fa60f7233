//! How the broker is, for those who ask from outside.

use crate::{admin::SystemHandle, parked::ParkedStore, registry::Registry};
use archwire_core::SystemName;
use archwire_nats::{Connection, LeaseStanding};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How the broker is; cheap to clone. The broker fills it in as it comes up.
#[derive(Clone, Default)]
pub struct Vitals(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    stage: Stage,
    connection: Option<Connection>,
    lease: Option<LeaseStanding>,
    sources: Option<Sources>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Starting,
    StandingBy,
    Running,
    Draining,
}

/// What gauges are read from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) registry: Arc<Registry>,
    pub(crate) systems: BTreeMap<SystemName, SystemHandle>,
    pub(crate) parked: ParkedStore,
}

impl Vitals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log was connected to, and waits for its writer to be free.
    pub(crate) fn stands_by(&self, connection: &Connection) {
        let mut state = self.state();
        state.connection = Some(connection.clone());
        state.stage = Stage::StandingBy;
    }

    /// This broker is the writer, and reads the log.
    pub(crate) fn leads(&self, lease: LeaseStanding) {
        let mut state = self.state();
        state.lease = Some(lease);
        state.stage = Stage::Starting;
    }

    /// It works.
    pub(crate) fn runs(&self, sources: Sources) {
        let mut state = self.state();
        state.sources = Some(sources);
        state.stage = Stage::Running;
    }

    /// It finishes what was begun, and takes nothing more.
    pub(crate) fn drains(&self) {
        self.state().stage = Stage::Draining;
    }

    /// It has ended: what it was read from is let go.
    pub(crate) fn ended(&self) {
        let mut state = self.state();
        state.sources = None;
        state.stage = Stage::Draining;
    }

    /// Why the broker is not ready, as stable codes; none when it is.
    pub(super) fn reasons(&self) -> Vec<&'static str> {
        let state = self.state();
        let stage = match state.stage {
            Stage::Starting => Some("starting"),
            Stage::StandingBy => Some("standing_by"),
            Stage::Draining => Some("draining"),
            Stage::Running => None,
        };
        let is_cut_off = |connection: &Connection| !connection.status().connected;
        let cut_off = state.connection.as_ref().is_some_and(is_cut_off);
        let running = state.stage == Stage::Running;
        let deposed = running && !state.lease.as_ref().is_some_and(LeaseStanding::is_held);
        let further = [
            cut_off.then_some("log_disconnected"),
            deposed.then_some("lease_not_held"),
        ];
        stage.into_iter().chain(further.into_iter().flatten()).collect()
    }

    /// How often the connection to the log was made again.
    pub(super) fn reconnects(&self) -> u64 {
        let state = self.state();
        state
            .connection
            .as_ref()
            .map_or(0, |connection| connection.status().reconnects)
    }

    pub(super) fn sources(&self) -> Option<Sources> {
        self.state().sources.clone()
    }
}
