//! The floor: what the whole job costs a plain program that does nothing but what it must.
//!
//! Takes a record by HTTP, appends it to a file, answers after `fdatasync`, and passes it on by HTTP. It knows no
//! patients, no order, no retries and no sandbox. Records that arrive while the disk is flushing are flushed together by
//! the next `fdatasync`, which is the least that an answer with the same promise can cost.

use crate::load::{self, Http};
use anyhow::{Context as _, Result, bail};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use std::{
    fs::File, io::Write as _, path::Path as FilePath, process::Stdio, sync::mpsc, thread, time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
    sync::{mpsc as channel, oneshot},
};

/// Most records that are flushed together, and that wait to be passed on.
const MOST: usize = 1024;
/// Records that are passed on at the same time: as many as the connector's grant allows requests.
const AT_A_TIME: usize = 64;
const LONGEST_START: Duration = Duration::from_secs(10);

type Waiting = (Bytes, oneshot::Sender<()>);
type Onward = (String, Bytes);

#[derive(Clone)]
struct Program {
    appends: mpsc::SyncSender<Waiting>,
    onward: channel::Sender<Onward>,
}

/// The program itself; says on its standard output where it listens.
pub(crate) async fn run(file: &FilePath, to: &str) -> Result<()> {
    let file = File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
    let (appends, waiting) = mpsc::sync_channel(MOST);
    thread::spawn(move || append(file, &waiting));
    let (onward, mut queue) = channel::channel(MOST);
    let to = to.to_owned();
    tokio::spawn(async move {
        let http = load::http();
        let turns = std::sync::Arc::new(tokio::sync::Semaphore::new(AT_A_TIME));
        while let Some((id, bytes)) = queue.recv().await {
            let Ok(turn) = std::sync::Arc::clone(&turns).acquire_owned().await else {
                return;
            };
            let (http, url) = (http.clone(), format!("{to}/patients/{id}"));
            tokio::spawn(async move {
                pass_on(&http, &url, bytes).await;
                drop(turn);
            });
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("no port is free")?;
    println!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .route("/patients/{id}", post(take))
        .with_state(Program { appends, onward });
    axum::serve(listener, router).await.context("it cannot serve")
}

/// A record that is not passed on is missed by whoever measures, who then gives no figure.
async fn pass_on(http: &Http, url: &str, bytes: Bytes) {
    if let Err(error) = load::send(http, "POST", url, bytes).await {
        eprintln!("a record was not passed on: {error:#}");
    }
}

async fn take(State(program): State<Program>, Path(id): Path<String>, bytes: Bytes) -> StatusCode {
    let (flushed, is_flushed) = oneshot::channel();
    // Blocks for a moment at most: the writer takes all that waits at once.
    if program.appends.send((bytes.clone(), flushed)).is_err() || is_flushed.await.is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    match program.onward.send((id, bytes)).await {
        Ok(()) => StatusCode::CREATED,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Ends at the first failure of the disk: everybody who waits is then told that it failed.
fn append(mut file: File, waiting: &mpsc::Receiver<Waiting>) {
    while let Ok(first) = waiting.recv() {
        let mut together = vec![first];
        together.extend(waiting.try_iter().take(MOST));
        let bytes: Vec<u8> = together
            .iter()
            .flat_map(|(bytes, _)| bytes.iter().copied())
            .collect();
        if file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
            return;
        }
        for (_, flushed) in together {
            // Whoever went away does not wait for it.
            _ = flushed.send(());
        }
    }
}

/// The program as a process of its own. Dropping it kills it.
pub(crate) struct Floor {
    child: Child,
    url: String,
}

impl Floor {
    pub(crate) async fn start(file: &FilePath, to: &str) -> Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let mut child = Command::new(program)
            .arg("floor")
            .arg("--file")
            .arg(file)
            .args(["--to", to])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the plain program cannot be started")?;
        let said = child.stdout.take().context("it has no output")?;
        let mut lines = BufReader::new(said).lines();
        let first = tokio::time::timeout(LONGEST_START, lines.next_line());
        let Some(url) = first.await.context("the plain program does not start")?? else {
            bail!("the plain program ended at its start");
        };
        Ok(Self { child, url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its process id; `None` when it has ended.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}
