//! The steps of the play, in order. Each waits until what it shows has come true, and fails when it does not.

use crate::check;
use crate::people::{People, masked, masked_phone};
use crate::radiograph;
use crate::screen::{Screen, seconds};
use crate::stage::Stage;
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1::ContactUse;
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::{creations, eventually, phone_of, wire_patient};

/// How many names a step shows.
const SHOWN: usize = 3;

/// All of them.
pub(crate) async fn all(
    stage: &mut Stage,
    screen: &mut Screen,
    people: People,
    image: Option<Vec<u8>>,
) -> Result<()> {
    let People {
        front_desk,
        vendor,
        late_front_desk,
        late_vendor,
        ..
    } = people;
    let imaged = front_desk.last().cloned().context("nobody is typed in")?;
    let typed = patients_typed_at_the_front_desk(stage, screen, front_desk).await?;
    a_changed_phone_number(stage, screen, &typed).await?;
    a_patient_registered_at_the_vendor(stage, screen, vendor).await?;
    let pat_num = *typed.last().context("nobody was typed in")?;
    radiograph::taken_at_the_vendor(stage, screen, pat_num, &imaged, image).await?;
    a_kill_in_the_middle_of_work(stage, screen, &typed, late_front_desk, late_vendor).await?;
    nothing_lost_or_doubled(stage, screen).await
}

/// Types people in at the front desk; returns their numbers there.
fn type_in(stage: &mut Stage, people: Vec<PatientFields>) -> Vec<i64> {
    let desk = stage.practice.office().front_desk();
    let numbers = people.iter().map(|fields| desk.create(fields)).collect();
    stage.everybody.extend(people);
    numbers
}

async fn patients_typed_at_the_front_desk(
    stage: &mut Stage,
    screen: &mut Screen,
    people: Vec<PatientFields>,
) -> Result<Vec<i64>> {
    screen.begin(
        "typed at the front desk",
        "Staff type every patient into Open Dental. Nobody types anything at the vendor.",
    );
    let count = people.len();
    let shown: Vec<String> = people.iter().take(SHOWN).map(masked).collect();
    let numbers = type_in(stage, people);
    screen.say(format_args!(
        "{count} patients typed in: {}, ...",
        shown.join(", ")
    ));
    check::settled(stage).await?;
    screen.held("at the vendor, every field the same", count);
    Ok(numbers)
}

async fn a_changed_phone_number(stage: &mut Stage, screen: &mut Screen, typed: &[i64]) -> Result<()> {
    screen.begin(
        "a changed phone number",
        "Staff correct a number at the front desk.",
    );
    let pat_num = *typed.first().context("nobody was typed in")?;
    let number = "(503)555-0142";
    stage.office().front_desk().set(pat_num, Field::HmPhone, number)?;
    screen.say(format_args!(
        "PatNum {pat_num} has the home phone {} now",
        masked_phone(number)
    ));
    let local = eventually("the vendor has the number", async || {
        stage
            .vendor
            .find(|local| phone_of(&local.patient, ContactUse::Home) == Some(number))
    });
    let local = local.await?;
    screen.say(format_args!(
        "the vendor's {} has it too, at revision {}",
        local.local_id, local.revision
    ));
    ensure!(local.revision == 2, "one change makes one revision");
    screen.held("the vendor has the new number", 1);
    Ok(())
}

async fn a_patient_registered_at_the_vendor(
    stage: &mut Stage,
    screen: &mut Screen,
    people: Vec<PatientFields>,
) -> Result<()> {
    screen.begin(
        "first registered at the vendor",
        "A patient comes for a tracing first. The bus creates the record in Open Dental, through its API.",
    );
    let count = people.len();
    for fields in &people {
        let (local_id, receipt) = stage.vendor.register(wire_patient(fields)).await?;
        let patient_id = receipt.patient_id();
        screen.say(format_args!(
            "{} is {local_id} at the vendor, {patient_id} on the bus",
            masked(fields)
        ));
    }
    stage.everybody.extend(people);
    stage.from_vendor += count;
    check::settled(stage).await?;
    let changes = stage.office().changes();
    let created: Vec<_> = changes.iter().filter(|change| change.method == "POST").collect();
    for change in &created {
        screen.say(format_args!(
            "Open Dental's own log: POST made PatNum {}, by {}",
            change.pat_num, change.author
        ));
    }
    check::created_once(stage)?;
    screen.held("in Open Dental, each created exactly once", count);
    Ok(())
}

