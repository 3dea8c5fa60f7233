//! What can be written after `archwire images`.

use crate::admin::check_name;
use crate::cli::arguments::{Acting, Asking, Page};
use archwire_core::{ImageId, PatientId};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args)]
pub(in crate::cli) struct ImagesArgs {
    #[command(subcommand)]
    pub(super) command: ImagesCommand,
}

#[derive(Subcommand)]
pub(super) enum ImagesCommand {
    /// List the images of a patient. Nothing in it tells who that is, or when an image was taken.
    #[command(after_help = "Example:\n  archwire images list --patient 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001")]
    List(ListArgs),
    /// Show what is known of an image, and what each system has of it. Audited.
    ///
    /// Staff delete images and move them to other patients, and no program tells the bus: `--look` asks. Whatever they did, the bus
    /// keeps the image, and brings none a second time that was deleted.
    #[command(
        after_help = "Example:\n  archwire images show 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001/7 --look --by \"Kim Doe\""
    )]
    Show(ShowArgs),
    /// Write an image into a file, byte for byte as it came. Audited.
    ///
    /// The file is there only when all of it is, and is what the bus was told of; one that is there already is kept.
    #[command(
        after_help = "Example:\n  archwire images get 019a8f30-8d5e-7c31-b5a5-02d1f0a4c001/7 --to ceph.dcm --by \"Kim Doe\""
    )]
    Get(GetArgs),
    /// Remove bytes that no image has, such as uploads that nobody went on with. Audited.
    ///
    /// That is done every night anyway. What was put there recently is kept, as long as `images.keep-unused` says.
    #[command(after_help = "Example:\n  archwire images collect --dry-run")]
    Collect(CollectArgs),
    /// Show how much room images take.
    Usage(UsageArgs),
}

impl ImagesArgs {
    /// Whom it asks, and how it answers.
    pub(in crate::cli) fn asking(&self) -> &Asking {
        match &self.command {
            ImagesCommand::List(arguments) => &arguments.asking,
            ImagesCommand::Show(arguments) => &arguments.acting.asking,
            ImagesCommand::Get(arguments) => &arguments.acting.asking,
            ImagesCommand::Collect(arguments) => &arguments.asking,
            ImagesCommand::Usage(arguments) => &arguments.asking,
        }
    }
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Whose images; also those of patients who were merged into this one.
    #[arg(long, value_name = "PATIENT-ID")]
    pub(super) patient: PatientId,
    #[command(flatten)]
    pub(super) page: Page,
    /// Only images after this one: the next page.
    #[arg(long, value_name = "IMAGE")]
    pub(super) after: Option<ImageId>,
}

#[derive(Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
    /// Which, as the list says.
    #[arg(value_name = "IMAGE")]
    pub(super) image: ImageId,
    /// Ask each system now whether it still has the image, and under whose record.
    #[arg(long)]
    pub(super) look: bool,
}

#[derive(Args)]
pub(super) struct GetArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
    /// Which, as the list says.
    #[arg(value_name = "IMAGE")]
    pub(super) image: ImageId,
    /// The file to write. Only its owner may read it.
    #[arg(long, value_name = "FILE")]
    pub(super) to: PathBuf,
}

#[derive(Args)]
pub(super) struct CollectArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Only tell what would be removed. Not audited.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Your name, for the audit.
    #[arg(long, value_name = "NAME", value_parser = check_name, required_unless_present = "dry_run")]
    pub(super) by: Option<String>,
}

#[derive(Args)]
pub(super) struct UsageArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
}
