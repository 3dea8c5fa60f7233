//! What a granted name resolves to is checked too.

use crate::support::{Logs, Server, config, grant, hostile, tell};
use archwire_host::{Connector, Grant, SystemConfig};
use std::time::Duration;

const PROHIBITED: &str = "error ErrorCode::DestinationIpProhibited";

/// Without a credential in the clear being the reason: over TLS.
async fn granted(to: &str, private_addresses: bool) -> Connector {
    let grants = vec![Grant {
        private_addresses,
        ..grant(to)
    }];
    hostile(SystemConfig { grants, ..config() }).await
}

#[tokio::test]
async fn the_metadata_address_is_out_of_reach_even_when_it_is_granted() {
    let logs = Logs::collect();
    for to in [
        "http://169.254.169.254",
        "https://[::ffff:169.254.169.254]",
        "http://[fe80::1]",
        "http://0.0.0.0",
    ] {
        let connector = granted(to, true).await;
        let said = tell(&connector, &format!("request GET {to}/latest/meta-data/"))
            .await
            .unwrap();
        assert_eq!(said, PROHIBITED, "{to}");
    }
    assert_eq!(logs.lines_with("error_code=\"address_denied\""), 4);
}

#[tokio::test]
async fn the_metadata_address_is_not_granted_by_a_grant_for_another_host() {
    let server = Server::start().await;
    let connector = granted(&server.url, true).await;
    let said = tell(&connector, "request GET http://169.254.169.254/latest/meta-data/")
        .await
        .unwrap();
    assert_eq!(said, "error ErrorCode::HttpRequestDenied");
}

#[tokio::test]
async fn a_name_that_resolves_to_this_machine_needs_private_addresses() {
    let server = Server::start().await;
    let to = format!("https://localhost:{}", server.port);
    let said = tell(&granted(&to, false).await, &format!("request GET {to}/"))
        .await
        .unwrap();
    assert_eq!(said, PROHIBITED);
    assert!(server.seen().is_empty());
    let to = format!("http://localhost:{}", server.port);
    let said = tell(&granted(&to, true).await, &format!("request GET {to}/"))
        .await
        .unwrap();
    assert!(said.starts_with("status 200"), "{said}");
}

#[tokio::test]
async fn an_address_of_this_machine_needs_private_addresses() {
    for to in [
        "https://127.0.0.1:9",
        "https://[::1]:9",
        "https://10.0.0.1",
        "https://[::ffff:127.0.0.1]:9",
    ] {
        let said = tell(&granted(to, false).await, &format!("request GET {to}/"))
            .await
            .unwrap();
        assert_eq!(said, PROHIBITED, "{to}");
    }
}

#[tokio::test]
async fn a_credential_in_the_clear_does_not_leave_the_practices_network() {
    let connector = granted("http://93.184.216.34", true).await;
    let asked = tell(&connector, "request GET http://93.184.216.34/");
    let said = tokio::time::timeout(Duration::from_secs(5), asked)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(said, PROHIBITED);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_gets_no_request() {
    let server = Server::start().await;
    let to = format!("https://localhost:{}", server.port);
    let said = tell(&granted(&to, true).await, &format!("request GET {to}/"))
        .await
        .unwrap();
    assert_eq!(said, "error ErrorCode::TlsProtocolError");
    assert!(server.seen().is_empty());
}
