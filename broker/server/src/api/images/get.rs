//! `GetImage`: the bytes of an image, or a part of them, as fast as they are read.
//!
//! A task reads them, [`AHEAD`] pieces ahead, and lets go of the image when nobody takes one for 60 s, and at shutdown. What
//! such a reader finds when it comes again is an error, never an end.

use super::{
    GETS, ImageCalls, may_get,
    refusal::{ahead, invalid_field, not_read, not_stored, stopping, too_many_gets, unknown_image},
};
use crate::{
    api::status::{not_audited, unanswered},
    audit::{Disclosure, Terms, Told},
    registry::Registry,
    vendors::{Admitted, view_of},
    wire::{read_uid, write_image},
};
use archwire_core::{ImageId, PatientId, Uid, contract::Contract};
use archwire_nats::{ImageRange, ImageReader};
use archwire_proto::v1::{GetImageHeader, GetImageRequest, GetImageResponse, get_image_response::Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

type Answer = Result<GetImageResponse, Status>;

/// Bytes of a piece: so few that a piece is still in the processor's cache when it goes into the connection, and so many that
/// each is worth its way there.
const PIECE: usize = 128 * 1024;
/// Pieces that are read before they are taken.
const AHEAD: usize = 2;

/// A reading under way.
struct Reading {
    bytes: ImageReader,
    admitted: Admitted,
    whose: Arc<Whose>,
    idle: Duration,
    shutdown: CancellationToken,
    /// `None` at the end of the image.
    pieces: mpsc::Sender<Option<Answer>>,
}

/// Whose image is read.
struct Whose {
    registry: Arc<Registry>,
    patient: PatientId,
}

impl Whose {
    /// Whether a contract lets it be read: the contract may be another one by now, and the patient may have gone out of its view.
    fn may_get(&self, contract: &Arc<Contract>) -> Result<(), Status> {
        may_get(contract)?;
        let is_about = view_of(&self.registry, contract).is_about(self.patient);
        is_about.then_some(()).ok_or_else(unknown_image)
    }
}

/// What comes of a reading.
struct Pieces {
    admitted: Admitted,
    whose: Arc<Whose>,
    idle: Duration,
    /// `None` at the end of the image.
    pieces: mpsc::Receiver<Option<Answer>>,
    shutdown: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl ImageCalls {
    /// Begins to read an image.
    pub(crate) async fn get(
        &self,
        admitted: Admitted,
        request: &GetImageRequest,
    ) -> Result<impl Stream<Item = Answer> + Send + use<>, Status> {
        let contract = admitted.contract()?;
        may_get(&contract)?;
        let uid = read_uid("instance_uid", &request.instance_uid);
        let uid = uid.map_err(|error| invalid_field(&error))?;
        let place = self.place(admitted.vendor(), |places| &places.gets);
        let place = place.ok_or_else(|| too_many_gets(GETS))?;
        let id = self.named(&uid).await.ok_or_else(unknown_image)?;
        let known = self.registry.image(id).ok_or_else(unknown_image)?;
        let view = view_of(&self.registry, &contract);
        if !view.is_about(known.patient) {
            return Err(unknown_image());
        }
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
        let bytes = bytes.map_err(|error| not_stored(&error))?;
        let (terms, told) = (Terms::of(&contract), Told::Image(known.patient, id));
        let disclosed = self.audit.disclosed(Disclosure { terms: &terms, told }).await;
        disclosed.map_err(|error| not_audited(&error))?;
        let (sender, pieces) = mpsc::channel(AHEAD);
        let whose = Arc::new(Whose {
            registry: Arc::clone(&self.registry),
            patient: known.patient,
        });
        let reading = Reading {
            bytes,
            admitted: admitted.clone(),
            whose: Arc::clone(&whose),
            idle: self.idle,
            shutdown: self.shutdown.clone(),
            pieces: sender,
        };
        tokio::spawn(reading.run());
        let pieces = Pieces {
            admitted,
            whose,
            idle: self.idle,
            pieces,
            shutdown: self.shutdown.clone(),
            _place: place,
        };
        let header = Response::Header(GetImageHeader {
            patient_id: known.patient.to_string(),
            image: Some(write_image(&image)),
            retracted: known.retracted,
        });
        Ok(stream::iter([Ok(answer(header))]).chain(pieces.stream()))
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
    /// Reads until the end, the first error, nobody takes anything any more, or the contract does not let images be read.
    async fn run(mut self) {
        let (shutdown, mut admitted) = (self.shutdown.clone(), self.admitted.clone());
        let whose = Arc::clone(&self.whose);
        let lost = tokio::select! {
            () = shutdown.cancelled() => return,
            () = self.read() => return,
            lost = admitted.lost(|contract| whose.may_get(contract)) => lost,
        };
        self.give(Some(Err(lost))).await;
    }

    async fn read(&mut self) {
        loop {
            let part = tokio::select! {
                () = self.pieces.closed() => return,
                part = self.bytes.next() => part,
            };
            let last = match part {
                Some(Ok(part)) if self.give_part(part.clone()).await => continue,
                Some(Ok(_)) => return,
                Some(Err(error)) => Some(Err(not_stored(&error))),
                None => None,
            };
            self.give(last).await;
            return;
        }
    }

    /// Gives a part in pieces; false when nobody takes them.
    async fn give_part(&mut self, mut part: Bytes) -> bool {
        while !part.is_empty() {
            let piece = part.split_to(part.len().min(PIECE));
            if !self.give(Some(Ok(answer(Response::Data(piece))))).await {
                return false;
            }
        }
        true
    }

    /// False when nobody takes it.
    async fn give(&mut self, piece: Option<Answer>) -> bool {
        let given = timeout(self.idle, self.pieces.send(piece)).await;
        matches!(given, Ok(Ok(())))
    }
}

impl Pieces {
    fn may_get(&self) -> Result<(), Status> {
        self.whose.may_get(&self.admitted.contract()?)
    }

    fn stream(self) -> impl Stream<Item = Answer> + Send {
        stream::unfold(Some(self), |pieces| async {
            let mut pieces = pieces?;
            let piece = match pieces.pieces.recv().await {
                // What was read ahead is not shown to whom it may not be shown any more.
                Some(piece) => piece?.and_then(|piece| pieces.may_get().map(|()| piece)),
                None if pieces.shutdown.is_cancelled() => Err(stopping()),
                None => Err(not_read(pieces.idle)),
            };
            let rest = piece.is_ok().then_some(pieces);
            Some((piece, rest))
        })
    }
}

fn answer(response: Response) -> GetImageResponse {
    GetImageResponse {
        response: Some(response),
    }
}
