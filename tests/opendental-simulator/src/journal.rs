//! The request log: what came in, how many at a time, and how each request ended.
//!
//! Parameter values and bodies are never kept, only names. The log keeps the last 100,000 requests. Requests in
//! flight are counted from arrival to answer, time in the queue included, per known customer key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::DateTime;
use tokio::sync::watch;

use crate::changelog::Ring;

/// One request.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Counts up from 1.
    pub id: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// When it arrived, by the wall clock of the office.
    pub local: DateTime,
    /// HTTP method.
    pub method: String,
    /// Path below `/api/v1`.
    pub path: String,
    /// Names of the query parameters, in order.
    pub query_names: Vec<String>,
    /// The customer key, when it is one of the office's.
    pub customer_key: Option<String>,
    /// How many requests of that key were in flight when this one arrived, itself included.
    pub in_flight: usize,
    /// The fault that was played, by its name.
    pub fault: Option<&'static str>,
    /// Whether its processing began: the key was good and its turn came.
    pub begun: bool,
    /// Whether it has ended, one way or the other.
    pub finished: bool,
    /// The status that was sent; nothing while it runs, when the connection was cut, or when the client left.
    pub status: Option<u16>,
    /// How long it took from arrival to answer.
    pub took: Duration,
}

/// What is known of a request at its arrival.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Timestamp,
    pub(crate) local: DateTime,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query_names: Vec<String>,
    pub(crate) customer_key: Option<String>,
    pub(crate) fault: Option<&'static str>,
}

/// The log and its counters. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    state: Arc<Mutex<State>>,
    activity: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    requests: Ring<RequestRecord>,
    in_flight: HashMap<Option<String>, usize>,
    most_in_flight: HashMap<Option<String>, usize>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        let state = State {
            requests: Ring::new(),
            in_flight: HashMap::new(),
            most_in_flight: HashMap::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            activity: watch::Sender::new(0),
        }
    }

    /// Writes down an arrival. Dropping the returned entry without an answer means that the client got none.
    pub(crate) fn open(&self, arrival: Arrival) -> Entry {
        let mut state = self.lock();
        let count = state.in_flight.entry(arrival.customer_key.clone()).or_default();
        *count += 1;
        let in_flight = *count;
        let most = state
            .most_in_flight
            .entry(arrival.customer_key.clone())
            .or_default();
        *most = in_flight.max(*most);
        let id = state.requests.total() + 1;
        let Arrival {
            at,
            local,
            method,
            path,
            query_names,
            customer_key,
            fault,
        } = arrival;
        state.requests.push(RequestRecord {
            id,
            at,
            local,
            method,
            path,
            query_names,
            customer_key: customer_key.clone(),
            in_flight,
            fault,
            begun: false,
            finished: false,
            status: None,
            took: Duration::ZERO,
        });
        drop(state);
        self.stir();
        Entry {
            journal: self.clone(),
            id,
            customer_key,
            began: Instant::now(),
            status: None,
        }
    }

    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        self.lock().requests.iter().cloned().collect()
    }

    pub(crate) fn status_of(&self, request: u64) -> Option<u16> {
        self.lock().requests.number(request)?.status
    }

    /// Notes that the processing of a request begins.
    pub(crate) fn begin(&self, request: u64) {
        if let Some(record) = self.lock().requests.number(request) {
            record.begun = true;
        }
        self.stir();
    }

    pub(crate) fn most_in_flight(&self, customer_key: &str) -> usize {
        self.lock()
            .most_in_flight
            .get(&Some(customer_key.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    /// Wakes whoever waits for something to happen.
    pub(crate) fn stir(&self) {
        self.activity.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn activity(&self) -> watch::Receiver<u64> {
        self.activity.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Entry {
    journal: Journal,
    id: u64,
    customer_key: Option<String>,
    began: Instant,
    status: Option<u16>,
}

impl Entry {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Notes the answer and closes the entry.
    pub(crate) fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.journal.lock();
        if let Some(count) = state.in_flight.get_mut(&self.customer_key) {
            *count = count.saturating_sub(1);
        }
        if let Some(record) = state.requests.number(self.id) {
            record.finished = true;
            record.status = self.status;
            record.took = self.began.elapsed();
        }
        drop(state);
        self.journal.stir();
    }
}
