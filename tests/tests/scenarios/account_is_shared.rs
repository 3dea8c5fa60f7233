//! Two systems that are one account at the vendor: the vendor counts their requests together, and so does the broker.

use crate::support::{
    Scene, VENDOR,
    watch::{self, Metrics},
};
use anyhow::{Context as _, Result, ensure};
use archwire_core::metric;
use archwire_opendental_simulator::{Fault, FaultKind, Field, Options, PatientFields, RequestRecord};
use archwire_tests::{Plan, Practice, TracingProgram, eventually, wire_patient};
use std::time::Duration;

/// How often the office takes a request; one more is refused at once.
const INTERVAL: Duration = Duration::from_millis(400);
/// How often the account may be used. A machine that is busy may let a request arrive late, and so nearer to the next.
const SPACING: Duration = Duration::from_millis(700);

fn plan() -> Plan {
    let mut options = Options::remote_every(INTERVAL);
    options.throttle.queue = 0;
    Practice::plan()
        .system("front-desk", options)
        .poll_every(Duration::from_millis(200))
        .extra(watch::OFFERED)
}

/// The lines that make two systems one account.
struct Sharing {
    account: String,
    named: &'static str,
}

impl Sharing {
    fn one_account() -> Self {
        Self {
            account: format!(
                "[accounts.office]\nspacing = \"{}ms\"\nin-flight = 1\n",
                SPACING.as_millis()
            ),
            named: "account = \"office\"\n",
        }
    }

    fn none() -> Self {
        Self {
            account: String::new(),
            named: "",
        }
    }
}

/// A practice in which a second system reads from the same office with the same key.
async fn two_systems(sharing: Sharing) -> Result<Practice> {
    let practice = plan().vendor(VENDOR).open().await?;
    let text = practice.configuration()?;
    let begin = text.find("[systems.front-desk]").context("no front desk")?;
    let end = text.find("[vendors.").context("no vendor")?;
    let part = |range: std::ops::Range<usize>| text.get(range).context("cut within a letter");
    let (head, vendors) = (part(0..begin)?, part(end..text.len())?);
    let front_desk = part(begin..end)?.replacen("poll-every", &format!("{}poll-every", sharing.named), 1);
    let back_office = front_desk
        .replace("[systems.front-desk", "[systems.back-office")
        .replacen("poll-every", "deliver = false\npoll-every", 1);
    let account = sharing.account;
    practice.set_configuration(&format!(
        "{head}{account}\n{front_desk}\n{back_office}\n{vendors}"
    ))?;
    Ok(practice)
}

/// The same, up and running as one account.
async fn one_account() -> Result<Scene> {
    let mut practice = two_systems(Sharing::one_account()).await?;
    practice.start_broker().await?;
    let vendor = TracingProgram::start(VENDOR, practice.vendor(VENDOR).await?);
    Ok(Scene {
        vendor,
        practice,
        people: Vec::new(),
    })
}

/// Somebody whom both systems show as surely the same: with a sex, a birth date and a mobile phone of her own.
fn somebody(number: usize) -> PatientFields {
    PatientFields::named(&format!("Quillfeather{number}"), "Thessalonia")
        .with(Field::Gender, "Female")
        .with(Field::Birthdate, format!("2011-06-{:02}", number + 1))
        .with(Field::WirelessPhone, format!("(503)555-01{number:02}"))
}

fn type_in(scene: &mut Scene) {
    let person = somebody(scene.people.len());
    scene.office().front_desk().create(&person);
    scene.people.push(person);
}

async fn register(scene: &mut Scene) -> Result<()> {
    let person = somebody(scene.people.len());
    scene.vendor.register(wire_patient(&person)).await?;
    scene.people.push(person);
    Ok(())
}

/// How many records a system was heard to show.
fn seen_by(scene: &Scene, system: &str) -> Result<u64> {
    let pages = scene.practice.logs()?.about("a page was taken");
    let its = pages.iter().filter(|page| page["system"] == system);
    Ok(its.filter_map(|page| page["seen"].as_u64()).sum())
}

fn refused(scene: &Scene) -> Vec<RequestRecord> {
    let requests = scene.office().requests().into_iter();
    requests.filter(|request| request.status == Some(429)).collect()
}

