//! In a cluster of three, every record is kept by all, and guards hold as they do on one server.

use crate::support::*;
use archwire_core::{PatientId, Subject};
use archwire_nats::{AppendError, Expected, LeaseConfig, Log, LogConfig};
use std::{net::TcpListener, num::NonZeroUsize, time::Instant};

/// Three servers that know each other. They have to be told their ports beforehand, so that others may be faster.
pub(crate) async fn cluster() -> Vec<ForeignServer> {
    loop {
        let free: Vec<TcpListener> = (0..3)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports: Vec<String> = free
            .iter()
            .map(|port| port.local_addr().unwrap().to_string())
            .collect();
        drop(free);
        let mut servers = Vec::new();
        for number in 0..3 {
            servers.extend(ForeignServer::try_start(&member(number, &ports)).await);
        }
        if servers.len() == 3 {
            return servers;
        }
    }
}

/// The configuration of one of the three.
fn member(number: usize, ports: &[String]) -> String {
    let routes: Vec<String> = ports.iter().map(|port| format!("nats://{port}")).collect();
    let (port, routes) = (&ports[number], routes.join(", "));
    format!(
        "server_name: \"server-{number}\"\n\
         jetstream {{\n  store_dir: \"STORE\"\n  max_file_store: 1073741824\n}}\n\
         cluster {{\n  name: \"three\"\n  listen: \"{port}\"\n  routes: [{routes}]\n}}"
    )
}

/// A log that all three keep, once they have found each other.
pub(crate) async fn log(server: &ForeignServer) -> Log {
    let config = LogConfig {
        replicas: NonZeroUsize::new(3).unwrap(),
        ..small_log_config()
    };
    until_done(async || {
        let connection = server
            .try_connect(&server.url)
            .await
            .map_err(|error| told(&error))?;
        let opened = Log::open(&connection, &practice(), &config).await;
        opened.map_err(|error| told(&error))
    })
    .await
}

#[tokio::test]
async fn guarded_appends_at_once_are_all_taken_and_those_of_a_deposed_writer_are_not() {
    let servers = cluster().await;
    let (log, other) = (log(&servers[0]).await, log(&servers[1]).await);
    let first = log.lease("first", LeaseConfig::default()).await.unwrap();
    let fence = first.fence();
    let sighting = move |number: usize| {
        let subject = Subject::Sighting("front-desk".parse().unwrap(), PatientId::generate());
        entry(subject, Expected::Writer(fence), &number.to_string())
    };
    let begun = Instant::now();
    let appends = (0..200).map(|number| {
        let (log, entry) = (log.clone(), sighting(number));
        tokio::spawn(async move { log.append(entry).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    println!(
        "200 guarded appends at once in a cluster of three: {:?}",
        begun.elapsed()
    );
    first.release().await;
    let second = other.lease("second", LeaseConfig::default()).await.unwrap();
    let error = log.append(sighting(0)).await.unwrap_err();
    assert!(matches!(error, AppendError::Deposed), "{error:?}");
    assert_eq!(other.last_sequence().await.unwrap(), second.fence().sequence());
}

#[tokio::test]
async fn of_many_appenders_exactly_one_wins_each_revision() {
    let servers = cluster().await;
    let logs = [
        log(&servers[0]).await,
        log(&servers[1]).await,
        log(&servers[2]).await,
    ];
    let patient = PatientId::generate();
    let mut last = Expected::Nothing;
    for revision in 1..=10 {
        let rivals = (0..12).map(|rival| {
            let entry = event(patient, last, &format!("{revision} by {rival}"));
            let log = logs[rival % 3].clone();
            tokio::spawn(async move { log.append(entry).await })
        });
        let mut winners = Vec::new();
        for rival in rivals.collect::<Vec<_>>() {
            match rival.await.unwrap() {
                Ok(appended) => winners.push(appended.sequence),
                Err(error) => assert!(matches!(error, AppendError::Conflict), "{}", told(&error)),
            }
        }
        assert_eq!(winners.len(), 1, "revision {revision}");
        last = Expected::Sequence(winners[0]);
    }
}
