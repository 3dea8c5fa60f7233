//! How the running broker is asked to read its configuration, by somebody who waits for the answer.

use archwire_proto::admin::v1::ReloadConfigurationResponse;
use tokio::sync::{mpsc, oneshot};

/// How many may wait: as many as administrators can ask at a time.
const QUEUE: usize = 64;

/// Asks the broker to read its configuration. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reloading(mpsc::Sender<Ask>);

/// What was asked and is not answered yet, for the one who reads the configuration.
#[derive(Debug)]
pub struct Asks(pub(super) mpsc::Receiver<Ask>);

/// Somebody who waits.
pub(super) struct Ask {
    /// Whether only to tell what would come of it.
    pub(super) is_trial: bool,
    pub(super) answer: oneshot::Sender<ReloadConfigurationResponse>,
}

impl Reloading {
    /// One who asks, and what is asked.
    #[must_use]
    pub fn new() -> (Self, Asks) {
        let (ask, asks) = mpsc::channel(QUEUE);
        (Self(ask), Asks(asks))
    }

    /// Has the configuration read, and waits for what comes of it; in a trial, for what would. `None` when nobody reads it any more,
    /// as when the broker stops.
    pub async fn ask(&self, is_trial: bool) -> Option<ReloadConfigurationResponse> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Ask { is_trial, answer }).await.ok()?;
        answered.await.ok()
    }
}
