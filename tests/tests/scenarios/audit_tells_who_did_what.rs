//! What was shown and decided is in the audit, in order: who, what, about whom, at which fields, why; and no value.

use crate::support::{
    Scene,
    plain_vendor::PlainVendor,
    review::{WHO, decide, only_item, show},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1::ContactUse;
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::{Practice, set_phone, wire_patient};
use serde_json::Value;

const OTHER_VENDOR: &str = "aligner";
const DISPUTED: &str = "(971)555-0123";

fn somebody(born: &str) -> PatientFields {
    PatientFields::named("Quillfeather", "Thessalonia")
        .with(Field::Gender, "Female")
        .with(Field::Birthdate, born)
        .with(Field::WirelessPhone, "(503)555-0187")
}

async fn audit(practice: &Practice, arguments: &[&str]) -> Result<(Vec<Value>, String)> {
    let words = [&["audit", "list", "--json"], arguments].concat();
    let answer = practice.run(&words).await?;
    ensure!(answer.code == Some(0), "{}", answer.complained);
    let records = answer.said.lines().map(serde_json::from_str);
    Ok((records.collect::<Result<_, _>>()?, answer.said))
}

#[tokio::test]
async fn every_look_and_every_decision_is_in_the_audit_without_a_value() -> Result<()> {
    let plan = Practice::plan()
        .vendor(OTHER_VENDOR)
        .owns("front-desk", &["contact"], "review");
    let mut scene = Scene::with(plan).await?;
    scene.office().front_desk().create(&somebody("2011-06-05"));
    scene.listed(1).await?;
    let other = PlainVendor::connect(&scene.practice, OTHER_VENDOR).await?;
    let first = other
        .say("A-1", &wire_patient(&somebody("2011-05-06")))
        .await?
        .patient_id()
        .to_owned();
    scene.listed(2).await?;
    let second = scene
        .vendor
        .find(|local| local.patient_id.as_ref() != Some(&first))?
        .patient_id
        .context("not known to the bus")?;
    let practice = &scene.practice;
    let number = only_item(practice, "possible-duplicate").await?;
    // Who only looks at the list is told nothing, and is not in the audit.
    ensure!(audit(practice, &[]).await?.0.is_empty(), "a list is audited");
    show(practice, number).await?;
    decide(practice, "not-same", number).await?;
    let by = ["--by", WHO, "--reason", "asked at the desk"];
    let merge = ["review", "merge", &second, &first, "--although-not-same"];
    practice
        .ask(&[&merge[..], &by[..], &["--dry-run"]].concat())
        .await?;
    practice.ask(&[&merge[..], &by[..]].concat()).await?;
    practice
        .ask(&[&["review", "unmerge", &first][..], &by[..]].concat())
        .await?;
    let mut disputed = wire_patient(&somebody("2011-05-06"));
    // The owner has a record of both by now.
    crate::support::polled_again(scene.office(), 3).await?;
    set_phone(&mut disputed, ContactUse::Mobile, DISPUTED);
    other.say("A-1", &disputed).await?;
    let disagreement = only_item(practice, "disagreement").await?;
    decide(practice, "reject", disagreement).await?;
    let refused = practice
        .run(&[
            "review",
            "accept",
            &disagreement.to_string(),
            "--by",
            WHO,
            "--reason",
            "too late",
        ])
        .await?;
    ensure!(refused.code == Some(1), "a closed item was decided again");
    practice.ask(&["rebuild", "--by", "Robin Roe"]).await?;

    let (records, said) = audit(practice, &[]).await?;
    let told: Vec<_> = records
        .iter()
        .map(|record| {
            let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
            (text("action"), text("person"), record["item"].as_u64())
        })
        .collect();
    let kim = |action: &str, item| (action.to_owned(), WHO.to_owned(), item);
    let expected = [
        kim("review.show", Some(number)),
        kim("review.not-same", Some(number)),
        kim("review.merge-trial", None),
        kim("review.merge", None),
        kim("review.unmerge", None),
        kim("review.reject", Some(disagreement)),
        // Written down before it was found out that it cannot be done.
        kim("review.accept", Some(disagreement)),
        ("registry.rebuild".to_owned(), "Robin Roe".to_owned(), None),
    ];
    ensure!(told == expected, "{told:?}");
    let ids = |record: &Value| {
        let ids = record["patient_ids"].as_array().into_iter().flatten();
        ids.filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for record in &records[..5] {
        let mut of = ids(record);
        of.sort();
        let mut both = [first.clone(), second.clone()];
        both.sort();
        ensure!(of == both, "{} is not about both", record["action"]);
    }
    ensure!(
        ids(&records[5]) == [first.clone()]
            && records[5]["paths"] == serde_json::json!(["telecom/phone-mobile/value"]),
        "{}",
        records[5]
    );
    ensure!(
        records[1]["reason"] == "asked at the desk" && records[0]["program"] == "archwire-admin",
        "{}",
        records[1]
    );
    for value in [
        "Quillfeather",
        "Thessalonia",
        "2011-06-05",
        "2011-05-06",
        "555-0187",
        DISPUTED,
    ] {
        ensure!(!said.contains(value), "the audit holds a value");
    }
    // One patient's records only; and all of it outlives the broker.
    let (of_second, _) = audit(practice, &["--patient", &second]).await?;
    ensure!(of_second.len() == 5, "{} records", of_second.len());
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    let (again, _) = audit(&scene.practice, &[]).await?;
    ensure!(again == records, "the audit is another one after a kill");
    Ok(())
}
