//! Archwire end to end on one screen: a simulated Open Dental, the bus with its own nats-server, and a vendor's program
//! over gRPC.
//!
//! Exit codes: 0 when everything held; 1 when something did not, when a program is missing, or when lines of the
//! patients' file were bad; 2 for a bad command line. Names are shown masked, although every patient is invented.

mod check;
mod cli;
mod keep;
mod people;
mod radiograph;
mod screen;
mod stage;
mod steps;

use crate::cli::Cli;
use crate::people::People;
use crate::screen::Screen;
use crate::stage::Stage;
use anyhow::{Result, bail};
use clap::Parser as _;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(skipped) => {
            eprintln!(
                "\nEverything held, but {skipped} line(s) of the patients' file were skipped, as said above."
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("\nFAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays everything. Returns how many lines of the patients' file were skipped.
async fn run(cli: &Cli) -> Result<usize> {
    let people = People::read(cli)?;
    for bad in &people.skipped {
        eprintln!("{}: skipped {bad}", people.source);
    }
    let skipped = people.skipped.len();
    let image = cli.image.as_deref().map(radiograph::read).transpose()?;
    let mut stage = tokio::select! {
        played = play(people, image) => played?,
        // What runs is ended on the way out.
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    };
    if cli.keep {
        keep::until_asked(&stage).await?;
    }
    stage.practice.stop_broker().await?;
    Ok(skipped)
}

async fn play(people: People, image: Option<Vec<u8>>) -> Result<Stage> {
    let mut screen = Screen::new();
    let mut stage = Stage::open(&screen, &people).await?;
    if let Err(error) = steps::all(&mut stage, &mut screen, people, image).await {
        eprintln!("\nThe end of the bus's log:\n{}", stage.practice.logs()?.tail(20));
        return Err(error);
    }
    screen.table();
    stage.figures(&screen).await?;
    Ok(stage)
}
