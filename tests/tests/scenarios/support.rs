//! A practice with one office and one vendor, up and running, and shorthand for what scenarios wait for.

pub(crate) mod collector;
pub(crate) mod images;
pub(crate) mod plain_vendor;
pub(crate) mod raw_bus;
pub(crate) mod reconciling;
pub(crate) mod review;
pub(crate) mod watch;
pub(crate) mod whole_log;

use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Field, Handle, PatientFields};
use archwire_tests::{
    Plan, Practice, TracingProgram, creations, eventually, invented, same_people, whole_histories,
    wire_patient,
};

/// The vendor in every scenario.
pub(crate) const VENDOR: &str = "ceph-tracer";

/// What a scenario plays with.
pub(crate) struct Scene {
    pub(crate) vendor: TracingProgram,
    pub(crate) practice: Practice,
    /// Everybody who was typed in anywhere.
    pub(crate) people: Vec<PatientFields>,
}

/// How often an office was asked for everything that changed, and answered.
pub(crate) fn polls(office: &Handle) -> usize {
    let requests = office.requests();
    requests
        .iter()
        .filter(|request| request.path == "/patients/Simple" && request.finished)
        .count()
}

/// Waits until an office was polled so often again: what a poll would bring has come with the first of them.
pub(crate) async fn polled_again(office: &Handle, times: usize) -> Result<()> {
    let before = polls(office);
    eventually("the office is polled again", async || {
        let again = polls(office) - before;
        ensure!(again >= times, "{again} polls so far");
        Ok(())
    })
    .await
}

/// Lines of the office's logs that a failed test shows.
const SHOWN: usize = 40;

impl Drop for Scene {
    /// Shown by the test's runner when the test failed.
    fn drop(&mut self) {
        for complaint in self.vendor.complaints() {
            println!("the vendor complains: {complaint}");
        }
        for change in self.office().changes().iter().rev().take(SHOWN).rev() {
            let fields: Vec<_> = change.fields.iter().map(|field| field.field.name()).collect();
            let (at, method, pat_num) = (change.at, change.method, change.pat_num);
            println!(
                "office: {at} {method} PatNum {pat_num} by {}: {}",
                change.author,
                fields.join(", ")
            );
        }
        let requests = self.office().requests();
        let telling = requests
            .iter()
            .filter(|request| request.path != "/patients/Simple" || request.status != Some(200));
        for request in telling.collect::<Vec<_>>().iter().rev().take(SHOWN).rev() {
            println!(
                "office: {} {} {} {:?}",
                request.at, request.method, request.path, request.status
            );
        }
    }
}

impl Scene {
    /// An office that is not throttled, and a broker that is ready.
    pub(crate) async fn open() -> Result<Self> {
        Self::with(Practice::plan()).await
    }

    pub(crate) async fn with(plan: Plan) -> Result<Self> {
        let mut practice = plan.vendor(VENDOR).open().await?;
        practice.start_broker().await?;
        let vendor = TracingProgram::start(VENDOR, practice.vendor(VENDOR).await?);
        Ok(Self {
            vendor,
            practice,
            people: Vec::new(),
        })
    }

    pub(crate) fn office(&self) -> &Handle {
        self.practice.office()
    }

    /// Types so many invented people in at the front desk; tells their numbers there.
    pub(crate) fn type_in(&mut self, count: usize) -> Vec<i64> {
        let people = self.next(count);
        let desk = self.office().front_desk();
        let numbers = people.iter().map(|fields| desk.create(fields)).collect();
        self.people.extend(people);
        numbers
    }

    /// Registers so many invented people at the vendor, one after the other; tells their numbers there.
    pub(crate) async fn register(&mut self, count: usize) -> Result<Vec<String>> {
        let mut numbers = Vec::new();
        for fields in self.next(count) {
            let (local_id, _) = self.vendor.register(wire_patient(&fields)).await?;
            numbers.push(local_id);
            self.people.push(fields);
        }
        Ok(numbers)
    }

    /// The next people, none of whom has been seen.
    pub(crate) fn next(&self, count: usize) -> Vec<PatientFields> {
        invented(1, self.people.len() + count).split_off(self.people.len())
    }

    /// Waits until both sides hold everybody with the same details, and the bus's histories have no gaps.
    pub(crate) async fn settled(&self) -> Result<()> {
        self.agreed().await?;
        whole_histories(&self.vendor).await.map(|_| ())
    }

    /// Waits until both sides hold everybody with the same details.
    pub(crate) async fn agreed(&self) -> Result<()> {
        eventually("both sides hold the same people", async || {
            same_people(self.office(), &self.vendor, &self.people)
        })
        .await
    }

    /// Waits until the vendor lists so many patients, and the bus knows each of its numbers.
    pub(crate) async fn listed(&self, count: usize) -> Result<()> {
        eventually("the vendor lists them", async || {
            let records = self.vendor.records();
            let known = records.iter().filter(|local| local.is_known_to_bus).count();
            ensure!(
                (records.len(), known) == (count, count),
                "{} records, {known} known",
                records.len()
            );
            Ok(())
        })
        .await
    }

    /// Makes sure that programs had the office create so many people and nobody twice.
    pub(crate) fn created(&self, count: usize) -> Result<()> {
        let mut numbers: Vec<i64> = creations(self.office())
            .iter()
            .map(|change| change.pat_num)
            .collect();
        ensure!(
            numbers.len() == count,
            "{} POSTs created somebody, {count} expected",
            numbers.len()
        );
        numbers.dedup();
        ensure!(numbers.len() == count, "a POST was carried out twice");
        Ok(())
    }

    /// Waits until the office shows this in a patient's field.
    pub(crate) async fn office_shows(&self, pat_num: i64, field: Field, value: &str) -> Result<()> {
        eventually("the office shows the new value", async || {
            let patient = self.office().patient(pat_num);
            ensure!(
                patient.is_some_and(|patient| patient.get(field) == value),
                "it shows something else"
            );
            Ok(())
        })
        .await
    }
}
