//! The command line: reads the configuration, builds, runs, drains. The one place that decides exit codes.

use crate::{
    broker::Broker,
    check,
    config::{Config, process_environment},
    telemetry,
};
use clap::{Args, Parser, Subcommand};
use std::{error::Error, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a bad configuration or a bad command line (sysexits.h, EX_USAGE).
const BAD_USAGE: u8 = 64;

/// The patient-event bus for dental and orthodontic practices.
#[derive(Parser)]
#[command(
    name = "archwire",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the bus until SIGTERM or SIGINT, then finish what was begun and stop.
    Run(Configured),
    /// Check the configuration, the connectors and their grants, and ask every system whether it answers.
    ///
    /// Changes nothing anywhere, and may be used while the bus runs.
    Check(CheckArgs),
}

#[derive(Args)]
struct Configured {
    /// The configuration file.
    #[arg(long, default_value = "archwire.toml", value_name = "FILE")]
    config: PathBuf,
}

#[derive(Args)]
struct CheckArgs {
    #[command(flatten)]
    configured: Configured,
    /// Do not ask the systems: look at the configuration and the connectors only.
    #[arg(long)]
    offline: bool,
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    // A panic's own message may quote what the program was working on; where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => eprintln!("archwire: a defect at {place}; please report it"),
        None => eprintln!("archwire: a defect; please report it"),
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(BAD_USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let file = match &cli.command {
        Command::Run(configured) => &configured.config,
        Command::Check(check) => &check.configured.config,
    };
    let config = match Config::load(file, process_environment()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(BAD_USAGE);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed("the runtime cannot start", &error),
    };
    match cli.command {
        Command::Run(_) => runtime.block_on(run(config)),
        Command::Check(CheckArgs { offline, .. }) => runtime.block_on(check::run(&config, offline)),
    }
}

async fn run(config: Config) -> ExitCode {
    telemetry::start(&config.log);
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

/// Says what failed and why, for the person at the terminal.
fn failed(code: &str, error: &dyn Error) -> ExitCode {
    eprintln!("archwire: {error} [{code}]");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
