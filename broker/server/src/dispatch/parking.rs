//! Deliveries that are given up, and how one that was given up ends.

use super::{
    ended::{Brought, Trouble},
    lane::Shared,
    tries::LONGEST_PAUSE,
};
use crate::{
    failpoint::reach,
    parked::Undeliverable,
    registry::{Newest, ObserveError},
};
use archwire_core::{PatientId, Receipt, ReceiptOutcome, Revision};
use std::{collections::BTreeSet, time::Duration};

impl Shared {
    /// After there was nothing left to do: what was parked of the patient is no longer, because the system has it, or because
    /// it was overtaken. Where that is not stored, the lane comes again after a while.
    pub(super) async fn tidy(&self, patient: PatientId, brought: Brought) -> Result<(), Duration> {
        self.end_parked(patient, brought).await.map_err(|code| {
            let system = &self.system;
            tracing::warn!(%system, %patient, code, "what is left of a parked delivery stays for now");
            LONGEST_PAUSE
        })
    }

    async fn end_parked(&self, patient: PatientId, brought: Brought) -> Result<(), &'static str> {
        let Self { system, parked, .. } = self;
        if brought == Brought::Held {
            // A person has to decide something else first, and sees this one among what waits.
            let unmarked = parked.unmark_redriven(system, patient).await;
            return unmarked.map_err(|error| error.code());
        }
        if !parked.is_parked(system, patient) {
            return Ok(());
        }
        if matches!(brought, Brought::Nothing | Brought::Retired) {
            let newest = self.newest(patient).await.map_err(|error| error.code())?;
            let receipt = self.receipt(newest, ReceiptOutcome::Superseded, None, 0);
            let noted = self.registry.receipted(system, patient, receipt).await;
            noted.map_err(|error| error.code())?;
        }
        parked
            .remove(system, patient)
            .await
            .map_err(|error| error.code())?;
        Ok(())
    }

    /// Parks what waits for the patient. What is in doubt stays so: whoever tries again searches first.
    pub(super) async fn park(
        &self,
        patient: PatientId,
        sequence: u64,
        attempts: u32,
        trouble: &Trouble,
    ) -> Result<(), &'static str> {
        let Self {
            system,
            registry,
            connector,
            parked,
            ..
        } = self;
        let newest = self.newest(patient).await.map_err(|error| error.code())?;
        let undeliverable = Undeliverable {
            system,
            cargo: patient.into(),
            sequence,
            attempts,
            why: &trouble.why,
            connector_version: &connector.component().description().version,
        };
        // The entry first: a kill in between parks it once more.
        parked.park(undeliverable).await.map_err(|error| error.code())?;
        reach("parked");
        let receipt = self.receipt(newest, ReceiptOutcome::Parked, Some(&trouble.why.code), attempts);
        let noted = registry.receipted(system, patient, receipt).await;
        noted.map_err(|error| error.code())
    }

    async fn newest(&self, patient: PatientId) -> Result<Newest, ObserveError> {
        let newest = self.registry.newest(patient).await?;
        Ok(newest.unwrap_or(Newest {
            event_id: String::new(),
            revision: Revision::NONE,
        }))
    }

    /// A receipt of what was not brought.
    fn receipt(
        &self,
        newest: Newest,
        outcome: ReceiptOutcome,
        reason: Option<&str>,
        attempts: u32,
    ) -> Receipt {
        Receipt {
            event_id: newest.event_id,
            revision: newest.revision,
            outcome,
            action: None,
            written: BTreeSet::new(),
            rendered: BTreeSet::new(),
            differs: BTreeSet::new(),
            reason: reason.map(ToOwned::to_owned),
            attempts,
            connector_version: self.connector.component().description().version.clone(),
        }
    }
}
