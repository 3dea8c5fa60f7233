//! Images that are given up, and how one that was given up ends.

use super::runner::Shared;
use crate::{
    dispatch::ended::{Brought, Trouble},
    failpoint::reach,
    parked::Undeliverable,
    registry::ObserveError,
};
use archwire_core::{ImageId, ReceiptOutcome};

impl Shared {
    /// After there was nothing left to do: what was parked of the image is no longer, because the system has it, or because it was
    /// retracted before it did.
    pub(super) async fn tidy(&self, image: ImageId, brought: Brought) -> Result<(), &'static str> {
        let Self { system, parked, .. } = self;
        if brought == Brought::Held {
            // Something else comes first, and whoever decides it sees this one among what waits.
            let unmarked = parked.unmark_redriven(system, image).await;
            return unmarked.map_err(|error| error.code());
        }
        if brought == Brought::Nothing {
            let noted = self.was_superseded(image).await;
            noted.map_err(|error| error.code())?;
        }
        let removed = parked.remove(system, image).await;
        removed.map(drop).map_err(|error| error.code())
    }

    /// Says of an image that was retracted before the system had it that nothing came of it.
    async fn was_superseded(&self, image: ImageId) -> Result<(), ObserveError> {
        let Some(known) = self.registry.image(image) else {
            return Ok(());
        };
        let copy = known.copies.iter().find(|copy| copy.system == self.system);
        let may_be_there = copy.is_some_and(|copy| copy.local_id.is_some() || copy.in_doubt_since.is_some());
        if !known.retracted || may_be_there {
            return Ok(());
        }
        let told = self.registry.image_told_at(image, known.sequence).await?;
        let receipt = told.receipt(ReceiptOutcome::Superseded, None, None, 0, self.version());
        self.registry
            .image_receipted(&self.system, image, receipt, false)
            .await
    }

    /// Parks an image. What is in doubt stays so: whoever tries again searches first.
    pub(super) async fn park(
        &self,
        image: ImageId,
        attempts: u32,
        trouble: &Trouble,
    ) -> Result<(), &'static str> {
        let Some(known) = self.registry.image(image) else {
            return Ok(());
        };
        let told = self.registry.image_told_at(image, known.sequence).await;
        let told = told.map_err(|error| error.code())?;
        let undeliverable = Undeliverable {
            system: &self.system,
            cargo: image.into(),
            sequence: known.sequence,
            attempts,
            why: &trouble.why,
            connector_version: self.version(),
        };
        // The entry first: a kill in between parks it once more.
        let parked = self.parked.park(undeliverable).await;
        parked.map_err(|error| error.code())?;
        reach("image-parked");
        let outcome = ReceiptOutcome::Parked;
        let receipt = told.receipt(outcome, None, Some(&trouble.why.code), attempts, self.version());
        let noted = self
            .registry
            .image_receipted(&self.system, image, receipt, false)
            .await;
        noted.map_err(|error| error.code())
    }

    fn version(&self) -> &str {
        &self.connector.component().description().version
    }
}
