//! The vendor's API answers wrongly, late, in part or not at all; then it is well again.

use crate::faults::evidence::{Allowed, Writes};
use crate::faults::load::{correct, register};
use crate::faults::stage::{Outcome, Stage, plan};
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::{Fault, FaultKind};
use futures_util::{StreamExt as _, stream};
use std::time::Duration;

/// A call into the connector may take so long where a request hangs for ever.
const DEADLINE: &str = "\n[systems.front-desk.limits]\ndeadline = \"3s\"\n";

/// A way in which the vendor's API fails.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// For people.
    pub name: &'static str,
    fault: Fault,
}

fn status(status: u16, retry_after: Option<Duration>) -> Fault {
    Fault::new(FaultKind::Status { status, retry_after })
}

/// Every way. A trouble after applying leaves it open whether a record was made.
#[must_use]
pub fn troubles() -> Vec<Trouble> {
    let trouble = |name, fault| Trouble { name, fault };
    vec![
        trouble("429 without Retry-After", status(429, None)),
        trouble("429 with Retry-After", status(429, Some(Duration::from_secs(2)))),
        trouble("500", status(500, None)),
        trouble("500 after applying", status(500, None).after_applying()),
        trouble("504", status(504, None)),
        trouble("504 after applying", status(504, None).after_applying()),
        trouble("hang", Fault::new(FaultKind::Hang)),
        trouble(
            "hang after applying",
            Fault::new(FaultKind::Hang).after_applying(),
        ),
        trouble("connection dropped", Fault::drop_before()),
        trouble("connection dropped after applying", Fault::drop_after()),
        trouble("half a body", Fault::new(FaultKind::HalfBody)),
        trouble("broken JSON", Fault::new(FaultKind::InvalidJson)),
        trouble("garbage", Fault::new(FaultKind::Garbage)),
        trouble(
            "garbage after applying",
            Fault::new(FaultKind::Garbage).after_applying(),
        ),
    ]
}

/// One trouble, by its name.
///
/// # Errors
/// When there is no such trouble, and with everything that the checker found.
pub async fn only(name: &str, times: u32) -> Result<Outcome> {
    let trouble = troubles().into_iter().find(|trouble| trouble.name == name);
    plays(trouble.context("there is no such trouble")?, times).await
}

/// Each trouble in a practice of its own, some of them side by side: while a record is made, while one is written, and
/// while one is read back. `times` in a row each.
///
/// # Errors
/// With every trouble after which something was wrong.
pub async fn each(times: u32, at_once: usize) -> Result<Vec<(&'static str, Outcome)>> {
    let runs = stream::iter(troubles()).map(|trouble| async move {
        let name = trouble.name;
        let outcome = plays(trouble, times).await;
        match &outcome {
            Ok(outcome) => println!("{name}: {outcome}"),
            Err(error) => println!("{name}: FAILED: {error:#}"),
        }
        (name, outcome)
    });
    let ended: Vec<_> = runs.buffer_unordered(at_once).collect().await;
    let told =
        |(name, outcome): &(_, Result<_>)| outcome.as_ref().err().map(|error| format!("{name}: {error:#}"));
    let failed: Vec<String> = ended.iter().filter_map(told).collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(ended
        .into_iter()
        .filter_map(|(name, outcome)| Some((name, outcome.ok()?)))
        .collect())
}

/// Four patients: one is created, one written, one read back while it happens, and one only looks on.
async fn plays(trouble: Trouble, times: u32) -> Result<Outcome> {
    let plan = plan().in_flight(2);
    let plan = match trouble.fault.kind {
        FaultKind::Hang => plan.extra(DEADLINE),
        _ => plan,
    };
    let stage = Stage::start(plan, 1, 4).await?;
    register(&stage.town, 1..4).await?;
    stage.settled().await?;
    let path = |number| {
        let pat_num = stage.town.pat_num(number)?.context("the office has nobody")?;
        anyhow::Ok(format!("/patients/{pat_num}"))
    };
    let faults = [
        ("POST", "/patients".to_owned()),
        ("PUT", path(1)?),
        ("GET", path(2)?),
    ];
    for (method, path) in &faults {
        stage
            .office()
            .set_fault(trouble.fault.clone().on(method, path).times(times));
    }
    let mark = stage.office().changes().len() as u64;
    register(&stage.town, [0]).await?;
    correct(&stage.town, 1..4).await?;
    let settled = stage.settled().await?;
    let requests = stage.office().requests();
    for (method, path) in &faults {
        let mut played = requests.iter().filter(|request| request.fault.is_some());
        ensure!(
            played.any(|request| (request.method.as_str(), &request.path) == (*method, path)),
            "no {method} was disturbed"
        );
    }
    let allowed = Allowed {
        // The one that is wanted, and what was repeated because nobody knew whether it had been done.
        writes: Writes::AtMost {
            times: 1 + times as usize,
            after: mark,
        },
        ..Allowed::default()
    };
    let mut outcome = stage.finish(&allowed).await?;
    outcome.settled = settled;
    Ok(outcome)
}
