//! Systems that share an account share its pace, whatever their connectors do.

use crate::support::{SECRET, Server, config, grant, hostile, tell};
use archwire_host::{Account, AccountConfig, Connector, SystemConfig};
use std::time::{Duration, Instant};

const SPACING: Duration = Duration::from_millis(300);

fn account(spacing: Duration) -> Account {
    Account::new(AccountConfig {
        spacing,
        ..AccountConfig::new("remote-api".parse().unwrap())
    })
}

async fn system(name: &str, server: &Server, account: &Account) -> Connector {
    hostile(SystemConfig {
        system: name.parse().unwrap(),
        grants: vec![grant(&server.url)],
        account: Some(account.clone()),
        ..config()
    })
    .await
}

fn times(server: &Server) -> Vec<Instant> {
    let mut times: Vec<_> = server.seen().iter().map(|seen| seen.at).collect();
    times.sort();
    times
}

#[tokio::test]
async fn two_systems_together_keep_the_pace_of_their_account() {
    let server = Server::start().await;
    let account = account(SPACING);
    let (one, two) = (
        system("front-desk", &server, &account).await,
        system("back-office", &server, &account).await,
    );
    let command = format!("many 3 GET {}/", server.url);
    let (first, second) = tokio::join!(tell(&one, &command), tell(&two, &command));
    assert_eq!(
        (first.unwrap().as_str(), second.unwrap().as_str()),
        ("status 200", "status 200")
    );
    let times = times(&server);
    assert_eq!(times.len(), 6);
    // Each start is held back, but how long a request then takes to the server varies: by less than one spacing.
    let between = *times.last().unwrap() - times[0];
    assert!(between > SPACING * 4, "6 requests in {between:?}");
    assert!(one.account().is(two.account()) && one.account().is(&account));
}

#[tokio::test]
async fn systems_without_an_account_have_one_each_with_the_pace_of_their_grants() {
    let server = Server::start().await;
    let mut granted = grant(&server.url);
    granted.spacing = SPACING;
    let own = async |name: &str| {
        hostile(SystemConfig {
            system: name.parse().unwrap(),
            grants: vec![grant("http://127.0.0.1:1"), granted.clone()],
            ..config()
        })
        .await
    };
    let (one, two) = (own("front-desk").await, own("back-office").await);
    assert!(!one.account().is(two.account()));
    let config = one.account().config();
    assert_eq!(
        (config.name.as_str(), config.spacing, config.in_flight.get()),
        ("front-desk", SPACING, 64)
    );
}

#[tokio::test]
async fn a_retry_after_is_kept_by_all_systems_although_the_connector_goes_on_asking() {
    let server = Server::start().await;
    let account = account(Duration::ZERO);
    let (one, two) = (
        system("front-desk", &server, &account).await,
        system("back-office", &server, &account).await,
    );
    // The server wants a pause of 2 s at the first request, and none later.
    let said = tell(&one, &format!("many 2 GET {}/busy?seconds=2", server.url)).await;
    assert_eq!(said.unwrap(), "status 429, then status 200");
    assert_eq!(account.state().spacing, Duration::from_millis(100));
    let said = tell(&two, &format!("request GET {}/", server.url)).await;
    assert!(said.unwrap().starts_with("status 200"));
    let times = times(&server);
    assert_eq!(times.len(), 3);
    assert!(
        times[1] - times[0] >= Duration::from_millis(1990),
        "{:?}",
        times[1] - times[0]
    );
}

#[tokio::test]
async fn a_request_that_would_have_to_wait_for_long_is_answered_by_the_host() {
    let server = Server::start().await;
    let account = account(Duration::ZERO);
    let connector = system("front-desk", &server, &account).await;
    account.slow_down(Duration::from_secs(90));
    let begun = Instant::now();
    let said = tell(&connector, &format!("request GET {}/", server.url))
        .await
        .unwrap();
    assert!(said.starts_with("status 429\nretry-after: 90\n"), "{said}");
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "the call waited for {:?}",
        begun.elapsed()
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn two_systems_that_show_a_server_the_same_credential_can_be_told() {
    let server = Server::start().await;
    let with = async |name: &str, key: &str, to: &str| {
        hostile(SystemConfig {
            system: name.parse().unwrap(),
            secrets: [("key".to_owned(), key.into())].into(),
            grants: vec![grant(to), grant("http://127.0.0.1:1")],
            ..config()
        })
        .await
    };
    let (here, there) = (server.url.as_str(), "http://127.0.0.1:2");
    let one = with("one", SECRET, here).await;
    let shown: Vec<_> = one
        .shares_credential_with(&with("two", SECRET, here).await)
        .into_iter()
        .collect();
    assert_eq!(
        shown,
        ["http://127.0.0.1:1".parse().unwrap(), here.parse().unwrap()]
    );
    let shown = one.shares_credential_with(&with("three", SECRET, there).await);
    assert_eq!(shown.len(), 1);
    assert!(
        one.shares_credential_with(&with("four", "another", here).await)
            .is_empty()
    );
}
