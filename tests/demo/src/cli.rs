//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// Shows the whole way of a patient through Archwire, step by step and with times.
///
/// Four programs run on this machine: a simulator of the Open Dental API in the place of a
/// practice's front desk, the bus (archwire with a nats-server of its own), and a vendor's program
/// that traces cephalometric radiographs and speaks gRPC to the bus. Patients typed at the front
/// desk appear at the vendor, changes follow, a patient first registered at the vendor appears in
/// Open Dental exactly once, a radiograph taken at the vendor appears in the archive (a real Orthanc)
/// and in the patient's chart byte for byte, and nothing is lost or doubled when the bus is killed
/// with -9 in the middle of work. A table at the end sums it up. Everything is in a temporary
/// folder that is removed.
#[derive(Debug, Parser)]
#[command(name = "archwire-demo", version, verbatim_doc_comment)]
pub(crate) struct Cli {
    /// Patients for the front desk: FHIR R4 Patients, one JSON a line. A line that is none is
    /// skipped and named by its number, and makes the exit code 1.
    #[arg(long, value_name = "FILE", conflicts_with = "count", verbatim_doc_comment)]
    pub(crate) patients: Option<PathBuf>,
    /// How many patients to invent when there is no file, 4 to 5,000.
    #[arg(long, value_name = "NUMBER", default_value_t = 12, value_parser = clap::value_parser!(u16).range(4..=5000))]
    pub(crate) count: u16,
    /// An image to take at the vendor in place of the radiograph that is made up: it reaches
    /// archive and chart as far as they take a file of its kind and size (DICOM, JPEG, PDF and
    /// STL go into both). One that names somebody else waits for a person first, who is played
    /// too.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) image: Option<PathBuf>,
    /// Leave everything running at the end, print the addresses and what to try next, and wait for Ctrl-C.
    #[arg(long)]
    pub(crate) keep: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
