//! One event that was handed out, and how it is settled.

use crate::{Cause, Connection, Stored};
use async_nats::jetstream::AckKind;
use std::time::Duration;

const LONGEST_SETTLING: Duration = Duration::from_secs(10);
/// A refused event comes again no sooner than this: at once would be a loop as fast as the machine.
pub(super) const SHORTEST_DELAY: Duration = Duration::from_millis(100);

/// An event to be delivered: that there is one, and where. A few hundred bytes, however large the event is.
#[derive(Clone)]
pub struct Work {
    /// The event without its payload, which the queue leaves in the log.
    pub stored: Stored,
    /// How often it has been handed out, this time included.
    pub delivered: u64,
    /// Where settlements of this handing out go.
    pub(super) reply: async_nats::Subject,
    pub(super) connection: Connection,
}

/// A settlement that the server did not confirm: the event may come again.
#[derive(Debug, thiserror::Error)]
#[error("the NATS server did not confirm the settlement of an event; it may come again")]
pub struct SettleError {
    source: Cause,
}

impl SettleError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "settle_unconfirmed"
    }
}

impl Work {
    /// Settles the event: it does not come again. Confirmed by the server; takes at most 10 s.
    ///
    /// # Errors
    /// When it is not confirmed, which also happens when the server was killed and has forgotten that it handed the
    /// event out. The event comes again.
    pub async fn ack(&self) -> Result<(), SettleError> {
        self.settle(AckKind::Ack).await
    }

    /// Gives the event back, to come again after `delay`, which is at least 100 ms. Takes at most 10 s.
    ///
    /// # Errors
    /// When it is not confirmed; the event then comes again after `ack_wait`.
    pub async fn nak(&self, delay: Duration) -> Result<(), SettleError> {
        self.settle(AckKind::Nak(Some(delay.max(SHORTEST_DELAY)))).await
    }

    /// Sends a settlement, and sends it again when the connection is made anew before it is confirmed.
    async fn settle(&self, kind: AckKind) -> Result<(), SettleError> {
        let settling = async {
            loop {
                self.connection.connected().await;
                let mut wire = self.connection.wire();
                tokio::select! {
                    outcome = self.connection.client.request(self.reply.clone(), kind.into()) => {
                        return outcome.map(|_| ()).map_err(settle_error);
                    }
                    () = wire.made_anew() => {}
                }
            }
        };
        let timed_out = |elapsed| SettleError {
            source: Cause::new(elapsed),
        };
        tokio::time::timeout(LONGEST_SETTLING, settling)
            .await
            .map_err(timed_out)?
    }

    /// Says that the event is still worked on: `ack_wait` begins anew. To be called every third of it.
    ///
    /// # Errors
    /// When the connection is closed.
    pub async fn in_progress(&self) -> Result<(), SettleError> {
        let sent = self
            .connection
            .client
            .publish(self.reply.clone(), AckKind::Progress.into())
            .await;
        sent.map_err(settle_error)
    }
}

fn settle_error(error: impl std::fmt::Display) -> SettleError {
    SettleError {
        source: Cause::new(error),
    }
}
