//! A practice under trouble: an office, a vendor, people who work at both, and the checker at the end.

use super::check::{Violation, violations};
use super::evidence::{Allowed, Evidence};
use super::gather;
use super::town::Town;
use super::values::{Values, of_office, of_wire, person_of};
use crate::{Plan, Practice, TracingProgram, process};
use anyhow::{Result, bail, ensure};
use archwire_opendental_simulator::Handle;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The system and the vendor of every run.
pub const OFFICE: &str = "front-desk";
/// See [`OFFICE`].
pub const VENDOR: &str = "ceph-tracer";

/// How long everything may take to be everywhere after the trouble has ended: some outcomes ask for 30 s of patience, the probes
/// of a system that was away come up to 30 s apart, and a record that may have been made is searched for 65 s, each time.
pub const LONGEST_SETTLING: Duration = Duration::from_secs(300);
/// Between two looks at everybody.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// A practice at work.
pub struct Stage {
    /// The people.
    pub town: Town,
    /// The vendor's program.
    pub vendor: TracingProgram,
    /// The practice, with its broker.
    pub practice: Practice,
}

/// What a run came to, for people.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Everybody who was entered.
    pub people: usize,
    /// Observations whose success was told to a publisher.
    pub told: usize,
    /// Events in the log.
    pub events: usize,
    /// Writes of the bus to the office: those that made a record, and the others.
    pub writes: (usize, usize),
    /// From the end of the trouble until everybody was everywhere.
    pub settled: Duration,
    /// What a case has to say besides.
    pub notes: Vec<String>,
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            people,
            told,
            events,
            writes: (made, written),
            settled,
            notes,
        } = self;
        write!(
            f,
            "{people} people, {told} answers, {events} events, {made} records made, {written} written, settled in {settled:.1?}"
        )?;
        notes.iter().try_for_each(|note| write!(f, "; {note}"))
    }
}

/// What every run has in common: a log of everything that matters, and nothing more.
#[must_use]
pub fn plan() -> Plan {
    Practice::plan().vendor(VENDOR).log_level("info")
}

impl Stage {
    /// Opens a practice with so many people to come. The broker does not run yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(plan: Plan, seed: u64, people: usize) -> Result<Self> {
        let practice = plan.open().await?;
        let vendor = TracingProgram::start(VENDOR, practice.vendor(VENDOR).await?);
        let office = practice.shared_office();
        let town = Town::new(VENDOR, vendor.clone(), office, seed, people);
        Ok(Self {
            town,
            vendor,
            practice,
        })
    }

    /// Opens a practice, and starts its broker.
    ///
    /// # Errors
    /// When that fails.
    pub async fn start(plan: Plan, seed: u64, people: usize) -> Result<Self> {
        let mut stage = Self::open(plan, seed, people).await?;
        stage.practice.start_broker().await?;
        Ok(stage)
    }

    /// The office.
    #[must_use]
    pub fn office(&self) -> &Handle {
        self.practice.office()
    }

    /// The broker's memory in KiB, and that of its nats-server.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        let of = |pid: Result<u32>| pid.ok().and_then(process::resident_kib).unwrap_or_default();
        (of(self.practice.broker_pid()), of(self.practice.nats_pid()))
    }

    /// Waits until everybody but `except` has the newest details at the office and at the vendor.
    ///
    /// # Errors
    /// When that does not come to be within [`LONGEST_SETTLING`]: how many are missing where.
    pub async fn settled_but(&self, except: &[usize]) -> Result<Duration> {
        let begun = Instant::now();
        let expected: Vec<Values> = {
            let all = self.town.expected().into_iter();
            all.filter(|(number, _)| !except.contains(number))
                .map(|(_, values)| values)
                .collect()
        };
        loop {
            let behind = self.behind(&expected);
            if behind == (0, 0) {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > LONGEST_SETTLING {
                let (office, vendor) = behind;
                bail!(
                    "after {LONGEST_SETTLING:?} the office is behind with {office} and the vendor with {vendor} of {}",
                    expected.len()
                );
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// The same for everybody.
    ///
    /// # Errors
    /// As there.
    pub async fn settled(&self) -> Result<Duration> {
        self.settled_but(&[]).await
    }

    fn behind(&self, expected: &[Values]) -> (usize, usize) {
        let office = self.office().patients().iter().map(of_office).collect();
        let records = self.vendor.records();
        let vendor = records.iter().map(|local| of_wire(&local.patient)).collect();
        (behind(expected, office), behind(expected, vendor))
    }

    /// Waits until everybody is everywhere, stops the broker in order, and calls the checker.
    ///
    /// # Errors
    /// With everything that the checker found.
    pub async fn finish(mut self, allowed: &Allowed) -> Result<Outcome> {
        let settled = self.settled().await;
        let mut evidence = Evidence::default();
        match self.practice.ask(&["review", "list", "--limit", "1000"]).await {
            Ok(answer) => evidence.review = open_items(&answer),
            Err(error) => evidence.complaints.push(format!("{error:#}")),
        }
        let stopped = self.practice.stop_broker().await;
        gather::log(&self.practice, &mut evidence).await?;
        gather::stores(self.office(), &self.vendor, &mut evidence);
        let expected = self.town.expected().into_iter();
        evidence.expected = expected.map(|(_, values)| values).collect();
        evidence.told = self.town.told();
        let verdict = judge(&evidence, allowed).and(stopped).and(settled);
        match verdict {
            Ok(_) => self.practice.seat_mut().hush(),
            Err(_) => {
                self.practice.keep_folder();
                println!("kept for a look: {}", self.practice.folder().display());
            }
        }
        Ok(outcome(&evidence, verdict?))
    }
}

/// # Errors
/// With everything that the checker found.
fn judge(evidence: &Evidence, allowed: &Allowed) -> Result<()> {
    let found = violations(evidence, allowed);
    let told: Vec<String> = found.iter().map(Violation::to_string).collect();
    ensure!(
        told.is_empty(),
        "{} violations:\n  {}",
        told.len(),
        told.join("\n  ")
    );
    Ok(())
}

fn outcome(evidence: &Evidence, settled: Duration) -> Outcome {
    let writes = evidence
        .stores
        .get(OFFICE)
        .map_or(&[][..], |store| store.writes.as_slice());
    let by_bus = writes.iter().filter(|write| write.by_bus);
    let (made, written): (Vec<_>, Vec<_>) = by_bus.partition(|write| write.creates);
    Outcome {
        people: evidence.expected.len(),
        told: evidence.told.len(),
        events: evidence.events.len(),
        writes: (made.len(), written.len()),
        settled,
        notes: Vec::new(),
    }
}

fn behind(expected: &[Values], shown: Vec<Values>) -> usize {
    let shown: BTreeMap<_, _> = shown
        .into_iter()
        .map(|values| (person_of(&values), values))
        .collect();
    let is_there = |values: &&Values| shown.get(&person_of(values)) == Some(*values);
    expected.iter().filter(|values| !is_there(values)).count()
}

fn open_items(answer: &serde_json::Value) -> Vec<String> {
    let lines = answer.get("lines").and_then(|lines| lines.as_array());
    let line = |line: &serde_json::Value| {
        let part = |name| line.get(name).map(ToString::to_string).unwrap_or_default();
        format!("{} {}", part("number"), part("kind"))
    };
    lines.map_or_else(Vec::new, |lines| lines.iter().map(line).collect())
}
