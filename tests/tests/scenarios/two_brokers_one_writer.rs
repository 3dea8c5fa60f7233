//! Two brokers of one practice on one NATS server: one writes, the other stands by.

use crate::support::{VENDOR, whole_log::WholeLog};
use anyhow::{Context as _, Result, bail, ensure};
use archwire_client::{PatientKey, Publisher, Receipt, v1};
use archwire_opendental_simulator::PatientFields;
use archwire_tests::{Practice, Seat, creations, eventually, invented, set_email, wire_patient};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// From the death of the writer to the first answer of the other.
const LONGEST_TAKEOVER: Duration = Duration::from_secs(10);
/// How long the vendor waits for an answer before it asks the other broker.
const LONGEST_ANSWER: Duration = Duration::from_secs(1);
/// What the vendor publishes at the same time.
const WORKERS: usize = 6;
/// More people than a scenario gets to.
const PEOPLE: usize = 2_000;

/// An answer that the vendor got.
struct Told {
    local_id: String,
    receipt: Receipt,
    by: usize,
    at: Instant,
}

/// A vendor's program that knows both brokers and says everything until one of them has answered.
struct Vendor {
    publishers: [Publisher; 2],
    at: AtomicUsize,
    people: Vec<PatientFields>,
    next: AtomicUsize,
    is_done: AtomicBool,
    told: Mutex<Vec<Told>>,
}

impl Vendor {
    fn new(practice: &Practice, other: &Seat) -> Result<Arc<Self>> {
        let publisher = |seat: &Seat| {
            let client = practice.vendor_at(VENDOR, seat)?;
            anyhow::Ok(client.publisher_with_deadline(LONGEST_ANSWER))
        };
        Ok(Arc::new(Self {
            publishers: [publisher(practice.seat())?, publisher(other)?],
            at: AtomicUsize::new(0),
            people: invented(1, PEOPLE),
            next: AtomicUsize::new(0),
            is_done: AtomicBool::new(false),
            told: Mutex::default(),
        }))
    }

    async fn publish(&self, observation: v1::Observation) -> Result<()> {
        loop {
            let by = self.at.load(Ordering::Relaxed);
            match self.publishers[by].publish(observation.clone()).await {
                Ok(receipt) => {
                    let told = Told {
                        local_id: observation.local_id,
                        receipt,
                        by,
                        at: Instant::now(),
                    };
                    self.told.lock().expect("nobody panicked").push(told);
                    return Ok(());
                }
                Err(error) if error.is_retryable() => {
                    _ = self
                        .at
                        .compare_exchange(by, 1 - by, Ordering::Relaxed, Ordering::Relaxed);
                }
                Err(error) => bail!("an observation was not taken: {}", error.code()),
            }
        }
    }

    /// Registers people and corrects each, and types as many in at the front desk, until told to stop.
    async fn work(self: Arc<Self>, desk: archwire_opendental_simulator::FrontDesk) -> Result<()> {
        while !self.is_done.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(2, Ordering::Relaxed);
            let mut patient = wire_patient(&self.people[number]);
            desk.create(&self.people[number + 1]);
            for round in 0..3 {
                set_email(&mut patient, &format!("person{number}-{round}@example.com"));
                let observation = v1::Observation {
                    local_id: format!("V-{number}"),
                    patient: Some(patient.clone()),
                    ..Default::default()
                };
                self.publish(observation).await?;
            }
        }
        Ok(())
    }

    fn answers(&self, by: usize) -> usize {
        let told = self.told.lock().expect("nobody panicked");
        told.iter().filter(|told| told.by == by).count()
    }

    fn first_answer_of_the_other(&self) -> Option<Instant> {
        let told = self.told.lock().expect("nobody panicked");
        told.iter().filter(|told| told.by == 1).map(|told| told.at).min()
    }

    async fn has_answers(&self, by: usize, count: usize) -> Result<()> {
        eventually("a broker answers", async || {
            let answers = self.answers(by);
            ensure!(answers >= count, "{answers} answers of {count} so far");
            Ok(())
        })
        .await
    }
}

/// A practice at work: the first broker writes, the second stands by.
struct Stage {
    work: JoinSet<Result<()>>,
    vendor: Arc<Vendor>,
    second: Seat,
    practice: Practice,
}

