//! The calls about images. They may take as long as bytes move, see [`Limits::image_deadline`](crate::Limits::image_deadline).

use super::{Connector, invoke};
use crate::{Ability, CallError, convert, imports::ImageCall};
use archwire_core::{ImageDelivered, ImageDelivery, ImageView, LocalId};

impl Connector {
    /// Make the system hold an image, or, when it is retracted, show it no more. The connector may read the bytes of that
    /// image, and of no other.
    ///
    /// # Errors
    /// As [`CallError`] says.
    pub async fn deliver_image(&self, delivery: &ImageDelivery) -> Result<ImageDelivered, CallError> {
        let bytes = ImageCall::Deliver(delivery.image.file.digest);
        let delivery = convert::image_delivery(delivery);
        let invoke = invoke(move |plugin, store| {
            Box::pin(async move { plugin.call_deliver_image(store, &delivery).await })
        });
        self.call(Ability::DeliverImages, bytes, invoke, convert::image_delivered)
            .await
    }

    /// Show one image as the system has it, with the digest of its bytes where the system gives them; `None` when it has no
    /// image with that id. `record` is the patient's, where one is known.
    ///
    /// # Errors
    /// As [`CallError`] says.
    pub async fn fetch_image(
        &self,
        local_id: &LocalId,
        record: Option<&LocalId>,
    ) -> Result<Option<ImageView>, CallError> {
        let id = local_id.as_str().to_owned();
        let record = record.map(|record| record.as_str().to_owned());
        let invoke = invoke(move |plugin, store| {
            Box::pin(async move { plugin.call_fetch_image(store, &id, record.as_deref()).await })
        });
        self.call(Ability::FetchImages, ImageCall::Fetch, invoke, |observation| {
            convert::image_fetched(observation, local_id)
        })
        .await
    }

    /// A poll is about images where the connector does anything with them.
    pub(super) fn polled(&self) -> ImageCall {
        let abilities = &self.0.component.description().abilities;
        let of_images = [Ability::DeliverImages, Ability::FetchImages];
        match of_images.iter().any(|ability| abilities.contains(ability)) {
            true => ImageCall::Poll,
            false => ImageCall::Other,
        }
    }
}
