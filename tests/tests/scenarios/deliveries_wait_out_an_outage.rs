//! An office whose eConnector is down, or whose server is gone.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Field, Options};
use archwire_tests::{Practice, eventually, set_email};
use std::time::Duration;

fn remote() -> Options {
    Options::remote_every(Duration::from_millis(20))
}

#[tokio::test]
async fn deliveries_wait_while_the_econnector_is_down_and_then_arrive() -> Result<()> {
    let plan = Practice::plan()
        .system("front-desk", remote())
        .spacing(Duration::from_millis(25));
    let mut scene = Scene::with(plan).await?;
    let local_id = scene.register(1).await?.remove(0);
    scene.settled().await?;
    scene.office().set_econnector(false);
    scene.register(4).await?;
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "first@example.com"))
        .await?;
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "second@example.com"))
        .await?;
    let refused = |scene: &Scene| {
        let requests = scene.office().requests();
        requests
            .iter()
            .filter(|request| request.status == Some(400))
            .count()
    };
    eventually("the bus has tried and been refused", async || {
        ensure!(refused(&scene) >= 2, "{} refusals so far", refused(&scene));
        Ok(())
    })
    .await?;
    // The front desk works on: it does not need the eConnector.
    scene.type_in(2);
    let tried = refused(&scene);
    scene.office().set_econnector(true);
    scene.settled().await?;
    scene.created(5)?;
    scene.office_shows(1, Field::Email, "second@example.com").await?;
    let log = scene.practice.logs()?;
    ensure!(log.about("is parked").is_empty(), "a delivery was given up");
    ensure!(tried < 40, "{tried} requests at an office that answers none");
    let writes = scene.office().changes();
    let to_the_first = writes
        .iter()
        .filter(|change| change.pat_num == 1 && change.method == "PUT")
        .count();
    ensure!(
        to_the_first == 1,
        "what waited is brought in one go, not in {to_the_first}"
    );
    Ok(())
}