impl Stage {
    async fn set() -> Result<Self> {
        let mut practice = Practice::plan().external_nats().vendor(VENDOR).open().await?;
        let mut second = practice.another_seat("second")?;
        practice.start_broker().await?;
        second.begin()?;
        second.said("standing by").await?;
        let vendor = Vendor::new(&practice, &second)?;
        let mut work = JoinSet::new();
        for _ in 0..WORKERS {
            work.spawn(Arc::clone(&vendor).work(practice.office().front_desk()));
        }
        vendor.has_answers(0, 60).await?;
        ensure!(!second.is_ready(), "two brokers are at work");
        Ok(Self {
            work,
            vendor,
            second,
            practice,
        })
    }

    /// Waits until the second broker has answered; tells after how long from `since`.
    async fn taken_over(&mut self, since: Instant) -> Result<Duration> {
        self.vendor.has_answers(1, 60).await?;
        let first = self
            .vendor
            .first_answer_of_the_other()
            .context("it has not answered")?;
        Ok(first - since)
    }

    /// Ends the work, waits until everybody is everywhere, and looks at what came of it.
    async fn nothing_is_lost_or_doubled(&mut self) -> Result<()> {
        self.vendor.is_done.store(true, Ordering::Relaxed);
        while let Some(worked) = self.work.join_next().await {
            worked??;
        }
        let people = self.vendor.next.load(Ordering::Relaxed);
        let office = self.practice.office();
        eventually("the office has everybody", async || {
            let now = office.patients().len();
            ensure!(now == people, "{now} of {people}");
            Ok(())
        })
        .await?;
        ensure!(
            creations(office).len() == people / 2,
            "{} created for {} registrations",
            creations(office).len(),
            people / 2
        );
        let client = self.practice.vendor_at(VENDOR, &self.second)?;
        let log = eventually("the log has everybody", async || {
            let log = WholeLog::read(&self.practice).await?;
            let patients = log.is_whole()?;
            ensure!(patients == people, "{patients} patients of {people} people");
            Ok(log)
        })
        .await?;
        log.no_record_is_two_patients()?;
        ensure!(log.writers == 2, "{} writers", log.writers);
        let patients = self.what_was_answered_stands(&log)?;
        ensure!(patients.len() == people / 2, "a registration became two patients");
        for (local_id, patient_id) in patients {
            let shown = client.get_patient(PatientKey::LocalId(local_id)).await?;
            ensure!(
                shown.is_some_and(|shown| shown.patient_id == patient_id),
                "a record is another patient's"
            );
        }
        println!("{people} people, {} events", log.events.len());
        Ok(())
    }

