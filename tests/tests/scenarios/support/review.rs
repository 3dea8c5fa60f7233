//! The review queue, as its commands show and change it.

use anyhow::{Context as _, Result, ensure};
use archwire_tests::{Practice, eventually};
use serde_json::Value;

/// Who decides in scenarios.
pub(crate) const WHO: &str = "Kim Doe";

/// The open items of a kind, as the list shows them.
pub(crate) async fn open_items(practice: &Practice, kind: &str) -> Result<Vec<Value>> {
    let answer = practice.ask(&["review", "list", "--kind", kind]).await?;
    Ok(answer["lines"].as_array().cloned().unwrap_or_default())
}

/// All open items, by number and kind.
pub(crate) async fn queue(practice: &Practice) -> Result<Vec<(u64, String)>> {
    let answer = practice.ask(&["review", "list", "--limit", "1000"]).await?;
    let lines = answer["lines"].as_array().cloned().unwrap_or_default();
    let line = |line: &Value| {
        let kind = line["kind"].as_str().unwrap_or_default().to_owned();
        (line["number"].as_u64().unwrap_or_default(), kind)
    };
    let mut queue: Vec<_> = lines.iter().map(line).collect();
    queue.sort();
    Ok(queue)
}

/// Waits until one item is open and no other, and it is of that kind. Tells its number.
pub(crate) async fn only_item(practice: &Practice, kind: &str) -> Result<u64> {
    eventually("one item is open", async || {
        let queue = queue(practice).await?;
        ensure!(
            queue.len() == 1 && queue.iter().all(|(_, of)| of == kind),
            "{queue:?}"
        );
        queue.first().map(|(number, _)| *number).context("none")
    })
    .await
}

/// Waits until nothing is open.
pub(crate) async fn nothing_open(practice: &Practice) -> Result<()> {
    eventually("nothing is in review", async || {
        let queue = queue(practice).await?;
        ensure!(queue.is_empty(), "{queue:?}");
        Ok(())
    })
    .await
}

/// Shows an item: itself, and its patients.
pub(crate) async fn show(practice: &Practice, number: u64) -> Result<Value> {
    practice
        .ask(&["review", "show", &number.to_string(), "--by", WHO])
        .await
}

/// Decides an item by one of the words of the command.
pub(crate) async fn decide(practice: &Practice, word: &str, number: u64) -> Result<()> {
    let number = number.to_string();
    let arguments = [
        "review",
        word,
        &number,
        "--by",
        WHO,
        "--reason",
        "asked at the desk",
    ];
    practice.ask(&arguments).await.map(drop)
}
