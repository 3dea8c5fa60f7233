//! A server that answers more than anybody can use, and a connector that sends more.

use crate::support::{Server, config, grant, hostile, tell};
use archwire_host::{Connector, Limits, SystemConfig};

async fn with_a_mebibyte(server: &Server) -> Connector {
    let limits = Limits {
        response_bytes: 1024 * 1024,
        request_bytes: 1024 * 1024,
        ..config().limits
    };
    hostile(SystemConfig {
        limits,
        grants: vec![grant(&server.url)],
        ..config()
    })
    .await
}

#[tokio::test]
async fn a_response_up_to_the_bound_is_passed_on() {
    let server = Server::start().await;
    let connector = with_a_mebibyte(&server).await;
    for path in ["bytes", "sized"] {
        let said = tell(
            &connector,
            &format!("request GET {}/{path}?count=1048576", server.url),
        )
        .await
        .unwrap();
        assert!(
            said.starts_with("status 200") && said.ends_with("1048576 bytes"),
            "{path}: {}",
            said.len()
        );
    }
}

#[tokio::test]
async fn a_response_beyond_the_bound_breaks_off_and_a_connector_that_ignores_that_does_not_get_through_with_it()
 {
    let server = Server::start().await;
    let connector = with_a_mebibyte(&server).await;
    for path in [
        "bytes?count=2000000",
        "sized?count=1048577",
        "headers?count=70000",
    ] {
        let error = tell(&connector, &format!("ignore GET {}/{path}", server.url))
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a response of the system was larger than allowed",
            "{path}"
        );
        assert_eq!(error.code(), "connector_too_large");
    }
}

#[tokio::test]
async fn a_response_of_16_mib_and_more_is_too_large_by_default() {
    let server = Server::start().await;
    let connector = hostile(SystemConfig {
        grants: vec![grant(&server.url)],
        ..config()
    })
    .await;
    let ask = async |count: usize| {
        tell(
            &connector,
            &format!("request GET {}/bytes?count={count}", server.url),
        )
        .await
    };
    assert!(ask(16_777_216).await.unwrap().ends_with("16777216 bytes"));
    assert_eq!(ask(16_777_217).await.unwrap_err().code(), "connector_too_large");
}

#[tokio::test]
async fn a_request_beyond_the_bound_is_not_sent_to_its_end() {
    let server = Server::start().await;
    let connector = with_a_mebibyte(&server).await;
    let said = tell(&connector, &format!("upload 1000000 POST {}/", server.url))
        .await
        .unwrap();
    assert!(said.starts_with("status 200"), "{said}");
    let said = tell(&connector, &format!("upload 1100000 POST {}/held", server.url))
        .await
        .unwrap();
    assert_eq!(said, "error ErrorCode::HttpRequestBodySize(Some(1048576))");
}
