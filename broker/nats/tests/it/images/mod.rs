//! The bytes of images against real servers.

mod clusters;
mod collecting;
mod cut_off;
mod damaged;
mod disk_full;
mod formats;
mod full;
mod lost;
mod reading;
mod refused;
mod rivals;
mod settings;
mod storing;

use crate::support::*;
use archwire_core::Digest;
use archwire_nats::{
    ByteSize, ImageRange, ImageStore, ImageStoreConfig, ImageStoreError, Log, StoredImage, UploadKey,
};
use async_nats::jetstream::Context;
use bytes::Bytes;
use futures_util::TryStreamExt;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;

/// Bytes of a chunk, as the documentation says.
const CHUNK: usize = 496 * 1024;
/// The stream of the practice's images.
const STREAM: &str = "OBJ_aw_maple-street_images";
const BUCKET: &str = "aw_maple-street_images";

fn images_config() -> ImageStoreConfig {
    ImageStoreConfig {
        max_bytes: ByteSize::mebibytes(64),
        largest: ByteSize::mebibytes(24),
    }
}

async fn images(log: &Log) -> ImageStore {
    log.images(&images_config()).await.unwrap()
}

/// Bytes that no compression shortens and no other seed gives.
fn content(seed: u64, length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes.into()
}

fn promise(owner: &str, bytes: &[u8]) -> UploadKey {
    UploadKey {
        owner: owner.parse().unwrap(),
        promised: Some((Digest::of(bytes), bytes.len() as u64)),
    }
}

fn no_promise(owner: &str) -> UploadKey {
    UploadKey {
        owner: owner.parse().unwrap(),
        promised: None,
    }
}

/// Uploads what is not there yet.
async fn upload(store: &ImageStore, key: UploadKey, bytes: &Bytes) -> Result<StoredImage, ImageStoreError> {
    let mut upload = store.upload(key).await?;
    let rest = bytes.slice(usize::try_from(upload.offset()).unwrap()..);
    for part in rest.chunks(100_000) {
        upload.write(rest.slice_ref(part)).await?;
    }
    upload.finish().await
}

async fn read(store: &ImageStore, digest: &Digest, range: ImageRange) -> Result<Bytes, ImageStoreError> {
    let parts: Vec<Bytes> = store.read(digest, range).await?.try_collect().await?;
    assert!(parts.iter().all(|part| part.len() <= 512 * 1024));
    Ok(parts.concat().into())
}

async fn whole(store: &ImageStore, bytes: &[u8]) -> Result<Bytes, ImageStoreError> {
    read(store, &Digest::of(bytes), ImageRange::WHOLE).await
}

/// How many messages the server itself says that there are, by their subjects.
async fn subjects(client: &Context) -> BTreeMap<String, usize> {
    let stream = client.get_stream(STREAM).await.unwrap();
    let subjects = stream.info_with_subjects(">").await.unwrap();
    subjects.try_collect().await.unwrap()
}

/// How many chunks and names there are. Claims of uploads remain until they are collected.
async fn messages(client: &Context) -> usize {
    let subjects = subjects(client).await.into_iter();
    subjects
        .filter(|(subject, _)| !subject.ends_with(".claim"))
        .map(|(_, count)| count)
        .sum()
}

fn code<T>(outcome: Result<T, ImageStoreError>) -> &'static str {
    outcome.err().expect("an error").code()
}
