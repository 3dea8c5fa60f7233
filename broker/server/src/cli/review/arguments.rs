//! What can be written after `archwire review`.

use crate::cli::arguments::{Acting, Asking, Deciding, Page};
use archwire_core::{PatientId, ReviewKind};
use clap::{Args, Subcommand};

#[derive(Args)]
pub(in crate::cli) struct ReviewArgs {
    #[command(subcommand)]
    pub(super) command: ReviewCommand,
}

#[derive(Subcommand)]
pub(super) enum ReviewCommand {
    /// List the open items, the gravest first, with names and dates masked.
    #[command(after_help = "Example:\n  archwire review list --kind possible-duplicate --limit 20")]
    List(ListArgs),
    /// Show an item unmasked, the patients side by side. Audited.
    #[command(after_help = "Example:\n  archwire review show 12 --by \"Kim Doe\"")]
    Show(ShowArgs),
    /// They are one person: merge the item's patient into the candidate; or the record, or the image, is the patient's.
    #[command(
        after_help = "Example:\n  archwire review link 12 --by \"Kim Doe\" --reason \"asked at the desk, moved last year\""
    )]
    Link(DecideWithArgs),
    /// They are two people, or the image is not the patient's. Remembered for ever: it does not come up again.
    #[command(after_help = "Example:\n  archwire review not-same 12 --by \"Kim Doe\" --reason \"twins\"")]
    NotSame(DecideWithArgs),
    /// The system is right: take what it says, or read its record again.
    #[command(
        after_help = "Example:\n  archwire review accept 15 --by \"Kim Doe\" --reason \"new address, called back\""
    )]
    Accept(DecideArgs),
    /// The bus is right: write its value back to the system, or dismiss the record that cannot be read.
    #[command(
        after_help = "Example:\n  archwire review reject 15 --by \"Kim Doe\" --reason \"typing error\""
    )]
    Reject(DecideArgs),
    /// Make two patients one, without an item.
    ///
    /// Acts at once; with --dry-run it only shows what would come of it. Can be taken back with `unmerge`.
    #[command(
        after_help = "Example:\n  archwire review merge 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001 \
                      019a8f30-8d5e-7c31-b5a5-02d1f0a4c002 \\\n    --by \"Kim Doe\" --reason \"same passport\" --dry-run"
    )]
    Merge(MergeArgs),
    /// Part a patient from whom he or she was merged into. Both are as the log says they were.
    ///
    /// Acts at once; with --dry-run it only shows what would come of it.
    #[command(
        after_help = "Example:\n  archwire review unmerge 019a8f30-8d5e-7c31-b5a5-02d1f0a4c002 \\\n    --by \"Kim \
                      Doe\" --reason \"father and son\" --dry-run"
    )]
    Unmerge(UnmergeArgs),
}

impl ReviewArgs {
    /// Whom it asks, and how it answers.
    pub(in crate::cli) fn asking(&self) -> &Asking {
        match &self.command {
            ReviewCommand::List(arguments) => &arguments.asking,
            ReviewCommand::Show(arguments) => &arguments.acting.asking,
            ReviewCommand::Link(arguments) | ReviewCommand::NotSame(arguments) => {
                &arguments.decide.deciding.acting.asking
            }
            ReviewCommand::Accept(arguments) | ReviewCommand::Reject(arguments) => {
                &arguments.deciding.acting.asking
            }
            ReviewCommand::Merge(arguments) => &arguments.deciding.acting.asking,
            ReviewCommand::Unmerge(arguments) => &arguments.deciding.acting.asking,
        }
    }
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Only items of this kind: wrong-patient, record-conflict, identifier-conflict, possible-duplicate, unreadable, disagreement.
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Option<ReviewKind>,
    #[command(flatten)]
    pub(super) page: Page,
    /// Only items with a greater number: the next page. Where there is more than a page, a page is in order of numbers.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(super) after: u64,
}

#[derive(Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
    /// The item's number.
    #[arg(value_name = "NUMBER")]
    pub(super) number: u64,
}

#[derive(Args)]
pub(super) struct DecideArgs {
    #[command(flatten)]
    pub(super) deciding: Deciding,
    /// The item's number.
    #[arg(value_name = "NUMBER")]
    pub(super) number: u64,
}

#[derive(Args)]
pub(super) struct DecideWithArgs {
    #[command(flatten)]
    pub(super) decide: DecideArgs,
    /// Which candidate, where the item has several; without it, `not-same` means all of them. Of an image: whose it is, where it
    /// is not the item's patient's.
    #[arg(long, value_name = "PATIENT-ID")]
    pub(super) with: Option<PatientId>,
}

#[derive(Args)]
pub(super) struct MergeArgs {
    #[command(flatten)]
    pub(super) deciding: Deciding,
    /// Who goes on.
    #[arg(value_name = "SURVIVOR-ID")]
    pub(super) survivor: PatientId,
    /// Who is the duplicate.
    #[arg(value_name = "RETIRED-ID")]
    pub(super) retired: PatientId,
    /// Merge although somebody decided that they are not the same.
    #[arg(long)]
    pub(super) although_not_same: bool,
    /// Only show what would come of it. Shows both patients unmasked, and is audited.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Args)]
pub(super) struct UnmergeArgs {
    #[command(flatten)]
    pub(super) deciding: Deciding,
    /// Who was the duplicate.
    #[arg(value_name = "RETIRED-ID")]
    pub(super) retired: PatientId,
    /// Only show what would come of it. Shows both patients unmasked, and is audited.
    #[arg(long)]
    pub(super) dry_run: bool,
}
