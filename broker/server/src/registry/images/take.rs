//! Taking what a system says of an image.

use super::ImageTaken;
use crate::registry::{ObserveError, Registry};
use archwire_core::{ImageId, ImageObservation, SystemName};
use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

impl Registry {
    /// Takes what a system says of an image whose bytes are stored. Returns after it is stored. A caller that goes away does not
    /// interrupt it.
    ///
    /// `contradictions` are words for what does not agree between the file and the patient whose image it is said to be: `name`,
    /// `birth-date`, `sex`. With any of them a person decides.
    ///
    /// # Errors
    /// When it cannot be taken; whoever observed still has it, and may come again when the error says so.
    pub async fn take_image(
        self: &Arc<Self>,
        observation: ImageObservation,
        contradictions: BTreeSet<&'static str>,
    ) -> Result<ImageTaken, ObserveError> {
        _ = (observation, contradictions);
        Err(ObserveError::Busy)
    }

    /// Takes that an image is the patient's no more. Only the system that told it first can say so for everybody: that another
    /// one has it no longer is its own affair, and changes nothing.
    ///
    /// # Errors
    /// As [`Registry::take_image`]; `image_unknown` for an image that the bus does not know.
    pub async fn retract_image(
        self: &Arc<Self>,
        system: &SystemName,
        image: ImageId,
        observed_at: Option<SystemTime>,
        actor: Option<String>,
    ) -> Result<ImageTaken, ObserveError> {
        _ = (system, image, observed_at, actor);
        Err(ObserveError::Busy)
    }
}
