//! The command line.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// A cephalometric tracing program, as the bus sees it.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// Where the bus is.
    #[arg(long, default_value = "http://127.0.0.1:7400")]
    pub(crate) url: String,
    /// File that holds this vendor's token. Not needed with a certificate.
    #[arg(long, required_unless_present = "certificate")]
    pub(crate) token_file: Option<PathBuf>,
    /// For https: this vendor's certificate, a PEM file.
    #[arg(long, requires = "key")]
    pub(crate) certificate: Option<PathBuf>,
    /// The key to the certificate, a PEM file.
    #[arg(long, requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
    /// For https: the authority that signed the bus's certificate, a PEM file. Public authorities when left out.
    #[arg(long)]
    pub(crate) ca_certificate: Option<PathBuf>,
    /// This program's table of patients: ids only, no patient data. Made when it is not there.
    #[arg(long, default_value = "cephalometric-patients.tsv")]
    pub(crate) table: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Take over the practice's patients as they come, until Ctrl-C.
    Follow {
        /// This vendor's name in the broker's configuration: events from it are our own.
        #[arg(long, default_value = "ceph-tracer")]
        system: String,
        /// Print names, not only ids.
        #[arg(long)]
        reveal: bool,
    },
    /// Register a patient who is new here.
    Register {
        #[arg(long)]
        family: String,
        #[arg(long)]
        given: String,
        /// YYYY-MM-DD, or only the part that is known.
        #[arg(long)]
        birth_date: String,
        #[arg(long)]
        phone: Option<String>,
    },
    /// Show what the bus knows about one of our patients.
    Show {
        #[arg(long)]
        local_id: String,
    },
}
