//! A connector that asks for what was not granted.

use crate::support::{Logs, Server, config, grant, hostile, hostile_at, tell};
use archwire_host::{Grant, SystemConfig};

const DENIED: &str = "error ErrorCode::HttpRequestDenied";

#[tokio::test]
async fn without_a_grant_no_host_is_reached() {
    let (server, logs) = (Server::start().await, Logs::collect());
    let connector = hostile(config()).await;
    assert_eq!(
        tell(&connector, &format!("request GET {}/Lovelace", server.url))
            .await
            .unwrap(),
        DENIED
    );
    assert!(server.seen().is_empty());
    assert!(
        logs.text().contains("error_code=\"origin_not_granted\" count=1"),
        "{}",
        logs.text()
    );
    assert!(!logs.text().contains("Lovelace"));
}

#[tokio::test]
async fn a_grant_for_one_host_is_none_for_another() {
    let (granted, other) = (Server::start().await, Server::start().await);
    let connector = hostile_at(&granted).await;
    let said = tell(&connector, &format!("request GET {}/", granted.url))
        .await
        .unwrap();
    assert!(said.starts_with("status 200"), "{said}");
    assert_eq!(
        tell(&connector, &format!("request GET {}/", other.url))
            .await
            .unwrap(),
        DENIED
    );
    let by_name = format!("request GET http://localhost:{}/", granted.port);
    assert_eq!(tell(&connector, &by_name).await.unwrap(), DENIED);
    let over_tls = format!("request GET https://127.0.0.1:{}/", granted.port);
    assert_eq!(tell(&connector, &over_tls).await.unwrap(), DENIED);
    assert_eq!((granted.seen().len(), other.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_host_hidden_behind_a_user_name_is_not_the_granted_one() {
    let (granted, other) = (Server::start().await, Server::start().await);
    let connector = hostile_at(&granted).await;
    let hidden = format!(
        "request GET http://127.0.0.1:{}@127.0.0.1:{}/",
        granted.port, other.port
    );
    assert_eq!(tell(&connector, &hidden).await.unwrap(), DENIED);
    assert!(granted.seen().is_empty() && other.seen().is_empty());
}

#[tokio::test]
async fn paths_and_methods_that_were_not_granted_are_refused() {
    let server = Server::start().await;
    let paths = vec!["/patients/*".parse().unwrap()];
    let methods = vec!["GET".parse().unwrap()];
    let grants = vec![Grant {
        paths,
        methods,
        ..grant(&server.url)
    }];
    let connector = hostile(SystemConfig { grants, ..config() }).await;
    let url = &server.url;
    assert!(
        tell(&connector, &format!("request GET {url}/patients/7?all=1"))
            .await
            .unwrap()
            .starts_with("status 200")
    );
    for line in [
        format!("POST {url}/patients/7"),
        format!("CONNECT {url}/patients/7"),
        format!("GET {url}/patients"),
        format!("GET {url}/patients/7/../../admin"),
        format!("GET {url}/patients/7%2f..%2fadmin"),
        format!("GET {url}//patients/7"),
        format!("GET {url}/admin"),
    ] {
        assert_eq!(
            tell(&connector, &format!("request {line}")).await.unwrap(),
            DENIED,
            "{line}"
        );
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_call_has_at_most_256_requests() {
    let server = Server::start().await;
    let said = tell(
        &hostile_at(&server).await,
        &format!("many 300 GET {}/", server.url),
    )
    .await
    .unwrap();
    assert_eq!(said, format!("status 200, then {DENIED}"));
    assert_eq!(server.seen().len(), 256);
}
