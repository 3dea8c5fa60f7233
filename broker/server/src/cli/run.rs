//! `archwire run`: until it is asked to stop.

use super::failed;
use crate::{broker::Broker, config::Config, telemetry::Telemetry};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs the broker, and tells what it does while it does it.
pub(super) async fn run(config: Config) -> ExitCode {
    let telemetry = match Telemetry::begin(&config) {
        Ok(telemetry) => telemetry,
        Err(error) => return failed(error.code(), &error),
    };
    let ended = run_told(config).await;
    telemetry.end().await;
    ended
}

async fn run_told(config: Config) -> ExitCode {
    let shutdown = CancellationToken::new();
    // One listener from here to the end: a signal between two would be heard by neither.
    let stop_asked = stop_asked();
    tokio::pin!(stop_asked);
    let broker = tokio::select! {
        broker = Broker::start(config) => broker,
        () = &mut stop_asked => return ExitCode::SUCCESS,
    };
    let broker = match broker {
        Ok(broker) => broker,
        Err(error) => return failed(error.code(), &error),
    };
    let running = broker.run(shutdown.clone());
    tokio::pin!(running);
    let ended = tokio::select! {
        ended = &mut running => ended,
        () = stop_asked => {
            tracing::info!("stopping: what was begun is finished");
            shutdown.cancel();
            running.await
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.code(), &error),
    }
}

/// Comes when the process is asked to stop.
async fn stop_asked() {
    let asked = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => _ = signal.recv().await,
            // Without the handler the signal ends the process by itself, which the log survives.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = asked(SignalKind::terminate()) => {}
        () = asked(SignalKind::interrupt()) => {}
    }
}
