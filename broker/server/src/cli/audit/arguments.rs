//! What can be written after `archwire audit`.

use super::disclosures::Format;
use crate::{admin::check_name, cli::arguments::Asking};
use archwire_core::PatientId;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use std::path::PathBuf;

#[derive(Args)]
pub(in crate::cli) struct AuditArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: AuditCommand,
}

#[derive(Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// List what people did, and the bus of its own accord, oldest first. With --json, one object a line.
    #[command(after_help = "Example:\n  archwire audit list --patient 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001")]
    List(ListArgs),
    /// Search everything: also writes to systems, what vendors were told, and what was decided. With --json, one object a line.
    #[command(
        after_help = "Examples:\n  archwire audit search --vendor tracer --since 2026-11-01\n  archwire audit search \
                      --action delivery. --patient 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001"
    )]
    Search(SearchArgs),
    /// Give out the accounting of disclosures that the practice owes a patient: to whom something was told, what, when, for which
    /// purpose and on what grounds. With --json, one record of the audit a line.
    ///
    /// Whoever was merged with the patient is accounted for too. Reads the whole audit. That it was given out is audited.
    #[command(
        after_help = "Examples:\n  archwire audit disclosures --patient 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001 --by \"Kim \
                      Doe\"\n  archwire audit disclosures --patient 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001 --format fhir"
    )]
    Disclosures(DisclosuresArgs),
    /// Check that no record was changed, removed or put elsewhere since it was written.
    ///
    /// Reads the whole audit. Exit code 3 when something is wrong, with the records that it is about. Where the end was cut off,
    /// or everything was written anew, only checkpoints that were kept elsewhere tell.
    #[command(
        after_help = "Examples:\n  archwire audit verify\n  archwire audit verify --checkpoints /mnt/backup/checkpoints.jsonl \
                      --public-key 3b6a27bc..."
    )]
    Verify(VerifyArgs),
    /// Show the public key that checkpoints are signed with. Note it down somewhere else.
    #[command(after_help = "Example:\n  archwire audit key")]
    Key(KeyArgs),
}

impl AuditCommand {
    /// Whom it asks, and how it answers.
    pub(in crate::cli) fn asking(&self) -> &Asking {
        match self {
            Self::List(arguments) => &arguments.asking,
            Self::Search(arguments) => &arguments.asking,
            Self::Disclosures(arguments) => &arguments.asking,
            Self::Verify(arguments) => &arguments.asking,
            Self::Key(arguments) => &arguments.asking,
        }
    }
}

#[derive(Args)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Only records about this patient.
    #[arg(long, value_name = "PATIENT-ID")]
    pub(super) patient: Option<PatientId>,
    /// Only records after this place in the audit.
    #[arg(long, value_name = "PLACE", default_value_t = 0)]
    pub(super) after: u64,
}

#[derive(Args)]
pub(in crate::cli) struct SearchArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Only records about this patient.
    #[arg(long, value_name = "PATIENT-ID")]
    pub(super) patient: Option<PatientId>,
    /// Also records about whoever is one person with the patient by now, by merges.
    #[arg(long, requires = "patient")]
    pub(super) with_merged: bool,
    /// Only about this vendor: what it was told, what it said, its contract and its tokens.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(super) vendor: String,
    /// Only what was done with this system.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(super) system: String,
    /// Only this action; with a dot at its end, all of its group: `delivery.`, `disclosure.`, `event.`, `review.`, `token.`,
    /// `authentication.`, `configuration.`, `contract.`.
    #[arg(long, value_name = "ACTION", default_value = "")]
    pub(super) action: String,
    /// Only from this day on, in UTC.
    #[arg(long, value_name = "DATE")]
    pub(super) since: Option<Date>,
    /// Only up to this day, in UTC, the day included.
    #[arg(long, value_name = "DATE")]
    pub(super) until: Option<Date>,
    /// Only records after this place in the audit.
    #[arg(long, value_name = "PLACE", default_value_t = 0)]
    pub(super) after: u64,
}

#[derive(Args)]
pub(in crate::cli) struct DisclosuresArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// The patient.
    #[arg(long, value_name = "PATIENT-ID")]
    pub(super) patient: PatientId,
    /// How it is written.
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        conflicts_with = "json"
    )]
    pub(super) format: Format,
    /// Only from this day on, in UTC.
    #[arg(long, value_name = "DATE")]
    pub(super) since: Option<Date>,
    /// Only up to this day, in UTC, the day included.
    #[arg(long, value_name = "DATE")]
    pub(super) until: Option<Date>,
    /// Your name, for the audit.
    #[arg(long, value_name = "NAME", value_parser = check_name)]
    pub(super) by: Option<String>,
}

#[derive(Args)]
pub(in crate::cli) struct VerifyArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// The file of checkpoints to compare with. Without it, the broker's own.
    #[arg(long, value_name = "FILE")]
    pub(super) checkpoints: Option<PathBuf>,
    /// The key by which checkpoints have to be signed, in hexadecimal; may be given several times. Without it, the broker's own.
    #[arg(long, value_name = "KEY", value_parser = public_key)]
    pub(super) public_key: Vec<[u8; 32]>,
}

#[derive(Args)]
pub(in crate::cli) struct KeyArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
}

fn public_key(text: &str) -> Result<[u8; 32], String> {
    let mut key = [0; 32];
    let decoded = hex::decode_to_slice(text.trim(), &mut key);
    decoded.map_err(|_| "a public key is 64 hexadecimal digits".to_owned())?;
    Ok(key)
}
