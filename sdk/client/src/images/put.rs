//! Putting an image on the bus: its digest first, then its bytes from where the bus says, until the bus says what came of it.

use super::{Attempts, ImageError, OnProgress, PATIENCE, PIECE, PIECES, STALLED, within};
use crate::{
    client::{Bus, bounded},
    error::ClientError,
    publisher::Receipt,
    v1::{
        self, Image, PutImageOpen, PutImageRequest, PutImageResponse, ResumeImageRequest,
        put_image_open::Patient, put_image_request::Request, put_image_response::Outcome,
    },
};
use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use std::{
    io::SeekFrom,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt as _, AsyncSeek, AsyncSeekExt as _},
    sync::mpsc,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;

/// What is said of an image beside its bytes. It holds patient data and does not print itself.
#[derive(Clone)]
pub struct NewImage {
    /// Whose it is: by the bus's patient id, or by the id of your own record of the patient.
    pub patient: Patient,
    /// Your id of the image: by it, a later one amends it.
    pub local_id: Option<String>,
    /// What it shows, as far as you know more than the file itself says. Digest and size are filled in.
    pub image: Image,
    /// When it was taken or changed in your program; now when nothing is said. A time before 1970 is told as 1970: the bus takes none.
    pub observed_at: Option<SystemTime>,
    /// Who took or changed it, in your own terms. Never a patient.
    pub actor: Option<String>,
}

impl NewImage {
    /// An image of the patient whom the bus knows by this id.
    pub fn of_patient(patient_id: impl Into<String>) -> Self {
        Self::of(Patient::PatientId(patient_id.into()))
    }

    /// An image of the patient of whom you keep a record with this id.
    pub fn of_record(local_id: impl Into<String>) -> Self {
        Self::of(Patient::RecordLocalId(local_id.into()))
    }

    fn of(patient: Patient) -> Self {
        Self {
            patient,
            local_id: None,
            image: Image::default(),
            observed_at: None,
            actor: None,
        }
    }
}

/// What the bus made of an image. All of it is stored and flushed.
#[derive(Clone)]
pub struct ImageReceipt {
    /// What came of it. [`Receipt::Unchanged`] may also mean that an answer was lost, and the image was news.
    pub receipt: Receipt,
    /// What the bus knows of the image now; `None` while a person decides, because the file itself names somebody else.
    pub image: Option<Image>,
}

/// An image about to be put on the bus.
#[must_use = "nothing is sent before `file` or `reader`"]
pub struct PutImage {
    bus: Bus,
    new: NewImage,
    patience: Duration,
    on_progress: Option<OnProgress>,
}

/// What is sent.
struct Source {
    sha256: Bytes,
    size: u64,
}

impl PutImage {
    pub(crate) fn new(bus: Bus, new: NewImage) -> Self {
        Self {
            bus,
            new,
            patience: PATIENCE,
            on_progress: None,
        }
    }

    /// Gives up when nothing has moved for this long.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Tells how many bytes have gone into the connection, and of how many, after each piece. After a broken connection it goes
    /// on from what the bus has, which may be less.
    pub fn on_progress(self, tell: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self {
            on_progress: Some(Arc::new(tell)),
            ..self
        }
    }

    /// Sends a file. It is read twice: once for its digest, which goes first.
    ///
    /// # Errors
    /// When the file cannot be read, the bus refuses, or nothing moves any more.
    pub async fn file(self, path: impl AsRef<Path>) -> Result<ImageReceipt, ImageError> {
        let mut file = File::open(path).await.map_err(ImageError::Read)?;
        self.reader(&mut file).await
    }

