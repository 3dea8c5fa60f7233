//! `PutImage`: the patient is looked for before any bytes are taken, the bytes go to the store as they come, and when all are
//! there the image goes the way of all images.

use super::{
    ImageCalls, LARGEST_PIECE, PUTS,
    coming::{Coming, Pace},
    may_put,
    open::Open,
    refusal::{
        ahead, empty_piece, idle, invalid, no_room, not_observed, not_stored, not_taken, size_differs,
        stopping, too_many_puts,
    },
};
use crate::{
    api::status::{refuse, unknown_patient, unknown_record},
    failpoint::reach,
    imaging::ImageArrived,
    registry::ObserveError,
    vendors::Admitted,
};
use archwire_core::{EventKind, SystemName, contract::Contract};
use archwire_nats::{ImageStoreError, Upload, UploadKey};
use archwire_proto::v1::{PutImageRequest, PutImageResponse, put_image_request::Request};
use bytes::Bytes;
use std::time::{Instant, SystemTime};
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

impl ImageCalls {
    /// Takes an image, from its first message to the event.
    pub(crate) async fn put(
        &self,
        mut admitted: Admitted,
        requests: Streaming<PutImageRequest>,
    ) -> Result<PutImageResponse, Status> {
        let (vendor, contract) = (admitted.vendor().clone(), admitted.contract()?);
        may_put(&contract)?;
        tokio::select! {
            lost = admitted.lost(|contract| may_put(contract)) => Err(lost),
            put = self.put_under(&contract, vendor, requests) => put,
        }
    }

    /// The same, as long as the contract lets images be put.
    async fn put_under(
        &self,
        contract: &Contract,
        vendor: SystemName,
        mut requests: Streaming<PutImageRequest>,
    ) -> Result<PutImageResponse, Status> {
        let mut pace = Pace::new(self.idle);
        let open = match self.next(&mut requests, &mut pace).await? {
            Some(Request::Open(open)) => Open::read(open)?,
            _ => return Err(invalid("`open` comes first, once")),
        };
        self.is_known(contract, &vendor, &open).await?;
        self.may_be_stored(&open)?;
        let place = self.place(&vendor, |places| &places.puts);
        let _place = place.ok_or_else(|| too_many_puts(PUTS))?;
        self.upload(contract, &open, &mut requests, &mut pace).await?;
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
        self.answer(contract, taken).await
    }

    /// Whether there is such a patient, and the contract lets something be told of an image.
    async fn is_known(&self, contract: &Contract, vendor: &SystemName, open: &Open) -> Result<(), Status> {
        let kinds = [EventKind::PatientImaged, EventKind::ImageAmended];
        if !kinds.iter().any(|kind| contract.writes(*kind)) {
            let kind = EventKind::PatientImaged;
            return Err(not_observed(&ObserveError::KindDenied { kind }));
        }
        let speaks_of = |patient| self.registry.speaks_of(vendor, patient);
        let Some(patient) = open.patient_id else {
            let linked = self.intake.whose(vendor, None, open.record.as_ref());
            let linked = linked.filter(|patient| speaks_of(*patient));
            return linked.map(drop).ok_or_else(unknown_record);
        };
        let is_known = || self.registry.index().entry(patient).is_some();
        if !is_known() || !speaks_of(patient) {
            // The caller may follow the log and have heard of the patient, or of a record, just now.
            self.registry.caught_up(patient).await;
        }
        let is_known = is_known() && speaks_of(patient);
        is_known.then_some(()).ok_or_else(unknown_patient)
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
        contract: &Contract,
        open: &Open,
        requests: &mut Streaming<PutImageRequest>,
        pace: &mut Pace,
    ) -> Result<(), Status> {
        let key = UploadKey {
            owner: contract.grantee.vendor.clone(),
            promised: Some((open.digest, open.size)),
        };
        let mut upload = tokio::select! {
            () = self.shutdown.cancelled() => return Err(stopping()),
            upload = self.begin(contract, key, open) => upload?,
        };
        let mut coming = Coming::of(open, &upload)?;
        while let Some(request) = self.next(requests, pace).await? {
            let rest = coming.take(piece(request)?);
            if rest.is_empty() {
                continue;
            }
            if !upload.was_there() && coming.looks_for_room(rest.len()) {
                let room = self.intake.has_room(LARGEST_PIECE as u64);
                if let Err(full) = room {
                    give_up(upload).await;
                    return Err(no_room(full));
                }
            }
            self.write(&mut upload, rest).await?;
            reach("image_piece");
        }
        if let Err(refused) = coming.check(open) {
            if refused.code() == Code::InvalidArgument {
                give_up(upload).await;
            }
            return Err(refused);
        }
        let finished = upload.finish().await;
        finished.map(drop).map_err(|error| not_stored(&error))
    }

    /// Begins to store. An event must not rest on a copy that is damaged, also where nothing more is to be sent; and who has not sent
    /// all of an image that no event tells of sends it from the beginning on: a digest alone shows nobody's bytes, nor how many there are.
    async fn begin(&self, contract: &Contract, key: UploadKey, open: &Open) -> Result<Upload, Status> {
        let store = self.intake.store();
        let size = store.contains(&open.digest).await;
        if let Some(size) = size.map_err(|error| not_stored(&error))? {
            if size != open.size && self.may_be_brief(contract, &key, &open.digest).await? {
                return Err(size_differs(open.size, size));
            }
            let sound = store.is_sound(&open.digest).await;
            sound.map_err(|error| not_stored(&error))?;
        }
        let upload = store.upload(key.clone()).await;
        let upload = upload.map_err(|error| not_stored(&error))?;
        if upload.was_there() && open.offset > 0 && !self.may_be_brief(contract, &key, &open.digest).await? {
            return Err(ahead(0));
        }
        Ok(upload)
    }

    async fn write(&self, upload: &mut Upload, piece: Bytes) -> Result<(), Status> {
        tokio::select! {
            () = self.shutdown.cancelled() => Err(stopping()),
            written = upload.write(piece) => written.map_err(|error| not_stored(&error)),
        }
    }

    /// The next message; `None` at the end.
    async fn next(
        &self,
        requests: &mut Streaming<PutImageRequest>,
        pace: &mut Pace,
    ) -> Result<Option<Request>, Status> {
        let asked = Instant::now();
        let message = tokio::select! {
            () = self.shutdown.cancelled() => return Err(stopping()),
            message = timeout(pace.left(), requests.message()) => message.map_err(|_| idle(self.idle))??,
        };
        let request = message.map(|message| message.request);
        let bytes = match &request {
            Some(Some(Request::Data(data))) => data.len(),
            _ => 0,
        };
        pace.came(bytes, asked.elapsed());
        match request {
            Some(None) => Err(invalid("`request` is required")),
            request => Ok(request.flatten()),
        }
    }
}

/// Ends an upload and removes what is stored of it.
async fn give_up(upload: Upload) {
    if let Err(error) = upload.abandon().await {
        let code = error.code();
        tracing::warn!(code, "what is left of an upload is left to the collector");
    }
}

fn piece(request: Request) -> Result<Bytes, Status> {
    match request {
        Request::Data(data) if data.is_empty() => Err(empty_piece()),
        Request::Data(data) if data.len() <= LARGEST_PIECE => Ok(data),
        Request::Data(_) => Err(invalid("`data` has at most 512 KiB")),
        Request::Open(_) => {
            let message = "`open` comes first, once";
            Err(refuse(Code::InvalidArgument, "open_twice", message))
        }
    }
}
