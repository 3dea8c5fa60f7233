//! Images on a page: taken after the records, because whose image one is is known by its record.
//!
//! Their bytes are stored already; what is read of them here is some hundred kilobytes each, [`AT_A_TIME`] at a time. An image that
//! will never be taken as it is is kept as unreadable, until it is taken or a person has looked at it; anything else ends the pass,
//! so that the page comes again.

use super::{PollError, Poller};
use crate::imaging::{ImageArrived, Intake, IntakeError};
use archwire_core::{ImageView, LocalId, Uid, View};
use archwire_host::{Ability, UnreadableImage};
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeSet, HashMap};

/// Images of a page that are taken at the same time.
const AT_A_TIME: usize = 4;
/// Why an image is not taken whose bytes the connector did not store.
const NO_BYTES: &str = "image_without_bytes";
/// Why none is taken where the broker keeps none.
const NONE_KEPT: &str = "images_not_kept";

impl Poller {
    /// Learns whose the records are that the system made by itself for images which the bus knows: before they are looked at as
    /// people of whom it has never heard.
    pub(super) async fn link_by_images(&self, views: &[View], images: &[ImageView]) -> Result<(), PollError> {
        let abilities = &self.connector.component().description().abilities;
        if images.is_empty() || abilities.contains(&Ability::Deliver) {
            return Ok(());
        }
        let linking = self.registry.link_by_images(&self.system, views, images);
        Ok(linking.await?)
    }

    /// Takes every image of a page.
    pub(super) async fn take_images(
        &self,
        images: Vec<ImageView>,
        unreadable: &[UnreadableImage],
    ) -> Result<(), PollError> {
        let (taken_back, sequences) = in_order(images);
        let taken_back = taken_back.into_iter().map(|entry| vec![entry]).collect();
        let taken_back = self.take_sequences(taken_back).await;
        self.take_sequences(sequences).await.and(taken_back)?;
        for UnreadableImage {
            position,
            local_id,
            record,
            code,
        } in unreadable
        {
            self.keep_image(*position, local_id.clone(), record.clone(), code)
                .await?;
        }
        Ok(())
    }

    /// Takes one image after the other of each sequence.
    async fn take_sequences(&self, sequences: Vec<Vec<Entry>>) -> Result<(), PollError> {
        let taking = stream::iter(sequences)
            .map(|sequence| self.take_sequence(sequence))
            .buffer_unordered(AT_A_TIME);
        // The others are taken all the same: coming again costs less than waiting.
        let failed = taking.fold(None, async |failed, taken| taken.err().or(failed));
        failed.await.map_or(Ok(()), Err)
    }

    async fn take_sequence(&self, sequence: Vec<Entry>) -> Result<(), PollError> {
        for (position, image) in sequence {
            self.take_image(position, image).await?;
        }
        Ok(())
    }

    async fn take_image(&self, position: usize, image: ImageView) -> Result<(), PollError> {
        let (local_id, record) = (image.local_id.clone(), image.record.clone());
        let code = match self.taken(image).await {
            Ok(()) => return Ok(()),
            Err(Refused::Now(error)) => return Err(error),
            Err(Refused::ForGood(code)) => code,
        };
        self.keep_image(position, Some(local_id), Some(record), code)
            .await
    }

    async fn taken(&self, image: ImageView) -> Result<(), Refused> {
        if image.retracted {
            let (system, local_id) = (&self.system, &image.local_id);
            let retracting = self
                .registry
                .retract_shown(system, local_id, image.observed_at, image.actor);
            retracting.await.map_err(IntakeError::from)?;
            return Ok(());
        }
        let intake: &Intake = self.images.as_ref().ok_or(Refused::ForGood(NONE_KEPT))?;
        let arrived = ImageArrived {
            system: self.system.clone(),
            patient_id: None,
            record: Some(image.record),
            local_id: Some(image.local_id),
            digest: image.digest.ok_or(Refused::ForGood(NO_BYTES))?,
            claim: image.image,
            observed_at: image.observed_at,
            actor: image.actor,
        };
        intake.take(arrived).await?;
        Ok(())
    }

    async fn keep_image(
        &self,
        position: usize,
        local_id: Option<LocalId>,
        record: Option<LocalId>,
        reason: &str,
    ) -> Result<(), PollError> {
        self.registry
            .image_unreadable(&self.system, record, local_id, reason)
            .await?;
        tracing::error!(system = %self.system, position, reason, "an image cannot be taken: a person has to look at it");
        Ok(())
    }
}

/// An image with its place on the page.
type Entry = (usize, ImageView);

/// By what two entries of a page are of one image.
#[derive(PartialEq, Eq, Hash)]
enum Which {
    LocalId(LocalId),
    Instance(Uid),
}

/// What the page takes back, which comes first: an image that staff moved may be on it under its new id, too. And the others, those
/// of one image in the order of the page, as is what is taken back after it was shown.
fn in_order(images: Vec<ImageView>) -> (Vec<Entry>, Vec<Vec<Entry>>) {
    let (mut taken_back, mut sequences) = (Vec::new(), Vec::<Vec<Entry>>::new());
    let mut places = HashMap::<Which, usize>::new();
    for (position, image) in images.into_iter().enumerate() {
        let local_id = Which::LocalId(image.local_id.clone());
        if image.retracted && !places.contains_key(&local_id) {
            taken_back.push((position, image));
            continue;
        }
        let instance = image.image.instance.clone().map(Which::Instance);
        let which: Vec<_> = instance.into_iter().chain([local_id]).collect();
        let known: BTreeSet<_> = which.iter().filter_map(|one| places.get(one).copied()).collect();
        let place = known.first().copied().unwrap_or(sequences.len());
        let mut sequence = Vec::new();
        for one in &known {
            sequence.extend(sequences.get_mut(*one).map(std::mem::take).into_iter().flatten());
        }
        sequence.sort_by_key(|(position, _)| *position);
        sequence.push((position, image));
        if known.len() > 1 {
            let joined = places.values_mut().filter(|other| known.contains(other));
            joined.for_each(|other| *other = place);
        }
        places.extend(which.into_iter().map(|one| (one, place)));
        match sequences.get_mut(place) {
            Some(kept) => *kept = sequence,
            None => sequences.push(sequence),
        }
    }
    (taken_back, sequences)
}

/// Why an image is not taken.
enum Refused {
    /// It may be, when it comes again.
    Now(PollError),
    /// It never will be, as it is.
    ForGood(&'static str),
}

impl From<IntakeError> for Refused {
    fn from(error: IntakeError) -> Self {
        match error.is_retryable() {
            true => Self::Now(error.into()),
            false => Self::ForGood(error.code()),
        }
    }
}

#[cfg(test)]
mod tests;
