//! `archwire check --json`: the same findings, for a program.

use crate::support::*;
use serde_json::Value;
use std::fs;

#[tokio::test]
async fn problems_of_the_configuration_are_its_answer() {
    // The configuration names a connector and a secret that are not there.
    let data = Data::new();
    let answer = data.run(&["check", "--offline", "--json"]).await;
    assert_eq!(answer.code, Some(64), "{}", answer.complained);
    let found: Value = serde_json::from_str(&answer.said).unwrap();
    assert_eq!(found["in_order"], false);
    let problems = found["problems"].as_array().unwrap();
    let keys: Vec<_> = problems
        .iter()
        .map(|problem| problem["key"].as_str().unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "systems.front-desk.connector",
            "systems.front-desk.secrets.key.env"
        ]
    );
    assert_eq!(problems[1]["code"], "config_secret");
    assert!(
        problems[1]["place"]
            .as_str()
            .unwrap()
            .ends_with("archwire.toml, line 8"),
        "{found}"
    );
}

#[tokio::test]
async fn what_is_in_order_is_said_to_be() {
    let data = Data::new();
    fs::write(
        data.configuration(),
        "[practice]\nname = \"maple-street\"\n[data]\nfolder = \"data\"\n",
    )
    .unwrap();
    let found = data.run(&["check", "--offline", "--json"]).await.json();
    assert_eq!(
        (&found["in_order"], &found["practice"]),
        (&true.into(), &"maple-street".into())
    );
    assert_eq!(found["error"], Value::Null);
}
