//! What a comparison found: counts, and the first [`MOST_FINDINGS`] of each kind. Ids and paths, never values.

use super::ReconcileError;
use archwire_core::{LocalId, Path, PatientId, SystemName};
use archwire_proto::admin::v1::{Reconciliation, ReconciliationFinding};
use prost::Message as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

/// Most findings of a kind that a report tells one by one.
pub const MOST_FINDINGS: usize = 1_000;
/// Most paths of one finding.
const MOST_PATHS: usize = 32;
/// Most bytes of a report, so that there is room for it in the bucket. Where more would be told, fewer findings are.
const LARGEST: usize = 700 * 1024;

/// What can be wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The bus knows it, and the system does not have it.
    Missing,
    /// The system has it, and the bus does not know it.
    Extra,
    /// It shows something else than the log says it should.
    Differing,
    /// A patient should have one, and has none.
    Unlinked,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Extra, Self::Differing, Self::Unlinked];

    /// The kind's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Differing => "differing",
            Self::Unlinked => "unlinked",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// With which record, where there is one.
    pub local_id: Option<LocalId>,
    /// Of which patient, where the bus knows one.
    pub patient: Option<PatientId>,
    /// At which paths.
    pub paths: BTreeSet<Path>,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The system.
    pub system: SystemName,
    /// When it began.
    pub began_at: SystemTime,
    /// When it ended.
    pub ended_at: SystemTime,
    /// Records that the system lists.
    pub listed: u64,
    /// Records that were read and compared.
    pub compared: u64,
    /// Records that could not be read.
    pub unreadable: u64,
    /// How many findings there are of each kind.
    pub counts: BTreeMap<Kind, u64>,
    /// The first of each kind.
    pub findings: Vec<Finding>,
    /// Whether repairing was asked for.
    pub repair: bool,
    /// How many findings are being repaired.
    pub repaired: u64,
}

impl Report {
    /// A report of nothing yet, of a comparison that begins now.
    #[must_use]
    pub fn new(system: SystemName, repair: bool) -> Self {
        let now = SystemTime::now();
        Self {
            system,
            began_at: now,
            ended_at: now,
            listed: 0,
            compared: 0,
            unreadable: 0,
            counts: BTreeMap::new(),
            findings: Vec::new(),
            repair,
            repaired: 0,
        }
    }

    /// Adds a finding: to the count in any case, to the list while there is room.
    pub fn add(&mut self, mut finding: Finding) {
        let count = self.counts.entry(finding.kind).or_default();
        *count += 1;
        if usize::try_from(*count).is_ok_and(|count| count <= MOST_FINDINGS) {
            finding.paths = finding.paths.into_iter().take(MOST_PATHS).collect();
            self.findings.push(finding);
        }
    }

    /// How many findings there are of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// How many findings there are.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The report for others.
    #[must_use]
    pub fn to_message(&self) -> Reconciliation {
        Reconciliation {
            system: self.system.to_string(),
            began_at: Some(self.began_at.into()),
            ended_at: Some(self.ended_at.into()),
            listed: self.listed,
            compared: self.compared,
            missing: self.count(Kind::Missing),
            extra: self.count(Kind::Extra),
            differing: self.count(Kind::Differing),
            unlinked: self.count(Kind::Unlinked),
            findings: self.findings.iter().map(finding).collect(),
            repair: self.repair,
            repaired: self.repaired,
            unreadable: self.unreadable,
        }
    }
}

impl fmt::Display for Report {
    /// The counts, for the audit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listed {}, compared {}", self.listed, self.compared)?;
        for kind in Kind::ALL {
            write!(f, ", {} {}", kind.as_str(), self.count(kind))?;
        }
        if self.unreadable > 0 {
            write!(f, ", unreadable {}", self.unreadable)?;
        }
        match self.repair {
            true => write!(f, ", repaired {}", self.repaired),
            false => Ok(()),
        }
    }
}

fn finding(finding: &Finding) -> ReconciliationFinding {
    ReconciliationFinding {
        kind: finding.kind.as_str().to_owned(),
        local_id: finding.local_id.as_ref().map(|id| id.as_str().to_owned()),
        patient_id: finding.patient.as_ref().map(ToString::to_string),
        paths: finding.paths.iter().map(ToString::to_string).collect(),
    }
}

/// A report as it is stored: with as many findings of each kind as there is room for.
pub(super) fn packed(mut report: Reconciliation) -> Vec<u8> {
    let mut most = MOST_FINDINGS;
    while report.encoded_len() > LARGEST && most > 0 {
        most /= 2;
        let mut counts = BTreeMap::<String, usize>::new();
        report.findings.retain(|finding| {
            let count = counts.entry(finding.kind.clone()).or_default();
            *count += 1;
            *count <= most
        });
    }
    report.encode_to_vec()
}

/// Reads what [`packed`] wrote.
pub(super) fn unpacked(bytes: &[u8]) -> Result<Reconciliation, ReconcileError> {
    Reconciliation::decode(bytes).map_err(|_| ReconcileError::Report)
}

/// When a report's comparison began.
pub(super) fn began_at(report: &Reconciliation) -> SystemTime {
    let began_at = report.began_at.and_then(|at| SystemTime::try_from(at).ok());
    began_at.unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large() -> Report {
        let mut report = Report::new("front-desk".parse().unwrap(), false);
        let paths = (0..40).map(|number| Path::from(format!("identifiers/{}{number}/value", "x".repeat(90))));
        let paths: BTreeSet<_> = paths.collect();
        for number in 0..1_500 {
            for kind in Kind::ALL {
                report.add(Finding {
                    kind,
                    local_id: Some(format!("{number:0250}").parse().unwrap()),
                    patient: Some(PatientId::generate()),
                    paths: paths.clone(),
                });
            }
        }
        report
    }

    #[test]
    fn everything_is_counted_and_the_first_thousand_of_each_kind_are_told() {
        let report = large();
        assert_eq!(report.found(), 6_000);
        let told = |kind| {
            report
                .findings
                .iter()
                .filter(move |finding| finding.kind == kind)
                .count()
        };
        assert!(Kind::ALL.into_iter().all(|kind| told(kind) == MOST_FINDINGS));
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.paths.len() == MOST_PATHS)
        );
        assert_eq!(
            report.to_string(),
            "listed 0, compared 0, missing 1500, extra 1500, differing 1500, unlinked 1500"
        );
    }

    #[test]
    fn a_report_that_is_too_large_to_store_loses_findings_of_every_kind_and_no_counts() {
        let stored = packed(large().to_message());
        assert!(stored.len() <= LARGEST);
        let report = unpacked(&stored).unwrap();
        assert_eq!((report.missing, report.unlinked), (1_500, 1_500));
        for kind in Kind::ALL {
            let told = report
                .findings
                .iter()
                .filter(|finding| finding.kind == kind.as_str());
            assert!(told.count() > 10);
        }
    }
}
