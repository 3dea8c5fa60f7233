//! The power is cut under load, and the machine starts again with what was on the disk.

use super::kills::kill;
use crate::faults::disk::{Disk, copy};
use crate::faults::evidence::{Allowed, Writes};
use crate::faults::load::Load;
use crate::faults::stage::{Outcome, Stage, plan};
use crate::{eventually, process};
use anyhow::{Context as _, Result, ensure};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::time::Duration;
use tokio::time::sleep;

/// Of the practice's disk.
const MEBIBYTES: u64 = 256;
/// How long the machine runs between two cuts.
const LONGEST_UP: Duration = Duration::from_secs(3);

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How often the power is cut.
    pub cuts: usize,
    /// Decides who does what, and when the power is cut.
    pub seed: u64,
    /// Patients.
    pub people: usize,
    /// People at work.
    pub workers: usize,
}

impl Size {
    /// The short form.
    #[must_use]
    pub fn short(seed: u64) -> Self {
        Self {
            cuts: 3,
            seed,
            people: 60,
            workers: 4,
        }
    }
}

/// Cuts the power of the machine with the broker, its server and its data. Where no disk of its own can be had for that, the
/// data folder is copied while everything stands still, and the machine starts again with the copy: that shows only that
/// what was answered had been handed to the file system, not that it was on the disk. The outcome says which it was.
///
/// # Errors
/// With everything that the checker found.
pub async fn is_cut(size: Size) -> Result<Outcome> {
    let obstacle = Disk::obstacle();
    let plan = match obstacle {
        None => plan().in_flight(4).own_disk(MEBIBYTES),
        Some(_) => plan().in_flight(4),
    };
    let mut stage = Stage::open(plan, size.seed, size.people).await?;
    let data = stage.practice.data_folder();
    let has_disk = obstacle.is_none();
    let load = Load::begin(&stage.town, size.workers, size.seed);
    let mut dice = ChaCha8Rng::seed_from_u64(size.seed);
    println!("power cuts: seed {}", size.seed);
    for number in 1..=size.cuts {
        stage.practice.start_broker().await?;
        sleep(dice.random_range(Duration::ZERO..LONGEST_UP)).await;
        let server = stage.practice.nats_pid()?;
        // Whoever is not running any more cannot answer anybody: first who stores, then who answers.
        freeze(server).await?;
        stage.practice.seat().freeze().await?;
        match has_disk {
            true => stage.practice.disk()?.cut()?,
            false => copy(&data, &stage.practice.folder().join("survives"))?,
        }
        stage.practice.kill_broker().await?;
        // Its parent is gone, and it stands still: it is sent the signal and ends.
        _ = kill(server);
        eventually("the nats-server is gone", async || {
            ensure!(!process::runs(server), "it is still there");
            Ok(())
        })
        .await?;
        match has_disk {
            true => stage.practice.disk()?.start_again().await?,
            false => {
                fs::remove_dir_all(&data)?;
                fs::rename(stage.practice.folder().join("survives"), &data)?;
            }
        }
        println!(
            "cut {number}/{}, {} answers so far",
            size.cuts,
            stage.town.answers()
        );
    }
    stage.practice.start_broker().await?;
    load.end().await?;
    let allowed = Allowed {
        writes: Writes::PerRevision { repeated: size.cuts },
        ..Allowed::default()
    };
    let mut outcome = stage.finish(&allowed).await?;
    outcome.notes.push(match obstacle {
        None => format!("{} cuts of a disk, seed {}", size.cuts, size.seed),
        Some(why) => format!("{} copies of the folder only, because {why}", size.cuts),
    });
    Ok(outcome)
}

async fn freeze(pid: u32) -> Result<()> {
    let own = Pid::from_raw(i32::try_from(pid)?).context("no process id")?;
    kill_process(own, Signal::STOP).context("the nats-server cannot be stopped")?;
    eventually("the nats-server stands still", async || {
        ensure!(process::stands_still(pid), "a thread of it goes on");
        Ok(())
    })
    .await
}
