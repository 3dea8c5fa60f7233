//! Runs the simulator by hand, for connector authors. `--help` lists every choice.
//!
//! Ends on Ctrl-C or SIGTERM. Exit code 0; 1 when it cannot start, or when lines of the FHIR file were bad; 2 for a
//! bad command line.

mod cli;

use std::fs::File;
use std::io::{BufReader, IsTerminal as _};
use std::process::ExitCode;

use anyhow::Context as _;
use archwire_opendental_simulator::{Handle, Simulator, fhir, generate};
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::cli::Cli;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // One line a request: method, resource, status. Nothing that a patient record holds is in them.
        .with_env_filter(EnvFilter::new("archwire_opendental_simulator=debug"))
        .init();
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let office = Simulator::start(cli.options()).await?;
    if let Some(local) = cli.freeze_at {
        office
            .clock()
            .freeze_at_local(local)
            .context("--freeze-at is out of range")?;
    }
    let bad_lines = fill(&cli, &office)?;
    for fault in &cli.faults {
        office.set_fault(fault.clone()).context("too many faults")?;
    }
    office.set_econnector(!cli.econnector_down);
    introduce(&office);
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("cannot listen for Ctrl-C")?,
        _ = terminated.recv() => {}
    }
    office.stop().await;
    Ok(if bad_lines == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Registers the patients that the office has at the start, and returns how many lines of the file were bad.
fn fill(cli: &Cli, office: &Handle) -> anyhow::Result<usize> {
    let desk = office.front_desk();
    for fields in generate::patients(cli.options().seed, cli.patients) {
        desk.create(&fields);
    }
    let Some(path) = &cli.fhir else { return Ok(0) };
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let (patients, bad) = fhir::read_patients(BufReader::new(file));
    for fields in &patients {
        desk.create(fields);
    }
    for line in &bad {
        eprintln!("{}: skipped {line}", path.display());
    }
    println!(
        "{}: {} patients, {} bad lines",
        path.display(),
        patients.len(),
        bad.len()
    );
    Ok(bad.len())
}

fn introduce(office: &Handle) {
    let (base, admin, key) = (office.base_url(), office.admin_url(), office.authorization());
    println!(
        "base URL       {base}\n\
         Authorization  {key}\n\
         patients       {count}\n\
         \n\
         Read what changed:\n  \
           curl -H 'Authorization: {key}' -H 'Content-Type: application/json' '{base}/patients/Simple?Limit=2'\n\
         Create a patient as a program:\n  \
           curl -H 'Authorization: {key}' -H 'Content-Type: application/json' -d '{{\"LName\":\"Smith\",\"FName\":\"Jane\"}}' {base}/patients\n\
         Register one as the front desk:\n  \
           curl -H 'Content-Type: application/json' -d '{{\"LName\":\"Typed\",\"FName\":\"Tom\"}}' {admin}/patients\n\
         Merge patient 2 into patient 1 as the front desk:\n  \
           curl -H 'Content-Type: application/json' -d '{{\"from\":2,\"to\":1}}' {admin}/merge\n\
         Ask what happened:\n  \
           curl {admin}/changes\n\
         Make trouble for the next POST (carry it out, then cut the connection):\n  \
           curl -H 'Content-Type: application/json' -d '{{\"kind\":\"drop\",\"after-applying\":true,\"method\":\"POST\",\"times\":1}}' {admin}/faults\n\
         \n\
         Ctrl-C ends it; nothing is kept.",
        count = office.patients().len(),
    );
}
