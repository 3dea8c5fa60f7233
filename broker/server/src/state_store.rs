//! Connectors' small values, kept in the bucket `systems`: one entry per system, in JSON, values in hexadecimal.

use archwire_core::SystemName;
use archwire_host::{StateStore, StateStoreError, StateValues};
use archwire_nats::Bucket;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;

/// The bucket as the host knows it.
pub struct BucketStateStore(pub Bucket);

impl StateStore for BucketStateStore {
    fn load<'a>(&'a self, system: &'a SystemName) -> BoxFuture<'a, Result<StateValues, StateStoreError>> {
        Box::pin(async move {
            let Some(json) = self.0.get(system.as_str()).await.map_err(boxed)? else {
                return Ok(StateValues::new());
            };
            let values: BTreeMap<String, String> = serde_json::from_slice(&json).map_err(boxed)?;
            let decoded = values
                .into_iter()
                .map(|(key, value)| Ok((key, hex::decode(value).map_err(boxed)?.into())));
            decoded.collect()
        })
    }

    fn save<'a>(
        &'a self,
        system: &'a SystemName,
        values: &'a StateValues,
    ) -> BoxFuture<'a, Result<(), StateStoreError>> {
        Box::pin(async move {
            let values: BTreeMap<&str, String> = values
                .iter()
                .map(|(key, value)| (key.as_str(), hex::encode(value)))
                .collect();
            let json = serde_json::to_vec(&values).map_err(boxed)?;
            self.0.put(system.as_str(), json.into()).await.map_err(boxed)
        })
    }
}

fn boxed<E: std::error::Error + Send + Sync + 'static>(error: E) -> StateStoreError {
    StateStoreError(Box::new(error))
}
