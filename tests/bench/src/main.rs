//! Measures Archwire beside raw JetStream, native code and a plain program, in the same run with the same flush setting.
//!
//! `cargo xtask bench` builds all of it for release and runs it. The broker is the program that an administrator runs,
//! with a nats-server of its own that flushes every write; its clients speak gRPC. Each figure is the median over several
//! rounds with the least and the most beside it; the first round is thrown away, and rounds of ours and of what it is
//! measured against take turns, so that a machine that gets slower meanwhile is slower for both. Compare ratios:
//! absolute figures of two machines, or of two days, say little about the program.
//!
//! Prints a table and writes `bench.json` and `bench.svg` into a folder.

#![allow(clippy::print_stdout, reason = "it is a program that prints figures")]

mod arguments;
mod cases;
mod collect;
mod figure;
mod floor;
mod load;
mod machine;
mod patients;
mod picture;
mod practice;
mod raw;
mod report;
mod sink;
mod table;
mod unit;

use anyhow::{Context as _, Result};
use arguments::{Arguments, Task};
use clap::Parser as _;
use machine::{Conditions, Machine};
use report::Report;
use std::fs;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Task::Floor { file, to }) = &arguments.task {
        return floor::run(file, to).await;
    }
    let settings = arguments.settings();
    let mut report = Report::new(Machine::look(&settings)?, &settings);
    println!("{}", report.machine);
    for case in settings.cases() {
        println!("measuring: {}", case.title());
        let begun = Conditions::now()?;
        let measured = cases::run(case, &settings)
            .await
            .with_context(|| format!("cannot measure {}", case.title()))?;
        report.add(measured, begun, Conditions::now()?);
    }
    println!("\n{}", table::of(&report));
    let folder = &settings.out;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in [
        ("bench.json", serde_json::to_string_pretty(&report)?),
        ("bench.svg", picture::of(&report)),
        ("bench.txt", table::of(&report).to_string()),
    ] {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("written: {}", file.display());
    }
    Ok(())
}
