//! What a practice is to consist of, before anything runs.

use crate::Practice;
use anyhow::Result;
use archwire_opendental_simulator::Options;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a practice is to consist of. Made by [`Practice::plan`].
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) practice: String,
    pub(crate) offices: Vec<(String, Options)>,
    pub(crate) archives: Vec<String>,
    pub(crate) archives_keep_all: bool,
    pub(crate) strangers_wait: bool,
    pub(crate) vendors: Vec<String>,
    pub(crate) poll_every: Duration,
    pub(crate) spacing: Duration,
    pub(crate) in_flight: usize,
    pub(crate) log_level: String,
    pub(crate) owns: BTreeMap<String, String>,
    pub(crate) contracts: BTreeMap<String, String>,
    pub(crate) has_external_nats: bool,
    pub(crate) nats_room: Option<&'static str>,
    pub(crate) extra: String,
    pub(crate) shows_log: bool,
    pub(crate) shares_cache: bool,
    pub(crate) disk: Option<u64>,
}

impl Plan {
    pub(crate) fn new() -> Self {
        Self {
            practice: "maple-street".to_owned(),
            offices: Vec::new(),
            archives: Vec::new(),
            archives_keep_all: false,
            strangers_wait: false,
            vendors: Vec::new(),
            poll_every: Duration::from_millis(200),
            spacing: Duration::ZERO,
            in_flight: 1,
            log_level: "debug,archwire::connector=info".to_owned(),
            owns: BTreeMap::new(),
            contracts: BTreeMap::new(),
            has_external_nats: false,
            nats_room: None,
            extra: String::new(),
            shows_log: true,
            shares_cache: true,
            disk: None,
        }
    }

    /// The practice's name. Default `maple-street`.
    #[must_use]
    pub fn named(mut self, practice: &str) -> Self {
        self.practice = practice.to_owned();
        self
    }

    /// What a vendor's table says beside its token. Default: a contract that grants everything.
    #[must_use]
    pub fn contract(mut self, vendor: &str, lines: &str) -> Self {
        self.contracts.insert(vendor.to_owned(), format!("{lines}\n"));
        self
    }

    /// One more system, with a simulated Open Dental behind it. A plan without any gets an unthrottled `front-desk`.
    #[must_use]
    pub fn system(mut self, name: &str, options: Options) -> Self {
        self.offices.push((name.to_owned(), options));
        self
    }

    /// One more system, with a real image archive behind it: an Orthanc whose studies are stable after a second.
    #[must_use]
    pub fn archive(mut self, name: &str) -> Self {
        self.archives.push(name.to_owned());
        self
    }

    /// Nothing may be removed from the archives.
    #[must_use]
    pub fn archives_keep_all(mut self) -> Self {
        self.archives_keep_all = true;
        self
    }

    /// Whom an archive shows and nobody knows waits for a person.
    #[must_use]
    pub fn strangers_wait(mut self) -> Self {
        self.strangers_wait = true;
        self
    }

    /// One more vendor, with a token of its own.
    #[must_use]
    pub fn vendor(mut self, name: &str) -> Self {
        self.vendors.push(name.to_owned());
        self
    }

    /// From the end of a poll to the beginning of the next. Default 200 ms.
    #[must_use]
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.poll_every = interval;
        self
    }

    /// The least time between the starts of two requests to a system. Default none.
    #[must_use]
    pub fn spacing(mut self, spacing: Duration) -> Self {
        self.spacing = spacing;
        self
    }

    /// The most requests to a system at the same time. Default 1.
    #[must_use]
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests;
        self
    }

    /// How much the broker tells: `trace`, `info`, or per module. Default debug, for connectors info.
    #[must_use]
    pub fn log_level(mut self, level: &str) -> Self {
        self.log_level = level.to_owned();
        self
    }

    /// What a system or vendor is right about, and what becomes of what others say otherwise: `restore` or `review`.
    #[must_use]
    pub fn owns(mut self, name: &str, groups: &[&str], on_disagreement: &str) -> Self {
        let lines = format!("owns = {groups:?}\non-disagreement = \"{on_disagreement}\"\n");
        self.owns.insert(name.to_owned(), lines);
        self
    }

    /// Further keys of a system, as TOML.
    #[must_use]
    pub fn keys(mut self, name: &str, toml: &str) -> Self {
        self.owns.entry(name.to_owned()).or_default().push_str(toml);
        self
    }

    /// A NATS server beside the broker, which several brokers may share. Default: the broker runs its own.
    #[must_use]
    pub fn external_nats(mut self) -> Self {
        self.has_external_nats = true;
        self
    }

    /// The same, with so much room for everything: `2G`.
    #[must_use]
    pub fn external_nats_of(mut self, room: &'static str) -> Self {
        self.nats_room = Some(room);
        self.external_nats()
    }

    /// Further configuration, as TOML after everything else.
    #[must_use]
    pub fn extra(mut self, toml: &str) -> Self {
        self.extra.push_str(toml);
        self
    }

    /// Does not print the end of the broker's log when the practice closes. A test's runner shows it only for tests
    /// that fail; a program has no such runner.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.shows_log = false;
        self
    }

    /// Compiles its connectors itself. Otherwise practices share what any of them has compiled, because that takes
    /// seconds each time.
    #[must_use]
    pub fn own_cache(mut self) -> Self {
        self.shares_cache = false;
        self
    }

    /// Has the broker's data on a disk of its own, of so many MiB, which can be cut off and filled. Only where
    /// [`Disk::obstacle`](crate::faults::disk::Disk::obstacle) knows of none.
    #[must_use]
    pub fn own_disk(mut self, mebibytes: u64) -> Self {
        self.disk = Some(mebibytes);
        self
    }

    /// Opens the simulated offices and the archives, and writes the configuration. The broker does not run yet.
    ///
    /// # Errors
    /// When a program is missing, or a simulator cannot start.
    pub async fn open(self) -> Result<Practice> {
        Practice::open(self).await
    }
}
