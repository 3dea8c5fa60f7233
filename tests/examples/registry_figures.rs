//! Measures the registry in a real broker: `registry_figures [patients]`, 50,000 where no number is given.
//!
//! Three vendors publish the same invented people: the first as new ones, the others under the patient ids that the bus
//! gave, so that each patient has a record in three systems. A fourth publishes some of them without an id, for the rules
//! of identity to decide. Prints: observations a second of `Publish`; the broker's resident memory; and from start to ready
//! after an orderly stop and after a kill. Runs the broker that `ARCHWIRE_BIN` names, which should be a release build.

#![allow(clippy::print_stdout, reason = "it is a program that prints figures")]

use anyhow::{Context as _, Result, ensure};
use archwire_client::{PublishError, Publisher, Receipt, v1};
use archwire_opendental_simulator::PatientFields;
use archwire_tests::{Practice, invented, process, wire_patient};
use std::time::Instant;
use tokio::task::JoinSet;

const VENDORS: [&str; 3] = ["imaging", "ceph-tracer", "recall"];
/// Whose records come without an id, and how many of them.
const STRANGER: &str = "archive";
const STRANGERS: usize = 2_000;
const IN_FLIGHT: usize = 256;

#[tokio::main]
async fn main() -> Result<()> {
    let patients = std::env::args().nth(1);
    let patients: usize = patients.map_or(Ok(50_000), |number| number.parse())?;
    let mut plan = Practice::plan().quiet().vendor(STRANGER);
    for vendor in VENDORS {
        plan = plan.vendor(vendor);
    }
    let mut practice = plan.open().await?;
    practice.start_broker().await?;
    println!("{patients} people, each in {} programs", VENDORS.len());
    println!("broker with nobody: {} MiB resident", resident(&practice)?);
    let people: Vec<_> = invented(11, patients).iter().map(person).collect();
    let mut ids = Vec::new();
    for vendor in VENDORS {
        let publisher = practice.vendor(vendor).await?.publisher();
        let begun = Instant::now();
        let given = publish(&publisher, &people, &ids).await?;
        println!(
            "{vendor}: {:.0} observations/s, {} MiB resident",
            rate(people.len(), begun),
            resident(&practice)?
        );
        ids = given;
    }
    let took = practice.restart().await?;
    println!(
        "after an orderly stop: ready after {took:?}, {} MiB resident",
        resident(&practice)?
    );
    practice.kill_broker().await?;
    let took = practice.start_broker().await?;
    println!(
        "after kill -9: ready after {took:?}, {} MiB resident",
        resident(&practice)?
    );
    let some = people.get(..STRANGERS).unwrap_or(&people);
    let publisher = practice.vendor(STRANGER).await?.publisher();
    let begun = Instant::now();
    let given = publish(&publisher, some, &[]).await?;
    let linked = given.iter().zip(&ids).filter(|(given, id)| given == id).count();
    println!(
        "{STRANGER}, without ids: {:.0} observations/s, {linked} of {} linked by the rules",
        rate(some.len(), begun),
        some.len()
    );
    let begun = Instant::now();
    let answer = practice.run(&["rebuild", "--by", "figures", "--json"]).await?;
    ensure!(answer.code == Some(0), "rebuild failed: {}", answer.complained);
    println!("rebuild in {:?}: {}", begun.elapsed(), answer.said.trim());
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn rate(count: usize, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}

/// Somebody of whom the rules can tell that it is the same person: with a sex, and a phone of their own.
fn person(fields: &PatientFields) -> v1::Patient {
    let mut patient = wire_patient(fields);
    if patient.administrative_sex() == v1::AdministrativeSex::Unspecified {
        patient.set_administrative_sex(v1::AdministrativeSex::Female);
    }
    patient
}

/// Publishes everybody, under the patient ids where there are some. Gives the ids in the order of the people.
async fn publish(publisher: &Publisher, people: &[v1::Patient], ids: &[String]) -> Result<Vec<String>> {
    let mut given = vec![String::new(); people.len()];
    let mut running = JoinSet::new();
    let mut people = people.iter().enumerate();
    loop {
        let next = if running.len() < IN_FLIGHT {
            people.next()
        } else {
            None
        };
        let Some((number, patient)) = next else {
            let Some(ended) = running.join_next().await else {
                return Ok(given);
            };
            let (number, receipt): (usize, Result<Receipt, PublishError>) = ended?;
            let slot = given.get_mut(number).context("nobody has that number")?;
            receipt?.patient_id().clone_into(slot);
            continue;
        };
        let observation = v1::Observation {
            local_id: number.to_string(),
            patient_id: ids.get(number).cloned(),
            patient: Some(patient.clone()),
            ..Default::default()
        };
        let publisher = publisher.clone();
        running.spawn(async move { (number, publisher.publish(observation).await) });
    }
}

fn resident(practice: &Practice) -> Result<u64> {
    let kib = process::resident_kib(practice.broker_pid()?).context("the broker is gone")?;
    Ok(kib / 1024)
}
