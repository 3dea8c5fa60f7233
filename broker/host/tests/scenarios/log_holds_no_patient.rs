//! What a connector handles does not get into the log, at any level and from any library.

use crate::support::{Logs, SECRET, Server, hostile_at, tell};
use archwire_core::Cursor;

#[tokio::test]
async fn neither_patients_nor_secrets_are_logged_while_a_connector_asks_reads_and_crashes() {
    let (server, logs) = (Server::start().await, Logs::collect_everything());
    let connector = hostile_at(&server).await;
    tracing::trace!("the log is on");
    let command = format!("request GET {}/echo?name=Lovelace\nX-Name: Lovelace", server.url);
    assert!(tell(&connector, &command).await.unwrap().contains("Lovelace"));
    connector
        .poll(Some(&Cursor("page-mixed".to_owned())))
        .await
        .unwrap();
    connector.fetch(&"Lovelace".parse().unwrap()).await.unwrap();
    tell(&connector, "panic Lovelace").await.unwrap_err();
    tell(&connector, "log").await.unwrap();
    let text = logs.text();
    assert!(text.contains("the log is on") && text.contains("event=\"noise\""));
    for hidden in ["Lovelace", SECRET, "1815-12-10"] {
        let line = text.lines().find(|line| line.contains(hidden));
        assert!(line.is_none(), "{}", line.unwrap());
    }
}
