//! A server that takes its time.

use crate::support::{Server, config, grant, hostile, tell};
use archwire_host::{Connector, Limits, SystemConfig};
use std::time::Duration;

async fn with_limits(server: &Server, limits: Limits) -> Connector {
    hostile(SystemConfig {
        limits,
        grants: vec![grant(&server.url)],
        ..config()
    })
    .await
}

#[tokio::test]
async fn a_response_that_drips_beyond_the_deadline_ends_with_the_call() {
    let server = Server::start().await;
    let limits = Limits {
        deadline: Duration::from_millis(500),
        ..Limits::default()
    };
    let error = tell(
        &with_limits(&server, limits).await,
        &format!("request GET {}/drip", server.url),
    )
    .await
    .unwrap_err();
    assert_eq!(
        (error.code(), error.may_have_acted()),
        ("connector_deadline", true)
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_told_to_the_connector_before_its_deadline() {
    let server = Server::start().await;
    let short = Duration::from_millis(100);
    let limits = Limits {
        connect_timeout: short,
        first_byte_timeout: short,
        ..config().limits
    };
    let said = tell(
        &with_limits(&server, limits).await,
        &format!("request GET {}/silent", server.url),
    )
    .await
    .unwrap();
    assert_eq!(said, "error ErrorCode::ConnectionReadTimeout");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_response_that_falls_silent_breaks_off() {
    let server = Server::start().await;
    // The drops of the drip are 20 ms apart.
    let limits = Limits {
        between_bytes_timeout: Duration::from_millis(1),
        ..config().limits
    };
    let said = tell(
        &with_limits(&server, limits).await,
        &format!("request GET {}/drip", server.url),
    )
    .await
    .unwrap();
    assert!(
        said.starts_with("status 200") && said.contains("body broke off after"),
        "{said}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_to_the_connector() {
    let server = Server::start().await;
    let (url, connector) = (server.url.clone(), with_limits(&server, config().limits).await);
    drop(server);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let said = tell(&connector, &format!("request GET {url}/")).await.unwrap();
        if said == "error ErrorCode::ConnectionRefused" {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{said}");
    }
}
