//! What the tests share: observations, clients, and waiting with a deadline.

use crate::fake::{FakeBus, TOKEN};
use archwire_client::{Client, Endpoint, v1};
use std::time::{Duration, Instant};

pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) async fn client(bus: &FakeBus) -> Client {
    Client::connect(Endpoint::new(bus.url(), TOKEN)).await.unwrap()
}

pub(crate) fn observation(local_id: impl ToString) -> v1::Observation {
    v1::Observation {
        local_id: local_id.to_string(),
        patient: Some(v1::Patient::default()),
        ..Default::default()
    }
}

/// Waits until the condition holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Awaits, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.expect("not in time")
}
