//! A practice goes on while it is compared: nothing of that is reported. One that cannot be reached is not compared.

use crate::support::{Scene, reconciling::reconcile};
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Fault, Field};
use archwire_tests::{Practice, eventually, invented, set_email, wire_patient};
use std::time::Duration;

const ROUNDS: usize = 3;

#[tokio::test]
async fn nothing_is_reported_of_what_is_done_on_both_sides_while_the_comparison_runs() -> Result<()> {
    let people = invented(5, 60);
    let (first, later) = people.split_at(30);
    let scene = Scene::with_old_patients(Practice::plan(), first.to_vec()).await?;
    scene.listed(first.len()).await?;
    let office = scene.office();
    // The list takes a while, so that much happens beside it.
    office.set_fault(Fault::delay(Duration::from_millis(150)).on("GET", "/patients/Simple"));
    for (round, newcomers) in later.chunks(later.len() / ROUNDS).enumerate() {
        let work = async {
            for (number, fields) in newcomers.iter().enumerate() {
                let pat_num = i64::try_from(1 + number + round * 10)?;
                match number % 2 {
                    0 => _ = office.front_desk().create(fields),
                    _ => _ = scene.vendor.register(wire_patient(fields)).await?,
                }
                let city = format!("Town {round}");
                office.front_desk().set(pat_num, Field::City, &city)?;
                let local = scene.vendor.records().into_iter().nth(number);
                if let Some(local) = local.filter(|local| local.is_known_to_bus) {
                    let email = format!("round{round}@example.com");
                    scene
                        .vendor
                        .edit(&local.local_id, |patient| set_email(patient, &email))
                        .await?;
                }
            }
            anyhow::Ok(())
        };
        let (compared, worked) = tokio::join!(reconcile(&scene.practice, &[]), work);
        worked?;
        let compared = compared?;
        ensure!(compared.code == Some(0), "round {round}: {compared:?}");
    }
    office.clear_faults();
    scene.listed(people.len()).await?;
    let at_rest = reconcile(&scene.practice, &[]).await?;
    ensure!(at_rest.code == Some(0), "{at_rest:?}");
    ensure!(at_rest.count("listed") == 60, "{at_rest:?}");
    Ok(())
}

#[tokio::test]
async fn an_office_that_cannot_be_reached_is_not_compared_and_the_next_time_it_is() -> Result<()> {
    let scene = Scene::with_old_patients(Practice::plan(), invented(6, 5)).await?;
    scene.listed(5).await?;
    scene.office().set_reachable(false);
    scene.practice.seat().said("left alone for a while").await?;
    let refused = scene
        .practice
        .run(&["reconcile", "front-desk", "--by", "Kim Doe", "--json"])
        .await?;
    ensure!(refused.code == Some(1), "{refused:?}");
    let error: serde_json::Value = serde_json::from_str(&refused.complained)?;
    ensure!(error["error"]["code"] == "system_left_alone", "{error}");
    let never = scene
        .practice
        .run(&["reconcile", "front-desk", "--last", "--json"])
        .await?;
    ensure!(
        never.code == Some(1) && never.complained.contains("never_reconciled"),
        "{never:?}"
    );
    scene.office().set_reachable(true);
    let compared = eventually("the office answers again", async || {
        reconcile(&scene.practice, &[]).await
    })
    .await?;
    ensure!(
        compared.code == Some(0) && compared.count("compared") == 5,
        "{compared:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused_with_a_way_out() -> Result<()> {
    let scene = Scene::open().await?;
    for (words, code) in [
        (
            ["reconcile", "nobody", "--by", "Kim Doe", "--json"],
            "system_unknown",
        ),
        (
            ["reconcile", crate::support::VENDOR, "--by", "Kim Doe", "--json"],
            "system_unknown",
        ),
        (["reconcile", "front-desk", "--by", "archwire", "--json"], ""),
        (["reconcile", "front-desk", "--last", "--repair", "--json"], ""),
    ] {
        let answer = scene.practice.run(&words).await?;
        let expected = if code.is_empty() { 64 } else { 1 };
        ensure!(
            answer.code == Some(expected) && answer.complained.contains(code),
            "{words:?}: {answer:?}"
        );
    }
    Ok(())
}
