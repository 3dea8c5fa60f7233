//! What another configuration makes of the one that counts.

use super::current::{Change, Current};
use crate::{
    config::{Config, Stated},
    vendors::{Book, Books, Vendor},
};
use archwire_core::SystemName;
use jiff::tz::TimeZone;
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::PathBuf};
use tempfile::TempDir;

const VENDORS: &str = r#"
[vendors.imaging]
organization = "Example Imaging Ltd"
purpose = "treatment"
legal-basis = "agreement of a test"
patients = "all"
read-kinds = ["created", "updated"]
read-fields = ["name", "contact"]

[vendors.tracer]
organization = "Example Cephalometry Ltd"
purpose = "treatment"
legal-basis = "agreement of a test"
patients = "all"
"#;

/// A configuration file, and the configuration that counts.
struct Desk {
    folder: TempDir,
    books: Books,
    current: Current,
}

impl Desk {
    fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let server = folder.path().join("nats-server");
        fs::write(&server, "").unwrap();
        fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
        let file = folder.path().join("archwire.toml");
        fs::write(&file, text(VENDORS)).unwrap();
        let config = Config::load(&file, [].into_iter()).unwrap();
        let vendors: Vec<_> = config.vendors.values().map(Vendor::new).collect();
        let books = Books::new(Book::new(vendors, TimeZone::UTC));
        Self {
            current: Current::new(config, books.clone()),
            books,
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("archwire.toml")
    }

    fn config(&self, text: &str) -> Config {
        fs::write(self.file(), text).unwrap();
        Config::load(&self.file(), [].into_iter()).unwrap()
    }

    /// What a file says of vendors that cannot be taken.
    fn flawed(&self, text: &str) -> BTreeMap<SystemName, Stated> {
        fs::write(self.file(), text).unwrap();
        assert!(Config::load(&self.file(), [].into_iter()).is_err());
        Config::stated(&self.file(), [].into_iter(), self.current.practice())
    }

    /// What a vendor reads; `None` while it is suspended.
    fn reads(&self, vendor: &str) -> Option<Vec<&'static str>> {
        let book = self.books.now();
        let contract = &book.vendor(&vendor.parse().unwrap()).unwrap().contract;
        let fields = contract.read.fields.iter().map(|group| group.as_str());
        contract.enabled.then(|| fields.collect())
    }
}

fn text(vendors: &str) -> String {
    format!(
        "[practice]\nname = \"maple-street\"\n[nats]\nserver = \"nats-server\"\nmax-store = \"8GiB\"\n[api]\nplaintext = \
         \"loopback-only\"\n{vendors}"
    )
}

#[test]
fn what_counts_now_and_what_later_is_told_apart_until_the_next_start() {
    let mut desk = Desk::open();
    let narrower = VENDORS.replace("[\"name\", \"contact\"]", "[\"name\"]");
    let other = text(&narrower).replace("8GiB", "9GiB");
    let config = desk.config(&other);
    let effect = desk.current.effect(&config);
    assert_eq!(effect.live_keys, ["vendors.imaging.read-fields"]);
    assert_eq!(effect.restart_keys, ["nats.max-store"]);
    let [imaging] = &effect.vendors[..] else {
        panic!("{} vendors", effect.vendors.len());
    };
    assert_eq!(
        (imaging.vendor.as_str(), imaging.change.as_str()),
        ("imaging", "changed")
    );
    let said: Vec<_> = imaging
        .statements
        .iter()
        .map(|said| (said.name.as_str(), said.before.as_str(), said.after.as_str()))
        .collect();
    assert_eq!(said[0], ("reads fields", "name, contact", "name"));
    assert_eq!((said.len(), said[1].0), (2, "digest"));
    assert!(!imaging.has_other_credentials);
    assert_eq!(
        desk.reads("imaging"),
        Some(vec!["name", "contact"]),
        "to tell changes nothing"
    );

    assert!(matches!(
        desk.current.take(config.clone()),
        Some(Change::Configuration { keys, .. }) if keys.len() == 2
    ));
    assert_eq!(desk.reads("imaging"), Some(vec!["name"]));
    assert!(desk.current.take(config.clone()).is_none(), "it counts already");
    let again = desk.current.effect(&config);
    assert!(again.live_keys.is_empty() && again.vendors.is_empty());
    assert_eq!(again.restart_keys, ["nats.max-store"], "it still waits");
}

#[test]
fn who_comes_and_who_goes_is_told() {
    let desk = Desk::open();
    let config = desk.config(&text(&VENDORS.replace("vendors.tracer", "vendors.planner")));
    let effect = desk.current.effect(&config);
    let told: Vec<_> = effect
        .vendors
        .iter()
        .map(|vendor| (vendor.vendor.as_str(), vendor.change.as_str()))
        .collect();
    assert_eq!(told, [("planner", "added"), ("tracer", "removed")]);
}

#[test]
fn a_file_that_cannot_be_taken_takes_away_and_gives_nothing() {
    let mut desk = Desk::open();
    let vendors = VENDORS
        .replace(
            "[\"name\", \"contact\"]",
            "[\"contact\", \"photo\"]\nread-source = true",
        )
        .replace(
            "[vendors.tracer]",
            "[vendors.tracer]\nenabled = false\nmisspelt = 1",
        );
    let bad = text(&vendors).replace("8GiB", "no size");
    let stated = desk.flawed(&bad);
    let told = desk.current.refusal(&[], &stated);
    let told: Vec<_> = told
        .vendors
        .iter()
        .map(|vendor| (vendor.vendor.as_str(), vendor.change.as_str()))
        .collect();
    assert_eq!(told, [("imaging", "narrowed"), ("tracer", "narrowed")]);
    assert!(matches!(desk.current.narrow(&stated), Some(Change::Contracts)));
    assert_eq!(desk.reads("imaging"), Some(vec!["contact"]));
    assert_eq!(
        desk.reads("tracer"),
        None,
        "it is shut out, whatever else its table says"
    );
    assert!(
        desk.current.narrow(&stated).is_none(),
        "there is nothing more to take away"
    );

    // As it was at the beginning.
    let config = desk.config(&text(VENDORS));
    assert_eq!(desk.current.effect(&config).vendors.len(), 2);
    assert!(matches!(desk.current.take(config), Some(Change::Contracts)));
    assert_eq!(desk.reads("imaging"), Some(vec!["name", "contact"]));
    assert_eq!(desk.reads("tracer"), Some(vec![]));
}

#[test]
fn a_file_that_is_cut_off_or_somebody_elses_shuts_nobody_out() {
    let mut desk = Desk::open();
    let whole = text(VENDORS);
    let suspended = whole.replace("patients", "enabled = false\npatients");
    for flawed in [
        whole.replace("[practice]", "[practice"),
        suspended
            .replace("maple-street", "elm-street")
            .replace("8GiB", "no size"),
        // The tables of vendors are not there yet.
        text("").replace("8GiB", "no size"),
        // A table that cannot be understood says nothing that is certain.
        text(&VENDORS.replace(
            "read-fields = [\"name\", \"contact\"]",
            "read-fields = [\"nmae\"]",
        )),
    ] {
        let stated = desk.flawed(&flawed);
        assert!(desk.current.narrow(&stated).is_none(), "{flawed}");
    }
    assert_eq!(desk.reads("imaging"), Some(vec!["name", "contact"]));
}
