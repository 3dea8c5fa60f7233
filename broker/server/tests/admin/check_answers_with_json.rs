//! `archwire check --json`: the same findings, for a program.

use crate::support::*;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt as _};

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
        "[practice]\nname = \"maple-street\"\n[data]\nfolder = \"data\"\n[api]\nplaintext = \"loopback-only\"\n",
    )
    .unwrap();
    let found = data.run(&["check", "--offline", "--json"]).await.json();
    assert_eq!(
        (&found["in_order"], &found["practice"]),
        (&true.into(), &"maple-street".into())
    );
    assert_eq!(found["error"], Value::Null);
}

#[tokio::test]
async fn a_certificate_and_a_key_that_are_no_pair_are_found() {
    let data = Data::new();
    let folder = data.path().parent().unwrap().to_owned();
    let pair = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (one, other) = (pair(), pair());
    let put = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    put("api.pem", &one.cert.pem());
    put("key.pem", &other.signing_key.serialize_pem());
    fs::write(
        data.configuration(),
        "[practice]\nname = \"maple-street\"\n[data]\nfolder = \"data\"\n[api]\ntls-certificate = \"api.pem\"\ntls-key = \
         \"key.pem\"\n",
    )
    .unwrap();
    let answer = data.run(&["check", "--offline", "--json"]).await;
    let found: Value = serde_json::from_str(&answer.said).unwrap();
    assert_eq!(found["in_order"], false, "{found}");
    assert_eq!(found["error"]["code"], "tls_pair_invalid", "{found}");
    put("key.pem", &one.signing_key.serialize_pem());
    let found = data.run(&["check", "--offline", "--json"]).await.json();
    assert_eq!(found["in_order"], true, "{found}");
}
