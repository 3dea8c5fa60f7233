//! Accounts, and the systems that use them.

use super::{Office, system};
use crate::config::Account;
use std::time::Duration;

fn with_account(account: &str) -> Office {
    Office::with(&format!(
        "{}[accounts.remote-api]\n{account}",
        system("account = \"remote-api\"\n")
    ))
}

#[test]
fn an_account_without_a_pace_bounds_nothing_by_itself() {
    let config = with_account("").config();
    let name = "remote-api".parse().unwrap();
    let expected = Account {
        spacing: Duration::ZERO,
        burst: 1.try_into().unwrap(),
        in_flight: 64.try_into().unwrap(),
    };
    assert_eq!(config.accounts[&name], expected);
    assert_eq!(config.systems.values().next().unwrap().account, Some(name));
}

#[test]
fn an_account_has_the_pace_that_is_written_in_the_file_or_a_variable() {
    let office = with_account("spacing = \"1s\"\nin-flight = 1\n")
        .variable("ARCHWIRE__ACCOUNTS__REMOTE_API__BURST", "5")
        .variable("ARCHWIRE__ACCOUNTS__REMOTE_API__IN_FLIGHT", "2");
    let expected = Account {
        spacing: Duration::from_secs(1),
        burst: 5.try_into().unwrap(),
        in_flight: 2.try_into().unwrap(),
    };
    assert_eq!(
        office.config().accounts.into_values().collect::<Vec<_>>(),
        [expected]
    );
}

#[test]
fn a_system_without_an_account_names_none() {
    let config = Office::with(&system("")).config();
    assert!(config.accounts.is_empty());
    assert_eq!(config.systems.values().next().unwrap().account, None);
}

#[test]
fn an_account_that_is_not_there_is_named_with_the_nearest_one() {
    let used = "[accounts.remote-api]\n[systems.other]\nconnector = \"echo\"\naccount = \"remote-api\"\n";
    let problem = |account: &str, more: &str| {
        let office = Office::with(&format!(
            "{}{more}",
            system(&format!("account = \"{account}\"\n"))
        ));
        office.problem()
    };
    let found = problem("remote-app", used);
    let expected = "line 5: config_value systems.front-desk.account \"remote-app\" is no account \
                    -> did you mean \"remote-api\"?";
    assert!(found.ends_with(expected), "{found}");
    let found = problem("x", used);
    assert!(found.ends_with("-> the accounts are remote-api"), "{found}");
    let found = problem("remote-api", "");
    assert!(
        found.ends_with("-> there are no accounts; each has a table: [accounts.NAME]"),
        "{found}"
    );
}

#[test]
fn an_account_that_no_system_uses_is_refused() {
    let problem = Office::with(&system("[accounts.remote-api]\nspacing = \"1s\"\n")).problem();
    let expected = "line 5: config_conflict accounts.remote-api is used by no system \
                    -> write account = \"remote-api\" in the table of each system that it is for, or remove it";
    assert!(problem.ends_with(expected), "{problem}");
}

#[test]
fn a_system_that_is_not_enabled_uses_its_account_all_the_same() {
    let office = Office::with(&format!(
        "{}[accounts.remote-api]\n",
        system("account = \"remote-api\"\nenabled = false\n")
    ));
    assert_eq!(office.config().accounts.len(), 1);
}

#[test]
fn bounds_and_names_of_accounts_hold() {
    for (account, complaint) in [
        (
            "spacing = \"2h\"",
            "spacing \"2h\" is out of bounds -> write a duration from 0s to 1h",
        ),
        (
            "burst = 0",
            "burst 0 is out of bounds -> write a whole number from 1 to 1000",
        ),
        (
            "in-flight = 65",
            "in-flight 65 is out of bounds -> write a whole number from 1 to 64",
        ),
        (
            "burts = 2",
            "burts is not a key of the configuration -> did you mean burst?",
        ),
    ] {
        let problem = with_account(account).problem();
        assert!(
            problem.contains(&format!("accounts.remote-api.{complaint}")),
            "{problem}"
        );
    }
    let office = Office::with(&format!(
        "{}[accounts.Remote_API]\n",
        system("account = \"Remote_API\"\n")
    ));
    let problem = office.problem();
    assert!(
        problem.contains("config_value accounts.Remote_API is not a name: "),
        "{problem}"
    );
    assert!(problem.ends_with("-> write remote-api"), "{problem}");
}
