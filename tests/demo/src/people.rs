//! The people of the demonstration: who is typed in where, and how they are shown on the screen.

use crate::cli::Cli;
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::fhir::{self, BadLine};
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::invented;
use std::fs::File;
use std::io::BufReader;

/// Fewest patients with which every step has somebody to work on.
const FEWEST: usize = 4;
/// People who are first seen by the vendor, and people who come during the outage, on each side.
const AT_VENDOR: usize = 3;
const IN_OUTAGE: usize = 6;

/// Everybody.
pub(crate) struct People {
    /// Where the front desk's patients are from.
    pub(crate) source: String,
    /// Typed in at the front desk at the beginning.
    pub(crate) front_desk: Vec<PatientFields>,
    /// First registered at the vendor.
    pub(crate) vendor: Vec<PatientFields>,
    /// Typed in at the front desk around the kill.
    pub(crate) late_front_desk: Vec<PatientFields>,
    /// Registered at the vendor around the kill.
    pub(crate) late_vendor: Vec<PatientFields>,
    /// Lines of the file that are no patients.
    pub(crate) skipped: Vec<BadLine>,
}

impl People {
    /// Reads the file, or invents everybody.
    pub(crate) fn read(cli: &Cli) -> Result<Self> {
        let mut others = invented(20_261_121, AT_VENDOR + 2 * IN_OUTAGE).into_iter();
        let mut next = |count| others.by_ref().take(count).collect::<Vec<_>>();
        let (vendor, late_front_desk, late_vendor) = (next(AT_VENDOR), next(IN_OUTAGE), next(IN_OUTAGE));
        let (source, front_desk, skipped) = match &cli.patients {
            None => ("invented".to_owned(), invented(7, cli.count.into()), Vec::new()),
            Some(path) => {
                let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
                let (patients, skipped) = fhir::read_patients(BufReader::new(file));
                (path.display().to_string(), patients, skipped)
            }
        };
        let found = front_desk.len();
        ensure!(
            found >= FEWEST,
            "{source} has {found} patients that can be used, of {} lines; the demonstration needs {FEWEST}",
            found + skipped.len()
        );
        Ok(Self {
            source,
            front_desk,
            vendor,
            late_front_desk,
            late_vendor,
            skipped,
        })
    }
}

/// A name as the screen shows it: `B*** A***`.
pub(crate) fn masked(fields: &PatientFields) -> String {
    let first = |field| {
        fields
            .get(field)
            .and_then(|name| name.chars().next())
            .unwrap_or('?')
    };
    format!("{}*** {}***", first(Field::LName), first(Field::FName))
}

/// A phone number as the screen shows it: its last two digits.
pub(crate) fn masked_phone(number: &str) -> String {
    let tail: String = number
        .chars()
        .rev()
        .take(2)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    format!("***{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_masked_does_not_show_the_name_or_the_number() {
        let fields = PatientFields::named("Ångström", "Zoë");
        assert_eq!(masked(&fields), "Å*** Z***");
        assert_eq!(masked_phone("(503)555-0142"), "***42");
    }
}
