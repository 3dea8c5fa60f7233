//! Whose turn it is to publish about a record.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as StdMutex, PoisonError, Weak},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Fewest records before those that nobody publishes about are let go.
const FEW: usize = 1024;

/// Turns by the record's local id, in the order in which they were asked for. At most twice as many records are kept as were in
/// use when they were last looked through.
#[derive(Default)]
pub(super) struct Records(StdMutex<Kept>);

#[derive(Default)]
struct Kept {
    turns: HashMap<Box<str>, Weak<Mutex<()>>>,
    look_through_at: usize,
}

impl Records {
    pub(super) async fn turn(&self, local_id: &str) -> OwnedMutexGuard<()> {
        let turn = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(local_id);
        turn.lock_owned().await
    }
}

impl Kept {
    fn get(&mut self, local_id: &str) -> Arc<Mutex<()>> {
        if let Some(turn) = self.turns.get(local_id).and_then(Weak::upgrade) {
            return turn;
        }
        if self.turns.len() >= self.look_through_at.max(FEW) {
            self.turns.retain(|_, turn| turn.strong_count() > 0);
            self.look_through_at = self.turns.len() * 2;
        }
        let turn = Arc::new(Mutex::new(()));
        self.turns.insert(local_id.into(), Arc::downgrade(&turn));
        turn
    }
}
