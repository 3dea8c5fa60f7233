//! Measures the registry in a real broker: `registry_figures [patients]`, 50,000 where no number is given.
//!
//! Three vendors publish the same invented people, so that each patient has a record in three systems and two of three
//! observations are linked by the rules of identity. Prints: observations a second of `Publish`, for new people and for
//! linked ones; the broker's resident memory; and from start to ready with a snapshot of the index, and without one.
//! Runs the broker that `ARCHWIRE_BIN` names, which should be a release build.

#![allow(clippy::print_stdout, reason = "it is a program that prints figures")]

use anyhow::{Context as _, Result, ensure};
use archwire_client::{Publisher, Receipt, v1};
use archwire_opendental_simulator::PatientFields;
use archwire_tests::{Practice, invented, process, wire_patient};
use std::{collections::BTreeSet, time::Instant};
use tokio::task::JoinSet;

const VENDORS: [&str; 3] = ["imaging", "ceph-tracer", "recall"];
const IN_FLIGHT: usize = 256;

#[tokio::main]
async fn main() -> Result<()> {
    let patients = std::env::args().nth(1);
    let patients: usize = patients.map_or(Ok(50_000), |number| number.parse())?;
    let mut plan = Practice::plan().quiet();
    for vendor in VENDORS {
        plan = plan.vendor(vendor);
    }
    let mut practice = plan.open().await?;
    practice.start_broker().await?;
    println!("{patients} people, each in {} programs", VENDORS.len());
    println!("broker with nobody: {} MiB resident", resident(&practice)?);
    let people: Vec<_> = invented(11, patients).iter().map(person).collect();
    let mut known = BTreeSet::new();
    for vendor in VENDORS {
        let publisher = practice.vendor(vendor).await?.publisher();
        let begun = Instant::now();
        let ids = publish(&publisher, &people).await?;
        let seconds = begun.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = patients as f64 / seconds;
        let before = known.len();
        known.extend(ids);
        println!(
            "{vendor}: {rate:.0} observations/s, {} new patients, {} MiB resident",
            known.len() - before,
            resident(&practice)?
        );
    }
    let took = practice.restart().await?;
    println!(
        "after an orderly stop: ready after {took:?}, {} MiB resident",
        resident(&practice)?
    );
    practice.kill_broker().await?;
    let took = practice.start_broker().await?;
    println!("after kill -9: ready after {took:?}, {} MiB resident", resident(&practice)?);
    let answer = practice
        .run(&["rebuild", "--by", "figures", "--json"])
        .await?;
    ensure!(answer.code == Some(0), "rebuild failed: {}", answer.complained);
    println!("rebuild: {}", answer.said.trim());
    Ok(())
}

/// Somebody of whom the rules can tell that it is the same person: with a sex, and a phone of their own.
fn person(fields: &PatientFields) -> v1::Patient {
    let mut patient = wire_patient(fields);
    if patient.administrative_sex() == v1::AdministrativeSex::Unspecified {
        patient.set_administrative_sex(v1::AdministrativeSex::Female);
    }
    patient
}

async fn publish(publisher: &Publisher, people: &[v1::Patient]) -> Result<Vec<String>> {
    let mut ids = Vec::with_capacity(people.len());
    let mut running = JoinSet::new();
    for (number, patient) in people.iter().enumerate() {
        if running.len() == IN_FLIGHT {
            let receipt: Result<Receipt, archwire_client::PublishError> =
                running.join_next().await.context("nothing runs")??;
            ids.push(receipt?.patient_id().to_owned());
        }
        let observation = v1::Observation {
            local_id: number.to_string(),
            patient: Some(patient.clone()),
            ..Default::default()
        };
        let publisher = publisher.clone();
        running.spawn(async move { publisher.publish(observation).await });
    }
    while let Some(receipt) = running.join_next().await {
        ids.push(receipt??.patient_id().to_owned());
    }
    Ok(ids)
}

fn resident(practice: &Practice) -> Result<u64> {
    let kib = process::resident_kib(practice.broker_pid()?).context("the broker is gone")?;
    Ok(kib / 1024)
}
