//! A connector that tells the administrator more than anybody can read.

use crate::support::{Logs, config, hostile, tell};

#[tokio::test]
async fn of_a_giant_log_256_entries_are_kept_and_the_rest_is_counted() {
    let logs = Logs::collect();
    let said = tell(&hostile(config()).await, "log").await.unwrap();
    assert_eq!(said, "logged");
    assert_eq!(logs.lines_with("event=\"noise\""), 256);
    assert_eq!(logs.lines_with("log-entries-dropped"), 1);
    assert!(
        logs.text().contains("excess=9745"),
        "{}",
        logs.text().lines().last().unwrap()
    );
    assert!(
        logs.text()
            .contains("system=\"front-desk\" connector=\"hostile\" event=\"noise\" numbers=\"number=0\"")
    );
    assert!(logs.text().len() < 100_000);
}

#[tokio::test]
async fn what_a_connector_prints_goes_nowhere() {
    let logs = Logs::collect();
    assert_eq!(tell(&hostile(config()).await, "print").await.unwrap(), "printed");
    assert_eq!(logs.text(), "");
}
