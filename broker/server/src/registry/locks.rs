//! One writer at a time for each record and each patient, without a lock for every one of them.

use std::hash::{BuildHasher, Hash, RandomState};
use tokio::sync::{Mutex, MutexGuard};

/// How many locks share the keys. Two different keys rarely meet; when they do, one waits for the other.
const STRIPES: usize = 1024;

/// A lock for every key, 1,024 in fact.
#[derive(Debug)]
pub(super) struct Stripes {
    hasher: RandomState,
    locks: Vec<Mutex<()>>,
}

impl Stripes {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            locks: (0..STRIPES).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Waits for the key's lock. Whoever holds one must not ask the same stripes for another.
    pub(super) async fn lock<K: Hash>(&self, key: &K) -> Option<MutexGuard<'_, ()>> {
        let stripe = usize::try_from(self.hasher.hash_one(key) % STRIPES as u64).ok()?;
        Some(self.locks.get(stripe)?.lock().await)
    }
}
