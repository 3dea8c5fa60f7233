//! The web service behind the template connector: keeps what it is sent, shows it, and notes when what came.

use anyhow::{Context as _, Result};
use archwire_tests::eventually_within;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::put,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// How long everything that was published may take to arrive.
const LONGEST: Duration = Duration::from_secs(300);

/// The service. Dropping it ends it.
pub(crate) struct Sink {
    url: String,
    shared: Shared,
    server: JoinHandle<()>,
}

type Shared = Arc<Mutex<Memory>>;

#[derive(Default)]
struct Memory {
    records: HashMap<String, Record>,
    shown: usize,
    requests: usize,
    last_came: Option<Instant>,
    last_shown: Option<Instant>,
}

struct Record {
    bytes: Bytes,
    came: Instant,
    is_shown: bool,
}

impl Sink {
    pub(crate) async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("no port is free")?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Shared::default();
        let router = Router::new()
            .route("/patients/{id}", put(keep).post(keep).get(show))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // Ends with the program.
            _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, shared, server })
    }

    /// Its origin.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.shared)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.memory() = Memory::default();
    }

    /// Waits until it holds so many records. Tells when the last one came.
    pub(crate) async fn holds(&self, count: usize) -> Result<Instant> {
        eventually_within(LONGEST, "every record is in the web service", async || {
            let memory = self.memory();
            let last = memory.last_came.filter(|_| memory.records.len() >= count);
            last.with_context(|| format!("{} of {count} are there", memory.records.len()))
        })
        .await
    }

    /// Waits until so many records were read back. Tells when the last one was.
    pub(crate) async fn has_shown(&self, count: usize) -> Result<Instant> {
        eventually_within(LONGEST, "every record is read back", async || {
            let memory = self.memory();
            let last = memory.last_shown.filter(|_| memory.shown >= count);
            last.with_context(|| format!("{} of {count} were", memory.shown))
        })
        .await
    }

    /// When a record came first.
    pub(crate) fn came(&self, id: &str) -> Option<Instant> {
        self.memory().records.get(id).map(|record| record.came)
    }

    /// The bytes of any record.
    pub(crate) fn any(&self) -> Option<Bytes> {
        self.memory()
            .records
            .values()
            .next()
            .map(|record| record.bytes.clone())
    }

    /// Requests since it was cleared.
    pub(crate) fn requests(&self) -> usize {
        self.memory().requests
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Memory> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep(State(shared): State<Shared>, Path(id): Path<String>, bytes: Bytes) -> StatusCode {
    let now = Instant::now();
    let mut memory = lock(&shared);
    memory.requests += 1;
    if let Some(record) = memory.records.get_mut(&id) {
        record.bytes = bytes;
        return StatusCode::NO_CONTENT;
    }
    let record = Record {
        bytes,
        came: now,
        is_shown: false,
    };
    memory.records.insert(id, record);
    memory.last_came = Some(now);
    StatusCode::CREATED
}

async fn show(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Bytes, StatusCode> {
    let mut memory = lock(&shared);
    memory.requests += 1;
    let record = memory.records.get_mut(&id).ok_or(StatusCode::NOT_FOUND)?;
    let bytes = record.bytes.clone();
    if !std::mem::replace(&mut record.is_shown, true) {
        memory.shown += 1;
        memory.last_shown = Some(Instant::now());
    }
    Ok(bytes)
}
