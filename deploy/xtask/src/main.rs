//! `cargo xtask`: everything a person or a machine does with this tree, as commands that need no reading up first.
//!
//! Each command sets up what it needs, says what it does and how long it took, and stops at the first failure with
//! the missing thing and the command that mends it. Nothing is installed outside `target/`, with one exception that
//! is announced: `rustup target add` puts a standard library into the user's own toolchain.

mod audit;
mod bench;
mod check;
mod command;
mod debian;
mod debian_std;
mod guests;
mod launch;
mod nats;
mod orthanc;
mod packages;
mod python;
mod reference;
mod report;
mod setup;
mod soak;
mod tree;
mod wasm;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::setup::Archive;
use crate::tree::Tree;
use crate::wasm::Source;

/// Archwire's task runner.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    disable_help_subcommand = true
)]
struct Arguments {
    /// Where the wasm32-wasip2 target may come from.
    #[arg(long, value_enum, env = "ARCHWIRE_WASM_FROM", default_value_t = Source::Auto)]
    wasm_from: Source,
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Find or fetch what the other commands need: nats-server 2.12.4 or newer, the wasm32-wasip2 target, Orthanc, gRPC for Python.
    ///
    /// Looks on this machine first and downloads only what is missing, into target/tools. A second run does nothing. Orthanc and
    /// dcmtk, which only tests and demonstration need, are asked about first on a terminal; gRPC for Python is for tests only.
    Setup {
        /// Ask nothing.
        #[arg(long)]
        yes: bool,
    },
    /// Build the connectors for wasm32-wasip2, into target/guests/components/NAME.wasm.
    Guests,
    /// Set up, check format and lints of both workspaces with warnings denied, build the documentation, run all tests.
    ///
    /// With arguments, only set-up, guests and `cargo test --workspace ARGS` run: `cargo xtask test -- some_test_name`.
    Test {
        /// Passed to `cargo test --workspace` as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Show the whole way of a patient: simulator, broker with its own NATS, and a vendor over gRPC.
    ///
    /// Sets up and builds what is needed, then runs the demonstration with ARGS. `cargo xtask demo -- --help` lists
    /// the demonstration's own options.
    Demo {
        /// Passed to the demonstration as they are, for example `--patients FILE --keep`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run the broker from this tree: `cargo xtask run -- check --config archwire.toml`.
    Run {
        /// Passed to `archwire` as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Measure Archwire beside raw JetStream, native code and a plain program, in the same run.
    ///
    /// Builds for release (many minutes the first time), prints a table against the design's budgets, and writes it to
    /// target/bench with a picture. Nothing else should run on the machine meanwhile. `cargo xtask bench -- --help` lists
    /// the benchmark's own options.
    Bench {
        /// Passed to the benchmark as they are, for example `--quick --only job --rounds 3 --out FOLDER`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Kill, fill, cut off and delay whole practices under load, and check that nothing was lost, doubled or put out of order.
    ///
    /// Sets up and builds what is needed, then runs the long forms of the fault tests, a flood of connections and, with
    /// cargo-fuzz, bad input of every kind: some 50 minutes in all. `cargo xtask soak -- --help` lists the runs and their
    /// options.
    Soak {
        /// Passed to the runs as they are, for example `--only kills --kills 200 --seed 7 --minutes 60`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Write sdk/REFERENCE.md, the reference of every call and message, from the comments in the .proto files.
    Reference,
    /// Check the dependencies of both workspaces: duplicates and bans, licences, sources, and known advisories.
    ///
    /// Needs cargo-deny. Advisories are skipped, and said to be skipped, where their database cannot be reached.
    Audit {
        /// Build cargo-deny into target/tools first if it is missing (several minutes).
        #[arg(long)]
        install: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            report::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let tree = Tree::find()?;
    let source = arguments.wasm_from;
    match arguments.command {
        Task::Setup { yes } => {
            let archive = if yes { Archive::Fetch } else { Archive::AskForTests };
            setup::run(&tree, source, archive).map(|_| ExitCode::SUCCESS)
        }
        Task::Guests => {
            let tools = setup::run(&tree, source, Archive::IfThere)?;
            guests::build(&tree, &tools.wasm).map(|()| ExitCode::SUCCESS)
        }
        Task::Test { args } => check::run(&tree, source, &args),
        Task::Demo { args } => launch::run(&tree, source, Archive::Ask, "archwire-demo", &args),
        Task::Run { args } => launch::run(&tree, source, Archive::IfThere, "archwire", &args),
        Task::Bench { args } => bench::run(&tree, source, &args),
        Task::Soak { args } => soak::run(&tree, source, &args),
        Task::Reference => reference::run(&tree).map(|()| ExitCode::SUCCESS),
        Task::Audit { install } => audit::run(&tree, install),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_demonstration_gets_its_options_untouched() {
        let parsed =
            Arguments::try_parse_from(["xtask", "demo", "--patients", "FILE", "--keep"]).expect("parses");
        let Task::Demo { args } = parsed.command else {
            panic!("not the demo")
        };
        assert_eq!(args, ["--patients", "FILE", "--keep"]);
    }
}
