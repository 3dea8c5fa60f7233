//! A vendor registers somebody whom the office has: one patient when that is certain, two and a question when it is not.

use crate::support::{
    Scene,
    plain_vendor::PlainVendor,
    polled_again,
    review::{decide, nothing_open, only_item},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1::{self, ContactUse, EventKind, LinkedBy};
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::{Practice, creations, eventually, phone_of, set_email, set_phone, wire_patient};

const OTHER_VENDOR: &str = "aligner";

/// Somebody with a phone of her own.
fn somebody(first: &str) -> PatientFields {
    PatientFields::named("Quillfeather", first)
        .with(Field::Gender, "Female")
        .with(Field::Birthdate, "2011-06-05")
        .with(Field::WirelessPhone, "(503)555-0187")
}

/// An office and a vendor who know these people already, and another vendor who does not.
async fn known_to_the_office(people: &[PatientFields]) -> Result<(Scene, PlainVendor)> {
    let mut scene = Scene::with(Practice::plan().vendor(OTHER_VENDOR)).await?;
    let desk = scene.office().front_desk();
    for person in people {
        desk.create(person);
    }
    scene.people.extend(people.iter().cloned());
    scene.settled().await?;
    let other = PlainVendor::connect(&scene.practice, OTHER_VENDOR).await?;
    Ok((scene, other))
}

#[tokio::test]
async fn a_person_whom_the_office_has_is_one_patient_and_both_get_what_they_lacked() -> Result<()> {
    let at_the_office = somebody("Thessalonia")
        .with(Field::WkPhone, "(503)555-0111")
        .with(Field::Preferred, "Tess");
    let (scene, other) = known_to_the_office(std::slice::from_ref(&at_the_office)).await?;
    let mut at_the_vendor = wire_patient(&somebody("THESSALONIA"));
    set_phone(&mut at_the_vendor, ContactUse::Mobile, "5035550187");
    set_email(&mut at_the_vendor, "tess@example.com");
    at_the_vendor.addresses = vec![v1::Address {
        r#use: v1::AddressUse::Home.into(),
        lines: vec!["77 Marmalade Crescent".to_owned()],
        city: Some("Salem".to_owned()),
        ..Default::default()
    }];
    let receipt = other.say("A-1", &at_the_vendor).await?;
    let known = scene.vendor.records().remove(0);
    ensure!(
        Some(receipt.patient_id()) == known.patient_id.as_deref(),
        "it became another patient"
    );
    // The office gets what it lacked, in the row that it had.
    scene.office_shows(1, Field::Email, "tess@example.com").await?;
    scene.office_shows(1, Field::City, "Salem").await?;
    scene
        .office_shows(1, Field::Address, "77 Marmalade Crescent")
        .await?;
    // So does the vendor, who sees how it was linked.
    let (_, shown) = other.patient("A-1").await?;
    ensure!(phone_of(&shown, ContactUse::Work) == Some("(503)555-0111"));
    ensure!(shown.names.iter().any(|name| name.given == ["Tess"]));
    let history = scene.vendor.history(receipt.patient_id()).await?;
    ensure!(
        history
            .iter()
            .any(|event| event.linked_by() == LinkedBy::Demographics),
        "no event says by what it was linked"
    );
    polled_again(scene.office(), 3).await?;
    ensure!(
        creations(scene.office()).is_empty() && scene.office().patients().len() == 1,
        "a second row was made"
    );
    let row = scene.office().patient(1).context("no row")?;
    ensure!(
        row.get(Field::FName) == "Thessalonia" && row.get(Field::WirelessPhone) == "(503)555-0187",
        "another way of writing went to the office"
    );
    nothing_open(&scene.practice).await
}

#[tokio::test]
async fn twins_with_one_phone_stay_two() -> Result<()> {
    let twins = [somebody("Emma"), somebody("Sophia")];
    let (scene, other) = known_to_the_office(&twins).await?;
    let mut patients = std::collections::BTreeSet::new();
    for (number, twin) in twins.iter().enumerate() {
        let receipt = other.say(&format!("A-{number}"), &wire_patient(twin)).await?;
        patients.insert(receipt.patient_id().to_owned());
    }
    ensure!(patients.len() == 2, "two twins became one patient");
    scene.listed(2).await?;
    // One more, whom the office has not heard of.
    let receipt = other.say("A-2", &wire_patient(&somebody("Hannah"))).await?;
    ensure!(
        patients.insert(receipt.patient_id().to_owned()),
        "a triplet was taken for a twin"
    );
    eventually("the office has the third", async || {
        let made = creations(scene.office()).len();
        ensure!(made == 1, "{made} made");
        Ok(())
    })
    .await?;
    scene.listed(3).await?;
    polled_again(scene.office(), 3).await?;
    ensure!(scene.office().patients().len() == 3, "somebody is there twice");
    nothing_open(&scene.practice).await
}

/// The same person with day and month of the birth date the other way round: two patients, and a question.
async fn unsure() -> Result<(Scene, PlainVendor, u64)> {
    let (scene, other) = known_to_the_office(&[somebody("Thessalonia")]).await?;
    let swapped = somebody("Thessalonia").with(Field::Birthdate, "2011-05-06");
    other.say("A-1", &wire_patient(&swapped)).await?;
    let number = only_item(&scene.practice, "possible-duplicate").await?;
    eventually("the office has both", async || {
        let rows = scene.office().patients().len();
        ensure!(rows == 2, "{rows} rows");
        Ok(())
    })
    .await?;
    scene.listed(2).await?;
    Ok((scene, other, number))
}

#[tokio::test]
async fn one_who_may_be_the_same_is_merged_when_somebody_says_so() -> Result<()> {
    let (scene, other, number) = unsure().await?;
    let (retired, _) = other.patient("A-1").await?;
    decide(&scene.practice, "link", number).await?;
    nothing_open(&scene.practice).await?;
    scene.listed(1).await?;
    let (survivor, _) = other.patient("A-1").await?;
    let kept = scene.vendor.records().remove(0);
    ensure!(
        kept.patient_id.as_ref() == Some(&survivor) && survivor != retired,
        "the older one goes on"
    );
    let history = scene.vendor.history(&survivor).await?;
    let merge = history
        .iter()
        .find(|event| event.kind() == EventKind::PatientMerged)
        .context("nobody was told")?;
    let decision = merge.decision.as_ref().context("nobody decided")?;
    ensure!(
        (decision.by.as_str(), decision.item) == (crate::support::review::WHO, Some(number)),
        "who decided what is not told"
    );
    // The office keeps both rows; only the first is kept up to date, and none of it is a deletion.
    let (first, second) = (1, 2);
    let before = scene.office().changes().len();
    scene
        .vendor
        .edit(&kept.local_id, |patient| set_email(patient, "tess@example.com"))
        .await?;
    scene
        .office_shows(first, Field::Email, "tess@example.com")
        .await?;
    polled_again(scene.office(), 3).await?;
    ensure!(
        scene
            .office()
            .changes()
            .iter()
            .skip(before)
            .all(|change| change.pat_num != second),
        "the other row was written"
    );
    let row = scene.office().patient(second).context("it was deleted")?;
    ensure!(row.get(Field::PatStatus) == "Patient", "a merge is no deletion");
    Ok(())
}

#[tokio::test]
async fn two_who_were_said_not_to_be_the_same_are_never_asked_about_again() -> Result<()> {
    let (mut scene, other, number) = unsure().await?;
    decide(&scene.practice, "not-same", number).await?;
    nothing_open(&scene.practice).await?;
    let edit = async |round: usize| {
        let swapped = somebody("Thessalonia")
            .with(Field::Birthdate, "2011-05-06")
            .with(Field::HmPhone, format!("(503)555-013{round}"));
        other.say("A-1", &wire_patient(&swapped)).await
    };
    edit(1).await?;
    nothing_open(&scene.practice).await?;
    scene.practice.restart().await?;
    edit(2).await?;
    nothing_open(&scene.practice).await?;
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    edit(3).await?;
    // Even when nothing tells them apart any more.
    other.say("A-1", &wire_patient(&somebody("Thessalonia"))).await?;
    polled_again(scene.office(), 3).await?;
    nothing_open(&scene.practice).await?;
    scene.listed(2).await
}
