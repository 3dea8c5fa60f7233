//! The configuration while the broker runs: `[vendors]` takes effect at once, whatever else changes at the next start.
//!
//! The file is looked at every [`LOOK_EVERY`]. A change counts when two looks have found it the same, so that a file which is just
//! being written is not taken for what it is going to be: a vendor is let in, restricted or shut out within 1 s of the change, and so
//! are the calls it has open. SIGHUP has it read at once, with the files of tokens. One that cannot be taken changes nothing, is said
//! loudly, once, and is tried again at every look: what is wrong may be a certificate or a secret that is just being replaced.
//!
//! With the clock, the same look finds that a day of the practice's calendar has begun, on which contracts begin and end.

use super::configured;
use crate::{
    api::status::with_causes,
    audit::Audit,
    config::{Config, Outline, Problem, process_environment},
    vendors::{Books, Vendor},
};
use archwire_core::{PracticeName, SystemName};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// How often the file is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How a file looks from outside; `None` while there is none.
type Look = Option<(SystemTime, u64, u64)>;

/// Changes that wait to be written down. What there is no room for is told as a change by the next start.
const MOST_PENDING: usize = 16;

/// Keeps the vendors as the configuration has them.
pub(super) struct Reload {
    loaded: Config,
    /// The practice that this broker serves, and the systems that run, whatever the file says by now.
    practice: PracticeName,
    systems: BTreeSet<SystemName>,
    books: Books,
    audit: Audit,
    /// As the file was when it was read last, and what it said.
    taken: (Look, Option<[u8; 32]>),
    /// As the last look found it.
    last: Look,
    looked_at: Timestamp,
    /// Why the last one was not taken, where it was not: it is tried again until it can be, or is another one.
    refused: Option<String>,
    asked: Option<Signal>,
}

/// A configuration that was taken, and what was before.
struct Change {
    before: Outline,
    after: Config,
    keys: Vec<String>,
}

/// Listens for SIGHUP from now on, which would end the process otherwise. None where the system does not let it.
pub(super) fn listen() -> Option<Signal> {
    signal(SignalKind::hangup()).ok()
}

impl Reload {
    /// Of the configuration with which the broker was started, and whose vendors are in the book.
    pub(super) fn new(loaded: Config, books: Books, audit: Audit, asked: Option<Signal>) -> Self {
        Self {
            taken: (None, Some(loaded.file_digest)),
            practice: loaded.practice.clone(),
            systems: loaded.systems.keys().cloned().collect(),
            loaded,
            books,
            audit,
            last: None,
            looked_at: Timestamp::now(),
            refused: None,
            asked,
        }
    }

