//! The Remote API takes one request at a time for each key, and so many a second.

use crate::support::Scene;
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::{Fault, FaultKind, Options, RequestRecord};
use archwire_tests::{Practice, eventually};
use std::time::Duration;

const SPACING: Duration = Duration::from_millis(250);

fn between(earlier: &RequestRecord, later: &RequestRecord) -> Duration {
    Duration::try_from(later.at.duration_since(earlier.at)).unwrap_or_default()
}

async fn busy_scene() -> Result<Scene> {
    let options = Options::remote_every(Duration::from_millis(100));
    let plan = Practice::plan()
        .system("front-desk", options)
        .spacing(SPACING)
        .poll_every(Duration::from_millis(500));
    Scene::with(plan).await
}

#[tokio::test]
async fn a_remote_office_sees_one_request_at_a_time_and_the_configured_spacing() -> Result<()> {
    let mut scene = busy_scene().await?;
    scene.type_in(3);
    scene.register(4).await?;
    scene.settled().await?;
    scene.created(4)?;
    eventually("there is something to see", async || {
        let requests = scene.office().requests().len();
        ensure!(requests >= 16, "{requests} requests so far");
        Ok(())
    })
    .await?;
    let requests = scene.office().requests();
    ensure!(
        requests.iter().all(|request| request.in_flight == 1),
        "two requests were in flight"
    );
    ensure!(
        requests.iter().all(|request| request.status != Some(429)),
        "the office had to ask for fewer"
    );
    for pair in requests.windows(2) {
        let pause = between(&pair[0], &pair[1]);
        // A machine that is busy may let one request arrive late, and so nearer to the next.
        ensure!(pause >= SPACING / 2, "only {pause:?} between two requests");
    }
    Ok(())
}

#[tokio::test]
async fn a_retry_after_is_kept_to_the_second() -> Result<()> {
    let mut scene = busy_scene().await?;
    let retry_after = Some(Duration::from_secs(2));
    let fault = Fault::new(FaultKind::Status {
        status: 429,
        retry_after,
    });
    scene.office().set_fault(fault.on("POST", "/patients").times(1));
    scene.register(2).await?;
    scene.settled().await?;
    scene.created(2)?;
    let requests = scene.office().requests();
    let throttled = requests
        .iter()
        .find(|request| request.status == Some(429))
        .context("the fault was not played")?;
    let early = |request: &&RequestRecord| {
        request.id > throttled.id && between(throttled, request) < Duration::from_millis(1_900)
    };
    let early: Vec<_> = requests.iter().filter(early).collect();
    ensure!(
        early.iter().all(|request| request.method == "GET"),
        "a delivery did not wait"
    );
    // A poll that was on its way already is not called back.
    ensure!(
        early.len() <= 1,
        "{} requests came although the office had asked for a pause",
        early.len()
    );
    Ok(())
}
