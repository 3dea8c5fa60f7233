//! A contract as people read it.

use super::{Contract, Grantee, ImageAccess, PatientScope, Validity};
use std::fmt;

impl fmt::Display for Contract {
    /// Several lines of a name and what stands under it, in the order in which a person asks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, text: &dyn fmt::Display| writeln!(f, "{name:<14}{text}");
        line("vendor", &self.grantee.vendor)?;
        line("who", &Who(&self.grantee))?;
        line(
            "purpose",
            &format_args!("{} ({})", self.purpose, self.purpose.code()),
        )?;
        line("legal basis", &self.basis)?;
        line("in force", &InForce(self))?;
        line("patients", &self.patients)?;
        line(
            "reads events",
            &Words(self.read.kinds.iter().map(|kind| kind.as_str()).collect()),
        )?;
        line(
            "reads fields",
            &Words(self.read.fields.iter().map(|group| group.as_str()).collect()),
        )?;
        line("source", &source(self.read.source))?;
        line(
            "writes events",
            &Words(self.write.kinds.iter().map(|kind| kind.as_str()).collect()),
        )?;
        line(
            "writes fields",
            &Words(self.write.fields.iter().map(|group| group.as_str()).collect()),
        )?;
        line("images", &images(self.images))?;
        let pace = self.pace;
        line(
            "at most",
            &format_args!(
                "{} requests a second, {} streams",
                pace.requests_per_second, pace.streams
            ),
        )?;
        write!(f, "{:<14}{}", "digest", self.digest())
    }
}

struct Who<'a>(&'a Grantee);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.contact {
            Some(contact) => write!(f, "{} ({contact})", self.0.organization),
            None => f.write_str(&self.0.organization),
        }
    }
}

struct InForce<'a>(&'a Contract);

impl fmt::Display for InForce<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.enabled {
            f.write_str("suspended; else ")?;
        }
        self.0.validity.fmt(f)
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

struct Words(Vec<&'static str>);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_empty() {
            true => f.write_str("none"),
            false => f.write_str(&self.0.join(", ")),
        }
    }
}
