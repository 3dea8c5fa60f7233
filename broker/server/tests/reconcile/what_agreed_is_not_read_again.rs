//! A record that was found in agreement is read again when it or its patient changed, and not before.

use crate::{
    office::{With as _, ann, bob, stranger},
    script::{Stage, counts, name},
};
use futures_util::{StreamExt as _, stream};

async fn three() -> Stage {
    let stage = Stage::open().await;
    for (local_id, patient) in [("1", ann()), ("2", bob()), ("3", stranger(3))] {
        stage.shows(local_id, &patient).await;
    }
    assert_eq!(counts(&stage.compare().await), [0; 4]);
    assert_eq!(stage.fetched(), ["1", "2", "3"]);
    stage
}

fn set_version(stage: &Stage, local_id: &str, version: Option<&str>) {
    let mut script = stage.scripted.script();
    script.records.get_mut(local_id).unwrap().1 = version.map(str::to_owned);
}

#[tokio::test]
async fn only_what_changed_on_either_side_is_read() {
    let stage = three().await;
    assert_eq!(stage.compare().await.compared, 0);
    assert_eq!(stage.fetched(), [""; 0]);
    set_version(&stage, "2", Some("2"));
    stage.shows("3", &stranger(3).email("three@example.com")).await;
    let report = stage.compare().await;
    assert_eq!((report.listed, report.compared, counts(&report)), (3, 2, [0; 4]));
    assert_eq!(stage.fetched(), ["2", "3"]);
    assert_eq!(stage.compare().await.compared, 0);
}

#[tokio::test]
async fn a_record_without_a_version_is_read_each_time() {
    let stage = three().await;
    set_version(&stage, "1", None);
    for _ in 0..2 {
        assert_eq!(stage.compare().await.compared, 1);
        assert_eq!(stage.fetched(), ["1"]);
    }
}

#[tokio::test]
async fn a_record_that_differs_or_is_owed_something_is_read_each_time() {
    let stage = three().await;
    stage.holds("1", &ann().email("ann@example.com"));
    let two = stage
        .office
        .registry
        .index()
        .linked(&name(), &crate::office::id("2"));
    let owed = ["telecom/phone-mobile/value".into()].into();
    let registry = &stage.office.registry;
    registry
        .note_owed(&name(), two.unwrap(), &crate::office::id("2"), owed)
        .await
        .unwrap();
    for _ in 0..2 {
        let report = stage.compare().await;
        assert_eq!((report.compared, counts(&report)), (2, [0, 0, 1, 0]));
        assert_eq!(
            stage.fetched(),
            ["1", "1", "2"],
            "the one that differs is looked at twice"
        );
    }
}

#[tokio::test]
async fn what_is_remembered_holds_nothing_but_ids_and_numbers_and_may_be_lost() {
    let stage = three().await;
    for key in stage.reconciled.keys().await.unwrap() {
        let value = stage.reconciled.get(&key).await.unwrap().unwrap();
        let value = String::from_utf8_lossy(&value).into_owned();
        for word in ["Smith", "Ann", "1987", "0142", "503"] {
            assert!(!value.contains(word), "{key} holds {word}");
        }
        if key.contains(".versions.") {
            // A damaged part is as good as none.
            stage.reconciled.put(&key, "{".into()).await.unwrap();
        }
    }
    let report = stage.compare().await;
    assert_eq!((report.compared, counts(&report)), (3, [0; 4]));
}

#[tokio::test]
async fn more_than_one_value_holds_is_remembered_in_parts_and_what_is_not_needed_goes() {
    let stage = Stage::open().await;
    // As long as a local id may be, so that fewer do.
    let numbers = 0..1_300;
    let seen = numbers.clone().map(|number| {
        let stage = &stage;
        async move { stage.shows(&format!("{number:0256}"), &stranger(number)).await }
    });
    stream::iter(seen).buffer_unordered(64).collect::<Vec<_>>().await;
    assert_eq!(stage.compare().await.compared, 1_300);
    assert_eq!(
        parts(&stage).await,
        ["front-desk.versions.0", "front-desk.versions.1"]
    );
    assert_eq!(stage.compare().await.compared, 0);
    for number in numbers.skip(100) {
        stage.scripted.script().records.remove(&format!("{number:0256}"));
    }
    let report = stage.compare().await;
    assert_eq!((report.compared, counts(&report)), (0, [1_200, 0, 0, 0]));
    assert_eq!(report.findings.len(), 1_000);
    assert_eq!(parts(&stage).await, ["front-desk.versions.0"]);
    assert_eq!(stage.compare().await.compared, 0);
}

async fn parts(stage: &Stage) -> Vec<String> {
    let mut keys = stage.reconciled.keys().await.unwrap();
    keys.retain(|key| key.contains(".versions."));
    keys.sort();
    keys
}
