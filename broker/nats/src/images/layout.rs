//! Where the bytes lie, in the format of the JetStream Object Store (NATS ADR-20), so that `nats object get` and every
//! client library read them.
//!
//! Chunks of 496 KiB, the last one shorter, stand in order on `$O.<bucket>.C.<nuid>`. The name of an image is its SHA-256 in
//! hexadecimal; what is behind it stands on `$O.<bucket>.M.<name in base64>`. Each chunk tells in two headers where in the
//! image it begins and what its own BLAKE3 is, which other readers pass over. An upload of several chunks that was
//! promised has a claim on `$O.<bucket>.C.<nuid>.claim`.

use super::UploadKey;
use crate::log::MOST_CONSUMERS;
use archwire_core::{Digest, PracticeName};
use async_nats::{
    HeaderMap, HeaderValue,
    jetstream::stream::{Compression, Config, DiscardPolicy, RetentionPolicy, StorageType},
};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use std::time::Duration;

/// Bytes of a chunk that is written, but for the last one of an image. With its headers it takes less than 512 KiB: the client library
/// reads into buffers that double as they fill, and with a little more every chunk would take one twice as large.
pub(super) const CHUNK: usize = 496 * 1024;
/// Most bytes of a chunk that is read. Below the 1 MB that a server takes by default.
pub(super) const LARGEST_CHUNK: usize = 512 * 1024;
/// Room for a message's headers.
const HEADERS: usize = 4096;
/// What a server has to take at least, in bytes.
pub(super) const LEAST_PAYLOAD: usize = LARGEST_CHUNK + HEADERS;
/// How many chunks `size` bytes have.
pub(super) fn chunks_in(size: u64) -> u64 {
    size.div_ceil(CHUNK as u64)
}

/// Where in the image a chunk begins, in bytes.
const OFFSET: &str = "Archwire-Offset";
/// BLAKE3 of a chunk.
const CHUNK_HASH: &str = "Archwire-BLAKE3";
const CLAIM: &str = ".claim";
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// The subjects of one practice's images.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) bucket: String,
}

impl Layout {
    pub(super) fn of(practice: &PracticeName) -> Self {
        // A practice's name holds no underscore, so that no two practices share a bucket.
        Self {
            bucket: format!("aw_{practice}_images"),
        }
    }

    /// The stream behind the bucket.
    pub(super) fn stream(&self, replicas: usize, max_bytes: i64) -> Config {
        let bucket = &self.bucket;
        Config {
            name: format!("OBJ_{bucket}"),
            description: Some("Archwire: the bytes of the practice's images".to_owned()),
            subjects: vec![self.every_chunk(), self.every_name()],
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            num_replicas: replicas,
            discard: DiscardPolicy::New,
            max_bytes,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_message_size: -1,
            max_consumers: MOST_CONSUMERS,
            max_age: Duration::ZERO,
            duplicate_window: DUPLICATE_WINDOW,
            allow_rollup: true,
            // Chunks are purged upload by upload; none is ever taken out of the middle of one.
            deny_delete: true,
            deny_purge: false,
            allow_direct: true,
            // Photographs and most radiographs are compressed already.
            compression: Some(Compression::None),
            ..Config::default()
        }
    }

    pub(super) fn chunks(&self, nuid: &str) -> String {
        format!("$O.{}.C.{nuid}", self.bucket)
    }

    pub(super) fn claim(&self, nuid: &str) -> String {
        format!("$O.{}.C.{nuid}{CLAIM}", self.bucket)
    }

    pub(super) fn name(&self, digest: &Digest) -> String {
        format!("$O.{}.M.{}", self.bucket, URL_SAFE.encode(digest.to_string()))
    }

    pub(super) fn every_chunk(&self) -> String {
        format!("$O.{}.C.>", self.bucket)
    }

    pub(super) fn every_name(&self) -> String {
        format!("$O.{}.M.>", self.bucket)
    }

    /// Whose subject it is, of those that are below [`every_chunk`](Self::every_chunk), and whether it is a claim.
    pub(super) fn nuid_of<'a>(&self, subject: &'a str) -> Option<(&'a str, bool)> {
        let rest = subject
            .strip_prefix("$O.")?
            .strip_prefix(self.bucket.as_str())?
            .strip_prefix(".C.")?;
        Some(
            rest.strip_suffix(CLAIM)
                .map_or((rest, false), |nuid| (nuid, true)),
        )
    }
}

/// The identifier of an upload. For what is promised it follows from the promise, so that the upload is found again
/// after a restart; otherwise it is random.
pub(super) fn nuid(key: &UploadKey) -> String {
    let Some((digest, size)) = key.promised else {
        return format!("a{}", hex::encode(rand::random::<[u8; 16]>()));
    };
    let named = Digest::of(format!("{} {digest} {size}", key.owner).as_bytes());
    let short = named.as_bytes().first_chunk::<16>().map(hex::encode);
    format!("p{}", short.unwrap_or_default())
}

/// Whether an upload was promised nothing, so that it cannot be gone on with.
pub(super) fn is_anonymous(nuid: &str) -> bool {
    nuid.starts_with('a')
}

/// What a chunk says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkHead {
    pub(super) offset: u64,
    pub(super) hash: blake3::Hash,
}

impl ChunkHead {
    /// `None` for a chunk that somebody else wrote.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let offset = headers.get(OFFSET)?.as_str().parse().ok()?;
        let hash = headers.get(CHUNK_HASH)?.as_str().parse().ok()?;
        Some(Self { offset, hash })
    }

    pub(super) fn write(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(OFFSET, HeaderValue::from(self.offset));
        headers.insert(CHUNK_HASH, self.hash.to_hex().as_str());
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_names_the_same_upload_every_time_and_no_promise_never_does() {
        let key = |owner: &str, promised| UploadKey {
            owner: owner.parse().unwrap(),
            promised,
        };
        let promised = Some((Digest::of(b"x"), 1));
        assert_eq!(nuid(&key("archive", promised)), nuid(&key("archive", promised)));
        let others = [
            key("tracing", promised),
            key("archive", Some((Digest::of(b"x"), 2))),
            key("archive", Some((Digest::of(b"y"), 1))),
        ];
        for other in others {
            assert_ne!(nuid(&other), nuid(&key("archive", promised)));
        }
        assert_ne!(nuid(&key("archive", None)), nuid(&key("archive", None)));
    }

    #[test]
    fn a_subject_tells_whose_chunks_it_holds() {
        let layout = Layout::of(&"maple-street".parse().unwrap());
        assert_eq!(layout.nuid_of(&layout.chunks("p1")), Some(("p1", false)));
        assert_eq!(layout.nuid_of(&layout.claim("p1")), Some(("p1", true)));
        assert_eq!(layout.nuid_of(&layout.name(&Digest::of(b""))), None);
    }

    #[test]
    fn a_chunk_says_where_it_belongs_and_what_it_is() {
        let head = ChunkHead {
            offset: 524_288,
            hash: blake3::hash(b"x"),
        };
        assert_eq!(ChunkHead::read(&head.write()), Some(head));
        assert_eq!(ChunkHead::read(&HeaderMap::new()), None);
    }
}
