//! The command line: reads the configuration, builds, runs, drains; or asks the broker that is running. The one place
//! that decides exit codes.
//!
//! What the running broker is asked needs nothing of the configuration but where the data folder is. Answers go to
//! standard output, everything else to standard error.

mod arguments;
mod asking;
mod audit;
mod events;
mod image_json;
mod images;
mod json;
mod parked;
mod rebuild;
mod receipts;
mod reconcile;
mod reload;
mod review;
mod run;
mod show;
mod status;
mod terminal;
mod vendor;

use crate::{
    check,
    config::{Config, ConfigError, process_environment},
};
use arguments::{CheckArgs, Cli, Command, Configured};
use asking::AskError;
use audit::AuditArgs;
use clap::Parser as _;
use events::{EventsArgs, EventsCommand};
use reload::Told;
use std::{
    error::Error,
    io::{self, BufWriter, Write as _},
    process::ExitCode,
};
use terminal::clean;
use tokio::runtime::Runtime;

/// Exit code of a bad configuration or a bad command line (sysexits.h, EX_USAGE).
const BAD_USAGE: u8 = 64;
/// Exit code of a comparison that found differences, of an audit that is not what it was, and of a configuration that counts in parts only
/// before the next start.
const DIFFERENCES: u8 = 3;

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
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed("runtime_failed", &error),
    };
    match cli.command {
        Command::Run(configured) => match load(&configured) {
            Ok(config) => runtime.block_on(run::run(config)),
            Err(error) => bad_configuration(&error),
        },
        Command::Check(arguments) => checked(&runtime, &arguments),
        Command::Review(arguments) => {
            let is_json = arguments.asking().json;
            asked(&runtime, is_json, async |out| {
                review::run(arguments, out).await.map(|()| true)
            })
        }
        Command::Rebuild(arguments) => {
            let is_json = arguments.acting.asking.json;
            asked(&runtime, is_json, async |out| rebuild::run(arguments, out).await)
        }
        Command::Audit(AuditArgs { command }) => {
            let (is_json, otherwise) = (command.asking().json, ExitCode::from(DIFFERENCES));
            answered(&runtime, is_json, otherwise, async |out| {
                audit::run(command, out).await
            })
        }
        Command::Status(arguments) => {
            let is_json = arguments.asking.json;
            asked(&runtime, is_json, async |out| status::run(arguments, out).await)
        }
        Command::Receipts(arguments) => {
            let is_json = arguments.asking.json;
            asked(&runtime, is_json, async |out| {
                receipts::run(arguments, out).await.map(|()| true)
            })
        }
        Command::Parked(arguments) => {
            let is_json = arguments.asking().json;
            asked(&runtime, is_json, async |out| parked::run(arguments, out).await)
        }
        Command::Events(EventsArgs {
            command: EventsCommand::Tail(arguments),
        }) => {
            let is_json = arguments.asking.json;
            asked(&runtime, is_json, async |out| {
                events::tail(arguments, out).await.map(|()| true)
            })
        }
        Command::Images(arguments) => {
            let is_json = arguments.asking().json;
            asked(&runtime, is_json, async |out| {
                images::run(arguments, out).await.map(|()| true)
            })
        }
        Command::Vendor(arguments) => {
            let is_json = arguments.asking().json;
            asked(&runtime, is_json, async |out| {
                vendor::run(arguments, out).await.map(|()| true)
            })
        }
        Command::Reload(arguments) => {
            let is_json = arguments.asking.json;
            reported(&runtime, is_json, async |out| {
                let told = reload::run(arguments, out).await?;
                Ok(match told {
                    Told::Counts => ExitCode::SUCCESS,
                    Told::Restart => ExitCode::from(DIFFERENCES),
                    Told::Refused => ExitCode::from(BAD_USAGE),
                })
            })
        }
        Command::Reconcile(arguments) => {
            let (is_json, otherwise) = (arguments.asking.json, ExitCode::from(DIFFERENCES));
            answered(&runtime, is_json, otherwise, async |out| {
                reconcile::run(arguments, out).await
            })
        }
    }
}

fn load(configured: &Configured) -> Result<Config, ConfigError> {
    Config::load(&configured.config, process_environment())
}

fn checked(runtime: &Runtime, arguments: &CheckArgs) -> ExitCode {
    let config = match load(&arguments.configured) {
        Ok(config) => config,
        Err(error) if arguments.json => {
            _ = json::write(&mut io::stdout(), &json::problems(&error));
            return ExitCode::from(BAD_USAGE);
        }
        Err(error) => return bad_configuration(&error),
    };
    let report = runtime.block_on(check::run(&config, arguments.offline));
    let mut out = io::stdout();
    let written = if arguments.json {
        json::write(&mut out, &report.to_json())
    } else {
        report.write(&mut out)
    };
    match written {
        Ok(()) if report.is_in_order() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

type Out = BufWriter<io::StdoutLock<'static>>;

/// Asks the running broker. Exit code 1 when it does not answer, refuses, or something is not as it should be.
fn asked(
    runtime: &Runtime,
    is_json: bool,
    ask: impl AsyncFnOnce(&mut Out) -> Result<bool, AskError>,
) -> ExitCode {
    answered(runtime, is_json, ExitCode::FAILURE, ask)
}

/// The same, with an exit code of its own for what is not as it should be.
fn answered(
    runtime: &Runtime,
    is_json: bool,
    otherwise: ExitCode,
    ask: impl AsyncFnOnce(&mut Out) -> Result<bool, AskError>,
) -> ExitCode {
    reported(runtime, is_json, async |out| {
        Ok(match ask(out).await? {
            true => ExitCode::SUCCESS,
            false => otherwise,
        })
    })
}

/// The same, where what was heard decides the exit code.
fn reported(
    runtime: &Runtime,
    is_json: bool,
    ask: impl AsyncFnOnce(&mut Out) -> Result<ExitCode, AskError>,
) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let answered = runtime.block_on(ask(&mut out));
    let flushed = out.flush().map_err(AskError::from);
    match answered.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => code,
        Err(error) if is_json => {
            _ = json::write(&mut io::stderr(), &json::error(error.code(), &error));
            failure(&error)
        }
        Err(AskError::Config(error)) => bad_configuration(&error),
        Err(error) => {
            failed(error.code(), &error);
            failure(&error)
        }
    }
}

fn failure(error: &AskError) -> ExitCode {
    match error {
        AskError::Config(_) => ExitCode::from(BAD_USAGE),
        _ => ExitCode::FAILURE,
    }
}

fn bad_configuration(error: &ConfigError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(BAD_USAGE)
}

/// Says what failed and why, for the person at the terminal.
fn failed(code: &str, error: &dyn Error) -> ExitCode {
    eprintln!("archwire: {} [{}]", clean(&error.to_string()), clean(code));
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {}", clean(&error.to_string()));
        cause = error.source();
    }
    ExitCode::FAILURE
}
