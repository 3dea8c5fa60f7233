//! A system's small values that outlive a call: where they are kept between calls and between runs of the broker.
//!
//! Each call sees the values as they were when it began, with its own changes. When it ends well, or with a
//! disposition, its changes are added to the system's values and these are saved; when it traps, they are gone. Two
//! calls at the same time that write the same key: the later end wins. At most 64 keys with 16 KiB each.

use archwire_core::SystemName;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Mutex as AsyncMutex;

/// Most keys of one system.
pub(crate) const KEYS: usize = 64;
/// Most bytes of one value.
pub(crate) const VALUE_BYTES: usize = 16 * 1024;

/// A system's values by key.
pub type StateValues = BTreeMap<String, Bytes>;

/// Where the values of all systems are kept between runs of the broker.
pub trait StateStore: Send + Sync + 'static {
    /// The values of a system; empty when there are none yet.
    fn load<'a>(&'a self, system: &'a SystemName) -> BoxFuture<'a, Result<StateValues, StateStoreError>>;

    /// Replaces the values of a system. At most 64 keys with 16 KiB each.
    fn save<'a>(
        &'a self,
        system: &'a SystemName,
        values: &'a StateValues,
    ) -> BoxFuture<'a, Result<(), StateStoreError>>;
}

/// The values could not be loaded or saved.
#[derive(Debug, thiserror::Error)]
#[error("the store of the connectors' state does not answer")]
pub struct StateStoreError(#[source] pub Box<dyn Error + Send + Sync>);

/// Keeps the values for as long as the process lives: for tests, and for trying a connector out.
#[derive(Debug, Default)]
pub struct MemoryStateStore(Mutex<BTreeMap<SystemName, StateValues>>);

impl StateStore for MemoryStateStore {
    fn load<'a>(&'a self, system: &'a SystemName) -> BoxFuture<'a, Result<StateValues, StateStoreError>> {
        let values = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(system)
            .cloned();
        Box::pin(async move { Ok(values.unwrap_or_default()) })
    }

    fn save<'a>(
        &'a self,
        system: &'a SystemName,
        values: &'a StateValues,
    ) -> BoxFuture<'a, Result<(), StateStoreError>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(system.clone(), values.clone());
        Box::pin(async { Ok(()) })
    }
}

/// One system's values, shared by its calls.
pub(crate) struct SystemState {
    system: SystemName,
    store: Arc<dyn StateStore>,
    kept: AsyncMutex<Option<Kept>>,
}

struct Kept {
    values: Arc<StateValues>,
    /// Whether the store may not have the values yet.
    unsaved: bool,
}

/// The values as one call sees them.
#[derive(Default)]
pub(crate) struct CallState {
    values: Arc<StateValues>,
    changes: BTreeMap<String, Option<Bytes>>,
}

/// Why a value is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedValue {
    InvalidKey,
    ValueTooLarge,
    TooManyKeys,
}

impl SystemState {
    pub(crate) fn new(system: SystemName, store: Arc<dyn StateStore>) -> Self {
        Self {
            system,
            store,
            kept: AsyncMutex::new(None),
        }
    }

    /// The values for a call that begins; from the store the first time.
    pub(crate) async fn begin(&self) -> Result<CallState, StateStoreError> {
        let mut kept = self.kept.lock().await;
        let values = match kept.as_ref() {
            Some(kept) => Arc::clone(&kept.values),
            None => {
                let values = Arc::new(self.store.load(&self.system).await?);
                *kept = Some(Kept {
                    values: Arc::clone(&values),
                    unsaved: false,
                });
                values
            }
        };
        Ok(CallState {
            values,
            changes: BTreeMap::new(),
        })
    }

    /// Adds the changes of a call that ended. What cannot be saved now is saved with the next call's changes.
    pub(crate) async fn end(&self, call: CallState) -> Result<(), StateStoreError> {
        let mut kept = self.kept.lock().await;
        let Some(kept) = kept.as_mut() else { return Ok(()) };
        if !call.changes.is_empty() {
            let values = Arc::make_mut(&mut kept.values);
            for (key, value) in call.changes {
                match value {
                    Some(value) if values.len() < KEYS || values.contains_key(&key) => {
                        _ = values.insert(key, value)
                    }
                    // Two calls together went beyond the bound that each of them kept.
                    Some(_) => {}
                    None => _ = values.remove(&key),
                }
            }
            kept.unsaved = true;
        }
        if kept.unsaved {
            self.store.save(&self.system, &kept.values).await?;
            kept.unsaved = false;
        }
        Ok(())
    }
}

impl CallState {
    pub(crate) fn get(&self, key: &str) -> Option<&Bytes> {
        match self.changes.get(key) {
            Some(change) => change.as_ref(),
            None => self.values.get(key),
        }
    }

    pub(crate) fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), RefusedValue> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=64).contains(&key.len()) || !key.bytes().all(inner) {
            return Err(RefusedValue::InvalidKey);
        }
        if value.len() > VALUE_BYTES {
            return Err(RefusedValue::ValueTooLarge);
        }
        if self.get(&key).is_none() && self.keys() >= KEYS {
            return Err(RefusedValue::TooManyKeys);
        }
        self.changes.insert(key, Some(value.into()));
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: String) {
        if self.get(&key).is_some() {
            self.changes.insert(key, None);
        }
    }

    fn keys(&self) -> usize {
        let kept = self
            .values
            .keys()
            .filter(|key| !self.changes.contains_key(*key))
            .count();
        kept + self.changes.values().flatten().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> (SystemState, Arc<MemoryStateStore>) {
        let store = Arc::new(MemoryStateStore::default());
        (
            SystemState::new("front-desk".parse().unwrap(), store.clone()),
            store,
        )
    }

    #[tokio::test]
    async fn what_a_call_sets_the_next_call_and_the_store_have() {
        let (state, store) = state();
        let mut call = state.begin().await.unwrap();
        call.set("offset".to_owned(), b"7".to_vec()).unwrap();
        assert_eq!(call.get("offset").unwrap(), "7");
        state.end(call).await.unwrap();
        assert_eq!(state.begin().await.unwrap().get("offset").unwrap(), "7");
        assert_eq!(store.load(&"front-desk".parse().unwrap()).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_deleted_is_gone_after_the_call() {
        let (state, _) = state();
        let mut call = state.begin().await.unwrap();
        call.set("a".to_owned(), vec![1]).unwrap();
        state.end(call).await.unwrap();
        let mut call = state.begin().await.unwrap();
        call.delete("a".to_owned());
        assert!(call.get("a").is_none());
        state.end(call).await.unwrap();
        assert!(state.begin().await.unwrap().get("a").is_none());
    }

    #[tokio::test]
    async fn the_bounds_hold() {
        let (state, _) = state();
        let mut call = state.begin().await.unwrap();
        for number in 0..64 {
            call.set(format!("k{number}"), vec![0; 16_384]).unwrap();
        }
        assert_eq!(
            call.set("one-more".to_owned(), vec![]),
            Err(RefusedValue::TooManyKeys)
        );
        assert_eq!(
            call.set("k0".to_owned(), vec![0; 16_385]),
            Err(RefusedValue::ValueTooLarge)
        );
        assert_eq!(call.set("K0".to_owned(), vec![]), Err(RefusedValue::InvalidKey));
        assert_eq!(call.set(String::new(), vec![]), Err(RefusedValue::InvalidKey));
        call.delete("k0".to_owned());
        assert_eq!(call.set("one-more".to_owned(), vec![]), Ok(()));
    }
}
