//! What can be written after `archwire vendor`.

use crate::{
    admin::check_reason,
    cli::arguments::{Acting, Asking},
};
use archwire_core::SystemName;
use clap::{Args, Subcommand};
use std::time::Duration;

#[derive(Args)]
pub(in crate::cli) struct VendorArgs {
    #[command(subcommand)]
    pub(super) command: VendorCommand,
}

#[derive(Subcommand)]
pub(super) enum VendorCommand {
    /// List the vendors of the configuration, and whether their contracts count at the moment.
    #[command(after_help = "Example:\n  archwire vendor list")]
    List(ListArgs),
    /// Show a vendor's contract in words: what it may see and say, what for, and until when.
    #[command(after_help = "Example:\n  archwire vendor show ceph-tracer")]
    Show(VendorOf),
    /// Make a token for a vendor and print it, this once. Audited.
    ///
    /// The token counts at once, beside those that the vendor has already: hand it over, and revoke the old one when it is used no
    /// more. The broker keeps nothing of it by which anybody could be let in.
    #[command(
        after_help = "Examples:\n  archwire vendor token ceph-tracer --expires 90d --by \"Kim Doe\"\n  archwire vendor token \
                      ceph-tracer --by \"Kim Doe\" --json"
    )]
    Token(TokenArgs),
    /// List the tokens of a vendor: not the tokens themselves, but their ids.
    #[command(after_help = "Example:\n  archwire vendor tokens ceph-tracer")]
    Tokens(VendorOf),
    /// Make a token worthless, at once and for good; calls that it began end. Audited.
    #[command(
        after_help = "Example:\n  archwire vendor revoke ceph-tracer 3f9a01c27b --by \"Kim Doe\" --reason \"laptop lost\""
    )]
    Revoke(RevokeArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
}

#[derive(Args)]
pub(super) struct VendorOf {
    #[command(flatten)]
    pub(super) asking: Asking,
    /// The vendor.
    #[arg(value_name = "NAME")]
    pub(super) vendor: SystemName,
}

#[derive(Args)]
pub(super) struct TokenArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
    /// The vendor.
    #[arg(value_name = "NAME")]
    pub(super) vendor: SystemName,
    /// After how long it lets nobody in any more: 12h, 90d, 1y. Until it is revoked when this is not given.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) expires: Option<Duration>,
}

#[derive(Args)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    pub(super) acting: Acting,
    /// The vendor.
    #[arg(value_name = "NAME")]
    pub(super) vendor: SystemName,
    /// The token's id: the ten digits after `awv1_`, which the list shows too.
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Why, in a few words. Kept for ever, in the audit.
    #[arg(long, value_name = "TEXT", value_parser = check_reason)]
    pub(super) reason: Option<String>,
}

impl VendorArgs {
    /// Whom it asks, and how it answers.
    pub(in crate::cli) fn asking(&self) -> &Asking {
        match &self.command {
            VendorCommand::List(arguments) => &arguments.asking,
            VendorCommand::Show(arguments) | VendorCommand::Tokens(arguments) => &arguments.asking,
            VendorCommand::Token(arguments) => &arguments.acting.asking,
            VendorCommand::Revoke(arguments) => &arguments.acting.asking,
        }
    }
}
