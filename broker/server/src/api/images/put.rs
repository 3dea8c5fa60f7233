//! `PutImage`: the patient is looked for before any bytes are taken, the bytes go to the store as they come, and when all are
//! there the image goes the way of all images.

use super::{
    IDLE, ImageCalls, LARGEST_PIECE, PUTS,
    open::Open,
    refusal::{ahead, idle, invalid, no_room, not_stored, not_taken, stopping, too_many_puts},
};
use crate::{
    api::status::{refuse, unknown_patient, unknown_record},
    failpoint::reach,
    imaging::ImageArrived,
};
use archwire_core::SystemName;
use archwire_nats::{ImageStoreError, Upload, UploadKey};
use archwire_proto::v1::{PutImageRequest, PutImageResponse, put_image_request::Request};
use bytes::{Buf as _, Bytes};
use std::time::SystemTime;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

impl ImageCalls {
    /// Takes an image, from its first message to the event.
    pub(crate) async fn put(
        &self,
        vendor: SystemName,
        mut requests: Streaming<PutImageRequest>,
    ) -> Result<PutImageResponse, Status> {
        let open = match self.next(&mut requests).await? {
            Some(Request::Open(open)) => Open::read(open)?,
            _ => return Err(invalid("`open` comes first, once")),
        };
        self.is_known(&vendor, &open).await?;
        self.may_be_stored(&open)?;
        let place = self.place(&vendor, |places| &places.puts);
        let _place = place.ok_or_else(|| too_many_puts(PUTS))?;
        self.upload(&vendor, &open, &mut requests).await?;
        reach("image_stored");
        let arrived = ImageArrived {
            system: vendor,
            patient_id: open.patient_id,
            record: open.record,
            local_id: open.local_id,
            digest: open.digest,
            claim: open.claim,
            observed_at: open.observed_at.or_else(|| Some(SystemTime::now())),
            actor: open.actor,
        };
        let taken = self.intake.take(arrived).await;
        let taken = taken.map_err(|error| not_taken(&error))?;
        reach("image_taken");
        self.answer(taken).await
    }

    /// Whether there is such a patient.
    async fn is_known(&self, vendor: &SystemName, open: &Open) -> Result<(), Status> {
        let Some(patient) = open.patient_id else {
            let linked = self.intake.whose(vendor, None, open.record.as_ref());
            return linked.map(drop).ok_or_else(unknown_record);
        };
        let is_known = || self.registry.index().entry(patient).is_some();
        if !is_known() {
            // The caller may follow the log and have heard of the patient just now.
            self.registry.caught_up(patient).await;
        }
        is_known().then_some(()).ok_or_else(unknown_patient)
    }

    fn may_be_stored(&self, open: &Open) -> Result<(), Status> {
        let largest = self.intake.largest();
        if open.size == 0 {
            return Err(not_stored(&ImageStoreError::Empty));
        }
        if open.size > largest.get() {
            return Err(not_stored(&ImageStoreError::TooLarge { largest }));
        }
        self.intake.has_room(open.size).map_err(no_room)
    }

    /// Has the bytes stored, from where they go on.
    async fn upload(
        &self,
        vendor: &SystemName,
        open: &Open,
        requests: &mut Streaming<PutImageRequest>,
    ) -> Result<(), Status> {
        let key = UploadKey {
            owner: vendor.clone(),
            promised: Some((open.digest, open.size)),
        };
        let upload = self.intake.store().upload(key).await;
        let mut upload = upload.map_err(|error| not_stored(&error))?;
        // What is there already and comes once more is passed over.
        let there = upload.offset();
        let mut known = there.checked_sub(open.offset).ok_or_else(|| ahead(there))?;
        while let Some(request) = self.next(requests).await? {
            let mut piece = piece(request)?;
            let skipped = known.min(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            piece.advance(usize::try_from(skipped).unwrap_or(piece.len()));
            known -= skipped;
            if !piece.is_empty() {
                self.write(&mut upload, piece).await?;
                reach("image_piece");
            }
        }
        let finished = upload.finish().await;
        finished.map(drop).map_err(|error| not_stored(&error))
    }

    async fn write(&self, upload: &mut Upload, piece: Bytes) -> Result<(), Status> {
        tokio::select! {
            () = self.shutdown.cancelled() => Err(stopping()),
            written = upload.write(piece) => written.map_err(|error| not_stored(&error)),
        }
    }

    /// The next message; `None` at the end.
    async fn next(&self, requests: &mut Streaming<PutImageRequest>) -> Result<Option<Request>, Status> {
        let message = tokio::select! {
            () = self.shutdown.cancelled() => return Err(stopping()),
            message = timeout(IDLE, requests.message()) => message.map_err(|_| idle())??,
        };
        match message.map(|message| message.request) {
            Some(None) => Err(invalid("`request` is required")),
            request => Ok(request.flatten()),
        }
    }
}

fn piece(request: Request) -> Result<Bytes, Status> {
    match request {
        Request::Data(data) if data.len() <= LARGEST_PIECE => Ok(data),
        Request::Data(_) => Err(invalid("`data` has at most 512 KiB")),
        Request::Open(_) => {
            let message = "`open` comes first, once";
            Err(refuse(Code::InvalidArgument, "open_twice", message))
        }
    }
}
