//! What the parts of a running simulator share: the tables, the clock, the faults, the logs.
//!
//! Locks are held for the length of a computation, never across an await. A lock that was poisoned by a panic is
//! used on: a test wants to see the state that led there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::changelog::{Author, Change};
use crate::clock::OfficeClock;
use crate::faults::FaultBoard;
use crate::journal::Journal;
use crate::keys::KeyRing;
use crate::office::{Office, Pen};
use crate::options::Options;
use crate::throttle::Lanes;

/// Where a program asked the office to fetch a file from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// `host/folder/file.jpg`.
    pub address: String,
    /// Whom the office logs in as.
    pub user: String,
    /// With which password.
    pub password: String,
}

/// The state of one simulator.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) base_url: String,
    pub(crate) clock: OfficeClock,
    pub(crate) journal: Journal,
    pub(crate) lanes: Lanes,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) reachable: watch::Sender<bool>,
    office: Mutex<Office>,
    faults: Mutex<FaultBoard>,
    keys: Mutex<KeyRing>,
    passes: Mutex<HashMap<String, u64>>,
    invitations: Mutex<Vec<Invitation>>,
    work: Mutex<JoinSet<()>>,
}

impl Shared {
    pub(crate) fn new(options: Options, base_url: String, clock: OfficeClock) -> Self {
        Self {
            keys: Mutex::new(KeyRing::new(options.keys.clone())),
            options,
            base_url,
            clock,
            journal: Journal::new(),
            lanes: Lanes::default(),
            stop: watch::Sender::new(false),
            reachable: watch::Sender::new(true),
            office: Mutex::new(Office::new()),
            faults: Mutex::new(FaultBoard::new()),
            passes: Mutex::new(HashMap::new()),
            invitations: Mutex::default(),
            work: Mutex::new(JoinSet::new()),
        }
    }

    pub(crate) fn office(&self) -> MutexGuard<'_, Office> {
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultBoard> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, KeyRing> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pen that writes at this moment.
    pub(crate) fn pen(&self, author: Author, method: &'static str, request: Option<u64>) -> Pen {
        let at = self.clock.now();
        Pen {
            author,
            method,
            request,
            at,
            local: self.clock.local_at(at),
        }
    }

    /// The changes after a sequence number, each with the status that its request was answered with.
    pub(crate) fn changes_after(&self, sequence: u64) -> Vec<Change> {
        let mut changes: Vec<Change> = self
            .office()
            .changes()
            .filter(|change| change.sequence > sequence)
            .cloned()
            .collect();
        for change in &mut changes {
            change.status_sent = change.request.and_then(|request| self.journal.status_of(request));
        }
        changes
    }

    /// The number of the pass through a list that a key is in; offset 0 begins a new one.
    pub(crate) fn pass(&self, customer_key: &str, offset: usize) -> u64 {
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let pass = passes.entry(customer_key.to_owned()).or_default();
        if offset == 0 {
            *pass += 1;
        }
        *pass
    }

    /// Notes where a file is to be fetched from.
    pub(crate) fn invited(&self, invitation: Invitation) {
        self.lock_invitations().push(invitation);
    }

    /// Where files were to be fetched from, oldest first.
    pub(crate) fn invitations(&self) -> Vec<Invitation> {
        self.lock_invitations().clone()
    }

    fn lock_invitations(&self) -> MutexGuard<'_, Vec<Invitation>> {
        self.invitations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs work that goes on when the client hangs up, as it does on a real server, and ends with the simulator.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut set = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        set.spawn(work);
    }

    /// Ends all work that is still going on.
    pub(crate) fn abort_work(&self) {
        self.work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
    }

    /// Returns when the simulator is told to stop.
    pub(crate) async fn stopped(&self) {
        // An error means that the sender is gone, which it is not while `self` lives.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}
