//! The name of an image: the entry by which it is there. It is written when everything else is stored and held against what
//! was promised, and only if nobody else has written it since it was looked for.

use super::{
    ImageStoreError, Inner,
    layout::{LARGEST_CHUNK, Layout},
    seal::Seal,
    wire::Refusal,
};
use archwire_core::Digest;
use async_nats::{HeaderMap, HeaderValue, header};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::SystemTime};

const FIRST: &str = "archwire-first";
const LAST: &str = "archwire-last";
const SEAL: &str = "archwire-seal";

/// An image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) digest: Digest,
    /// Bytes.
    pub(super) size: u64,
    pub(super) nuid: String,
    pub(super) chunks: u64,
    /// Bytes of each chunk but the last one.
    pub(super) chunk: u64,
    /// The sequence of its first chunk.
    pub(super) first: u64,
    /// The sequence of its last chunk.
    pub(super) last: u64,
    /// What its chunks are.
    pub(super) seal: Seal,
}

/// What stands under a name.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// 0 when nothing does.
    pub(super) sequence: u64,
    pub(super) written_at: SystemTime,
    pub(super) name: Option<Name>,
    /// Whose chunks it needs, as far as that can be read.
    pub(super) nuid: Option<String>,
}

/// As the Object Store of all client libraries has it.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct ObjectInfo {
    name: String,
    metadata: BTreeMap<String, String>,
    options: Options,
    bucket: String,
    nuid: String,
    size: u64,
    mtime: String,
    chunks: u64,
    digest: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Options {
    max_chunk_size: u64,
}

impl Name {
    fn info(&self, layout: &Layout) -> ObjectInfo {
        let metadata = [
            (FIRST, self.first.to_string()),
            (LAST, self.last.to_string()),
            (SEAL, self.seal.to_string()),
        ];
        ObjectInfo {
            name: self.digest.to_string(),
            metadata: metadata.map(|(key, value)| (key.to_owned(), value)).into(),
            options: Options {
                max_chunk_size: self.chunk,
            },
            bucket: layout.bucket.clone(),
            nuid: self.nuid.clone(),
            size: self.size,
            mtime: jiff::Timestamp::now().to_string(),
            chunks: self.chunks,
            digest: format!("SHA-256={}", URL_SAFE.encode(self.digest.as_bytes())),
            deleted: false,
        }
    }

    /// `None` for what the bus did not write, and for what is no longer there.
    fn read(info: &ObjectInfo) -> Option<Self> {
        let sequence = |key: &str| info.metadata.get(key)?.parse().ok();
        let (first, last) = (sequence(FIRST)?, sequence(LAST)?);
        let chunk = info.options.max_chunk_size;
        let is_ours = !info.deleted && (1..=LARGEST_CHUNK as u64).contains(&chunk) && info.size > 0;
        is_ours.then_some(Self {
            digest: info.name.parse().ok()?,
            size: info.size,
            nuid: info.nuid.clone(),
            chunks: info.chunks,
            chunk,
            first,
            last,
            seal: info.metadata.get(SEAL)?.parse().ok()?,
        })
    }
}

impl Inner {
    /// What stands under the name of an image.
    pub(super) async fn entry(&self, digest: &Digest) -> Result<Entry, ImageStoreError> {
        let entry = self.entry_on(&self.layout.name(digest)).await?;
        if entry.name.as_ref().is_some_and(|name| name.digest != *digest) {
            // Such an entry is overwritten by the next upload of the image.
            tracing::warn!(%digest, "the entry of an image names another one");
            return Ok(Entry { name: None, ..entry });
        }
        Ok(entry)
    }

    /// What stands on a subject of a name.
    pub(super) async fn entry_on(&self, subject: &str) -> Result<Entry, ImageStoreError> {
        let Some(raw) = self.last(subject).await? else {
            return Ok(Entry {
                sequence: 0,
                written_at: SystemTime::UNIX_EPOCH,
                name: None,
                nuid: None,
            });
        };
        let info: Option<ObjectInfo> = serde_json::from_slice(&raw.payload).ok();
        Ok(Entry {
            sequence: raw.sequence,
            written_at: raw.time,
            name: info.as_ref().and_then(Name::read),
            nuid: info.map(|info| info.nuid),
        })
    }

    /// What stands under the name of an image for those who would store it: nothing when it is damaged.
    pub(super) async fn sound_entry(&self, digest: &Digest) -> Result<Entry, ImageStoreError> {
        let mut entry = self.entry(digest).await?;
        if self.desk.is_damaged(digest) {
            entry.name = None;
        }
        Ok(entry)
    }

    /// The image, where it is there, and not known to be damaged.
    pub(super) async fn named(&self, digest: &Digest) -> Result<Option<Name>, ImageStoreError> {
        Ok(self.sound_entry(digest).await?.name)
    }

    /// Writes the name if `expected` is still the sequence of what stands under it. Nothing is written on
    /// [`Refusal::Guard`].
    pub(super) async fn write_name(&self, name: &Name, expected: u64) -> Result<(), Refusal> {
        let info = serde_json::to_vec(&name.info(&self.layout)).map_err(Refusal::unavailable)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_ROLLUP, "sub");
        headers.insert(
            header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
            HeaderValue::from(expected),
        );
        let sent = self
            .send(self.layout.name(&name.digest), headers, info.into())
            .await?;
        sent.stored().await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        Name {
            digest: Digest::of(b"x"),
            size: 700_000,
            nuid: "p1".to_owned(),
            chunks: 2,
            chunk: 500_000,
            first: 7,
            last: 9,
            seal: Seal::default(),
        }
    }

    #[test]
    fn an_entry_is_written_as_every_client_library_reads_it() {
        let layout = Layout::of(&"maple-street".parse().unwrap());
        let text = serde_json::to_vec(&name().info(&layout)).unwrap();
        let theirs: async_nats::jetstream::object_store::ObjectInfo = serde_json::from_slice(&text).unwrap();
        assert_eq!(theirs.name, Digest::of(b"x").to_string());
        assert_eq!((theirs.size, theirs.chunks, theirs.deleted), (700_000, 2, false));
        let digest = theirs.digest.unwrap();
        assert_eq!(digest, "SHA-256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE=");
        let again: ObjectInfo = serde_json::from_slice(&text).unwrap();
        assert_eq!(Name::read(&again), Some(name()));
    }

    #[test]
    fn an_entry_that_was_deleted_or_that_others_wrote_is_no_image() {
        let layout = Layout::of(&"maple-street".parse().unwrap());
        let deleted = ObjectInfo {
            deleted: true,
            ..name().info(&layout)
        };
        let others = ObjectInfo {
            metadata: BTreeMap::new(),
            ..name().info(&layout)
        };
        assert_eq!(Name::read(&deleted), None);
        assert_eq!(Name::read(&others), None);
    }
}
