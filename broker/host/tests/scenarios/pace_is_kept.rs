//! Without an account of several systems, spacing and requests in flight are the grant's, over all calls of the system.

use crate::support::{Server, config, grant, hostile, tell};
use archwire_host::{Connector, Grant, SystemConfig};
use std::{num::NonZeroUsize, time::Duration};

async fn paced(server: &Server, in_flight: usize, spacing: Duration) -> Connector {
    let in_flight = NonZeroUsize::new(in_flight).unwrap();
    let grants = vec![Grant {
        in_flight,
        spacing,
        ..grant(&server.url)
    }];
    hostile(SystemConfig { grants, ..config() }).await
}

#[tokio::test]
async fn no_more_requests_than_granted_are_open_at_the_server() {
    let server = Server::start().await;
    let connector = paced(&server, 2, Duration::ZERO).await;
    let command = format!("together 3 GET {}/held", server.url);
    let calls = [tell(&connector, &command), tell(&connector, &command)];
    let both = futures_util::future::join_all(calls);
    let release = async {
        for seen in 1..=6 {
            server.seen_at_least(seen).await;
            server.release(1);
        }
    };
    let (said, ()) = tokio::join!(both, release);
    for said in said {
        assert_eq!(said.unwrap(), "status 200");
    }
    assert_eq!(server.seen().len(), 6);
    assert!(server.most_open() <= 2, "{} were open", server.most_open());
}

#[tokio::test]
async fn requests_start_no_closer_than_the_granted_spacing_over_all_calls() {
    let server = Server::start().await;
    let spacing = Duration::from_millis(400);
    let connector = paced(&server, 8, spacing).await;
    let command = format!("many 2 GET {}/", server.url);
    let (first, second) = tokio::join!(tell(&connector, &command), tell(&connector, &command));
    assert_eq!(
        (first.unwrap().as_str(), second.unwrap().as_str()),
        ("status 200", "status 200")
    );
    let times: Vec<_> = server.seen().iter().map(|seen| seen.at).collect();
    assert_eq!(times.len(), 4);
    // Each start is held back, but how long a request then takes to the server varies: by less than one spacing.
    let between = *times.last().unwrap() - times[0];
    assert!(between > spacing * 2 + Duration::from_millis(100), "{between:?}");
}
