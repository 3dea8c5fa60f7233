//! A connector that wants to see the secret.

use crate::support::{Logs, SECRET, Server, config, grant, hostile, hostile_at, tell};
use archwire_host::SystemConfig;

#[tokio::test]
async fn the_injected_header_cannot_be_read_back_from_the_request() {
    let server = Server::start().await;
    let said = tell(
        &hostile_at(&server).await,
        &format!("read-back GET {}/", server.url),
    )
    .await
    .unwrap();
    assert!(
        said.starts_with("before []\nafter []\nchanged Err(HeaderError::"),
        "{said}"
    );
    assert!(said.contains("status 200"), "{said}");
    assert_eq!(
        server.seen()[0].headers["authorization"],
        format!("Bearer {SECRET}")
    );
}

#[tokio::test]
async fn a_server_that_says_the_secret_back_does_not_tell_the_connector() {
    let (server, logs) = (Server::start().await, Logs::collect());
    let said = tell(
        &hostile_at(&server).await,
        &format!("request GET {}/echo\nX-Own: yes", server.url),
    )
    .await
    .unwrap();
    assert!(
        said.contains("x-echo-x-own: yes") && said.contains("you sent x-own: yes"),
        "{said}"
    );
    assert!(
        said.contains(&format!("you sent authorization: {}", "*".repeat(27))),
        "{said}"
    );
    assert!(
        !said.contains("authorization: Bearer") && !said.contains(SECRET),
        "{said}"
    );
    assert!(!logs.text().contains(SECRET));
}

#[tokio::test]
async fn a_system_sees_its_own_secret_only() {
    let server = Server::start().await;
    let mut other = SystemConfig {
        grants: vec![grant(&server.url)],
        ..config()
    };
    other.secrets.insert("key".to_owned(), "another-secret".into());
    let (first, second) = (hostile_at(&server).await, hostile(other).await);
    for connector in [&first, &second, &first] {
        tell(connector, &format!("request GET {}/", server.url))
            .await
            .unwrap();
    }
    let sent: Vec<String> = server
        .seen()
        .iter()
        .map(|seen| seen.headers["authorization"].to_str().unwrap().to_owned())
        .collect();
    let own = format!("Bearer {SECRET}");
    assert_eq!(sent, [own.clone(), "Bearer another-secret".to_owned(), own]);
}
