//! Practices to measure: the broker as an administrator runs it, from the program and a configuration file.

use crate::{machine, sink::Sink};
use anyhow::{Context as _, Result, ensure};
use archwire_tests::{Plan, Practice, process};
use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

/// The vendors of every practice.
pub(crate) const VENDORS: [&str; 3] = ["imaging", "ceph-tracer", "recall"];
/// Longer than any run: what is measured is not disturbed by reading the simulated office.
const HARDLY_EVER: Duration = Duration::from_secs(24 * 3600);

/// So many more vendors for many subscribers: each may have 256 names.
pub(crate) const CROWD: usize = 8;

fn plan() -> Plan {
    let plan = Practice::plan().quiet().log_level("info").poll_every(HARDLY_EVER);
    VENDORS.into_iter().fold(plan, Plan::vendor)
}

/// The name of one of the vendors of [`with_crowd`].
pub(crate) fn in_crowd(number: usize) -> String {
    format!("crowd-{}", number % CROWD)
}

/// A practice without programs, and with vendors for many subscribers.
pub(crate) async fn with_crowd() -> Result<Practice> {
    let plan = (0..CROWD).fold(plan(), |plan, number| plan.vendor(&in_crowd(number)));
    let practice = plan.open().await?;
    set_office(&practice, "enabled = false")?;
    Ok(practice)
}

/// A practice without programs: vendors only.
pub(crate) async fn with_vendors() -> Result<Practice> {
    let practice = plan().open().await?;
    set_office(&practice, "enabled = false")?;
    Ok(practice)
}

/// A practice with a web service behind the template connector.
pub(crate) async fn with_sink(sink: &Sink) -> Result<Practice> {
    let practice = plan().extra(&archive(sink.url(), "")).open().await?;
    set_office(&practice, "enabled = false")?;
    Ok(practice)
}

/// A practice with three connectors that are loaded and read from, and that nothing is delivered to.
pub(crate) async fn with_three_connectors(sink: &Sink) -> Result<Practice> {
    let url = sink.url();
    let third = format!(
        "\n[systems.third]\nconnector = \"hostile\"\ndeliver = false\npoll-every = \"1day\"\n\
         [systems.third.settings]\nurl = \"{url}\"\ngreeting = \"none\"\n\
         [systems.third.secrets]\nkey = {{ file = \"secrets/third-key\" }}\n\
         [[systems.third.grants]]\nto = \"{url}\"\nmethods = [\"GET\", \"POST\"]\npaths = [\"/**\"]\n\
         private-addresses = true\n"
    );
    let extra = format!("{}{third}", archive(url, "deliver = false\n"));
    let practice = plan().extra(&extra).open().await?;
    let key = practice.folder().join("secrets/third-key");
    fs::write(&key, "none\n").context("cannot write a secret")?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).context("cannot protect a secret")?;
    set_office(&practice, "deliver = false")?;
    Ok(practice)
}

fn archive(url: &str, more: &str) -> String {
    format!(
        "\n[systems.archive]\nconnector = \"echo\"\n{more}\
         [systems.archive.settings]\nurl = \"{url}\"\n\
         [[systems.archive.grants]]\nto = \"{url}\"\nmethods = [\"GET\", \"PUT\"]\npaths = [\"/patients/*\"]\n\
         private-addresses = true\nin-flight = 64\n"
    )
}

/// Adds a line to the configuration of the simulated office.
fn set_office(practice: &Practice, line: &str) -> Result<()> {
    let (text, head) = (practice.configuration()?, "connector = \"opendental\"\n");
    ensure!(text.contains(head), "the practice has no office");
    practice.set_configuration(&text.replace(head, &format!("{head}{line}\n")))
}

/// What the broker holds in memory, in MB.
pub(crate) fn resident(practice: &Practice) -> Result<f64> {
    megabytes(practice.broker_pid()?)
}

/// What the broker's nats-server holds in memory, in MB.
pub(crate) fn resident_of_nats(practice: &Practice) -> Result<f64> {
    megabytes(practice.seat().nats_pid()?)
}

/// The most that the broker and its nats-server have held so far, in MB.
pub(crate) fn peaks(practice: &Practice) -> Result<(f64, f64)> {
    let of = |pid| machine::peak_megabytes(pid).context("the program is gone");
    Ok((of(practice.broker_pid()?)?, of(practice.seat().nats_pid()?)?))
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn megabytes(pid: u32) -> Result<f64> {
    let kibibytes = process::resident_kib(pid).context("the program is gone")?;
    Ok(kibibytes as f64 * machine::KIBIBYTE)
}
