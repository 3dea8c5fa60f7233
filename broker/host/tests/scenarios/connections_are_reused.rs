//! One connection for many requests; none for two systems.

use crate::support::{Server, hostile_at, tell};
use std::{collections::BTreeSet, net::SocketAddr};

fn connections(server: &Server) -> BTreeSet<SocketAddr> {
    server.seen().iter().map(|seen| seen.peer).collect()
}

#[tokio::test]
async fn calls_of_one_system_use_the_same_connection_one_after_the_other() {
    let server = Server::start().await;
    let connector = hostile_at(&server).await;
    for _ in 0..3 {
        assert_eq!(
            tell(&connector, &format!("many 5 GET {}/", server.url))
                .await
                .unwrap(),
            "status 200"
        );
    }
    assert_eq!(server.seen().len(), 15);
    assert_eq!(connections(&server).len(), 1);
}

#[tokio::test]
async fn two_systems_never_share_a_connection() {
    let server = Server::start().await;
    for connector in [hostile_at(&server).await, hostile_at(&server).await] {
        tell(&connector, &format!("many 2 GET {}/", server.url))
            .await
            .unwrap();
    }
    assert_eq!(connections(&server).len(), 2);
}
