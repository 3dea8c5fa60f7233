//! What can be written after `archwire parked`.

use crate::{
    admin::check_reason,
    cli::arguments::{Acting, Asking, Page},
    parked::{Cargo, ParkedKey},
};
use archwire_core::{PatientId, SystemName};
use archwire_proto::admin::v1;
use clap::{Args, Subcommand};
use std::time::Duration;

#[derive(Args)]
pub(in crate::cli) struct ParkedArgs {
    #[command(subcommand)]
    pub(super) command: ParkedCommand,
}

#[derive(Subcommand)]
pub(super) enum ParkedCommand {
    /// List the deliveries that were given up and wait for a person. Nothing in it tells anything about a patient.
    #[command(
        after_help = "Examples:\n  archwire parked list\n  archwire parked list --system front-desk --older-than 2h"
    )]
    List(ListArgs),
    /// Show one with the system's own words, what the system still lacks, and the patient unmasked. Audited.
    #[command(
        after_help = "Example:\n  archwire parked show front-desk 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001 --by \"Kim Doe\""
    )]
    Show(ShowArgs),
    /// Try deliveries again, with what the bus knows by now. Audited.
    ///
    /// Each goes into its patient's lane, before everything that nobody waits for. Say which are meant by any of the
    /// arguments, or that all are.
    #[command(
        after_help = "Examples:\n  archwire parked redrive front-desk --code birth-date-missing --by \"Kim Doe\"\n  \
                      archwire parked redrive --all --by \"Kim Doe\" --dry-run"
    )]
    Redrive(RedriveArgs),
    /// Give deliveries up for good, with a receipt that says so. Audited.
    ///
    /// The next change of the patient brings the system what it lacks all the same. Say which are meant by any of the
    /// arguments, or that all are.
    #[command(
        after_help = "Example:\n  archwire parked drop archive --older-than 30d --by \"Kim Doe\" --reason \"the archive is gone\""
    )]
    Drop(DropArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Only for this system.
    #[arg(long, value_name = "SYSTEM")]
    pub(super) system: Option<SystemName>,
    /// Only of this patient: the record, and the images that were first told of the patient.
    #[arg(long, value_name = "PATIENT-ID")]
    pub(super) patient: Option<PatientId>,
    #[command(flatten)]
    pub(super) narrowing: Narrowing,
    #[command(flatten)]
    pub(super) page: Page,
    /// Only those behind this one: the next page.
    #[arg(long, value_name = "SYSTEM.PATIENT-ID[.REVISION]")]
    pub(super) after: Option<ParkedKey>,
}

#[derive(Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
    /// The system.
    #[arg(value_name = "SYSTEM")]
    pub(super) system: SystemName,
    /// The patient, or the image.
    #[arg(value_name = "PATIENT-ID[/REVISION]")]
    pub(super) cargo: Cargo,
}

#[derive(Args)]
pub(super) struct Narrowing {
    /// Only those given up for this reason: its code, as the list shows it.
    #[arg(long, value_name = "CODE")]
    pub(super) code: Option<String>,
    /// Only those that have waited at least this long: 30m, 2h, 3d.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) older_than: Option<Duration>,
}

/// Which of them.
#[derive(Args)]
pub(super) struct Which {
    /// Only for this system.
    #[arg(value_name = "SYSTEM")]
    pub(super) system: Option<SystemName>,
    /// Only of this patient, with the images; or only this image.
    #[arg(value_name = "PATIENT-ID[/REVISION]")]
    pub(super) cargo: Option<Cargo>,
    #[command(flatten)]
    pub(super) narrowing: Narrowing,
    /// All of them, whatever and whosever they are.
    #[arg(long, conflicts_with_all = ["system", "cargo", "code", "older_than"])]
    pub(super) all: bool,
    /// Only show which.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Args)]
pub(super) struct RedriveArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
    #[command(flatten)]
    pub(super) which: Which,
}

#[derive(Args)]
pub(super) struct DropArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
    /// Why, in a few words. Kept for ever, in the audit.
    #[arg(long, value_name = "TEXT", value_parser = check_reason)]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) which: Which,
}

impl ParkedArgs {
    /// Whom it asks, and how it answers.
    pub(in crate::cli) fn asking(&self) -> &Asking {
        match &self.command {
            ParkedCommand::List(arguments) => &arguments.asking,
            ParkedCommand::Show(arguments) => &arguments.acting.asking,
            ParkedCommand::Redrive(arguments) => &arguments.acting.asking,
            ParkedCommand::Drop(arguments) => &arguments.acting.asking,
        }
    }
}

impl Which {
    /// What the broker is asked for.
    pub(super) fn filter(self) -> v1::ParkedFilter {
        filter(self.system, self.cargo, self.narrowing)
    }
}

/// What the broker is asked for.
pub(super) fn filter(
    system: Option<SystemName>,
    cargo: Option<Cargo>,
    narrowing: Narrowing,
) -> v1::ParkedFilter {
    v1::ParkedFilter {
        system: system.map(|system| system.to_string()).unwrap_or_default(),
        patient_id: cargo.map(|cargo| cargo.patient().to_string()).unwrap_or_default(),
        image_id: cargo
            .and_then(Cargo::image)
            .map(|image| image.to_string())
            .unwrap_or_default(),
        reason: narrowing.code.unwrap_or_default(),
        older_than_seconds: whole_seconds(narrowing.older_than.unwrap_or_default()),
    }
}

/// No shorter than what was asked for: less would mean more deliveries.
fn whole_seconds(age: Duration) -> u64 {
    let begun = u64::from(age.subsec_nanos() > 0);
    age.as_secs().saturating_add(begun)
}
