//! A patient of the vendor's, and images of that patient as the vendor puts and gets them.

use super::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, ImageReceipt, NewImage, PatientKey, Receipt, v1};
use archwire_opendental_simulator::PatientFields;
use archwire_proto::v1::bus_client::BusClient;
use archwire_tests::{Plan, Radiograph};
use prost::bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::io::Cursor;
use tonic::{Request, Status, transport::Channel};

/// Somebody whom the vendor registered.
pub(crate) struct Sitter {
    pub(crate) local_id: String,
    pub(crate) patient_id: String,
    pub(crate) fields: PatientFields,
}

impl Sitter {
    /// A radiograph of this person, small enough for a test to be quick.
    pub(crate) fn radiograph(&self) -> Radiograph {
        Radiograph {
            size: (300, 200),
            ..Radiograph::of(&self.fields)
        }
    }

    /// An image of this person.
    pub(crate) fn image(&self) -> NewImage {
        NewImage::of_record(&self.local_id)
    }
}

/// A practice, and somebody in it.
pub(crate) async fn sitting(plan: Plan) -> Result<(Scene, Client, Sitter)> {
    let mut scene = Scene::with(plan).await?;
    let sitter = sit(&mut scene).await?;
    let client = scene.practice.vendor(VENDOR).await?;
    Ok((scene, client, sitter))
}

/// One more person.
pub(crate) async fn sit(scene: &mut Scene) -> Result<Sitter> {
    let local_id = scene.register(1).await?.remove(0);
    let fields = scene.people.last().cloned().context("nobody was registered")?;
    let client = scene.practice.vendor(VENDOR).await?;
    let shown = client.get_patient(PatientKey::LocalId(local_id.clone())).await?;
    let patient_id = shown.context("the bus does not know the record")?.patient_id;
    Ok(Sitter {
        local_id,
        patient_id,
        fields,
    })
}

/// Puts an image on the bus.
pub(crate) async fn put(client: &Client, image: NewImage, bytes: &[u8]) -> Result<ImageReceipt> {
    let put = client.put_image(image);
    Ok(put.reader(&mut Cursor::new(bytes)).await?)
}

/// Puts an image on the bus that is news there; tells what the bus knows of it.
pub(crate) async fn put_new(client: &Client, image: NewImage, bytes: &[u8]) -> Result<v1::Image> {
    let receipt = put(client, image, bytes).await?;
    ensure!(
        matches!(receipt.receipt, Receipt::Recorded { .. }),
        "it is no news: {:?}",
        receipt.receipt
    );
    receipt.image.context("nothing is told of the image")
}

/// Gets an image from the bus.
pub(crate) async fn get(client: &Client, uid: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    client.get_image(uid).writer(&mut bytes).await?;
    Ok(bytes)
}

/// The events of a patient that tell of images.
pub(crate) async fn image_events(client: &Client, patient_id: &str) -> Result<Vec<v1::Event>> {
    let (mut events, mut after) = (Vec::new(), Some(0));
    while let Some(revision) = after {
        let page = client.list_events(patient_id, revision).await?;
        events.extend(page.events.into_iter().map(|stored| stored.event));
        after = page.next;
    }
    events.retain(|event| event.image.is_some());
    Ok(events)
}

/// The bus without the client library, which does by itself much of what is tried here.
pub(crate) struct Bare {
    bus: BusClient<Channel>,
    token: String,
}

impl Bare {
    pub(crate) async fn connect(scene: &Scene) -> Result<Self> {
        let endpoint = tonic::transport::Endpoint::from_shared(scene.practice.url())?;
        Ok(Self {
            bus: BusClient::new(endpoint.connect().await?),
            token: format!("Bearer {}", scene.practice.token(VENDOR)?),
        })
    }

    /// Puts an image in pieces, as the test says.
    pub(crate) async fn put(
        &self,
        open: v1::PutImageOpen,
        pieces: Vec<Vec<u8>>,
    ) -> Result<v1::PutImageResponse, Status> {
        let open = v1::put_image_request::Request::Open(open);
        let data = |piece: Vec<u8>| v1::put_image_request::Request::Data(piece.into());
        let requests = std::iter::once(open).chain(pieces.into_iter().map(data));
        let requests: Vec<_> = requests
            .map(|request| v1::PutImageRequest {
                request: Some(request),
            })
            .collect();
        self.put_stream(tokio_stream::iter(requests)).await
    }

    pub(crate) async fn put_stream(
        &self,
        requests: impl futures_util::Stream<Item = v1::PutImageRequest> + Send + 'static,
    ) -> Result<v1::PutImageResponse, Status> {
        let request = self.with_token(requests);
        let answer = self.bus.clone().put_image(request).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn offset(&self, bytes: &[u8]) -> Result<u64, Status> {
        let request = v1::ResumeImageRequest {
            sha256: digest(bytes),
            size: bytes.len() as u64,
        };
        let request = self.with_token(request);
        Ok(self.bus.clone().resume_image(request).await?.into_inner().offset)
    }

    /// The answer to a request, of which nothing was taken yet.
    pub(crate) async fn ask(
        &self,
        request: v1::GetImageRequest,
    ) -> Result<tonic::Streaming<v1::GetImageResponse>, Status> {
        let answer = self.bus.clone().get_image(self.with_token(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn get(&self, request: v1::GetImageRequest) -> Result<v1::GetImageHeader, Status> {
        let mut answers = self.ask(request).await?;
        let first = answers.message().await?.and_then(|answer| answer.response);
        match first {
            Some(v1::get_image_response::Response::Header(header)) => Ok(header),
            _ => Err(Status::internal("no header came first")),
        }
    }

    fn with_token<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let token = self.token.parse().expect("a token is ASCII");
        request.metadata_mut().insert("authorization", token);
        request
    }
}

/// What is promised of some bytes of a person.
pub(crate) fn open(sitter: &Sitter, bytes: &[u8]) -> v1::PutImageOpen {
    v1::PutImageOpen {
        patient: Some(v1::put_image_open::Patient::RecordLocalId(
            sitter.local_id.clone(),
        )),
        sha256: digest(bytes),
        size: bytes.len() as u64,
        ..v1::PutImageOpen::default()
    }
}

pub(crate) fn digest(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&Sha256::digest(bytes))
}

/// Our own code of a refusal.
pub(crate) fn code_of(status: &Status) -> &str {
    let code = status.metadata().get("archwire-error-code");
    code.and_then(|code| code.to_str().ok()).unwrap_or_default()
}

/// Bytes that are no file of any kind, and another such file for each seed.
pub(crate) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| next()).collect()
}
