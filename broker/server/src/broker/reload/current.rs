//! The configuration that counts, and what another one would make of it. Reads nothing and waits for nothing.
//!
//! One that cannot be taken does not keep anybody in whom it shuts out: of each vendor whose table can be understood, what it does not
//! grant any more is taken away (`narrowed`), and comes back, where it should, with the next one that can be taken. Nobody is removed by
//! such a file, and no token revoked: a table that is missing may be a file that is being written.

use crate::{
    config::{Config, Outline, Place, Problem, ProblemKind, Stated},
    vendors::{Book, Books, Vendor, narrowed, suspended},
};
use archwire_core::{PracticeName, SystemName, contract::Contract};
use archwire_proto::admin::v1::{
    ChangedStatement, ConfigurationProblem, ReloadConfigurationResponse, VendorChange,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The configuration that counts.
pub(super) struct Current {
    loaded: Config,
    /// What the broker was started with.
    started: Outline,
    /// The practice that this broker serves, and the systems that run, whatever the file says by now.
    practice: PracticeName,
    systems: BTreeSet<SystemName>,
    books: Books,
}

/// What has to be written down.
pub(super) enum Change {
    /// Another configuration was taken.
    Configuration {
        before: Outline,
        after: Box<Config>,
        keys: Vec<String>,
    },
    /// Contracts are others, and the configuration is the same.
    Contracts,
}

type Vendors = BTreeMap<SystemName, Vendor>;

impl Current {
    /// That with which the broker was started, and whose vendors are in the book.
    pub(super) fn new(loaded: Config, books: Books) -> Self {
        Self {
            started: loaded.outline.clone(),
            practice: loaded.practice.clone(),
            systems: loaded.systems.keys().cloned().collect(),
            loaded,
            books,
        }
    }

    pub(super) fn loaded(&self) -> &Config {
        &self.loaded
    }

    pub(super) fn practice(&self) -> &PracticeName {
        &self.practice
    }

    /// Why a configuration that holds in itself cannot be that of a broker that runs: it has to be of the same practice, and without a
    /// vendor that has the name of a system which still runs, so that nobody speaks for both.
    pub(super) fn foreign(&self, config: &Config) -> Option<Problem> {
        let mut both = config.vendors.keys().filter(|name| self.systems.contains(*name));
        let (key, what, way_out) = match both.next() {
            Some(name) => (
                format!("vendors.{name}"),
                "has the name of a system that runs",
                "start the broker again",
            ),
            None if config.practice != self.practice => (
                "practice.name".to_owned(),
                "is another practice",
                "each practice has a broker of its own: start one with this file",
            ),
            None => return None,
        };
        Some(Problem {
            place: Place::File {
                file: config.file.clone(),
                line: None,
            },
            key,
            kind: ProblemKind::Conflict,
            what: what.to_owned(),
            way_out: Some(way_out.to_owned()),
        })
    }

    /// The contracts of a configuration that holds in itself; none where it is another practice's.
    pub(super) fn agreed_in(&self, config: &Config) -> BTreeMap<SystemName, Stated> {
        let is_ours = config.practice == self.practice;
        let vendors = config.vendors.iter().filter(|_| is_ours);
        vendors
            .map(|(name, vendor)| (name.clone(), Stated::Contract(Box::new(vendor.contract.clone()))))
            .collect()
    }

    /// What it is, or would be, to take this configuration.
    pub(super) fn effect(&self, config: &Config) -> ReloadConfigurationResponse {
        let vendors = vendors_of(config);
        let book = self.books.now();
        let mut live = self.loaded.outline.changed(&config.outline);
        live.retain(|key| is_live(key));
        live.extend(other_tokens(&book, &vendors));
        live.sort();
        live.dedup();
        let mut restart = self.started.changed(&config.outline);
        restart.retain(|key| !is_live(key));
        ReloadConfigurationResponse {
            file: config.file.display().to_string(),
            is_taken: true,
            live_keys: live,
            restart_keys: restart,
            vendors: changes(&book, &vendors),
            problems: Vec::new(),
        }
    }

    /// Lets the vendors of this configuration in, on its terms. Tells what has to be written down, if anything is another.
    pub(super) fn take(&mut self, config: Config) -> Option<Change> {
        let vendors = vendors_of(&config);
        let book = self.books.now();
        let mut keys = self.loaded.outline.changed(&config.outline);
        keys.extend(other_tokens(&book, &vendors));
        keys.sort();
        keys.dedup();
        let is_other = is_other(&book, &vendors);
        if is_other {
            self.books.put_vendors(vendors.into_values());
        }
        let before = std::mem::replace(&mut self.loaded, config).outline;
        match keys.is_empty() {
            true => is_other.then_some(Change::Contracts),
            false => Some(Change::Configuration {
                before,
                after: Box::new(self.loaded.clone()),
                keys,
            }),
        }
    }

    /// What it is, or would be, that a configuration which cannot be taken says this.
    pub(super) fn refusal(
        &self,
        problems: &[Problem],
        stated: &BTreeMap<SystemName, Stated>,
    ) -> ReloadConfigurationResponse {
        let book = self.books.now();
        let mut vendors = changes(&book, &left(&book, stated));
        for vendor in &mut vendors {
            "narrowed".clone_into(&mut vendor.change);
        }
        ReloadConfigurationResponse {
            file: self.loaded.file.display().to_string(),
            is_taken: false,
            vendors,
            problems: problems.iter().map(problem).collect(),
            ..ReloadConfigurationResponse::default()
        }
    }

    /// Takes away from vendors what a configuration which cannot be taken does not grant them any more.
    pub(super) fn narrow(&mut self, stated: &BTreeMap<SystemName, Stated>) -> Option<Change> {
        let book = self.books.now();
        let left = left(&book, stated);
        if !is_other(&book, &left) {
            return None;
        }
        self.books.put_vendors(left.into_values());
        Some(Change::Contracts)
    }
}

/// Whether what stands at a key takes effect at once. Who is right about what, the registry is told when it starts.
fn is_live(key: &str) -> bool {
    key.starts_with("vendors.") && !key.ends_with(".owns") && !key.ends_with(".on-disagreement")
}

fn vendors_of(config: &Config) -> Vendors {
    let vendors = config.vendors.iter();
    vendors
        .map(|(name, vendor)| (name.clone(), Vendor::new(vendor)))
        .collect()
}

/// The vendors of a book, with no more than is stated of them as well.
fn left(book: &Book, stated: &BTreeMap<SystemName, Stated>) -> Vendors {
    let left = |vendor: &Arc<Vendor>| {
        let contract = match stated.get(&vendor.name) {
            None => return Vendor::clone(vendor),
            Some(Stated::Suspended) => suspended(&vendor.contract),
            Some(Stated::Contract(wanted)) => narrowed(&vendor.contract, wanted),
        };
        Vendor {
            digest: contract.digest(),
            contract: Arc::new(contract),
            ..Vendor::clone(vendor)
        }
    };
    book.vendors()
        .map(|vendor| (vendor.name.clone(), left(vendor)))
        .collect()
}

fn is_other(book: &Book, vendors: &Vendors) -> bool {
    !book.vendors().map(|vendor| &**vendor).eq(vendors.values())
}

/// The keys of tokens that are others although the configuration may name the same files.
fn other_tokens(book: &Book, vendors: &Vendors) -> Vec<String> {
    let is_other = |(name, vendor): &(&SystemName, &Vendor)| {
        let before = book.vendor(name);
        before.is_some_and(|before| before.tokens != vendor.tokens)
    };
    let others = vendors.iter().filter(is_other);
    others.map(|(name, _)| format!("vendors.{name}.token")).collect()
}

/// What is different for which vendor.
fn changes(book: &Book, vendors: &Vendors) -> Vec<VendorChange> {
    let names: BTreeSet<_> = book.vendors().map(|vendor| &vendor.name).collect();
    let names = names.into_iter().chain(vendors.keys()).collect::<BTreeSet<_>>();
    let change = |name: &SystemName| {
        let (before, after) = (book.vendor(name).map(|vendor| &**vendor), vendors.get(name));
        let change = match (before, after) {
            (None, _) => "added",
            (_, None) => "removed",
            (before, after) if before == after => return None,
            _ => "changed",
        };
        let credentials = |vendor: &Vendor| (vendor.tokens.clone(), vendor.certificates.clone());
        Some(VendorChange {
            vendor: name.to_string(),
            change: change.to_owned(),
            statements: statements(
                before.map(|vendor| &*vendor.contract),
                after.map(|vendor| &*vendor.contract),
            ),
            has_other_credentials: match (before, after) {
                (Some(before), Some(after)) => credentials(before) != credentials(after),
                _ => false,
            },
        })
    };
    names.into_iter().filter_map(change).collect()
}

/// What two contracts say differently.
fn statements(before: Option<&Contract>, after: Option<&Contract>) -> Vec<ChangedStatement> {
    let said = |contract: Option<&Contract>| -> Vec<_> {
        contract.map(Contract::in_words).into_iter().flatten().collect()
    };
    let (before, after) = (said(before), said(after));
    let names = before.iter().chain(&after).map(|(name, _)| *name);
    let mut seen = BTreeSet::new();
    let under = |said: &[(&str, String)], name| {
        let found = said.iter().find(|(other, _)| *other == name);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    };
    names
        .filter(|name| seen.insert(*name))
        .map(|name| ChangedStatement {
            name: name.to_owned(),
            before: under(&before, name),
            after: under(&after, name),
        })
        .filter(|statement| statement.before != statement.after)
        .collect()
}

fn problem(problem: &Problem) -> ConfigurationProblem {
    ConfigurationProblem {
        place: problem.place.to_string(),
        key: problem.key.clone(),
        code: problem.kind.code().to_owned(),
        what: problem.what.clone(),
        way_out: problem.way_out.clone().unwrap_or_default(),
    }
}
