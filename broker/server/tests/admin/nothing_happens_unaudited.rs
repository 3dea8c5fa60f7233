//! An audit that takes nothing: nothing is shown and nothing is done.

use crate::{office::revision, support::*};
use archwire::parked::ParkedFilter;
use archwire_nats::ByteSize;

#[tokio::test]
async fn what_cannot_be_audited_is_not_shown_and_not_done() {
    // Less than one record.
    let desk = Desk::open_with(ByteSize::bytes(64)).await;
    let (one, other, item) = doubtful_pair(&desk).await;
    let one_id = one;
    let revisions = || [one, other].map(|patient| revision(&desk.office.registry, patient));
    let before = revisions();
    let (number, one, other) = (item.to_string(), one.to_string(), other.to_string());
    let show = desk
        .run(&["review", "show", &number, "--by", "Kim Doe", "--json"])
        .await;
    assert!(!show.complained.contains("Kowalsk"));
    assert_eq!(show.refused(), "audit_unavailable");
    for command in [
        &["review", "link", &number][..],
        &["review", "not-same", &number],
        &["review", "merge", &one, &other],
        &["review", "merge", &one, &other, "--dry-run"],
        &["review", "unmerge", &one],
    ] {
        assert_eq!(
            desk.decide(command).await.refused(),
            "audit_unavailable",
            "{command:?}"
        );
    }
    let rebuild = desk.run(&["rebuild", "--by", "Kim Doe", "--json"]).await;
    assert_eq!(rebuild.refused(), "audit_unavailable");
    desk.park("imaging", one_id, "birth-date-missing").await;
    for command in [
        &["parked", "show", "imaging", &one][..],
        &["parked", "redrive", "--all"],
        &["parked", "drop", "--all", "--reason", "it is wrong"],
        &["events", "tail", "--from", "1", "--reveal"],
    ] {
        let command = [command, &["--by", "Kim Doe", "--json"]].concat();
        let answer = desk.run(&command).await;
        assert!(!answer.complained.contains("Kowalsk"));
        assert_eq!(answer.refused(), "audit_unavailable", "{command:?}");
    }
    let parked = desk.parked.lines_of(&ParkedFilter::default());
    assert!(parked.len() == 1 && !parked[0].redriven);
    assert_eq!(desk.items(1).await, [item], "the item is still open");
    assert_eq!(revisions(), before);
    assert!(desk.audited().await.is_empty());
    desk.run(&["review", "list"]).await.well();
}
