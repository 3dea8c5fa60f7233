//! What may stand on a screen that others can see holds nothing of a patient but the id.

use crate::{office::system, support::*};
use archwire_core::{Receipt, ReceiptOutcome, Revision};
use std::collections::BTreeSet;

#[tokio::test]
async fn nothing_that_is_listed_holds_a_value() {
    let desk = Desk::open().await;
    let (one, ..) = doubtful_pair(&desk).await;
    desk.park("archive", one, "birth-date-missing").await;
    let receipt = Receipt {
        event_id: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned(),
        revision: Revision::new(1),
        outcome: ReceiptOutcome::Differs,
        action: None,
        written: BTreeSet::from(["names/official/family".into()]),
        rendered: BTreeSet::new(),
        differs: BTreeSet::from(["names/official/family".into()]),
        reason: None,
        attempts: 1,
        connector_version: "0.1.0".to_owned(),
    };
    let (registry, archive) = (&desk.office.registry, system("archive"));
    let noted = registry.receipted(&archive, one, receipt);
    noted.await.unwrap();
    let redrive = ["parked", "redrive", "--all", "--by", "Kim Doe", "--dry-run"];
    let drop = [&["parked", "drop", "--all", "--dry-run"], &WHO_AND_WHY[..]].concat();
    for command in [
        &["parked", "list"][..],
        &redrive,
        &drop,
        &["receipts"],
        &["status"],
    ] {
        for more in [&[][..], &["--json"]] {
            let answer = desk.run(&[command, more].concat()).await;
            assert!(
                answer.said.contains("archive"),
                "{command:?} says something: {}",
                answer.said
            );
            let said = format!("{}{}", answer.said, answer.complained);
            for value in VALUES {
                assert!(!said.contains(value), "{command:?} {value}: {said}");
            }
        }
    }
}
