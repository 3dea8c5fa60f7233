//! Images of the bus for tests: uploads that stay when a call breaks, and images to be got.

use super::{Memory, refuse};
use archwire_client::v1::{
    GetImageHeader, GetImageRequest, GetImageResponse, Image, PutImageOpen, PutImageRequest,
    PutImageResponse, Recorded, ResumeImageRequest, Unchanged, get_image_response, put_image_request,
    put_image_response,
};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

/// Bytes in a piece of an image that is got.
const PIECE: usize = 100_000;

/// What happens in the middle of a call about an image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// The call breaks after so many bytes of it.
    BreakAfter(usize),
    /// What is asked for is stored, and the answer is lost.
    LoseAnswer,
    /// It is refused with this code of ours.
    Refuse(Code, &'static str),
    /// The first byte is another one.
    Alter,
}

/// What the bus remembers of images.
#[derive(Default)]
pub(crate) struct Gallery {
    pub(crate) mishaps: VecDeque<Mishap>,
    /// Uploads and images, by their digest.
    pub(crate) bytes: HashMap<Vec<u8>, Vec<u8>>,
    /// Digests of images of which an event tells, by their UIDs.
    pub(crate) told: HashMap<String, Vec<u8>>,
    pub(crate) opened: Vec<PutImageOpen>,
    pub(crate) received: usize,
    pub(crate) asked: Vec<(u64, u64)>,
}

pub(super) fn offset(memory: &Mutex<Memory>, request: &ResumeImageRequest) -> u64 {
    let memory = memory.lock().unwrap();
    let there = memory.gallery.bytes.get(request.sha256.as_ref());
    there.map_or(0, |bytes| bytes.len() as u64)
}

pub(super) async fn put(
    memory: &Mutex<Memory>,
    mut requests: Streaming<PutImageRequest>,
) -> Result<PutImageResponse, Status> {
    let first = requests.message().await?.and_then(|request| request.request);
    let Some(put_image_request::Request::Open(open)) = first else {
        return Err(refuse(Code::InvalidArgument, "argument_invalid"));
    };
    let mishap = {
        let gallery = &mut memory.lock().unwrap().gallery;
        gallery.opened.push(open.clone());
        gallery.mishaps.pop_front()
    };
    if let Some(Mishap::Refuse(code, own)) = mishap {
        return Err(refuse(code, own));
    }
    let digest = open.sha256.to_vec();
    let mut came = 0;
    while let Some(request) = requests.message().await? {
        let Some(put_image_request::Request::Data(data)) = request.request else {
            return Err(refuse(Code::InvalidArgument, "open_twice"));
        };
        came += data.len();
        let gallery = &mut memory.lock().unwrap().gallery;
        gallery.received += data.len();
        gallery
            .bytes
            .entry(digest.clone())
            .or_default()
            .extend_from_slice(&data);
        if matches!(mishap, Some(Mishap::BreakAfter(bytes)) if came >= bytes) {
            return Err(Status::unavailable("as the test asked"));
        }
    }
    let gallery = &mut memory.lock().unwrap().gallery;
    let bytes = gallery.bytes.entry(digest.clone()).or_default();
    if Sha256::digest(&*bytes).as_slice() != digest {
        gallery.bytes.remove(&digest);
        return Err(refuse(Code::InvalidArgument, "image_digest_differs"));
    }
    let uid = format!("2.25.{}", gallery.told.len() + 1);
    let known = gallery.told.values().any(|told| *told == digest);
    let outcome = match known {
        true => put_image_response::Outcome::Unchanged(Unchanged {
            patient_id: "p".into(),
            revision: 7,
        }),
        false => {
            gallery.told.insert(uid.clone(), digest);
            put_image_response::Outcome::Recorded(Recorded {
                patient_id: "p".into(),
                revision: 7,
                sequence: 70,
            })
        }
    };
    if mishap == Some(Mishap::LoseAnswer) {
        return Err(Status::unavailable("as the test asked"));
    }
    let image = Image {
        instance_uid: uid,
        sha256: open.sha256,
        size: open.size,
        ..open.image.unwrap_or_default()
    };
    Ok(PutImageResponse {
        outcome: Some(outcome),
        image: Some(image),
    })
}

type Answers = mpsc::Sender<Result<GetImageResponse, Status>>;

pub(super) async fn get(memory: Arc<Mutex<Memory>>, request: GetImageRequest, answers: Answers) {
    let (mishap, found) = {
        let gallery = &mut memory.lock().unwrap().gallery;
        gallery.asked.push((request.offset, request.length));
        let digest = gallery.told.get(&request.instance_uid).cloned();
        let found = digest.map(|digest| (digest.clone(), gallery.bytes[&digest].clone()));
        (gallery.mishaps.pop_front(), found)
    };
    let Some((digest, mut bytes)) = found else {
        _ = answers.send(Err(refuse(Code::NotFound, "image_unknown"))).await;
        return;
    };
    let image = Image {
        sha256: digest.into(),
        size: bytes.len() as u64,
        ..Image::default()
    };
    if mishap == Some(Mishap::Alter) {
        bytes[0] ^= 1;
    }
    let header = GetImageHeader {
        patient_id: "p".into(),
        image: Some(image),
        retracted: false,
    };
    let response = |response| GetImageResponse {
        response: Some(response),
    };
    _ = answers
        .send(Ok(response(get_image_response::Response::Header(header))))
        .await;
    let end = match request.length {
        0 => bytes.len(),
        length => bytes.len().min((request.offset + length) as usize),
    };
    let mut sent = 0;
    for piece in bytes[request.offset as usize..end].chunks(PIECE) {
        if matches!(mishap, Some(Mishap::BreakAfter(bytes)) if sent >= bytes) {
            _ = answers.send(Err(Status::unavailable("as the test asked"))).await;
            return;
        }
        sent += piece.len();
        let data = get_image_response::Response::Data(Bytes::copy_from_slice(piece));
        _ = answers.send(Ok(response(data))).await;
    }
}
