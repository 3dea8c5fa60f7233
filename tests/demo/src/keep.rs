//! `--keep`: everything stays up, and the reader is told what to try.

use crate::stage::{Stage, VISITOR};
use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Says where everything is, and waits for Ctrl-C or SIGTERM.
pub(crate) async fn until_asked(stage: &Stage) -> Result<()> {
    let (office, key) = (stage.office().base_url(), stage.office().authorization());
    let (admin, bus) = (stage.office().admin_url(), stage.practice.url());
    let token = stage.practice.token_file(VISITOR);
    let (token, config) = (token.display(), stage.practice.configuration_file());
    let table = stage.practice.folder().join("visitor.tsv");
    println!(
        "\nEverything is left running.\n\n  \
           Open Dental     {office}\n  \
           the bus         {bus}\n  \
           vendor token    {token}\n  \
           configuration   {config}\n\n\
         In another terminal, from the checkout:\n\n\
         Follow the practice as a vendor's program of your own:\n  \
           cargo run -p archwire-client --example cephalometric_tracing -- \\\n      \
             --url {bus} --token-file {token} \\\n      \
             --table {table} follow --system {VISITOR}\n\
         Type a patient in at the front desk, and see it arrive there:\n  \
           curl -H 'Content-Type: application/json' -d '{{\"LName\":\"Typed\",\"FName\":\"Tom\"}}' {admin}/patients\n\
         Ask Open Dental what programs wrote into it:\n  \
           curl {admin}/changes\n\
         Read a record through Open Dental's API, as the connector does:\n  \
           curl -H 'Authorization: {key}' -H 'Content-Type: application/json' {office}/patients/1\n\
         Check the configuration, the connector and its grants:\n  \
           cargo run -p archwire -- check --config {config}\n\n\
         Ctrl-C ends everything and removes it.",
        config = config.display(),
        table = table.display(),
    );
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Ok(())
}
