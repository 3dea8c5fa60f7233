//! One writer at a time for each record and each patient.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex as StdMutex, PoisonError, Weak},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Locks by key. They come into being when they are asked for and go when nobody has them: at most twice as many are
/// kept as were in use when they were last looked through.
#[derive(Debug)]
pub(super) struct Locks<K>(StdMutex<Kept<K>>);

#[derive(Debug)]
struct Kept<K> {
    locks: HashMap<K, Weak<Mutex<()>>>,
    look_through_at: usize,
}

/// Fewest locks before they are looked through.
const FEW: usize = 1024;

impl<K: Hash + Eq + Clone> Locks<K> {
    pub(super) fn new() -> Self {
        Self(StdMutex::new(Kept {
            locks: HashMap::new(),
            look_through_at: FEW,
        }))
    }

    /// Waits for the key's lock, after those who asked before.
    pub(super) async fn lock(&self, key: &K) -> OwnedMutexGuard<()> {
        let lock = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key);
        lock.lock_owned().await
    }
}

impl<K: Hash + Eq + Clone> Kept<K> {
    fn get(&mut self, key: &K) -> Arc<Mutex<()>> {
        if let Some(lock) = self.locks.get(key).and_then(Weak::upgrade) {
            return lock;
        }
        if self.locks.len() >= self.look_through_at {
            self.locks.retain(|_, lock| lock.strong_count() > 0);
            self.look_through_at = (self.locks.len() * 2).max(FEW);
        }
        let lock = Arc::new(Mutex::new(()));
        self.locks.insert(key.clone(), Arc::downgrade(&lock));
        lock
    }
}
