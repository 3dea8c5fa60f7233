//! A broker that was deposed and does not know it yet writes down what it does all the same, and nothing gets lost.

use crate::support::*;
use archwire::audit::{Audit, checkpoint::CheckpointKey, verify::Fault};
use tempfile::TempDir;

#[tokio::test]
async fn what_two_write_at_the_same_time_is_one_chain() {
    let archive = Archive::open().await;
    let first = archive.audit(1_000).await;
    fill(&first, 1).await;
    let second = Audit::open(&open_log(&archive.connection).await, SIZE)
        .await
        .unwrap();
    let (one, other) = tokio::join!(
        async {
            for number in 0..20 {
                first.record(act(&format!("one {number}"))).await.unwrap();
            }
        },
        async {
            for number in 0..20 {
                second.record(act(&format!("other {number}"))).await.unwrap();
            }
        }
    );
    let ((), ()) = (one, other);
    let verified = archive.verified(&first, false).await;
    assert_eq!(verified.findings, []);
    assert_eq!(verified.records, 41);
    for who in ["one", "other"] {
        let people = records(&first).await.into_iter().map(|(_, record)| record.person);
        let of_who: Vec<_> = people.filter(|person| person.starts_with(who)).collect();
        let wanted: Vec<_> = (0..20).map(|number| format!("{who} {number}")).collect();
        assert_eq!(of_who, wanted, "each in its own order, each once");
    }
}

#[tokio::test]
async fn a_start_goes_on_where_the_last_one_ended() {
    let archive = Archive::open().await;
    for _ in 0..3 {
        let audit = archive.audit(1_000).await;
        fill(&audit, 3).await;
        audit.close().await;
        assert!(audit.record(act("late")).await.is_err(), "it is closed");
    }
    let audit = archive.audit(1_000).await;
    let verified = archive.verified(&audit, true).await;
    assert_eq!(verified.findings, []);
    // Each stop signs what there was.
    assert_eq!((verified.records, verified.checkpoints), (12, 3));
    let places: Vec<_> = records(&audit)
        .await
        .into_iter()
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_each_of_two_signed_holds_where_both_keys_are_known() {
    let archive = Archive::open().await;
    let standby = TempDir::new().unwrap();
    let folders = [archive.folder.path(), standby.path()];
    for folder in [folders[0], folders[1], folders[0], folders[1]] {
        let audit = archive.audit_of(folder, 3).await;
        fill(&audit, 4).await;
        audit.close().await;
    }
    let audit = archive.audit(1_000).await;
    let both = archive.verified_with(&audit, &folders, 2).await;
    assert_eq!((both.findings, both.other_keys), (vec![], vec![]));
    assert_eq!(
        both.signed_through,
        both.last - 1,
        "each stop signs what there was"
    );
    let one = archive.verified_with(&audit, &folders, 1).await;
    let faults: Vec<_> = one.findings.iter().map(|finding| finding.fault).collect();
    assert_eq!(faults, [Fault::KeyUnknown]);
    let standby = CheckpointKey::of(standby.path()).unwrap().public();
    let keys: Vec<_> = one.other_keys.iter().map(|other| other.key).collect();
    assert_eq!(keys, [standby]);
}
