//! A contract as people read it.

use super::{Contract, Grantee, ImageAccess, PatientScope, Validity};
use crate::{EventKind, FieldGroup};
use std::{collections::BTreeSet, fmt};

impl Contract {
    /// What was agreed, as names and what stands under them, in the order in which a person asks.
    #[must_use]
    pub fn in_words(&self) -> [(&'static str, String); 14] {
        let pace = self.pace;
        let kinds = |kinds: &BTreeSet<EventKind>| listed(kinds.iter().map(|kind| kind.as_str()));
        let groups = |groups: &BTreeSet<FieldGroup>| listed(groups.iter().map(|group| group.as_str()));
        [
            ("vendor", self.grantee.vendor.to_string()),
            ("who", self.grantee.to_string()),
            ("purpose", format!("{} ({})", self.purpose, self.purpose.code())),
            ("legal basis", self.basis.clone()),
            ("in force", self.in_force()),
            ("patients", self.patients.to_string()),
            ("reads events", kinds(&self.read.kinds)),
            ("reads fields", groups(&self.read.fields)),
            ("source", source(self.read.source).to_owned()),
            ("writes events", kinds(&self.write.kinds)),
            ("writes fields", groups(&self.write.fields)),
            ("images", images(self.images).to_owned()),
            (
                "at most",
                format!(
                    "{} requests a second, {} streams",
                    pace.requests_per_second, pace.streams
                ),
            ),
            ("digest", self.digest().to_string()),
        ]
    }

    fn in_force(&self) -> String {
        match self.enabled {
            true => self.validity.to_string(),
            false => format!("suspended; else {}", self.validity),
        }
    }
}

impl fmt::Display for Contract {
    /// A line for each of [`Contract::in_words`], without a line end after the last one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, text)) in self.in_words().iter().enumerate() {
            let line_end = if number == 0 { "" } else { "\n" };
            write!(f, "{line_end}{name:<14}{text}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.contact {
            Some(contact) => write!(f, "{} ({contact})", self.organization),
            None => f.write_str(&self.organization),
        }
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from(), self.until()) {
            (Some(from), Some(until)) => write!(f, "from {from} to {until}, both included"),
            (Some(from), None) => write!(f, "from {from} on"),
            (None, Some(until)) => write!(f, "until {until}, that day included"),
            (None, None) => f.write_str("without a first or last day"),
        }
    }
}

impl fmt::Display for PatientScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::LinkedWith(system) => write!(f, "those of whom {system} keeps a record"),
        }
    }
}

fn source(shown: bool) -> &'static str {
    match shown {
        true => "shown verbatim, with who did or decided what, and why",
        false => "withheld",
    }
}

fn images(access: ImageAccess) -> &'static str {
    match (access.read, access.write) {
        (true, true) => "read and written",
        (true, false) => "read",
        (false, true) => "written",
        (false, false) => "none",
    }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.collect();
    match words.is_empty() {
        true => "none".to_owned(),
        false => words.join(", "),
    }
}
