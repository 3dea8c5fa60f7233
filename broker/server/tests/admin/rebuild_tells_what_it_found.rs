//! A rebuild while the broker runs.

use crate::{
    office::{is_news, phones, says},
    support::*,
};

#[tokio::test]
async fn the_index_made_from_the_log_is_the_one_in_use() {
    let desk = Desk::open().await;
    let (one, _, item) = doubtful_pair(&desk).await;
    let found = desk.run(&["rebuild", "--by", "Kim Doe", "--json"]).await.json();
    assert_eq!(
        (found["patients"].as_u64(), found["links"].as_u64()),
        (Some(2), Some(2)),
        "{found}"
    );
    assert_eq!(
        (found["open_items"].as_u64(), found["same"].as_bool()),
        (Some(1), Some(true)),
        "{found}"
    );
    assert_eq!(found["digest_before"], found["digest_after"]);
    assert_eq!(found["digest_after"].as_str().unwrap().len(), 64);
    let said = desk.run(&["rebuild", "--by", "Kim Doe"]).await;
    assert_eq!(said.complained, "", "progress is for terminals only");
    assert!(said.well().contains("2 patients, 2 links, 1 open review items"));
    // It goes on with the new one.
    assert_eq!(desk.items(1).await, [item]);
    let phone = person("Kowalska", "Anna", "1987-03-09", "555-010-0142");
    assert!(is_news(desk.office.see(says("front-desk", "1", phone)).await));
    assert_eq!(phones(&desk.office.state(one)), ["555-010-0142"]);
    assert_eq!(desk.actions().await, ["registry.rebuild", "registry.rebuild"]);
}
