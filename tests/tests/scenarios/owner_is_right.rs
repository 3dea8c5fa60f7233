//! One system is right about a group of fields: what others make of it is put right at once, or when somebody has decided.

use crate::support::{
    Scene, VENDOR, polled_again,
    review::{decide, nothing_open, only_item, show},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1::ContactUse;
use archwire_opendental_simulator::{Author, Change, Field, Handle, Options};
use archwire_tests::{Practice, eventually, phone_of, set_phone};
use serde_json::Value;

/// What the owner shows, and what others make of it.
const RIGHT: &str = "(503)555-0142";
const WRONG: &str = "(503)555-0187";

/// Two offices and a vendor who know the same patient; the east is right about phones.
struct Stage {
    scene: Scene,
    east_row: i64,
    west_row: i64,
}

impl Stage {
    async fn set(on_disagreement: &str) -> Result<Self> {
        let plan = Practice::plan()
            .system("east", Options::service())
            .system("west", Options::service())
            .owns("east", &["contact"], on_disagreement);
        let mut scene = Scene::with(plan).await?;
        let person = scene.next(1).remove(0).with(Field::WkPhone, RIGHT);
        let east_row = scene.office().front_desk().create(&person);
        scene.people.push(person);
        scene.settled().await?;
        let west_row = eventually("the west has the patient", async || {
            let rows = scene.practice.office_of("west")?.patients();
            rows.first().map(|row| row.pat_num).context("not yet")
        })
        .await?;
        let stage = Self {
            scene,
            east_row,
            west_row,
        };
        stage.shows(stage.west()?, west_row, RIGHT).await?;
        // Until the bus has read back what it wrote, an edit counts as how the office writes it.
        polled_again(stage.west()?, 2).await?;
        Ok(stage)
    }

    fn east(&self) -> &Handle {
        self.scene.office()
    }

    fn west(&self) -> Result<&Handle> {
        self.scene.practice.office_of("west")
    }

    /// The west's staff type another number.
    fn west_types(&self, phone: &str) -> Result<()> {
        let west = self.west()?.front_desk();
        west.set(self.west_row, Field::WkPhone, phone)?;
        Ok(())
    }

    async fn shows(&self, office: &Handle, row: i64, phone: &str) -> Result<()> {
        eventually("the office shows the number", async || {
            let row = office.patient(row).context("no row")?;
            ensure!(row.get(Field::WkPhone) == phone, "it shows another one");
            Ok(())
        })
        .await
    }

    async fn vendor_shows(&self, phone: &str) -> Result<()> {
        eventually("the vendor shows the number", async || {
            self.scene
                .vendor
                .find(|local| phone_of(&local.patient, ContactUse::Work) == Some(phone))
        })
        .await
        .map(drop)
    }

    /// The item that is open, after a look at what the list tells of it and what `show` does.
    async fn disagreement(&self, system: &str) -> Result<u64> {
        let practice = &self.scene.practice;
        let number = only_item(practice, "disagreement").await?;
        let list = practice.run(&["review", "list"]).await?.said;
        let json = practice.ask(&["review", "list"]).await?;
        ensure!(json["lines"][0]["system"] == system, "{}", json["lines"][0]);
        let family = self.scene.people[0].get(Field::LName).unwrap_or_default();
        for value in [RIGHT, WRONG, family] {
            ensure!(
                !list.contains(value) && !json.to_string().contains(value),
                "the list is not masked"
            );
        }
        let shown = show(practice, number).await?;
        let paths = shown["item"]["disagreements"].as_array().context("no paths")?;
        ensure!(
            paths.len() == 1 && holds(&paths[0]["bus"], RIGHT) && holds(&paths[0]["shown"], WRONG),
            "both values are to be shown at one path"
        );
        Ok(number)
    }
}

fn holds(value: &Value, text: &str) -> bool {
    value.to_string().contains(text)
}

fn by_programs(office: &Handle) -> Vec<Change> {
    let mut changes = office.changes();
    changes.retain(|change| matches!(change.author, Author::Developer(_)));
    changes
}

#[tokio::test]
async fn what_a_second_office_makes_of_it_is_put_right_and_the_item_closes_by_itself() -> Result<()> {
    let stage = Stage::set("restore").await?;
    let (events, east) = (stage.scene.vendor.events(), by_programs(stage.east()).len());
    stage.west_types(WRONG)?;
    eventually("the bus has put it right", async || {
        let changes = stage.west()?.changes();
        let wrong = changes
            .iter()
            .position(|change| change.new_value(Field::WkPhone) == Some(WRONG));
        let restored = changes
            .iter()
            .skip(wrong.context("not typed yet")?)
            .any(|change| {
                change.new_value(Field::WkPhone) == Some(RIGHT)
                    && matches!(change.author, Author::Developer(_))
            });
        ensure!(restored, "not yet");
        Ok(())
    })
    .await?;
    nothing_open(&stage.scene.practice).await?;
    polled_again(stage.west()?, 3).await?;
    stage.shows(stage.west()?, stage.west_row, RIGHT).await?;
    ensure!(
        by_programs(stage.east()).len() == east && stage.scene.vendor.events() == events,
        "somebody heard of what was not taken"
    );
    Ok(())
}

#[tokio::test]
async fn what_the_owner_says_later_goes_everywhere_all_the_same() -> Result<()> {
    let stage = Stage::set("restore").await?;
    stage.west_types(WRONG)?;
    let later = "(503)555-0155";
    stage
        .east()
        .front_desk()
        .set(stage.east_row, Field::WkPhone, later)?;
    stage.shows(stage.west()?, stage.west_row, later).await?;
    stage.vendor_shows(later).await?;
    nothing_open(&stage.scene.practice).await
}

#[tokio::test]
async fn a_vendors_edit_is_not_applied_and_waits_until_the_vendor_agrees() -> Result<()> {
    let stage = Stage::set("restore").await?;
    let local_id = stage.scene.vendor.records()[0].local_id.clone();
    let before = (by_programs(stage.east()).len(), by_programs(stage.west()?).len());
    let receipt = stage
        .scene
        .vendor
        .edit(&local_id, |patient| set_phone(patient, ContactUse::Work, WRONG))
        .await?;
    ensure!(
        matches!(receipt, archwire_client::Receipt::Unchanged { .. }),
        "it was taken: {receipt:?}"
    );
    stage.disagreement(VENDOR).await?;
    for office in [stage.east(), stage.west()?] {
        polled_again(office, 3).await?;
    }
    let after = (by_programs(stage.east()).len(), by_programs(stage.west()?).len());
    ensure!(after == before, "an office heard of it");
    stage
        .scene
        .vendor
        .edit(&local_id, |patient| set_phone(patient, ContactUse::Work, RIGHT))
        .await?;
    nothing_open(&stage.scene.practice).await
}

#[tokio::test]
async fn with_review_an_accepted_value_goes_everywhere() -> Result<()> {
    let stage = Stage::set("review").await?;
    stage.west_types(WRONG)?;
    let number = stage.disagreement("west").await?;
    polled_again(stage.west()?, 3).await?;
    stage.shows(stage.west()?, stage.west_row, WRONG).await?;
    stage.shows(stage.east(), stage.east_row, RIGHT).await?;
    decide(&stage.scene.practice, "accept", number).await?;
    stage.shows(stage.east(), stage.east_row, WRONG).await?;
    stage.vendor_shows(WRONG).await?;
    stage.shows(stage.west()?, stage.west_row, WRONG).await?;
    nothing_open(&stage.scene.practice).await
}

#[tokio::test]
async fn with_review_a_rejected_value_is_written_back() -> Result<()> {
    let stage = Stage::set("review").await?;
    stage.west_types(WRONG)?;
    let number = stage.disagreement("west").await?;
    decide(&stage.scene.practice, "reject", number).await?;
    stage.shows(stage.west()?, stage.west_row, RIGHT).await?;
    polled_again(stage.west()?, 3).await?;
    stage.shows(stage.west()?, stage.west_row, RIGHT).await?;
    stage.shows(stage.east(), stage.east_row, RIGHT).await?;
    nothing_open(&stage.scene.practice).await
}
