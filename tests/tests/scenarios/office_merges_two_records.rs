//! Staff merge two records in Open Dental: the patients become one everywhere, nobody is deleted anywhere, and it can be
//! taken back.

use crate::support::{
    Scene,
    plain_vendor::patient,
    polled_again,
    review::{WHO, nothing_open, only_item},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1::{self, EventKind};
use archwire_opendental_simulator::{Author, Field, Handle, Options};
use archwire_tests::{Practice, TracingProgram, eventually, set_email};

const OTHER_VENDOR: &str = "aligner";

/// Two offices and two vendors who all know the same two patients.
struct Stage {
    scene: Scene,
    other: TracingProgram,
    /// The front desk's numbers in the east: who goes on, and who turns out to be a duplicate.
    stays: i64,
    goes: i64,
}

impl Stage {
    async fn set() -> Result<Self> {
        let plan = Practice::plan()
            .system("east", Options::service())
            .system("west", Options::service())
            .vendor(OTHER_VENDOR);
        let mut scene = Scene::with(plan).await?;
        let other = TracingProgram::start(OTHER_VENDOR, scene.practice.vendor(OTHER_VENDOR).await?);
        let numbers = scene.type_in(2);
        let stage = Self {
            scene,
            other,
            stays: numbers[0],
            goes: numbers[1],
        };
        stage.everybody_has(2).await?;
        eventually("the west has both", async || {
            ensure!(stage.west()?.patients().len() == 2, "not yet");
            Ok(())
        })
        .await?;
        Ok(stage)
    }

    fn east(&self) -> &Handle {
        self.scene.office()
    }

    fn west(&self) -> Result<&Handle> {
        self.scene.practice.office_of("west")
    }

    /// Waits until both vendors list so many patients, each known to the bus.
    async fn everybody_has(&self, count: usize) -> Result<()> {
        eventually("both vendors list them", async || {
            for vendor in [&self.scene.vendor, &self.other] {
                let records = vendor.records();
                let known = records.iter().filter(|local| local.is_known_to_bus).count();
                ensure!(
                    (records.len(), known) == (count, count),
                    "{} records, {known} known",
                    records.len()
                );
            }
            Ok(())
        })
        .await
    }

    /// The bus's id of somebody whom the east knows by that number.
    fn patient_id(&self, number: i64) -> Result<String> {
        let row = self.east().patient(number).context("no such row")?;
        let local = self
            .scene
            .vendor
            .find(|local| is_named(&local.patient, row.get(Field::LName)))?;
        local
            .patient_id
            .context("the vendor has not heard of the bus's id")
    }

    async fn on_the_bus(&self, patient_id: &str) -> Result<v1::Patient> {
        patient(self.scene.vendor.client(), patient_id).await
    }

    async fn unmerge(&self, patient_id: &str) -> Result<()> {
        let arguments = [
            "review",
            "unmerge",
            patient_id,
            "--by",
            WHO,
            "--reason",
            "two people after all",
        ];
        self.scene.practice.ask(&arguments).await.map(drop)
    }
}

fn is_named(patient: &v1::Patient, family: &str) -> bool {
    let mut names = patient.names.iter();
    names.any(|name| name.family.as_deref() == Some(family))
}

/// What programs wrote after a place in an office's log.
fn written(office: &Handle, after: u64) -> Vec<archwire_opendental_simulator::Change> {
    let mut changes = office.changes_after(after);
    changes.retain(|change| matches!(change.author, Author::Developer(_)));
    changes
}

fn last_change(office: &Handle) -> u64 {
    office.changes().last().map_or(0, |change| change.sequence)
}

/// The number of somebody's row in another office.
fn number_in(office: &Handle, like: &archwire_opendental_simulator::Patient) -> Result<i64> {
    let name = |patient: &archwire_opendental_simulator::Patient| {
        (
            patient.get(Field::LName).to_owned(),
            patient.get(Field::FName).to_owned(),
        )
    };
    let rows = office.patients();
    let row = rows.iter().find(|row| name(row) == name(like));
    row.map(|row| row.pat_num).context("nobody of that name")
}

#[tokio::test]
async fn two_records_merged_in_the_office_are_one_patient_for_everybody_until_somebody_parts_them()
-> Result<()> {
    let mut stage = Stage::set().await?;
    let (stays, goes) = (stage.patient_id(stage.stays)?, stage.patient_id(stage.goes)?);
    let before = [stage.on_the_bus(&stays).await?, stage.on_the_bus(&goes).await?];
    let row = stage.east().patient(stage.goes).context("no row")?;
    let west_goes = number_in(stage.west()?, &row)?;
    let (east_from, west_from) = (last_change(stage.east()), last_change(stage.west()?));

    stage.east().front_desk().merge(stage.goes, stage.stays)?;
    stage.everybody_has(1).await?;
    for vendor in [&stage.scene.vendor, &stage.other] {
        let kept = vendor.records().remove(0);
        ensure!(
            kept.patient_id.as_deref() == Some(stays.as_str()),
            "another one goes on"
        );
        let away = vendor.find(|local| local.merged_into.is_some())?;
        ensure!(
            away.merged_into.as_deref() == Some(kept.local_id.as_str()),
            "the program was not told which of its records goes on"
        );
        for patient_id in [&stays, &goes] {
            let history = vendor.history(patient_id).await?;
            let merges = history
                .iter()
                .filter(|event| event.kind() == EventKind::PatientMerged);
            ensure!(merges.count() == 1, "each is told once");
        }
    }
    let gone = stage.on_the_bus(&goes).await?;
    ensure!(
        gone.merged_into.as_deref() == Some(stays.as_str()) && gone.status() == v1::PatientStatus::MergedInto,
        "whoever asks for the duplicate hears who goes on"
    );

    // What is known of the patient goes to one record in each system from now on.
    let local_id = stage.scene.vendor.records().remove(0).local_id;
    let edited = stage
        .scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "one@example.com"));
    edited.await?;
    stage
        .scene
        .office_shows(stage.stays, Field::Email, "one@example.com")
        .await?;
    eventually("the west has it", async || {
        let rows = stage.west()?.patients();
        ensure!(
            rows.iter().any(|row| row.get(Field::Email) == "one@example.com"),
            "not yet"
        );
        Ok(())
    })
    .await?;
    for office in [stage.east(), stage.west()?] {
        polled_again(office, 5).await?;
    }
    ensure!(
        written(stage.east(), east_from)
            .iter()
            .all(|change| change.pat_num == stage.stays),
        "something was written to the record that was given up"
    );
    let west = written(stage.west()?, west_from);
    ensure!(
        west.iter().all(|change| change.pat_num != west_goes),
        "something was written to a record that is not kept up to date any more"
    );
    ensure!(
        stage.west()?.patients().len() == 2
            && stage
                .west()?
                .patients()
                .iter()
                .all(|row| row.get(Field::PatStatus) == "Patient"),
        "a merge is no deletion"
    );

    stage.unmerge(&goes).await?;
    stage.everybody_has(2).await?;
    let mut expected = before[0].clone();
    set_email(&mut expected, "one@example.com");
    ensure!(
        stage.on_the_bus(&stays).await? == expected,
        "the survivor is not as without the merge"
    );
    ensure!(
        stage.on_the_bus(&goes).await? == before[1],
        "the duplicate is not as before"
    );
    // The office still says that they are one, and says it again whenever it is read.
    for round in 0..2 {
        let phone = format!("(503)555-019{round}");
        for number in [stage.stays, stage.goes] {
            stage.east().front_desk().set(number, Field::WkPhone, &phone)?;
        }
        eventually("both patients have the new number", async || {
            for patient_id in [&stays, &goes] {
                let shown = stage.on_the_bus(patient_id).await?;
                let number = archwire_tests::phone_of(&shown, v1::ContactUse::Work);
                ensure!(number == Some(phone.as_str()), "not yet");
            }
            Ok(())
        })
        .await?;
        polled_again(stage.east(), 5).await?;
        stage.everybody_has(2).await?;
        stage.scene.practice.restart().await?;
    }
    let gone = stage.on_the_bus(&goes).await?;
    ensure!(
        gone.merged_into.is_none() && gone.status() != v1::PatientStatus::MergedInto,
        "they were merged again"
    );
    for vendor in [&stage.scene.vendor, &stage.other] {
        ensure!(vendor.complaints().is_empty(), "{:?}", vendor.complaints());
    }
    nothing_open(&stage.scene.practice).await
}

