//! The long forms of the fault runs, one after the other, with a table at the end. `cargo xtask soak` builds what it needs.
//!
//! Exit code 1 when a run found something. A seed replays who does what and who is killed when; how far the bus is at that
//! moment depends on the machine.

mod cases;
mod flood;
mod fuzz;
mod table;

use anyhow::Result;
use cases::Case;
use clap::Parser;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use table::Row;

/// Whole practices in trouble, for minutes or for hours.
///
/// Each run kills, fills, cuts off or delays something under load, waits until everybody is up to date everywhere, and then
/// checks: nothing that was accepted is lost, no revision is missing, nobody has two records, no older state came after a newer
/// one, and nothing waits for a person that should not.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
pub(crate) struct Options {
    /// Kills of the broker at random, in the run of that name.
    #[arg(long, default_value_t = 50, value_name = "N")]
    kills: usize,
    /// What decides who does what and when something is killed. Any number; without it another one each time.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only this run; may be given several times.
    #[arg(long, value_enum, value_name = "NAME")]
    only: Vec<Case>,
    /// Seconds for which each target of the run `fuzz` is fed.
    #[arg(long, default_value_t = 60, value_name = "S")]
    fuzz_seconds: u64,
    /// Goes on from the beginning, each time with the next seed, until so many minutes are over.
    #[arg(long, value_name = "M")]
    minutes: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let until = options
        .minutes
        .map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
    let mut seed = options.seed.unwrap_or_else(|| rand::random_range(1..1_000_000));
    let mut rows = Vec::new();
    loop {
        for case in cases::chosen(&options.only) {
            println!("\n== {} (seed {seed})", case.name());
            let row = run(case, &options, seed).await;
            println!("{row}");
            rows.push(row);
        }
        seed += 1;
        if until.is_none_or(|until| Instant::now() >= until) {
            break;
        }
    }
    println!("\n{}", table::of(&rows));
    Ok(match rows.iter().all(Row::is_good) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

async fn run(case: Case, options: &Options, seed: u64) -> Row {
    let begun = Instant::now();
    let ended = case.run(options, seed).await;
    Row::new(case.name(), seed, begun.elapsed(), ended)
}
