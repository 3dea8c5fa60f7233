//! The example that administrators copy stays true.

use super::{Office, TOKEN};
use crate::config::{
    ProblemKind,
    flaw::{Flaw, FlawKind},
    raw,
};
use serde::{
    Deserialize,
    de::value::{MapDeserializer, UnitDeserializer},
};
use std::{fs, path::Path};

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
    let commented: Vec<_> = text.lines().filter(|line| is_commented_key(line)).collect();
    assert!(commented.len() > 10, "{commented:?}");
    for line in commented {
        let office = office(&text.replace(line, line.trim_start_matches('#')));
        let problems = office
            .load()
            .map(|_| Vec::new())
            .unwrap_or_else(|error| error.problems);
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

/// `#key = value`, without a space after the hash; prose has one.
fn is_commented_key(line: &str) -> bool {
    line.strip_prefix('#')
        .is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_lowercase()))
}

/// What the raw struct would say are its keys: it names them when it meets one that it does not know.
fn known<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let unknown = [("?", ())].into_iter();
    let unknown = MapDeserializer::<_, Flaw>::new(unknown);
    let _: Option<UnitDeserializer<Flaw>> = None;
    match T::deserialize(unknown).map(|_| ()).unwrap_err().kind {
        FlawKind::UnknownKey { known } => known,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_key_that_the_broker_knows_is_in_the_example() {
    let tables = known::<raw::RawConfig>();
    let keys = [
        known::<raw::RawPractice>(),
        known::<raw::RawData>(),
        known::<raw::RawConnectors>(),
        known::<raw::RawApi>(),
        known::<raw::RawNats>(),
        known::<raw::RawLog>(),
        known::<raw::RawGrant>(),
        known::<raw::RawLimits>(),
        known::<raw::RawVendor>(),
    ];
    let text = example();
    for table in tables {
        assert!(
            text.contains(&format!("\n[{table}")),
            "[{table}] is not in the example"
        );
    }
    let has = |key: &str| {
        text.lines()
            .any(|line| line.trim_start_matches('#').starts_with(&format!("{key} = ")))
    };
    for key in keys.into_iter().flatten() {
        assert!(has(key), "{key} is not in the example");
    }
    for key in known::<raw::RawSystem>() {
        let table = text.contains(&format!("[systems.front-desk.{key}]"));
        assert!(table || has(key), "{key} is not in the example");
    }
}
