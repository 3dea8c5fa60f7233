//! Comparisons of an office with the log, as the command makes them.

use super::{Scene, VENDOR, review::WHO};
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::{
    Handle, PatientFields,
    jiff::civil::{DateTime, datetime},
};
use archwire_tests::{Plan, Practice, TracingProgram};
use serde_json::Value;

/// Long before any poll begins.
pub(crate) const LONG_AGO: DateTime = datetime(2019, 5, 1, 9, 30, 0, 0);

impl Scene {
    /// As [`Scene::with`], with people in the office who have not changed for years.
    pub(crate) async fn with_old_patients(plan: Plan, people: Vec<PatientFields>) -> Result<Self> {
        let mut practice = plan.vendor(VENDOR).open().await?;
        let desk = practice.office().front_desk();
        for fields in &people {
            desk.create_dated(fields, LONG_AGO);
        }
        practice.start_broker().await?;
        let vendor = TracingProgram::start(VENDOR, practice.vendor(VENDOR).await?);
        Ok(Self {
            vendor,
            practice,
            people,
        })
    }
}

/// What a comparison came to.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) code: Option<i32>,
    pub(crate) report: Value,
}

impl Compared {
    pub(crate) fn count(&self, what: &str) -> u64 {
        self.report[what].as_u64().unwrap_or(u64::MAX)
    }

    /// Missing, extra, differing, unlinked.
    pub(crate) fn counts(&self) -> [u64; 4] {
        ["missing", "extra", "differing", "unlinked"].map(|kind| self.count(kind))
    }

    /// The findings of a kind: record, patient and paths.
    pub(crate) fn findings(&self, kind: &str) -> Vec<(Option<&str>, Option<&str>, Vec<&str>)> {
        let all = self.report["findings"].as_array().into_iter().flatten();
        let of_kind = all.filter(|finding| finding["kind"] == kind);
        of_kind
            .map(|finding| {
                let paths = finding["paths"].as_array().into_iter().flatten();
                (
                    finding["local_id"].as_str(),
                    finding["patient_id"].as_str(),
                    paths.filter_map(Value::as_str).collect(),
                )
            })
            .collect()
    }
}

/// Compares the front desk, or does so with further arguments.
pub(crate) async fn reconcile(practice: &Practice, further: &[&str]) -> Result<Compared> {
    let by = ["reconcile", "front-desk", "--json", "--by", WHO];
    compared(practice, &[&by, further].concat()).await
}

/// What the last comparison of the front desk came to.
pub(crate) async fn last(practice: &Practice) -> Result<Compared> {
    compared(practice, &["reconcile", "front-desk", "--json", "--last"]).await
}

async fn compared(practice: &Practice, arguments: &[&str]) -> Result<Compared> {
    let answer = practice.run(arguments).await?;
    ensure!(
        matches!(answer.code, Some(0 | 3)),
        "exit code {:?}: {}{}",
        answer.code,
        answer.said,
        answer.complained
    );
    Ok(Compared {
        code: answer.code,
        report: serde_json::from_str(&answer.said).context("the answer is not JSON")?,
    })
}

/// How often an office was asked for a single record, and answered.
pub(crate) fn fetches(office: &Handle) -> usize {
    let requests = office.requests();
    let is_single = |path: &str| {
        let number = path.strip_prefix("/patients/");
        number.is_some_and(|number| number.parse::<i64>().is_ok())
    };
    let single = requests
        .iter()
        .filter(|request| request.method == "GET" && is_single(&request.path));
    single.filter(|request| request.finished).count()
}
