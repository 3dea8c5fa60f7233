//! The attempt that creates a record, and what is known of it when it does not go well: a system never gets a second one.

use super::{
    attempt::{Attempt, Plan, fields, not_read, not_shown},
    ended::{Brought, Failure, Trouble},
};
use crate::{
    failpoint::reach,
    registry::{AsOf, Due, ObserveError},
};
use archwire_core::{Delivered, DeliveryAction, LocalId, Receipt, Revision, View};
use archwire_host::CallError;
use std::{collections::BTreeSet, time::Instant};

impl Attempt<'_> {
    pub(super) async fn create(&self, due: &Due) -> Result<Brought, Failure> {
        let mut delivery = self.delivery(due, None)?;
        let begun = self
            .registry
            .begin_creation(self.system, self.patient, due.revision)
            .await?;
        reach("creating-noted");
        let (permit, doubt) = begun;
        if let Some(doubt) = doubt {
            delivery.revision = doubt.revision;
            delivery.in_doubt_since = Some(doubt.last);
        }
        let newest = self
            .registry
            .index()
            .entry(self.patient)
            .map(|entry| entry.state_revision);
        // What may have to be repeated is made as the note of it says, and repeated as it was made.
        if newest != Some(delivery.revision) {
            AsOf {
                event_id: delivery.event_id,
                kind: delivery.kind,
                patient: delivery.patient,
            } = self
                .registry
                .as_of(self.system, self.patient, delivery.revision)
                .await?;
        }
        let is_ours = doubt.is_none();
        let Delivered { local_id, action } = match self.connector.deliver(&delivery).await {
            Ok(delivered) => delivered,
            Err(error) => return Err(self.not_written(error, is_ours).await),
        };
        reach("delivered");
        let begun = Instant::now();
        let read = self.connector.fetch(&local_id).await;
        reach("read-back");
        let adopted = action == DeliveryAction::Adopted;
        let plan = Plan {
            revision: delivery.revision,
            // What the system had of the person already is not ours, and is left as it is.
            written: match adopted {
                true => BTreeSet::new(),
                false => fields(&delivery.patient)?.paths().cloned().collect(),
            },
            told: self.told(delivery.event_id, delivery.patient, Some(action)),
            created: Some(permit),
        };
        if adopted {
            return self.adopt(read, begun, plan, is_ours).await;
        }
        match read {
            Ok(Some(shown)) => match self.settle(shown, begun, plan).await {
                Ok(()) => Ok(Brought::Written),
                Err(error) => Err(self.not_settled(local_id, error, is_ours).await),
            },
            Ok(None) => {
                let receipt = self.unreadable(&plan);
                self.link(local_id, Some(receipt), is_ours).await?;
                Err(not_shown())
            }
            // The record is there. Its id is kept, so that nobody has to search for it.
            Err(error) => {
                self.link(local_id, None, is_ours).await?;
                Err(not_read(error))
            }
        }
    }

    /// A connector may be content with less than the bus. Who is not sure becomes a patient of their own when the record is
    /// polled, and a person decides.
    async fn adopt(
        &self,
        read: Result<Option<View>, CallError>,
        begun: Instant,
        plan: Plan,
        is_ours: bool,
    ) -> Result<Brought, Failure> {
        let sure = |shown: &View| self.registry.is_surely(self.system, self.patient, &shown.patient);
        let ended = match read {
            Ok(shown) => match shown.filter(sure) {
                Some(shown) => match self.settle(shown, begun, plan).await {
                    Ok(()) => return Ok(Brought::Seen),
                    Err(error) => error.into(),
                },
                None => Failure::Park(Trouble::of_code("adoption_not_sure")),
            },
            Err(error) => not_read(error),
        };
        // The system had the record before: it made none.
        self.did_not_come_about(is_ours).await?;
        Err(ended)
    }

    async fn link(&self, local_id: LocalId, receipt: Option<Receipt>, is_ours: bool) -> Result<(), Failure> {
        let linking = self
            .registry
            .link(self.system, self.patient, local_id, Revision::NONE, receipt);
        match linking.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.not_linked(error, is_ours).await),
        }
    }

    /// A record that was created, and shows what cannot be stored: its id can be, so that no second one is made.
    async fn not_settled(&self, local_id: LocalId, error: ObserveError, is_ours: bool) -> Failure {
        let is_linked = self.registry.record(self.system, self.patient).is_some();
        if is_linked || error.is_retryable() || matches!(error, ObserveError::LinkConflict) {
            return self.not_linked(error, is_ours).await;
        }
        match self.link(local_id, None, is_ours).await {
            Ok(()) => error.into(),
            Err(ended) => ended,
        }
    }

    /// Only a conflict says that the record is somebody else's. After anything else it is there, and not linked yet.
    async fn not_linked(&self, error: ObserveError, is_ours: bool) -> Failure {
        let is_conflict = matches!(error, ObserveError::LinkConflict);
        match self.did_not_come_about(is_ours && is_conflict).await {
            Ok(()) => error.into(),
            Err(ended) => ended,
        }
    }
}
