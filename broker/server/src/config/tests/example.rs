//! The example that administrators copy stays true.

use super::{Office, TOKEN};
use crate::config::{
    Config, Outline, ProblemKind,
    flaw::{Flaw, FlawKind},
    raw,
};
use serde::{Deserialize, de::value::MapDeserializer};
use std::{collections::BTreeSet, fs, path::Path};

fn example() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/archwire.toml");
    fs::read_to_string(file).unwrap()
}

fn office(text: &str) -> Office {
    Office::with_file(text)
        .secret("secrets/customer-key", "customer")
        .secret("secrets/ceph-token", TOKEN)
        .variable("OD_DEVELOPER_KEY", "developer")
}

#[test]
fn the_example_loads_with_the_files_and_variables_that_it_names() {
    let config = office(&example()).config();
    assert_eq!(config.systems.len(), 1);
    assert_eq!(config.vendors.len(), 1);
    assert!(
        config
            .systems
            .values()
            .all(|system| system.enabled && system.secrets.len() == 2)
    );
}

#[test]
fn every_key_that_the_example_comments_out_is_a_key_with_a_value_of_the_right_type() {
    let text = example();
    for line in commented_keys(&text) {
        let office = office(&text.replace(line, line.trim_start_matches('#')));
        let problems = office.load().map_or_else(|error| error.problems, |_| Vec::new());
        let wrong = [
            ProblemKind::UnknownKey,
            ProblemKind::WrongType,
            ProblemKind::Unreadable,
            ProblemKind::Value,
        ];
        assert!(
            problems.iter().all(|problem| !wrong.contains(&problem.kind)),
            "{line}: {problems:#?}"
        );
    }
}

#[test]
fn what_the_example_shows_as_a_default_is_the_default() {
    let text = example();
    let shown = |text: &str| {
        let office = office(text);
        let config = Config {
            file_digest: [0; 32],
            outline: Outline::default(),
            ..office.config()
        };
        format!("{config:?}").replace(&office.path("").display().to_string(), "/office/")
    };
    let defaults = [
        "max-store",
        "replicas",
        "largest",
        "keep-unused",
        "keep-free",
        "format",
        "level",
        "enabled",
        "deliver",
        "deliver-images",
        "spacing",
        "burst",
        "in-flight",
        "memory",
        "deadline",
        "read-source",
        "requests-per-second",
        "streams",
    ];
    let is_default = |line: &str| defaults.iter().any(|key| line.starts_with(&format!("#{key} = ")));
    let lines: Vec<_> = commented_keys(&text)
        .into_iter()
        .filter(|line| is_default(line))
        .collect();
    let is_shown = |key: &&str| lines.iter().any(|line| line.starts_with(&format!("#{key} = ")));
    assert!(defaults.iter().all(is_shown));
    for line in lines {
        assert_eq!(
            shown(&text.replace(line, line.trim_start_matches('#'))),
            shown(&text),
            "{line}"
        );
    }
}

/// The lines `#key = value`, without a space after the hash; prose has one.
fn commented_keys(text: &str) -> Vec<&str> {
    let is_key = |line: &&str| {
        line.strip_prefix('#')
            .is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_lowercase()))
    };
    text.lines().filter(is_key).collect()
}

/// What the raw struct would say are its keys: it names them when it meets one that it does not know.
fn known<T: for<'de> Deserialize<'de>>() -> BTreeSet<String> {
    let unknown = MapDeserializer::<_, Flaw>::new([("?", ())].into_iter());
    match T::deserialize(unknown).map(|_| ()).unwrap_err().kind {
        FlawKind::UnknownKey { known } => known.iter().map(|key| (*key).to_owned()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_has_every_key_that_the_broker_knows_and_no_other() {
    let text = example();
    let all: String = text
        .lines()
        .map(|line| {
            if commented_keys(line).is_empty() {
                line
            } else {
                line.trim_start_matches('#')
            }
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let all: toml::Table = all.parse().unwrap();
    let keys = |table: &toml::Value| table.as_table().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let account = &all["accounts"]["open-dental"];
    let system = &all["systems"]["front-desk"];
    assert_eq!(
        all.keys().cloned().collect::<BTreeSet<_>>(),
        known::<raw::RawConfig>()
    );
    assert_eq!(keys(&all["practice"]), known::<raw::RawPractice>());
    assert_eq!(keys(&all["data"]), known::<raw::RawData>());
    assert_eq!(keys(&all["connectors"]), known::<raw::RawConnectors>());
    assert_eq!(keys(&all["api"]), known::<raw::RawApi>());
    assert_eq!(keys(&all["nats"]), known::<raw::RawNats>());
    assert_eq!(keys(&all["log"]), known::<raw::RawLog>());
    assert_eq!(keys(&all["identity"]), known::<raw::RawIdentity>());
    assert_eq!(keys(&all["audit"]), known::<raw::RawAudit>());
    assert_eq!(keys(&all["images"]), known::<raw::RawImages>());
    assert_eq!(keys(&all["images"]["sftp"]), known::<raw::RawImageSftp>());
    assert_eq!(keys(&all["telemetry"]), known::<raw::RawTelemetry>());
    assert_eq!(keys(account), known::<raw::RawAccount>());
    assert_eq!(keys(system), known::<raw::RawSystem>());
    assert_eq!(keys(&system["grants"][0]), known::<raw::RawGrant>());
    assert_eq!(keys(&system["limits"]), known::<raw::RawLimits>());
    assert_eq!(keys(&all["vendors"]["ceph-tracer"]), known::<raw::RawVendor>());
}
