//! Somebody has the running broker read its configuration, and is told what comes of it: before it counts, when it does, and when it
//! cannot.

use crate::support::VENDOR;
use anyhow::{Context as _, Result, ensure};
use archwire_tests::{Answer, Practice};
use serde_json::Value;

const COUNTS: i32 = 0;
const RESTART: i32 = 3;
const REFUSED: i32 = 64;

/// What was said, with this exit code.
fn said(answer: &Answer, code: i32) -> Result<Value> {
    let (said, complained) = (&answer.said, &answer.complained);
    ensure!(answer.code == Some(code), "{:?}: {said}{complained}", answer.code);
    serde_json::from_str(said).context("it is no JSON")
}

fn words(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// What a contract says under a name.
async fn contract(practice: &Practice, name: &str) -> Result<String> {
    let shown = practice.ask(&["vendor", "show", VENDOR]).await?;
    let text = shown["contract"][name].as_str();
    text.map(str::to_owned)
        .with_context(|| format!("it says no {name}"))
}

#[tokio::test]
async fn what_comes_of_another_configuration_is_told_before_it_counts_and_when_it_does() -> Result<()> {
    let mut practice = Practice::plan().vendor(VENDOR).open().await?;
    practice.start_broker().await?;
    let good = practice.configuration()?;
    let before = contract(&practice, "reads_fields").await?;
    let other = good.replacen("read-fields = [\"identifiers\", ", "read-fields = [", 1);
    let other = other.replace("format = \"json\"", "format = \"human\"");

    let nothing = said(&practice.run(&["reload", "--json"]).await?, COUNTS)?;
    ensure!(
        nothing["is_taken"] == true && words(&nothing["live_keys"]).is_empty(),
        "{nothing}"
    );
    practice.set_configuration(&other)?;
    let told = said(&practice.run(&["reload", "--dry-run", "--json"]).await?, RESTART)?;
    ensure!(
        words(&told["restart_keys"]) == ["log.format"] && told["is_trial"] == true,
        "{told}"
    );
    let told = said(&practice.run(&["reload", "--json"]).await?, RESTART)?;
    ensure!(words(&told["restart_keys"]) == ["log.format"], "{told}");
    let after = contract(&practice, "reads_fields").await?;
    ensure!(before == format!("identifiers, {after}"), "{before} -> {after}");
    let again = practice.run(&["reload"]).await?;
    ensure!(again.code == Some(RESTART), "it still waits: {}", again.said);
    for part in [
        "counts now",
        "counts at the next start of the broker:\n  log.format",
        "nothing is different",
    ] {
        ensure!(again.said.contains(part), "{part}: {}", again.said);
    }
    Ok(())
}

#[tokio::test]
async fn a_configuration_that_cannot_be_taken_is_told_problem_by_problem() -> Result<()> {
    let mut practice = Practice::plan().vendor(VENDOR).open().await?;
    practice.start_broker().await?;
    let good = practice.configuration()?;
    let bad = good.replacen("level = ", "levle = ", 1).replacen(
        "purpose = \"treatment\"",
        "purpose = \"curiosity\"",
        1,
    );
    practice.set_configuration(&bad)?;
    for arguments in [&["reload", "--json"][..], &["reload", "--dry-run", "--json"]] {
        let told = said(&practice.run(arguments).await?, REFUSED)?;
        let problems = told["problems"].as_array().context("no problems")?;
        let found: Vec<_> = problems
            .iter()
            .filter_map(|problem| Some((problem["key"].as_str()?, problem["code"].as_str()?)))
            .collect();
        let purpose = format!("vendors.{VENDOR}.purpose");
        let wanted = [("log.levle", "config_unknown_key"), (&*purpose, "config_value")];
        ensure!(told["is_taken"] == false && found == wanted, "{told}");
    }
    let text = practice.run(&["reload"]).await?;
    ensure!(
        text.code == Some(REFUSED) && text.said.contains("did you mean level?"),
        "{}",
        text.said
    );
    ensure!(
        contract(&practice, "purpose").await?.contains("TREAT"),
        "it was taken"
    );
    practice.set_configuration(&good)?;
    said(&practice.run(&["reload", "--json"]).await?, COUNTS)?;
    Ok(())
}
