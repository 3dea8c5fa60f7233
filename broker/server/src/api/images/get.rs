//! `GetImage`: the bytes of an image, or a part of them, as fast as they are read.

use super::{
    GETS, ImageCalls,
    refusal::{ahead, invalid_field, not_stored, stopping, too_many_gets, unknown_image},
};
use crate::{
    api::status::unanswered,
    wire::{read_uid, write_image},
};
use archwire_core::{ImageId, SystemName, Uid};
use archwire_nats::{ImageRange, ImageReader};
use archwire_proto::v1::{GetImageHeader, GetImageRequest, GetImageResponse, get_image_response::Response};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tonic::Status;

type Answer = Result<GetImageResponse, Status>;

/// A reading under way.
struct Reading {
    bytes: ImageReader,
    shutdown: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl ImageCalls {
    /// Begins to read an image.
    pub(crate) async fn get(
        &self,
        vendor: SystemName,
        request: &GetImageRequest,
    ) -> Result<impl Stream<Item = Answer> + Send + use<>, Status> {
        let uid = read_uid("instance_uid", &request.instance_uid);
        let uid = uid.map_err(|error| invalid_field(&error))?;
        let place = self.place(&vendor, |places| &places.gets);
        let place = place.ok_or_else(|| too_many_gets(GETS))?;
        let id = self.named(&uid).await.ok_or_else(unknown_image)?;
        let known = self.registry.image(id).ok_or_else(unknown_image)?;
        let news = self.registry.image_news(id).await;
        let news = news.map_err(|error| unanswered(&error))?;
        let image = news.ok_or_else(unknown_image)?.image;
        let range = ImageRange {
            offset: request.offset,
            length: Some(request.length).filter(|length| *length > 0),
        };
        if range.offset > image.file.size {
            return Err(ahead(image.file.size));
        }
        let bytes = self.intake.store().read(&image.file.digest, range).await;
        let reading = Reading {
            bytes: bytes.map_err(|error| not_stored(&error))?,
            shutdown: self.shutdown.clone(),
            _place: place,
        };
        let header = Response::Header(GetImageHeader {
            patient_id: known.patient.to_string(),
            image: Some(write_image(&image)),
            retracted: known.retracted,
        });
        Ok(stream::iter([Ok(answer(header))]).chain(reading.pieces()))
    }

    /// The image that is told apart by this.
    async fn named(&self, uid: &Uid) -> Option<ImageId> {
        if let Some(id) = self.registry.image_by_uid(uid) {
            return Some(id);
        }
        // The caller may follow the log and have heard of the image just now.
        self.registry.images_caught_up().await;
        self.registry.image_by_uid(uid)
    }
}

impl Reading {
    /// The bytes, until they end or the first error.
    fn pieces(self) -> impl Stream<Item = Answer> + Send {
        stream::unfold(Some(self), |reading| async {
            let mut reading = reading?;
            let piece = tokio::select! {
                () = reading.shutdown.cancelled() => Some(Err(stopping())),
                piece = reading.bytes.next() => piece.map(|piece| piece.map_err(|error| not_stored(&error))),
            };
            match piece? {
                Ok(piece) => Some((Ok(answer(Response::Data(piece))), Some(reading))),
                Err(status) => Some((Err(status), None)),
            }
        })
    }
}

fn answer(response: Response) -> GetImageResponse {
    GetImageResponse {
        response: Some(response),
    }
}
