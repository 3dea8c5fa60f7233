//! What a call is answered: a status with a code of ours, and messages.

use anyhow::{Context as _, Result, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use http::HeaderMap;
use std::{collections::BTreeSet, sync::LazyLock};

/// Codes of gRPC.
const OK: u8 = 0;
const CANCELLED: u8 = 1;
const OUT_OF_RANGE: u8 = 11;
const UNIMPLEMENTED: u8 = 12;
const INTERNAL: u8 = 13;
/// What the library of gRPC says by itself: of messages that are none, too long, or compressed.
const ITS_OWN: [u8; 4] = [CANCELLED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL];

/// The codes that the guide for vendors lists.
static CODES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let guide = include_str!("../../../../sdk/README.md");
    let errors = guide.split("## Errors").nth(1).unwrap_or_default();
    errors.split('`').collect()
});

pub(crate) struct Answer {
    code: u8,
    own: Option<String>,
    text: String,
    pub(super) messages: Vec<Bytes>,
}

impl Answer {
    pub(super) fn read(trailers: &HeaderMap, bytes: Bytes) -> Result<Self> {
        let text = |name| {
            let value = trailers.get(name).map(|value| value.to_str().map(str::to_owned));
            value.transpose()
        };
        let mut bytes = BytesMut::from(bytes);
        let mut messages = Vec::new();
        while let Some(message) = message(&mut bytes) {
            messages.push(message);
        }
        ensure!(bytes.is_empty(), "half a message");
        Ok(Self {
            code: text("grpc-status")?.context("no status")?.parse()?,
            own: text("archwire-error-code")?,
            text: text("grpc-message")?.unwrap_or_default(),
            messages,
        })
    }

    pub(super) fn is_good(&self) -> bool {
        self.code == OK
    }

    pub(super) fn own(&self) -> &str {
        self.own.as_deref().unwrap_or_default()
    }

    /// That a refusal is one that the guide explains.
    pub(super) fn is_explained(&self) {
        let Self { code, own, text, .. } = self;
        match own {
            Some(own) => {
                assert!(CODES.contains(own.as_str()), "the guide does not know {own}");
                assert!(*code != INTERNAL, "the bus has no answer: {own}");
            }
            None => assert!(
                *code == OK || ITS_OWN.contains(code),
                "status {code} without a code: {text}"
            ),
        }
    }
}

/// The next whole message.
pub(super) fn message(bytes: &mut BytesMut) -> Option<Bytes> {
    let length = bytes.get(1..5)?.try_into().ok().map(u32::from_be_bytes)?;
    let length = usize::try_from(length).ok()?;
    if bytes.len() < 5 + length {
        return None;
    }
    bytes.advance(5);
    Some(bytes.split_to(length).freeze())
}
