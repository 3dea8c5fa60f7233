//! An office that agrees with the bus is read once, and after that only where something may have changed.

use crate::support::{
    Scene,
    reconciling::{fetches, reconcile},
};
use anyhow::{Result, ensure};
use archwire_opendental_simulator::Field;
use archwire_tests::{Practice, eventually, invented};

const PEOPLE: usize = 1_000;

#[tokio::test]
async fn a_thousand_patients_who_agree_are_read_once_and_not_again() -> Result<()> {
    let scene = Scene::with_old_patients(Practice::plan().in_flight(4), invented(3, PEOPLE)).await?;
    scene.listed(PEOPLE).await?;
    let office = scene.office();
    let changes = office.changes().len();
    let first = reconcile(&scene.practice, &[]).await?;
    ensure!(first.code == Some(0) && first.counts() == [0; 4], "{first:?}");
    ensure!(
        first.count("listed") == 1_000 && first.count("compared") == 1_000,
        "{first:?}"
    );
    let read = fetches(office);
    ensure!(read == PEOPLE, "{read} records were read");

    let second = reconcile(&scene.practice, &[]).await?;
    ensure!(
        second.code == Some(0) && second.count("listed") == 1_000,
        "{second:?}"
    );
    ensure!(
        second.count("compared") == 0 && fetches(office) == read,
        "{second:?}"
    );

    // Who changed on either side is read again, and nobody else.
    office.front_desk().set(7, Field::City, "Elsewhere")?;
    eventually("the vendor hears of it", async || {
        let moved = scene.vendor.find(|local| {
            let mut addresses = local.patient.addresses.iter();
            addresses.any(|address| address.city.as_deref() == Some("Elsewhere"))
        });
        moved.map(drop)
    })
    .await?;
    let third = reconcile(&scene.practice, &[]).await?;
    ensure!(third.code == Some(0) && third.count("compared") == 1, "{third:?}");
    ensure!(fetches(office) == read + 1, "{} reads", fetches(office) - read);
    ensure!(office.changes().len() == changes + 1, "something was written");
    Ok(())
}
