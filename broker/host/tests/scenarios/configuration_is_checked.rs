//! What the administrator chose is checked before anything runs.

use crate::support::{config, grant, load};
use archwire_host::{
    Ability, Connector, Grant, Limits, MemoryStateStore, SetUpError, SettingKind, SystemConfig,
};
use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

async fn problems(config: SystemConfig) -> Vec<(&'static str, String)> {
    let component = load("hostile").await;
    match Connector::new(component, config, Arc::new(MemoryStateStore::default())) {
        Ok(_) => Vec::new(),
        Err(SetUpError::Config(error)) => error
            .problems
            .iter()
            .map(|problem| (problem.code(), problem.to_string()))
            .collect(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let text = |text: &str| text.to_owned();
    let grants = vec![Grant {
        private_addresses: false,
        ..grant("http://api.example.com")
    }];
    let limits = Limits {
        memory_bytes: 1 << 40,
        deadline: Duration::ZERO,
        ..Limits::default()
    };
    let settings = BTreeMap::from([
        (text("greting"), text("hello")),
        (text("count"), text("many")),
        (text("url"), text("http://127.0.0.1:1/")),
    ]);
    let secrets = BTreeMap::from([(text("kye"), "secret-value".into())]);
    let problems = problems(SystemConfig {
        settings,
        secrets,
        grants,
        limits,
        ..config()
    })
    .await;
    let codes: Vec<&str> = problems.iter().map(|(code, _)| *code).collect();
    let expected = [
        "setting_unknown",
        "setting_invalid",
        "setting_missing",
        "setting_invalid",
        "secret_unknown",
        "secret_missing",
        "memory_too_large",
        "timeout_zero",
        "credential_in_the_clear",
    ];
    assert_eq!(codes, expected);
    assert_eq!(
        problems[0].1,
        "the connector has no setting greting; it has: url, greeting, count"
    );
    assert_eq!(problems[3].1, "the setting count must be a whole number");
    assert!(!format!("{problems:?}").contains("secret-value"));
}

#[tokio::test]
async fn a_secret_with_a_line_break_is_not_sent() {
    let secrets = BTreeMap::from([("key".to_owned(), "secret\r\nHost: evil.test".into())]);
    let problems = problems(SystemConfig { secrets, ..config() }).await;
    assert_eq!(problems[0].0, "secret_unsendable");
    assert!(!problems[0].1.contains("evil"));
}

#[tokio::test]
async fn the_error_names_its_cause() {
    let config = SystemConfig {
        settings: BTreeMap::new(),
        ..config()
    };
    let made = Connector::new(
        load("hostile").await,
        config,
        Arc::new(MemoryStateStore::default()),
    );
    let error = made.unwrap_err();
    assert_eq!(error.code(), "connector_config_invalid");
    assert_eq!(
        error.source().unwrap().to_string(),
        "the setting greeting is missing: Any."
    );
}

#[tokio::test]
async fn a_description_says_what_the_connector_is_and_wants() {
    let component = load("hostile").await;
    let description = component.description();
    assert_eq!(
        (description.name.as_str(), description.version.as_str()),
        ("hostile", "0.1.0")
    );
    assert!(
        description.abilities.contains(&Ability::Poll) && !description.abilities.contains(&Ability::Receive)
    );
    assert_eq!(description.settings[0].kind, SettingKind::Url);
    let wish = &description.grants[0];
    let set = BTreeMap::from([("url".to_owned(), "https://api.example.com/v1".to_owned())]);
    assert_eq!(
        description.origin(wish, &set).unwrap().to_string(),
        "https://api.example.com"
    );
    assert_eq!(
        description.origin(wish, &BTreeMap::new()).unwrap().to_string(),
        "http://127.0.0.1:1"
    );
}
