//! kill -9 of the broker, and of its nats-server with it, while both sides work.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_opendental_simulator::Field;
use archwire_tests::{creations, eventually, wire_patient};
use tokio::task::JoinSet;

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_the_broker_is_killed_in_the_middle_of_a_burst() -> Result<()> {
    let mut scene = Scene::open().await?;
    let mut registrations: JoinSet<Result<()>> = JoinSet::new();
    for round in 0..3 {
        let created = creations(scene.office()).len();
        for fields in scene.next(10) {
            let (vendor, patient) = (scene.vendor.clone(), wire_patient(&fields));
            registrations.spawn(async move { vendor.register(patient).await.map(|_| ()) });
            scene.people.push(fields);
        }
        for pat_num in scene.type_in(10) {
            scene
                .office()
                .front_desk()
                .set(pat_num, Field::WkPhone, &format!("(503)555-01{round:02}"))?;
        }
        // Each round is interrupted at another point of its work.
        let until = created + 1 + 3 * round;
        eventually("the bus is at work", async || {
            let now = creations(scene.office()).len();
            ensure!(now >= until, "{now} of {until} creations so far");
            Ok(())
        })
        .await?;
        scene.practice.kill_broker().await?;
        scene.practice.start_broker().await?;
    }
    while let Some(registered) = registrations.join_next().await {
        registered??;
    }
    scene.settled().await?;
    scene.created(30)?;
    let parked = scene.practice.logs()?.about("is parked");
    ensure!(
        parked.is_empty(),
        "{} deliveries need a person although nothing was wrong",
        parked.len()
    );
    Ok(())
}
