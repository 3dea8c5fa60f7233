//! Two systems that both read and write through connectors.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Field, Handle, Options};
use archwire_tests::{Practice, creations, eventually};

async fn has(office: &Handle, people: usize) -> Result<()> {
    eventually("the office has everybody", async || {
        let now = office.patients().len();
        ensure!(now == people, "{now} of {people}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn patients_of_two_offices_become_the_same_people_and_then_it_is_quiet() -> Result<()> {
    let plan = Practice::plan()
        .system("east", Options::service())
        .system("west", Options::service());
    let mut scene = Scene::with(plan).await?;
    let in_the_east = scene.type_in(4);
    let west = scene.practice.office_of("west")?;
    for fields in scene.next(3) {
        west.front_desk().create(&fields);
    }
    let east = scene.practice.office_of("east")?;
    has(east, 7).await?;
    has(west, 7).await?;
    ensure!(
        creations(east).len() == 3 && creations(west).len() == 4,
        "each created once"
    );
    east.front_desk()
        .set(in_the_east[0], Field::WkPhone, "(503)555-0142")?;
    eventually("the west has the new number", async || {
        let found = west
            .patients()
            .iter()
            .any(|patient| patient.get(Field::WkPhone) == "(503)555-0142");
        ensure!(found, "not yet");
        Ok(())
    })
    .await?;
    eventually("the vendor has everybody", async || {
        ensure!(
            scene.vendor.records().len() == 7,
            "{} of 7",
            scene.vendor.records().len()
        );
        Ok(())
    })
    .await?;
    // Once nothing is under way any more, twenty further polls of each bring nothing.
    let state = || (scene.vendor.events(), east.changes().len(), west.changes().len());
    let polls = |office: &Handle| {
        office
            .requests()
            .iter()
            .filter(|request| request.path == "/patients/Simple")
            .count()
    };
    eventually("it is quiet", async || {
        let (before, from) = (state(), (polls(east), polls(west)));
        eventually("ten further polls", async || {
            ensure!(
                polls(east) >= from.0 + 10 && polls(west) >= from.1 + 10,
                "not yet"
            );
            Ok(())
        })
        .await?;
        ensure!(state() == before, "something moved");
        Ok(())
    })
    .await?;
    ensure!(
        east.patients().len() == 7 && west.patients().len() == 7,
        "nobody twice"
    );
    Ok(())
}