    /// Sends what a reader has, from its beginning to its end.
    ///
    /// # Errors
    /// As [`PutImage::file`].
    pub async fn reader(
        self,
        reader: &mut (impl AsyncRead + AsyncSeek + Unpin + Send),
    ) -> Result<ImageReceipt, ImageError> {
        let source = Source::of(reader).await.map_err(ImageError::Read)?;
        let mut attempts = Attempts::new(self.patience);
        loop {
            match self.attempt(reader, &source, &mut attempts).await {
                Ok(answer) => return receipt(answer).map_err(ImageError::Bus),
                // Less of it is there than a moment ago: the next attempt asks anew where it goes on.
                Err(ImageError::Bus(error)) if error.code() == "image_offset_ahead" => {
                    attempts.again(error).await?;
                }
                Err(ImageError::Bus(error)) => attempts.failed(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    async fn attempt(
        &self,
        reader: &mut (impl AsyncRead + AsyncSeek + Unpin + Send),
        source: &Source,
        attempts: &mut Attempts,
    ) -> Result<PutImageResponse, ImageError> {
        let mut bus = self.bus.clone();
        let resume = ResumeImageRequest {
            sha256: source.sha256.clone(),
            size: source.size,
        };
        let resumed = bus
            .resume_image(bounded(resume))
            .await
            .map_err(ClientError::from)?;
        let offset = resumed.into_inner().offset.min(source.size);
        attempts.at(offset);
        reader
            .seek(SeekFrom::Start(offset))
            .await
            .map_err(ImageError::Read)?;
        let (requests, outgoing) = mpsc::channel(PIECES);
        let sending = self.send(reader, source, offset, requests);
        let answered = bus.put_image(ReceiverStream::new(outgoing));
        tokio::pin!(answered);
        // Whoever answers before all was sent, refuses.
        tokio::select! {
            biased;
            answer = &mut answered => return Ok(answer.map_err(ClientError::from)?.into_inner()),
            sent = sending => sent?,
        }
        Ok(within(STALLED, answered).await?.into_inner())
    }

    /// Hands the bytes to the connection as it takes them. A connection that has ended tells so by its answer.
    async fn send(
        &self,
        reader: &mut (impl AsyncRead + Unpin),
        source: &Source,
        offset: u64,
        requests: mpsc::Sender<PutImageRequest>,
    ) -> Result<(), ImageError> {
        let mut next = Some(Request::Open(self.open(source, offset)));
        let (mut buffer, mut sent) = (BytesMut::new(), offset);
        while let Some(request) = next {
            let request = PutImageRequest {
                request: Some(request),
            };
            match timeout(STALLED, requests.send(request)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return std::future::pending().await,
                Err(_) => return Err(ClientError::Silent(STALLED).into()),
            }
            if let Some(tell) = &self.on_progress {
                tell(sent, source.size);
            }
            buffer.reserve(PIECE);
            let read = (&mut *reader).take(PIECE as u64).read_buf(&mut buffer).await;
            let read = read.map_err(ImageError::Read)?;
            sent += read as u64;
            next = (read > 0).then(|| Request::Data(buffer.split().freeze()));
        }
        Ok(())
    }

    fn open(&self, source: &Source, offset: u64) -> PutImageOpen {
        let NewImage {
            patient,
            local_id,
            image,
            observed_at,
            actor,
        } = self.new.clone();
        let observed_at = observed_at.unwrap_or_else(SystemTime::now);
        PutImageOpen {
            patient: Some(patient),
            local_id,
            sha256: source.sha256.clone(),
            size: source.size,
            offset,
            image: Some(image),
            observed_at: Some(observed_at.max(UNIX_EPOCH).into()),
            actor,
        }
    }
}

impl Source {
    async fn of(reader: &mut (impl AsyncRead + AsyncSeek + Unpin)) -> std::io::Result<Self> {
        reader.seek(SeekFrom::Start(0)).await?;
        let (mut digest, mut size) = (Sha256::new(), 0_u64);
        let mut buffer = BytesMut::with_capacity(PIECE);
        while reader.read_buf(&mut buffer).await? > 0 {
            digest.update(&buffer);
            size += buffer.len() as u64;
            buffer.clear();
        }
        let sha256 = Bytes::copy_from_slice(&digest.finalize());
        Ok(Self { sha256, size })
    }
}

fn receipt(answer: PutImageResponse) -> Result<ImageReceipt, ClientError> {
    let outcome = answer
        .outcome
        .ok_or(ClientError::Unexpected("an image without an outcome"))?;
    let receipt = match outcome {
        Outcome::Recorded(v1::Recorded {
            patient_id,
            revision,
            sequence,
        }) => Receipt::Recorded {
            patient_id,
            revision,
            sequence,
        },
        Outcome::Unchanged(v1::Unchanged { patient_id, revision }) => {
            Receipt::Unchanged { patient_id, revision }
        }
        Outcome::InReview(v1::InReview { item, patient_id }) => Receipt::InReview { item, patient_id },
    };
    Ok(ImageReceipt {
        receipt,
        image: answer.image,
    })
}
