//! kill -9 of the nats-server under a broker that goes on.

use crate::support::Scene;
use anyhow::{Context as _, Result, ensure};
use archwire_tests::{creations, eventually, wire_patient};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;

/// How often the broker has said that its server is there again.
fn came_back(scene: &Scene) -> Result<usize> {
    Ok(scene.practice.logs()?.about("nats-server is back").len())
}

fn kill(pid: u32) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("no process id")?;
    Ok(kill_process(pid, Signal::KILL)?)
}

/// How many streams the servers of this practice have begun to read from the disk.
fn begun(scene: &Scene) -> usize {
    let log = scene.practice.data_folder().join("nats/nats-server.log");
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.matches("Starting restore for stream").count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_is_lost_when_the_nats_server_is_killed_again_while_it_reads_its_store() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(6);
    scene.register(3).await?;
    scene.settled().await?;
    let mut killed = scene.practice.nats_pid()?;
    kill(killed)?;
    // Each time a little later in its start.
    for streams in 0..6 {
        let before = begun(&scene);
        killed = eventually("the next nats-server reads its store", async || {
            let pid = scene.practice.nats_pid()?;
            let enough = begun(&scene) >= before + streams;
            ensure!(pid != killed && enough, "not yet");
            Ok(pid)
        })
        .await?;
        kill(killed)?;
    }
    scene.type_in(2);
    scene.register(2).await?;
    scene.settled().await?;
    scene.created(5)?;
    scene.practice.restart().await?;
    scene.type_in(1);
    scene.settled().await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_is_lost_or_doubled_when_the_nats_server_is_killed_under_the_broker() -> Result<()> {
    let mut scene = Scene::open().await?;
    let broker = scene.practice.broker_pid()?;
    let mut registrations: JoinSet<Result<()>> = JoinSet::new();
    for _ in 0..2 {
        for fields in scene.next(8) {
            let (vendor, patient) = (scene.vendor.clone(), wire_patient(&fields));
            registrations.spawn(async move { vendor.register(patient).await.map(|_| ()) });
            scene.people.push(fields);
        }
        scene.type_in(8);
        let until = creations(scene.office()).len() + 1;
        eventually("the bus is at work", async || {
            ensure!(
                creations(scene.office()).len() >= until,
                "nothing was created yet"
            );
            Ok(())
        })
        .await?;
        let killed = scene.practice.nats_pid()?;
        let back = came_back(&scene)?;
        kill(killed)?;
        eventually("another nats-server serves", async || {
            ensure!(came_back(&scene)? > back, "not yet");
            Ok(())
        })
        .await?;
    }
    while let Some(registered) = registrations.join_next().await {
        registered??;
    }
    scene.settled().await?;
    scene.created(16)?;
    ensure!(scene.practice.broker_pid()? == broker, "the broker went on");
    scene.practice.stop_broker().await
}