#[tokio::test]
async fn two_systems_on_one_account_are_never_refused_and_both_go_on() -> Result<()> {
    let mut scene = one_account().await?;
    type_in(&mut scene);
    type_in(&mut scene);
    eventually("both systems show what was typed in", async || {
        for system in ["front-desk", "back-office"] {
            let seen = seen_by(&scene, system)?;
            ensure!(seen >= 2, "{system} showed {seen}");
        }
        Ok(())
    })
    .await?;
    register(&mut scene).await?;
    register(&mut scene).await?;
    scene.settled().await?;
    scene.created(2)?;
    let before = (seen_by(&scene, "front-desk")?, seen_by(&scene, "back-office")?);
    type_in(&mut scene);
    eventually("both systems go on", async || {
        let now = (seen_by(&scene, "front-desk")?, seen_by(&scene, "back-office")?);
        ensure!(now.0 > before.0 && now.1 > before.1, "{before:?}, now {now:?}");
        Ok(())
    })
    .await?;
    let requests = scene.office().requests();
    ensure!(requests.len() >= 12, "only {} requests", requests.len());
    ensure!(
        refused(&scene).is_empty(),
        "the office refused {}",
        refused(&scene).len()
    );
    ensure!(
        requests.iter().all(|request| request.in_flight == 1),
        "two requests at the same time"
    );
    Ok(())
}

#[tokio::test]
async fn all_systems_of_an_account_stop_while_the_vendor_wants_to_be_left_alone() -> Result<()> {
    let mut scene = one_account().await?;
    type_in(&mut scene);
    eventually("both systems are read", async || {
        ensure!(seen_by(&scene, "front-desk")? >= 1 && seen_by(&scene, "back-office")? >= 1);
        Ok(())
    })
    .await?;
    let pause = Duration::from_secs(4);
    let fault = Fault::new(FaultKind::Status {
        status: 429,
        retry_after: Some(pause),
    });
    scene.office().set_fault(fault.times(1));
    eventually("the office refuses a request", async || {
        ensure!(refused(&scene).len() == 1);
        Ok(())
    })
    .await?;
    // Both have something to do meanwhile.
    type_in(&mut scene);
    register(&mut scene).await?;
    scene.settled().await?;
    let requests = scene.office().requests();
    let refused = refused(&scene).pop().context("the fault was not played")?;
    let next = requests
        .iter()
        .find(|request| request.id > refused.id)
        .context("nothing came after it")?;
    let waited = Duration::try_from(next.at.duration_since(refused.at))?;
    ensure!(
        waited >= pause - Duration::from_millis(100),
        "the next request came after {waited:?}"
    );
    ensure!(
        requests
            .iter()
            .filter(|request| request.status == Some(429))
            .count()
            == 1
    );
    let metrics = Metrics::of(scene.practice.seat()).await?;
    let account = ["account=\"office\""];
    ensure!(metrics.value(metric::SLOWED_DOWN, &account)? == 1.0);
    let turns = metrics.value(&format!("{}_count", metric::TURN_WAIT_SECONDS), &account)?;
    ensure!(turns >= 4.0, "only {turns} turns");
    let waited = metrics.value(&format!("{}_sum", metric::TURN_WAIT_SECONDS), &account)?;
    ensure!(waited >= 1.0, "turns waited for only {waited} s");
    Ok(())
}

#[tokio::test]
async fn two_systems_with_one_key_and_no_common_account_are_told_of() -> Result<()> {
    let practice = two_systems(Sharing::none()).await?;
    let found = practice.run(&["check", "--offline", "--json"]).await?.said;
    let found: serde_json::Value = serde_json::from_str(&found)?;
    let warnings = found["warnings"].as_array().context("no warnings")?;
    ensure!(warnings.len() == 1, "{found}");
    ensure!(
        warnings[0]["code"] == "account_not_shared"
            && warnings[0]["systems"] == serde_json::json!(["back-office", "front-desk"]),
        "{found}"
    );
    // It works all the same.
    ensure!(found["in_order"] == true, "{found}");
    let said = practice.run(&["check", "--offline"]).await?;
    ensure!(
        said.code == Some(0) && said.said.contains("WARNING "),
        "{}",
        said.said
    );
    let shared = two_systems(Sharing::one_account()).await?;
    let said = shared.run(&["check", "--offline"]).await?;
    ensure!(
        said.code == Some(0) && !said.said.contains("WARNING"),
        "{}",
        said.said
    );
    Ok(())
}