async fn a_kill_in_the_middle_of_work(
    stage: &mut Stage,
    screen: &mut Screen,
    typed: &[i64],
    late_front_desk: Vec<PatientFields>,
    late_vendor: Vec<PatientFields>,
) -> Result<()> {
    screen.begin(
        "killed with -9 and started again",
        "Work goes on at both ends before, during and after the outage.",
    );
    let (desk, vendor) = (late_front_desk.len(), late_vendor.len());
    let mut edits = Edits::new(typed);
    let mut desk_people = thirds(late_front_desk).into_iter();
    let mut vendor_people = thirds(late_vendor).into_iter();
    let created = creations(stage.office()).len();

    let before = work(stage, &mut edits, desk_people.next(), vendor_people.next())?;
    eventually("the bus is at work", async || {
        ensure!(
            creations(stage.office()).len() > created,
            "nothing was created yet"
        );
        Ok(())
    })
    .await?;
    stage.practice.kill_broker().await?;
    screen.say("kill -9 while the bus creates patients in Open Dental; its nats-server is gone with it");

    let during = work(stage, &mut edits, desk_people.next(), vendor_people.next())?;
    screen.say("the bus is down; both ends go on working, the vendor's program waits for its answers");

    let took = stage.practice.start_broker().await?;
    screen.say(format_args!("the bus is back after {}", seconds(took)));
    let after = work(stage, &mut edits, desk_people.next(), vendor_people.next())?;

    let registrations = before.into_iter().chain(during).chain(after);
    for registration in registrations {
        registration.await??;
    }
    screen.say("every registration at the vendor has its answer");
    check::settled(stage).await?;
    let what = format!(
        "{desk} + {vendor} new patients, {} edits: both sides the same",
        edits.count
    );
    screen.held(&what, desk + vendor + edits.count);
    Ok(())
}

/// What both ends do in one part of the outage. Returns the registrations at the vendor, which end when the bus has
/// stored them.
fn work(
    stage: &mut Stage,
    edits: &mut Edits,
    desk: Option<Vec<PatientFields>>,
    vendor: Option<Vec<PatientFields>>,
) -> Result<Vec<tokio::task::JoinHandle<Result<()>>>> {
    let vendor = vendor.unwrap_or_default();
    stage.from_vendor += vendor.len();
    let registrations = vendor.iter().map(|fields| {
        let (program, patient) = (stage.vendor.clone(), wire_patient(fields));
        tokio::spawn(async move { program.register(patient).await.map(|_| ()) })
    });
    let registrations = registrations.collect();
    stage.everybody.extend(vendor);
    type_in(stage, desk.unwrap_or_default());
    edits.next(stage)?;
    Ok(registrations)
}

/// Changed phone numbers, two patients at a time.
struct Edits<'a> {
    patients: std::iter::Cycle<std::slice::Iter<'a, i64>>,
    count: usize,
}

impl<'a> Edits<'a> {
    fn new(patients: &'a [i64]) -> Self {
        Self {
            patients: patients.iter().cycle(),
            count: 0,
        }
    }

    fn next(&mut self, stage: &Stage) -> Result<()> {
        for pat_num in self.patients.by_ref().take(2) {
            self.count += 1;
            let number = format!("(503)555-01{:02}", 50 + self.count);
            stage
                .office()
                .front_desk()
                .set(*pat_num, Field::WirelessPhone, &number)?;
        }
        Ok(())
    }
}

fn thirds(people: Vec<PatientFields>) -> [Vec<PatientFields>; 3] {
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for (place, fields) in people.into_iter().enumerate() {
        if let Some(part) = parts.get_mut(place % 3) {
            part.push(fields);
        }
    }
    parts
}

async fn nothing_lost_or_doubled(stage: &mut Stage, screen: &mut Screen) -> Result<()> {
    screen.begin(
        "nothing lost, nothing doubled",
        "The bus is asked for every patient's history, and Open Dental for every creation.",
    );
    let counts = check::nothing_lost_or_doubled(stage).await?;
    screen.say(format_args!(
        "{} people on each side, nobody twice",
        counts.people
    ));
    screen.say(format_args!(
        "{} revisions, numbered without a gap for every patient",
        counts.revisions
    ));
    screen.say(format_args!(
        "{} registered at the vendor, {} POSTs at Open Dental",
        stage.from_vendor,
        creations(stage.office()).len()
    ));
    screen.held("histories without gaps, one POST each", counts.people);
    Ok(())
}
