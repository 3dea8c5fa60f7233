//! How far each subscription has come, in the practice's bucket `subscriptions`: one key each, `VENDOR.NAME`.

use crate::api::status::refuse;
use archwire_core::SystemName;
use archwire_nats::{Bucket, BucketError};
use archwire_proto::v1::Open;
use tonic::{Code, Status};

/// The positions of a practice's subscriptions.
pub(super) struct Positions(Bucket);

/// The key of one subscription.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key(String);

impl Key {
    /// Of a subscription of a vendor.
    pub(super) fn of(vendor: &SystemName, open: &Open) -> Result<Self, Status> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let allowed = (1..=64).contains(&open.name.len()) && open.name.bytes().all(inner);
        match allowed {
            true => Ok(Self(format!("{vendor}.{}", open.name))),
            false => Err(super::argument(
                "open.name",
                "`open.name` must be 1 to 64 of a-z, 0-9 and -",
            )),
        }
    }
}

impl Positions {
    pub(super) fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }

    /// Up to where everything is done; `None` of a subscription that the bus has not seen.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<u64>, Status> {
        let stored = self.0.get(&key.0).await.map_err(|error| unstored(&error))?;
        Ok(stored.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()))
    }

    /// Success means that it is stored.
    pub(super) async fn put(&self, key: &Key, position: u64) -> Result<(), Status> {
        let bytes = position.to_string().into_bytes().into();
        self.0.put(&key.0, bytes).await.map_err(|error| unstored(&error))
    }
}

fn unstored(error: &BucketError) -> Status {
    tracing::warn!(
        code = error.code(),
        "the position of a subscription cannot be read or stored"
    );
    refuse(
        Code::Unavailable,
        "log_unavailable",
        "the subscription's position cannot be read or stored; try again",
    )
}
