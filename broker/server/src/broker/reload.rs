//! The configuration while the broker runs: `[vendors]` takes effect at once, whatever else changes at the next start.
//!
//! The file is looked at every [`LOOK_EVERY`]. A change counts when two looks have found it the same, so that a file which is just
//! being written is not taken for what it is going to be: a vendor is let in, restricted or shut out within 1 s of the change, and so
//! are the calls it has open. SIGHUP and `archwire reload` have it read at once, with the files of tokens. One that cannot be taken is
//! said loudly, once, and is tried again at every look: what is wrong may be a certificate or a secret that is just being replaced. Of
//! such a one counts only what it takes away from vendors ([`Current::narrow`]).

mod asking;
mod current;
#[cfg(test)]
mod tests;

pub use asking::{Asks, Reloading};

use super::configured;
use crate::{
    api::status::with_causes,
    audit::Audit,
    config::{Config, Problem, Stated, process_environment},
    vendors::Books,
};
use archwire_core::SystemName;
use archwire_proto::admin::v1::ReloadConfigurationResponse;
use asking::Ask;
use current::{Change, Current};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs,
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
    current: Current,
    audit: Audit,
    books: Books,
    /// As the file was when it was read last, and what it said.
    taken: (Look, Option<[u8; 32]>),
    /// As the last look found it.
    last: Look,
    /// Why the last one was not taken, where it was not: it is tried again until it can be, or is another one.
    refused: Option<String>,
    hung_up: Option<Signal>,
    asks: Asks,
}

/// A file that was read.
enum Read {
    /// It can be taken.
    Whole(Box<Config>),
    /// It cannot, and what it says of vendors all the same.
    Flawed(Vec<Problem>, BTreeMap<SystemName, Stated>),
}

/// Why the loop goes round.
enum Cause {
    Tick,
    HungUp,
    Asked(Ask),
}

/// Listens for SIGHUP from now on, which would end the process otherwise. None where the system does not let it.
pub(super) fn listen() -> Option<Signal> {
    signal(SignalKind::hangup()).ok()
}

impl Reload {
    /// Of the configuration with which the broker was started, and whose vendors are in the book.
    pub(super) fn new(
        loaded: Config,
        books: Books,
        audit: Audit,
        hung_up: Option<Signal>,
        asks: Asks,
    ) -> Self {
        Self {
            taken: (None, Some(loaded.file_digest)),
            current: Current::new(loaded, books.clone()),
            books,
            audit,
            last: None,
            refused: None,
            hung_up,
            asks,
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
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let cause = tokio::select! {
                () = shutdown.cancelled() => return,
                () = hung_up(&mut self.hung_up) => Cause::HungUp,
                Some(ask) = self.asks.0.recv() => Cause::Asked(ask),
                _ = looks.tick() => Cause::Tick,
            };
            let change = match cause {
                Cause::Tick if self.look().await => self.read_again().await.1,
                Cause::Tick => None,
                Cause::HungUp => {
                    tracing::info!("asked to read the configuration again");
                    // Who asks is told what is wrong once more.
                    self.refused = None;
                    self.read_again().await.1
                }
                Cause::Asked(Ask { is_trial, answer }) => {
                    let (told, change) = match is_trial {
                        true => (self.trial().await, None),
                        false => self.read_again().await,
                    };
                    // Whoever asked may have gone meanwhile.
                    _ = answer.send(told);
                    change
                }
            };
            if let Some(change) = change
                && tell.try_send(change).is_err()
            {
                tracing::error!(
                    "the audit takes nothing; the next start tells that the configuration changed"
                );
            }
        }
    }

    /// Whether the file is another one, or has to be tried again.
    async fn look(&mut self) -> bool {
        let file = self.current.loaded().file.clone();
        let look = spawn_blocking(move || look_at(&file)).await.unwrap_or_default();
        let is_settled = look == std::mem::replace(&mut self.last, look);
        if !is_settled {
            return false;
        }
        if look == self.taken.0 {
            // What was in the way may be another file, which is mended by itself: a certificate or a secret that is being replaced.
            return self.refused.is_some();
        }
        let file = self.current.loaded().file.clone();
        let digest = spawn_blocking(move || digest_of(&file)).await.unwrap_or_default();
        let is_same = digest == self.taken.1;
        self.taken = (look, digest);
        // What is refused is tried again until it is taken, also where it is what it was before.
        !is_same || self.refused.is_some()
    }

