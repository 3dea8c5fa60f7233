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
    mem,
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
    came: usize,
    shown: usize,
    requests: usize,
    last_came: Option<Instant>,
    last_shown: Option<Instant>,
}

struct Record {
    bytes: Bytes,
    /// When it came first since the last beginning.
    came: Option<Instant>,
    /// Whether it was read back after it came.
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

    /// Counts from now on, and keeps what it has.
    pub(crate) fn begin(&self) {
        let mut memory = self.memory();
        let mut records = mem::take(&mut memory.records);
        for record in records.values_mut() {
            (record.came, record.is_shown) = (None, false);
        }
        *memory = Memory {
            records,
            ..Memory::default()
        };
    }

    /// Waits until so many records came. Tells when the last one did.
    pub(crate) async fn has_got(&self, count: usize) -> Result<Instant> {
        eventually_within(LONGEST, "every record is in the web service", async || {
            let memory = self.memory();
            let last = memory.last_came.filter(|_| memory.came >= count);
            last.with_context(|| format!("{} of {count} are there", memory.came))
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
        self.memory().records.get(id)?.came
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
    let is_new = !memory.records.contains_key(&id);
    let record = memory.records.entry(id).or_insert(Record {
        bytes: Bytes::new(),
        came: None,
        is_shown: false,
    });
    record.bytes = bytes;
    if record.came.is_none() {
        record.came = Some(now);
        memory.came += 1;
        memory.last_came = Some(now);
    }
    match is_new {
        true => StatusCode::CREATED,
        false => StatusCode::NO_CONTENT,
    }
}

async fn show(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Bytes, StatusCode> {
    let mut memory = lock(&shared);
    memory.requests += 1;
    let record = memory.records.get_mut(&id).ok_or(StatusCode::NOT_FOUND)?;
    let bytes = record.bytes.clone();
    if record.came.is_some() && !mem::replace(&mut record.is_shown, true) {
        memory.shown += 1;
        memory.last_shown = Some(Instant::now());
    }
    Ok(bytes)
}
