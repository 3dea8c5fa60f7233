//! How far each subscription has come, in the practice's bucket `subscriptions`: one key each, `VENDOR.NAME`.

use super::witness::Place;
use crate::api::status::refuse;
use archwire_core::SystemName;
use archwire_nats::{Bucket, BucketError};
use archwire_proto::v1::Open;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tonic::{Code, Status};

/// Most names of a vendor.
const MOST_NAMES: usize = 256;

/// The positions of a practice's subscriptions.
pub(super) struct Positions {
    bucket: Bucket,
    /// How many names each vendor has.
    names: Mutex<HashMap<String, usize>>,
}

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
    /// Those of a bucket, whose names are counted.
    pub(super) async fn open(bucket: Bucket) -> Result<Self, BucketError> {
        let mut names = HashMap::new();
        for key in bucket.keys().await? {
            if let Some((vendor, _)) = key.split_once('.') {
                *names.entry(vendor.to_owned()).or_default() += 1;
            }
        }
        let names = Mutex::new(names);
        Ok(Self { bucket, names })
    }

    /// Up to where everything is done, `None` of a subscription that the bus has not seen; and by what the next reader claims it.
    pub(super) async fn get(&self, key: &Key) -> Result<(Option<Place>, Claim), Status> {
        let stored = self.bucket.get_numbered(&key.0).await;
        let (stored, number) = stored.map_err(|error| unstored(&error))?;
        let position = stored.map(|bytes| {
            let text = std::str::from_utf8(&bytes).ok();
            text.and_then(Place::read).ok_or_else(unreadable)
        });
        Ok((position.transpose()?, Claim(number)))
    }

    /// Success means that it is stored, and that nobody else has claimed the subscription since.
    pub(super) async fn put(&self, key: &Key, position: Place, claim: Claim) -> Result<Claim, NotPut> {
        let bytes = position.to_string().into_bytes().into();
        match self.bucket.replace(&key.0, bytes, claim.0).await {
            Ok(number) => Ok(Claim(number)),
            Err(BucketError::Changed) => Err(NotPut::Claimed),
            Err(error) => Err(NotPut::Refused(unstored(&error))),
        }
    }

    /// Takes a name that the bus has not seen, of which a vendor has [`MOST_NAMES`] at most.
    pub(super) fn take_name(&self, vendor: &SystemName) -> Result<(), Status> {
        let mut names = self.names();
        let count = names.entry(vendor.as_str().to_owned()).or_default();
        if *count >= MOST_NAMES {
            let message =
                "a vendor has at most 256 subscriptions: use a name again, or have the bus forget one";
            return Err(refuse(Code::ResourceExhausted, "names_full", message));
        }
        *count += 1;
        Ok(())
    }

    /// A name that was taken was not stored.
    pub(super) fn give_name_back(&self, vendor: &SystemName) {
        if let Some(count) = self.names().get_mut(vendor.as_str()) {
            *count = count.saturating_sub(1);
        }
    }

    /// The subscription is as if it had never been.
    pub(super) async fn forget(&self, key: &Key, vendor: &SystemName) -> Result<(), Status> {
        let deleted = self.bucket.delete(&key.0).await;
        deleted.map_err(|error| unstored(&error))?;
        self.give_name_back(vendor);
        Ok(())
    }

    fn names(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By what a reader shows that it is the last one who claimed a subscription.
#[derive(Clone, Copy)]
pub(super) struct Claim(u64);

/// A position that is not stored.
pub(super) enum NotPut {
    /// Somebody else has claimed the subscription.
    Claimed,
    /// It cannot be, for now.
    Refused(Status),
}

fn unreadable() -> Status {
    tracing::error!("the position of a subscription cannot be read: it is no place in the log");
    let message = "the subscription's position cannot be read; the practice's administrator has to look";
    refuse(Code::Internal, "log_unreadable", message)
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
