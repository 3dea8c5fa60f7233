//! Overrides by environment variables.

use super::{Office, system};
use std::time::Duration;

#[test]
fn a_variable_wins_over_the_file() {
    let office =
        Office::with("[api]\nlisten = \"127.0.0.1:1\"\n").variable("ARCHWIRE__API__LISTEN", "127.0.0.1:2");
    assert_eq!(office.config().api.listen.port(), 2);
}

#[test]
fn a_variable_reaches_keys_and_names_with_dashes_and_takes_the_type_that_the_key_wants() {
    let office = Office::with(&system("[systems.front-desk.limits]\n"))
        .variable("ARCHWIRE__SYSTEMS__FRONT_DESK__POLL_EVERY", "250ms")
        .variable("ARCHWIRE__SYSTEMS__FRONT_DESK__DELIVER", "false")
        .variable("ARCHWIRE__SYSTEMS__FRONT_DESK__SETTINGS__DRY_RUN", "true")
        .variable("ARCHWIRE__NATS__REPLICAS", "1");
    let config = office.config();
    let system = config.systems.values().next().unwrap();
    assert_eq!(system.poll_every, Some(Duration::from_millis(250)));
    assert!(!system.deliver);
    assert_eq!(system.settings["dry-run"], "true");
    assert_eq!(config.nats.replicas.get(), 1);
}

#[test]
fn a_variable_gives_a_key_that_the_file_does_not_have() {
    let office = Office::with_file("").variable("ARCHWIRE__PRACTICE__NAME", "elm-road");
    assert_eq!(office.config().practice.as_str(), "elm-road");
}

#[test]
fn a_variable_is_named_as_the_place_of_its_problem() {
    for (name, value, complaint) in [
        (
            "ARCHWIRE__API__LISTEN",
            "here",
            "config_value api.listen \"here\" is not an address to listen on",
        ),
        (
            "ARCHWIRE__API__LISEN",
            "x",
            "config_unknown_key api.lisen is not a key of the configuration -> did you mean ARCHWIRE__API__LISTEN?",
        ),
        (
            "ARCHWIRE__APY",
            "x",
            "config_unknown_key apy is not a key of the configuration -> did you mean ARCHWIRE__API?",
        ),
        (
            "ARCHWIRE__NATS__REPLICAS",
            "many",
            "config_wrong_type nats.replicas is text, but must be a whole number",
        ),
        (
            "ARCHWIRE__SYSTEMS__NEW__ENABLED",
            "false",
            "config_missing systems.new.connector is missing",
        ),
        ("ARCHWIRE__API__", "x", "config_unknown_key  does not name a key"),
        (
            "ARCHWIRE__SYSTEMS__A[0]__B",
            "x",
            "config_unknown_key  does not name a key",
        ),
    ] {
        let problem = Office::with("[api]\nlisten = \"127.0.0.1:1\"\n")
            .variable(name, value)
            .problem();
        assert!(
            problem.starts_with(&format!("environment variable {name}: {complaint}")),
            "{problem}"
        );
    }
}

#[test]
fn a_list_cannot_come_from_a_variable() {
    let office = Office::with(&system("")).variable("ARCHWIRE__SYSTEMS__FRONT_DESK__GRANTS", "[]");
    assert!(
        office
            .problem()
            .contains("front-desk.grants is text, but must be a list"),
        "{}",
        office.problem()
    );
}

#[test]
fn other_variables_are_not_the_brokers_business() {
    let office = Office::with("")
        .variable("ARCHWIRE_LOG", "x")
        .variable("archwire__api__listen", "x");
    assert_eq!(office.config().api.listen.port(), 7400);
}
