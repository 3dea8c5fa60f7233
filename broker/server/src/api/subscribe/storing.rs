//! When a stream's position is stored. Its reader does not wait for that.
//!
//! One storing is under way at a time, and none is left alone: one whose answer nobody takes would leave open by what the next one is
//! claimed.

use super::{
    Subscriptions,
    line::replaced,
    positions::{Claim, Key, NotPut},
    progress::Progress,
    witness::{Place, Witness},
};
use archwire_core::SystemName;
use futures_util::future::BoxFuture;
use std::{future::pending, sync::Arc, time::Duration};
use tokio::time::Instant;
use tonic::Status;

/// How long an acknowledgement may wait until it is stored.
const STORE_EVERY: Duration = Duration::from_millis(100);
/// The same of what needs none, because it is not shown: it would only be looked at again.
const STORE_PASSED_EVERY: Duration = Duration::from_secs(10);

/// When a position is stored, and the storing that is under way.
pub(super) struct Storing {
    subscriptions: Arc<Subscriptions>,
    key: Key,
    /// By what the position is this reader's to write.
    claim: Claim,
    at: Option<Instant>,
    /// Whether that is because something was acknowledged.
    soon: bool,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    position: u64,
    putting: BoxFuture<'static, Result<Claim, NotPut>>,
}

impl Storing {
    pub(super) fn new(subscriptions: Arc<Subscriptions>, key: Key, claim: Claim) -> Self {
        Self {
            subscriptions,
            key,
            claim,
            at: None,
            soon: false,
            under_way: None,
        }
    }

    /// When it begins next.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Plans the next one, if there is anything to store.
    pub(super) fn plan(&mut self, progress: &Progress) {
        if self.under_way.is_some() {
            return;
        }
        if !self.soon && progress.is_acknowledged_further() {
            (self.at, self.soon) = (Some(Instant::now() + STORE_EVERY), true);
        } else if self.at.is_none() && progress.unstored().is_some() {
            self.at = Some(Instant::now() + STORE_PASSED_EVERY);
        }
    }

    /// Begins to store the position.
    pub(super) fn begin(&mut self, progress: &Progress, witness: Option<Witness>) {
        (self.at, self.soon) = (None, false);
        let Some(position) = progress.unstored().filter(|_| self.under_way.is_none()) else {
            return;
        };
        let (subscriptions, key, claim) = (Arc::clone(&self.subscriptions), self.key.clone(), self.claim);
        let place = Place {
            sequence: position,
            witness,
        };
        let putting = async move { subscriptions.positions.put(&key, place, claim).await };
        self.under_way = Some(UnderWay {
            position,
            putting: Box::pin(putting),
        });
    }

    /// Waits for the one that is under way, and gives the position that is stored; for ever while there is none. Dropping the future
    /// changes nothing.
    pub(super) async fn done(&mut self) -> Result<u64, Status> {
        let Some(UnderWay { position, putting }) = &mut self.under_way else {
            return pending().await;
        };
        let (put, position) = (putting.await, *position);
        self.under_way = None;
        match put {
            Ok(claim) => {
                self.claim = claim;
                Ok(position)
            }
            Err(NotPut::Claimed) => Err(replaced()),
            Err(NotPut::Refused(refusal)) => Err(refusal),
        }
    }

    /// Stores the position for the last time. What cannot be stored now comes again, and was told.
    pub(super) async fn finish(&mut self, progress: &mut Progress, witness: Option<Witness>) {
        if self.under_way.is_some()
            && let Ok(position) = self.done().await
        {
            progress.is_stored(position);
        }
        self.begin(progress, witness);
        if self.under_way.is_some() {
            _ = self.done().await;
        }
    }

    /// The subscription is as if it had never been.
    pub(super) async fn forget(&mut self, vendor: &SystemName) -> Result<(), Status> {
        self.subscriptions.positions.forget(&self.key, vendor).await
    }
}