#[tokio::test]
async fn the_question_whether_two_are_one_is_answered_by_the_office_that_merges_them() -> Result<()> {
    let mut scene = Scene::open().await?;
    let person = scene.next(1).remove(0).with(Field::Gender, "Female");
    let typo = {
        let birth_date = person.get(Field::Birthdate).unwrap_or_default().to_owned();
        person
            .clone()
            .with(Field::Birthdate, with_another_day(&birth_date))
    };
    let desk = scene.office().front_desk();
    let (first, second) = (desk.create(&person), desk.create(&typo));
    scene.people.extend([person, typo]);
    scene.settled().await?;
    only_item(&scene.practice, "possible-duplicate").await?;
    scene.office().front_desk().merge(second, first)?;
    nothing_open(&scene.practice).await?;
    eventually("the vendor has one", async || {
        ensure!(scene.vendor.records().len() == 1, "not yet");
        Ok(())
    })
    .await?;
    let vendor = scene.vendor.records().remove(0);
    let history = scene
        .vendor
        .history(&vendor.patient_id.unwrap_or_default())
        .await?;
    let merge = history
        .iter()
        .find(|event| event.kind() == EventKind::PatientMerged)
        .context("nobody was told")?;
    let decision = merge.decision.as_ref().context("nobody decided")?;
    ensure!(decision.by == "front-desk", "by {}", decision.by);
    Ok(())
}

/// The same date with another last digit.
fn with_another_day(date: &str) -> String {
    let (rest, last) = date.split_at(date.len() - 1);
    let digit = if last == "1" { "2" } else { "1" };
    format!("{rest}{digit}")
}