    /// Until `shutdown`. What is taken counts before it is written down, and whatever holds the audit up: a vendor that was shut out
    /// is.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let (tell, told) = mpsc::channel(MOST_PENDING);
        let writing = write_down(self.books.clone(), self.audit.clone(), told);
        tokio::join!(self.watch(shutdown, tell), writing);
    }

    async fn watch(mut self, shutdown: CancellationToken, tell: mpsc::Sender<Change>) {
        let mut asked = self.asked.take();
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                () = shutdown.cancelled() => return,
                () = hung_up(&mut asked) => true,
                _ = looks.tick() => false,
            };
            if is_asked {
                tracing::info!("asked to read the configuration again");
                // Who asks is told what is wrong once more.
                self.refused = None;
            }
            let is_other = self.look().await;
            if (is_asked || is_other)
                && let Some(change) = self.read_again().await
                && tell.try_send(change).is_err()
            {
                tracing::error!(
                    "the audit takes nothing; the next start tells that the configuration changed"
                );
            }
        }
    }

    /// Whether the file is another one. Has everybody look at a new day's contracts.
    async fn look(&mut self) -> bool {
        let now = Timestamp::now();
        self.books.turn_if_due(self.looked_at, now);
        self.looked_at = now;
        let file = self.loaded.file.clone();
        let look = spawn_blocking(move || look_at(&file)).await.unwrap_or_default();
        let is_settled = look == std::mem::replace(&mut self.last, look);
        if !is_settled {
            return false;
        }
        if look == self.taken.0 {
            // What was in the way may be another file, which is mended by itself: a certificate or a secret that is being replaced.
            return self.refused.is_some();
        }
        let file = self.loaded.file.clone();
        let digest = spawn_blocking(move || digest_of(&file)).await.unwrap_or_default();
        let is_same = digest == self.taken.1;
        self.taken = (look, digest);
        !is_same
    }

    async fn read_again(&mut self) -> Option<Change> {
        let file = self.loaded.file.clone();
        let read = spawn_blocking(move || Config::load(&file, process_environment())).await;
        match read {
            Ok(Ok(config)) => match self.is_ours(&config) {
                Ok(()) => {
                    if self.refused.take().is_some() {
                        tracing::info!("the configuration can be taken again");
                    }
                    return self.take(config);
                }
                Err(what) => self.refuse(&what, &[]),
            },
            Ok(Err(error)) => self.refuse("it does not hold", &error.problems),
            Err(_) => self.refuse("reading it ended in the middle", &[]),
        }
        None
    }

    /// Lets the vendors of another configuration in, on its terms, and says what is different.
    fn take(&mut self, config: Config) -> Option<Change> {
        let vendors: BTreeMap<SystemName, Vendor> = config
            .vendors
            .iter()
            .map(|(name, vendor)| (name.clone(), Vendor::new(vendor)))
            .collect();
        let mut keys = self.loaded.outline.changed(&config.outline);
        keys.extend(self.other_tokens(&vendors));
        keys.sort();
        keys.dedup();
        if keys.is_empty() {
            return None;
        }
        self.books.put_vendors(vendors.into_values());
        let (live, later): (Vec<_>, Vec<_>) = keys.iter().map(String::as_str).partition(|key| is_live(key));
        if !live.is_empty() {
            tracing::info!(
                keys = live.join(", "),
                "the vendors are as the configuration says now"
            );
        }
        if !later.is_empty() {
            tracing::warn!(
                code = "restart_needed",
                keys = later.join(", "),
                "the configuration changed where it takes effect at the next start of the broker only"
            );
        }
        let before = std::mem::replace(&mut self.loaded, config).outline;
        Some(Change {
            before,
            after: self.loaded.clone(),
            keys,
        })
    }

    /// Whether a configuration can be that of a broker that runs: of the same practice, and without a vendor that has the name of a
    /// system which still runs, so that nobody speaks for both.
    fn is_ours(&self, config: &Config) -> Result<(), String> {
        let mut both = config.vendors.keys().filter(|name| self.systems.contains(*name));
        match both.next() {
            Some(name) => Err(format!(
                "vendors.{name} has the name of a system that runs until the broker is started again"
            )),
            None if config.practice != self.practice => Err("it is another practice's".to_owned()),
            None => Ok(()),
        }
    }

    /// Says why a configuration is not taken, one problem at a time, and as long as it is the same, once.
    fn refuse(&mut self, what: &str, problems: &[Problem]) {
        let all = problems.iter().map(ToString::to_string);
        let why = iter::once(what.to_owned())
            .chain(all)
            .collect::<Vec<_>>()
            .join("\n");
        if self.refused.as_ref() == Some(&why) {
            return;
        }
        tracing::error!(
            code = "configuration_invalid",
            problems = problems.len(),
            "the configuration changed and cannot be taken: {what}; nothing of it takes effect until it can be"
        );
        for problem in problems {
            tracing::error!(code = problem.kind.code(), "{problem}");
        }
        self.refused = Some(why);
    }

    /// The keys of tokens that are others now although the configuration names the same files.
    fn other_tokens(&self, vendors: &BTreeMap<SystemName, Vendor>) -> Vec<String> {
        let book = self.books.now();
        let is_other = |(name, vendor): &(&SystemName, &Vendor)| {
            let before = book.vendor(name);
            before.is_some_and(|before| before.tokens != vendor.tokens)
        };
        let others = vendors.iter().filter(is_other);
        others.map(|(name, _)| format!("vendors.{name}.token")).collect()
    }
}

/// Writes down what was agreed when the broker started, and then each change.
async fn write_down(books: Books, audit: Audit, mut told: mpsc::Receiver<Change>) {
    state_contracts(&books, &audit).await;
    while let Some(Change { before, after, keys }) = told.recv().await {
        configured::changed(&audit, &before, &after, keys).await;
        state_contracts(&books, &audit).await;
    }
}

/// Writes down what was agreed, where that is not what was written last.
async fn state_contracts(books: &Books, audit: &Audit) {
    for vendor in books.now().vendors() {
        if let Err(error) = audit.contract_stated(&vendor.contract).await {
            tracing::error!(
                vendor = %vendor.name,
                code = error.code(),
                cause = with_causes(&error),
                "what was agreed with a vendor is not in the audit"
            );
        }
    }
}

/// Whether what stands at a key takes effect at once. Who is right about what, the registry is told when it starts.
fn is_live(key: &str) -> bool {
    key.starts_with("vendors.") && !key.ends_with(".owns") && !key.ends_with(".on-disagreement")
}

fn look_at(file: &Path) -> Look {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

fn digest_of(file: &Path) -> Option<[u8; 32]> {
    fs::read(file).ok().map(|text| Sha256::digest(text).into())
}

/// Comes when the process is asked to read its configuration again.
async fn hung_up(asked: &mut Option<Signal>) {
    let asked = match asked {
        Some(asked) => asked.recv().await,
        None => None,
    };
    if asked.is_none() {
        std::future::pending::<()>().await;
    }
}
