//! What is older than it has to be kept is let go of, so that it shows; and nothing else may be missing.

use crate::{office::until_there, support::*};
use archwire::audit::{
    Audit,
    verify::{Fault, Verified},
};
use std::time::Duration;

/// An audit with several checkpoints, of which nothing is younger than a second when it is let go of.
async fn filled(archive: &Archive) -> Audit {
    let audit = archive.audit(5).await;
    for _ in 0..4 {
        fill(&audit, 6).await;
    }
    audit.settle().await.unwrap();
    let last = records(&audit).await.last().unwrap().0;
    assert!(last >= 24, "{last}");
    audit
}

/// Lets go of everything that is old by now, once that is anything.
async fn let_go(audit: &Audit) -> u64 {
    let mut through = 0;
    until_there(Duration::from_secs(15), async || {
        match audit.let_go(Duration::from_secs(1)).await.unwrap() {
            Some(let_go) if let_go.blocks > 0 => {
                through = let_go.through;
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    through
}

fn faults(verified: &Verified) -> Vec<Fault> {
    verified.findings.iter().map(|finding| finding.fault).collect()
}

#[tokio::test]
async fn what_is_too_old_is_let_go_of_up_to_a_checkpoint_and_the_audit_says_so() {
    let archive = Archive::open().await;
    let audit = filled(&archive).await;
    let before = records(&audit).await;
    assert_eq!(audit.let_go(Duration::from_secs(3600)).await.unwrap(), None);
    assert_eq!(
        records(&audit).await.len(),
        before.len(),
        "nothing is an hour old"
    );
    let through = let_go(&audit).await;
    let after = records(&audit).await;
    assert_eq!(after[0].0, through + 1);
    assert_eq!(after[0].1.id, before[usize::try_from(through).unwrap()].1.id);
    let said = after.iter().find(|(_, record)| record.action == "audit.let-go");
    assert_eq!(said.unwrap().1.removal.as_ref().unwrap().index, through);
    for has_file in [true, false] {
        let verified = archive.verified(&audit, has_file).await;
        assert_eq!(verified.findings, [], "{has_file}");
        assert_eq!(verified.let_go.unwrap().index, through);
        assert_eq!(verified.first, through + 1);
    }
    // A start goes on behind it.
    audit.close().await;
    let again = archive.audit(5).await;
    fill(&again, 3).await;
    again.close().await;
    assert_eq!(archive.verified(&again, true).await.findings, []);
}

#[tokio::test]
async fn a_beginning_that_somebody_takes_away_is_found_before_and_after_some_was_let_go_of() {
    let archive = Archive::open().await;
    let audit = filled(&archive).await;
    let mut intruder = Intruder::at(&archive.server);
    let through = let_go(&audit).await;
    fill(&audit, 2).await;
    audit.settle().await.unwrap();
    assert_eq!(archive.verified(&audit, true).await.findings, []);
    let first = intruder.first();
    intruder.purge_before(first + 1);
    let verified = archive.verified(&audit, false).await;
    assert_eq!(faults(&verified), [Fault::Removed]);
    assert_eq!(verified.findings[0].first, through + 1);
    let other = Archive::open().await;
    let untouched = filled(&other).await;
    Intruder::at(&other.server).purge_before(4);
    let verified = other.verified(&untouched, false).await;
    assert_eq!(
        (faults(&verified), verified.findings[0].first),
        (vec![Fault::Removed], 1)
    );
}

#[tokio::test]
async fn nothing_is_let_go_of_behind_what_somebody_did_to_the_beginning() {
    let archive = Archive::open().await;
    let audit = filled(&archive).await;
    let stored = stored(&audit).await;
    let mut intruder = Intruder::at(&archive.server);
    let mut messages = as_it_was(&stored);
    // The second block is gone.
    messages.remove(1);
    intruder.replace(&messages);
    assert_eq!(faults(&archive.verified(&audit, true).await), [Fault::Removed]);
    // One that nobody touched does let go by now.
    let_go(&filled(&Archive::open().await).await).await;
    assert_eq!(audit.let_go(Duration::from_secs(1)).await.unwrap(), None);
    assert_eq!(faults(&archive.verified(&audit, true).await), [Fault::Removed]);
}

#[tokio::test]
async fn a_stream_from_before_there_was_such_a_thing_keeps_everything_and_is_used_all_the_same() {
    let archive = Archive::open().await;
    archive.audit(5).await.close().await;
    let mut intruder = Intruder::at(&archive.server);
    let mut config = intruder.config();
    assert_eq!(
        (&config["deny_purge"], &config["deny_delete"]),
        (&false.into(), &true.into())
    );
    config["deny_purge"] = true.into();
    intruder.configure(&config);
    let audit = filled(&archive).await;
    let count = records(&audit).await.len();
    // One that can does let go by now.
    let_go(&filled(&Archive::open().await).await).await;
    assert_eq!(audit.let_go(Duration::from_secs(1)).await.unwrap(), None);
    assert_eq!(records(&audit).await.len(), count);
}
