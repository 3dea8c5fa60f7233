//! A vendor's program that is killed (SIGKILL) in the middle of its work, again and again, misses nothing.

use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, Endpoint, SubscribeOptions};
use archwire_tests::eventually;
use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Where the killed program finds the bus, and keeps what it took.
const URL: &str = "ARCHWIRE_TEST_READER_URL";
const TOKEN: &str = "ARCHWIRE_TEST_READER_TOKEN";
const TAKEN: &str = "ARCHWIRE_TEST_READER_TAKEN";
/// How often it is killed, and people who are typed in meanwhile, each time.
const KILLS: usize = 5;
const PEOPLE: usize = 6;

/// A program of its own, which only the test below starts: it stores what comes, and acknowledges then.
#[tokio::test]
#[ignore = "started by the other test, to be killed by it"]
async fn program_that_is_killed() -> Result<()> {
    // Whoever runs all that is ignored starts it too.
    let Ok(url) = env::var(URL) else {
        return Ok(());
    };
    let endpoint = Endpoint::new(url, env::var(TOKEN)?);
    let client = Client::connect(endpoint).await?;
    let mut taken = File::options().append(true).open(env::var(TAKEN)?)?;
    let mut reader = client.subscribe(SubscribeOptions::new("killed"));
    while let Some(delivery) = reader.next().await? {
        let event = &delivery.event;
        // In one write: what a kill cuts off is the end of a line, and no line begins behind it.
        let line = format!("{} {}\n", event.patient_id, event.revision);
        taken.write_all(line.as_bytes())?;
        taken.sync_data()?;
        reader.ack(&delivery);
    }
    Ok(())
}

struct Program(Child);

impl Program {
    fn start(scene: &Scene, taken: &Path) -> Result<Self> {
        let child = Command::new(env::current_exe()?)
            .args([
                "--exact",
                "vendor_program_is_killed::program_that_is_killed",
                "--ignored",
            ])
            .env(URL, scene.practice.url())
            .env(TOKEN, scene.practice.token(VENDOR)?)
            .env(TAKEN, taken)
            .stdout(Stdio::null())
            .spawn()
            .context("this test cannot start itself")?;
        Ok(Self(child))
    }
}

impl Drop for Program {
    /// As the kernel kills: nothing is said any more.
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// What the program took, in its order. A line that was cut by the kill was not acknowledged either.
fn taken(path: &Path) -> Result<Vec<(String, u64)>> {
    let text = fs::read_to_string(path)?;
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().filter_map(|line| {
        let (patient, revision) = line.split_once(' ')?;
        Some((patient.to_owned(), revision.parse().ok()?))
    });
    Ok(lines.collect())
}

#[tokio::test]
async fn a_program_that_is_killed_again_and_again_goes_on_without_a_gap() -> Result<()> {
    let mut scene = Scene::open().await?;
    let path = scene.practice.folder().join("taken");
    File::create(&path)?;
    for kill in 1..=KILLS {
        let program = Program::start(&scene, &path)?;
        scene.type_in(PEOPLE);
        // Somewhere in the burst, not at its end.
        eventually("the program takes some of them", async || {
            let count = taken(&path)?.len();
            ensure!(count >= kill * PEOPLE / 2, "{count} events so far");
            Ok(())
        })
        .await?;
        drop(program);
    }
    scene.settled().await?;
    let _program = Program::start(&scene, &path)?;
    let mut revisions = BTreeMap::new();
    eventually("the program has taken everything", async || {
        revisions.clear();
        for (patient, revision) in taken(&path)? {
            let last = revisions.entry(patient).or_insert(0);
            // It may come twice, and never before the one that it follows.
            ensure!(revision <= *last + 1, "revision {revision} came after {last}");
            *last = revision.max(*last);
        }
        ensure!(
            revisions.len() == scene.people.len(),
            "{} people so far",
            revisions.len()
        );
        for (patient, known) in &revisions {
            let last = scene.vendor.history(patient).await?.len();
            ensure!(*known == u64::try_from(last)?, "{known} of {last} revisions");
        }
        Ok(())
    })
    .await
}
