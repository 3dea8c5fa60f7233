//! How the bus and each system are, at a glance. Reads nothing but memory, so that it answers also when nothing else does.

use super::practice::{Practice, SystemHandle};
use crate::{
    dispatch::{BreakerState, ImageDesk},
    parked::ParkedKey,
    wire::timestamp,
};
use archwire_core::{Priority, SystemName};
use archwire_host::{Account, AccountState};
use archwire_proto::admin::v1::{AccountStatus, GetStatusResponse, SystemStatus};
use std::time::{Duration, SystemTime};

/// The practice at this moment.
pub(super) fn of(practice: &Practice) -> GetStatusResponse {
    let registry = &practice.registry;
    let (patients, log_sequence, open_reviews) = {
        let index = registry.index();
        (index.patients(), index.sequence(), index.open_items())
    };
    let is_brought = |key: &ParkedKey| {
        let handle = practice.systems.get(&key.system);
        handle.is_some_and(|handle| handle.is_brought(key.cargo()))
    };
    let mut parked = practice.parked.waiting(is_brought);
    let systems = practice
        .systems
        .iter()
        .map(|(name, handle)| system(name, handle, count(parked.remove(name).unwrap_or(0))))
        .collect();
    GetStatusResponse {
        practice: registry.practice().to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Some(timestamp(practice.started_at)),
        is_log_connected: registry.log().status().connected,
        patients: count(patients),
        log_sequence,
        open_reviews: count(open_reviews),
        systems,
        accounts: accounts(practice),
        parked_elsewhere: count(parked.into_values().sum()),
    }
}

fn system(name: &SystemName, handle: &SystemHandle, parked: u64) -> SystemStatus {
    let images = handle.images.as_ref().map(ImageDesk::status).unwrap_or_default();
    let images_breaker = handle.images.as_ref().map(|desk| desk.breaker().state());
    let images_outage = images_breaker.as_ref().and_then(BreakerState::outage);
    let status = handle.desk.as_ref().map(|desk| desk.status()).unwrap_or_default();
    let breaker = handle.breaker.state();
    let outage = breaker.outage();
    let behind = status
        .behind_since
        .map(|since| SystemTime::now().duration_since(since).unwrap_or_default());
    SystemStatus {
        system: name.to_string(),
        connector: handle.connector.clone(),
        connector_version: handle.connector_version.clone(),
        breaker: breaker.as_str().to_owned(),
        breaker_reason: outage.map(|outage| outage.reason.clone()),
        breaker_since: outage.map(|outage| timestamp(outage.since)),
        seconds_behind: behind.unwrap_or_default().as_secs_f64(),
        patients_behind: count(status.patients_behind),
        lanes_working: number(status.working),
        lanes_waiting: number(status.waiting),
        lanes_backing_off: number(status.backing_off),
        parked,
        polled_at: handle.last_poll.get().map(timestamp),
        account: handle.account.config().name.to_string(),
        delivers: handle.desk.is_some(),
        delivers_images: handle.images.is_some(),
        images_working: number(images.working),
        images_waiting: count(images.waiting),
        images_backing_off: count(images.backing_off),
        images_breaker_reason: images_outage.map(|outage| outage.reason.clone()),
        images_breaker_since: images_outage.map(|outage| timestamp(outage.since)),
    }
}

/// Every account that a system uses, once.
fn accounts(practice: &Practice) -> Vec<AccountStatus> {
    let mut accounts: Vec<&Account> = Vec::new();
    for handle in practice.systems.values() {
        if !accounts.iter().any(|account| account.is(&handle.account)) {
            accounts.push(&handle.account);
        }
    }
    let mut accounts: Vec<_> = accounts.into_iter().map(Account::state).map(account).collect();
    accounts.sort_by(|one, other| one.account.cmp(&other.account));
    accounts
}

fn account(state: AccountState) -> AccountStatus {
    let waiting = |priority| number(state.waiting.get(&priority).copied().unwrap_or(0));
    AccountStatus {
        account: state.name.to_string(),
        spacing_ms: milliseconds(state.spacing),
        paused_ms: milliseconds(state.paused_for.unwrap_or_default()),
        taken: number(state.taken),
        waiting_interactive: waiting(Priority::Interactive),
        waiting_live: waiting(Priority::Live),
        waiting_backfill: waiting(Priority::Backfill),
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