    /// Every answer stands in the log where it was said to. Returns whose records are whose, by the answers.
    fn what_was_answered_stands(&self, log: &WholeLog) -> Result<BTreeSet<(String, String)>> {
        let told = self.vendor.told.lock().expect("nobody panicked");
        println!("{} answers", told.len());
        let mut patients = BTreeSet::new();
        for told in told.iter() {
            match &told.receipt {
                Receipt::Recorded {
                    patient_id,
                    revision,
                    sequence,
                } => {
                    let event = log.events.get(sequence).context("what was answered is lost")?;
                    let of = event.observation.as_ref().map(|one| one.local_id.as_str());
                    ensure!(
                        (&event.patient_id, event.revision, of)
                            == (patient_id, *revision, Some(told.local_id.as_str())),
                        "at {sequence} stands another event than was answered"
                    );
                }
                Receipt::Unchanged { .. } => {}
                Receipt::InReview { item, .. } => bail!("item {item} was opened for nothing"),
            }
            patients.insert((told.local_id.clone(), told.receipt.patient_id().to_owned()));
        }
        Ok(patients)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_broker_takes_over_within_ten_seconds_when_the_writer_is_killed() -> Result<()> {
    let mut stage = Stage::set().await?;
    let killed = Instant::now();
    stage.practice.kill_broker().await?;
    let took = stage.taken_over(killed).await?;
    println!("from kill -9 to the first answer of the other broker: {took:?}");
    ensure!(took < LONGEST_TAKEOVER, "it took {took:?}");
    stage.nothing_is_lost_or_doubled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_stood_still_and_wakes_after_the_takeover_cannot_write_any_more() -> Result<()> {
    let mut stage = Stage::set().await?;
    // A stream that is open, so that what is said on it waits in the frozen broker's connection.
    let client = stage.practice.vendor_at(VENDOR, stage.practice.seat())?;
    let publisher = client.publisher_with_deadline(Duration::from_secs(15));
    let ghost = |number: usize| v1::Observation {
        local_id: format!("ghost-{number}"),
        patient: Some(wire_patient(&stage.vendor.people[PEOPLE - 1 - number])),
        ..Default::default()
    };
    let published = stage.vendor.next.fetch_add(2, Ordering::Relaxed);
    let (typed, registered) = (published + 1, published);
    stage
        .practice
        .office()
        .front_desk()
        .create(&stage.vendor.people[typed]);
    let observation = v1::Observation {
        local_id: format!("V-{registered}"),
        patient: Some(wire_patient(&stage.vendor.people[registered])),
        ..Default::default()
    };
    stage.vendor.publish(observation.clone()).await?;
    publisher.publish(observation.clone()).await?;

    stage.practice.seat().freeze().await?;
    let frozen = Instant::now();
    let mut corrected = observation;
    let patient = corrected.patient.get_or_insert_default();
    set_email(patient, "corrected@example.com");
    let correction = {
        let publisher = publisher.clone();
        tokio::spawn(async move { publisher.publish(corrected).await })
    };
    let mut ghosts = JoinSet::new();
    for number in 0..20 {
        let (publisher, observation) = (publisher.clone(), ghost(number));
        ghosts.spawn(async move { publisher.publish(observation).await });
    }
    let took = stage.taken_over(frozen).await?;
    println!("from SIGSTOP to the first answer of the other broker: {took:?}");
    ensure!(took < LONGEST_TAKEOVER, "it took {took:?}");
    stage.practice.seat().thaw()?;
    let status = stage.practice.seat_mut().ended().await?;
    ensure!(status.code() == Some(1), "it ended with {status}");
    let log = stage.practice.logs()?;
    ensure!(log.text().contains("lease_lost"), "it does not say why it ended");
    stage.vendor.is_done.store(true, Ordering::Relaxed);
    while let Some(ghost) = ghosts.join_next().await {
        if let Ok(receipt) = ghost? {
            bail!("a broker that is not the writer any more took an observation: {receipt:?}");
        }
    }
    stage.nothing_is_lost_or_doubled().await?;
    // A change of a patient whom nobody else had changed may still have been taken: then it is not lost either.
    if let Ok(receipt) = correction.await? {
        let client = stage.practice.vendor_at(VENDOR, &stage.second)?;
        eventually("the writer knows what was answered", async || {
            let key = PatientKey::PatientId(receipt.patient_id().to_owned());
            let shown = client.get_patient(key).await?.context("unknown")?;
            let telecom = shown.patient.unwrap_or_default().telecom;
            let mut emails = telecom.iter().map(|point| point.value.as_str());
            ensure!(emails.any(|email| email == "corrected@example.com"), "not yet");
            Ok(())
        })
        .await?;
    }
    let log = WholeLog::read(&stage.practice).await?;
    let observed = log.events.values().filter_map(|event| event.observation.as_ref());
    let ghosts = observed.filter(|observation| observation.local_id.starts_with("ghost-"));
    ensure!(ghosts.count() == 0, "it appended");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_stopped_in_order_hands_over_at_once() -> Result<()> {
    let mut stage = Stage::set().await?;
    stage.practice.stop_broker().await?;
    let stopped = Instant::now();
    let took = stage.taken_over(stopped).await?;
    println!("from an orderly stop to the first answer of the other broker: {took:?}");
    // The lease itself would last another five seconds.
    ensure!(took < Duration::from_secs(4), "it took {took:?}");
    stage.nothing_is_lost_or_doubled().await?;
    // And back again.
    stage.practice.seat_mut().begin()?;
    stage.practice.seat().said("standing by").await?;
    ensure!(!stage.practice.seat().is_ready(), "two brokers are at work");
    stage.second.kill().await?;
    stage.practice.seat_mut().ready().await.map(drop)
}
