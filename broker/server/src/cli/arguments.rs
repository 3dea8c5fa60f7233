//! What can be written after `archwire`.

use super::{
    audit::AuditArgs, events::EventsArgs, images::ImagesArgs, parked::ParkedArgs, receipts::ReceiptsArgs,
    reconcile::ReconcileArgs, review::ReviewArgs, status::StatusArgs, vendor::VendorArgs,
};
use crate::admin::{check_name, check_reason};
use archwire_proto::admin::v1;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The patient-event bus for dental and orthodontic practices.
#[derive(Parser)]
#[command(
    name = "archwire",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Run the bus until SIGTERM or SIGINT, then finish what was begun and stop.
    Run(Configured),
    /// Check the configuration, the connectors and their grants, and ask every system whether it answers.
    ///
    /// Changes nothing anywhere, and may be used while the bus runs.
    Check(CheckArgs),
    /// Decide what the bus does not decide by itself: who is who, and which program is right.
    ///
    /// Speaks to the broker that runs on the configuration's data folder, as the user that it runs as. What shows or
    /// changes a patient is written to the audit first, with the name and the reason that are given.
    Review(ReviewArgs),
    /// Make the index anew from the log, compare it with the one in use, and use it from then on.
    ///
    /// Nothing is lost by it: the log is the truth. Exit code 1 when the two were not the same.
    #[command(after_help = "Example:\n  archwire rebuild --by \"Kim Doe\"")]
    Rebuild(RebuildArgs),
    /// Read who did what, to whom, when and why.
    Audit(AuditArgs),
    /// Show how the bus and each system are, and what needs a person.
    ///
    /// Exit code 1 when something does: the log is not connected, a system is left alone, or deliveries are parked.
    #[command(after_help = "Example:\n  archwire status")]
    Status(StatusArgs),
    /// Read how deliveries ended, oldest first: which paths were written, and what the systems made of them. No values.
    ///
    /// With --json, one object a line.
    #[command(
        after_help = "Examples:\n  archwire receipts --patient 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001\n  archwire receipts \
                      --system front-desk --outcome differs --last 20"
    )]
    Receipts(ReceiptsArgs),
    /// Look at the deliveries that were given up, try them again, or drop them.
    Parked(ParkedArgs),
    /// Watch what happens on the bus.
    Events(EventsArgs),
    /// Look at the images of a patient, get one, or see how much room they take.
    Images(ImagesArgs),
    /// See who may speak to the bus and on what terms, make tokens, and revoke them.
    ///
    /// Contracts themselves are in the configuration.
    Vendor(VendorArgs),
    /// Have the running broker read its configuration now, and tell what came of it.
    ///
    /// It does so by itself within a second of a change; this waits for it, and says which keys count now, which count at the next
    /// start, and what is different for which vendor. Exit code 0 when all of it counts, 3 when some waits for the next start, 64 when
    /// the configuration cannot be taken.
    #[command(after_help = "Examples:\n  archwire reload --dry-run\n  archwire reload")]
    Reload(ReloadArgs),
    /// Compare what a system holds with what the log says it should.
    ///
    /// Changes nothing anywhere, unless it is asked to repair. Exit code 0 when the two agree, 3 when something differs, 1
    /// when the comparison did not come to its end.
    #[command(
        after_help = "Examples:\n  archwire reconcile front-desk --by \"Kim Doe\"\n  archwire reconcile front-desk --by \
                      \"Kim Doe\" --repair\n  archwire reconcile front-desk --last"
    )]
    Reconcile(ReconcileArgs),
}

#[derive(Args)]
pub(super) struct Configured {
    /// The configuration file.
    #[arg(long, default_value = "archwire.toml", value_name = "FILE")]
    pub(super) config: PathBuf,
}

#[derive(Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) configured: Configured,
    /// Do not ask the systems: look at the configuration and the connectors only.
    #[arg(long)]
    pub(super) offline: bool,
    /// Answer with one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

/// Of a command that speaks to the running broker.
#[derive(Args)]
pub(super) struct Asking {
    /// The configuration file of the running broker. Only its `data.folder` is read.
    #[arg(long, default_value = "archwire.toml", value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Answer with JSON on one line. Errors too, but for those about the command line itself.
    #[arg(long)]
    pub(super) json: bool,
}

/// Of a command that speaks to the running broker in somebody's name.
#[derive(Args)]
pub(super) struct Acting {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Your name, for the audit.
    #[arg(long, value_name = "NAME", value_parser = check_name)]
    by: String,
}

/// Of a command that decides something for good: who does, and why.
#[derive(Args)]
pub(super) struct Deciding {
    #[command(flatten)]
    pub(super) acting: Acting,
    /// Why, in a few words. Kept for ever, in the audit and with the patient.
    #[arg(long, value_name = "TEXT", value_parser = check_reason)]
    pub(super) reason: String,
}

/// How long a page of a list is.
#[derive(Args)]
pub(super) struct Page {
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) limit: u32,
}

impl Acting {
    /// The person of a request.
    pub(super) fn person(&self) -> Option<v1::Person> {
        let name = self.by.clone();
        Some(v1::Person { name })
    }
}

#[derive(Args)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Change nothing: tell what would come of it.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Args)]
pub(super) struct RebuildArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
}
