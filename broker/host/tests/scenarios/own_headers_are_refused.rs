//! A connector that sets headers which are the host's to set.

use crate::support::{Server, hostile_at, tell};

#[tokio::test]
async fn a_connector_cannot_set_host_authorization_or_what_overrules_the_request_line() {
    let server = Server::start().await;
    let connector = hostile_at(&server).await;
    for name in [
        "Host",
        "Authorization",
        "Proxy-Authorization",
        "Connection",
        "Upgrade",
        "Transfer-Encoding",
        "TE",
        "X-Forwarded-Host",
        "X-HTTP-Method-Override",
        "X-Original-URL",
    ] {
        let said = tell(
            &connector,
            &format!("request GET {}/\n{name}: evil.test", server.url),
        )
        .await
        .unwrap();
        assert_eq!(said, format!("header {name} refused"));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn host_and_authorization_are_the_hosts_own_and_other_headers_the_connectors() {
    let server = Server::start().await;
    let command = format!("request GET {}/\nX-Own: yes\nAccept: text/plain", server.url);
    tell(&hostile_at(&server).await, &command).await.unwrap();
    let seen = server.seen();
    let header = |name: &str| seen[0].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("host"), format!("127.0.0.1:{}", server.port));
    assert_eq!(
        header("authorization"),
        format!("Bearer {}", crate::support::SECRET)
    );
    assert_eq!(
        (header("x-own"), header("accept")),
        ("yes".to_owned(), "text/plain".to_owned())
    );
    assert!(header("user-agent").starts_with("archwire/"));
}