    async fn read(&self) -> Read {
        let (file, practice) = (
            self.current.loaded().file.clone(),
            self.current.practice().clone(),
        );
        let read = spawn_blocking(move || {
            let problems = match Config::load(&file, process_environment()) {
                Ok(config) => return Ok(config),
                Err(error) => error.problems,
            };
            Err((problems, Config::stated(&file, process_environment(), &practice)))
        });
        match read.await {
            Ok(Ok(config)) => match self.current.foreign(&config) {
                None => Read::Whole(Box::new(config)),
                Some(problem) => Read::Flawed(vec![problem], self.current.agreed_in(&config)),
            },
            Ok(Err((problems, stated))) => Read::Flawed(problems, stated),
            Err(_) => Read::Flawed(Vec::new(), BTreeMap::new()),
        }
    }

    /// What would come of reading the file.
    async fn trial(&self) -> ReloadConfigurationResponse {
        match self.read().await {
            Read::Whole(config) => self.current.effect(&config),
            Read::Flawed(problems, stated) => self.current.refusal(&problems, &stated),
        }
    }

    /// Reads the file, and has it count as far as it can. Tells what came of it, and what has to be written down.
    async fn read_again(&mut self) -> (ReloadConfigurationResponse, Option<Change>) {
        match self.read().await {
            Read::Whole(config) => {
                if self.refused.take().is_some() {
                    tracing::info!("the configuration can be taken again");
                }
                let effect = self.current.effect(&config);
                let change = self.current.take(*config);
                if change.is_some() {
                    say(&effect);
                }
                (effect, change)
            }
            Read::Flawed(problems, stated) => {
                let effect = self.current.refusal(&problems, &stated);
                self.refuse(&problems);
                let change = self.current.narrow(&stated);
                if change.is_some() {
                    let vendors: Vec<_> = effect
                        .vendors
                        .iter()
                        .map(|vendor| vendor.vendor.as_str())
                        .collect();
                    tracing::warn!(
                        code = "configuration_narrowed",
                        vendors = vendors.join(", "),
                        "what the configuration does not grant any more is taken away, although it cannot be taken as a whole"
                    );
                }
                (effect, change)
            }
        }
    }

    /// Says why a configuration is not taken, one problem at a time, and as long as it is the same, once.
    fn refuse(&mut self, problems: &[Problem]) {
        let all: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let why = all.join("\n");
        if self.refused.as_ref() == Some(&why) {
            return;
        }
        tracing::error!(
            code = "configuration_invalid",
            problems = problems.len(),
            "the configuration changed and cannot be taken; until it can be, only what it takes away from vendors counts"
        );
        for problem in problems {
            tracing::error!(code = problem.kind.code(), "{problem}");
        }
        self.refused = Some(why);
    }
}

/// Says what of a configuration counts now, and what later.
fn say(effect: &ReloadConfigurationResponse) {
    if !effect.live_keys.is_empty() || !effect.vendors.is_empty() {
        tracing::info!(
            keys = effect.live_keys.join(", "),
            "the vendors are as the configuration says now"
        );
    }
    if !effect.restart_keys.is_empty() {
        tracing::warn!(
            code = "restart_needed",
            keys = effect.restart_keys.join(", "),
            "the configuration changed where it takes effect at the next start of the broker only"
        );
    }
}

/// Writes down what was agreed when the broker started, and then each change.
async fn write_down(books: Books, audit: Audit, mut told: mpsc::Receiver<Change>) {
    state_contracts(&books, &audit).await;
    while let Some(change) = told.recv().await {
        if let Change::Configuration { before, after, keys } = change {
            configured::changed(&audit, &before, &after, keys).await;
        }
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
