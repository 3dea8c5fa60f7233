//! What is measured, how often, and where the results go.

use clap::{Parser, Subcommand, ValueEnum};
use std::{
    env,
    path::{Path, PathBuf},
};

/// Archwire's benchmark: the figures of the design beside raw JetStream, native code and a plain program.
///
/// Started by `cargo xtask bench`, which builds what it runs.
#[derive(Debug, Parser)]
#[command(name = "archwire-bench", version)]
pub(crate) struct Arguments {
    /// Fewer and smaller rounds: whether everything works, not how fast it is.
    #[arg(long)]
    quick: bool,
    /// Measures only this; may be given several times.
    #[arg(long, value_enum, value_name = "CASE")]
    only: Vec<Case>,
    /// Rounds that count; one more is made and thrown away.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100), value_name = "N")]
    rounds: Option<u16>,
    /// Patients of the large practice; 2,000 with --quick.
    #[arg(long, default_value_t = 50_000, value_name = "N")]
    patients: usize,
    /// Where the results are written. Default: `bench` beside the folder of this program, which is target/bench.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
}

/// What the program does for itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// The plain program that the whole job is measured against: takes HTTP, appends, flushes, passes on.
    #[command(hide = true)]
    Floor {
        /// Where it appends.
        #[arg(long)]
        file: PathBuf,
        /// Where it passes on to: an origin.
        #[arg(long)]
        to: String,
    },
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Case {
    /// `Publish`, one at a time and pipelined.
    Publish,
    /// From an event to a subscriber.
    Subscribe,
    /// A thousand subscribers at a time, and ten that read the history.
    Crowd,
    /// What the sandbox adds to a delivery.
    Sandbox,
    /// Memory and start of an empty practice with three connectors.
    Small,
    /// Memory, start and replay of a large practice.
    Large,
    /// From `Publish` to the web service behind a connector.
    Job,
    /// Images in and out.
    Image,
}

impl Case {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Subscribe => "event to subscriber",
            Self::Crowd => "many subscribers",
            Self::Sandbox => "sandbox",
            Self::Small => "empty practice",
            Self::Large => "large practice",
            Self::Job => "the whole job",
            Self::Image => "images",
        }
    }
}

/// What is measured, and how often.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) quick: bool,
    /// Rounds, the one included that does not count.
    pub(crate) rounds: usize,
    pub(crate) patients: usize,
    pub(crate) out: PathBuf,
    only: Vec<Case>,
}

impl Arguments {
    pub(crate) fn settings(&self) -> Settings {
        let usual = if self.quick { 2 } else { 5 };
        Settings {
            quick: self.quick,
            rounds: usize::from(self.rounds.unwrap_or(usual)) + 1,
            patients: if self.quick {
                self.patients.min(2_000)
            } else {
                self.patients
            },
            out: self.out.clone().unwrap_or_else(beside_this_program),
            only: self.only.clone(),
        }
    }
}

/// `target/bench` for `target/release/archwire-bench`.
fn beside_this_program() -> PathBuf {
    let program = env::current_exe().ok();
    let target = program.as_deref().and_then(|program| program.ancestors().nth(2));
    target.unwrap_or(Path::new(".")).join("bench")
}

impl Settings {
    /// What is to be measured, in order.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let all = Case::value_variants().iter().copied();
        all.filter(|case| self.only.is_empty() || self.only.contains(case))
            .collect()
    }

    /// A tenth of it in a quick run.
    pub(crate) fn sized(&self, usual: usize) -> usize {
        if self.quick { usual.div_ceil(10) } else { usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_round_is_made_for_nothing_and_only_what_is_asked_for_is_measured() {
        let parse = |words: &[&str]| Arguments::try_parse_from(words).unwrap().settings();
        let settings = parse(&["bench", "--quick", "--only", "job", "--only", "publish"]);
        assert_eq!((settings.rounds, settings.sized(95)), (3, 10));
        assert_eq!(settings.cases(), [Case::Publish, Case::Job]);
        assert_eq!(parse(&["bench", "--rounds", "7"]).rounds, 8);
    }
}
