//! The list for reconciliation: every patient of the office, with a version that changes whenever the record does.

use crate::support::{Office, Plan};
use archwire_opendental_simulator::{Field, PageOrder};
use std::{collections::BTreeMap, time::Duration};

/// Every listed number with its version; a patient comes once.
async fn listed(office: &Office) -> BTreeMap<i64, String> {
    let (mut list, mut cursor) = (BTreeMap::new(), None);
    loop {
        let page = office.connector.survey(cursor.as_ref()).await.unwrap();
        for entry in page.entries {
            let number = entry.local_id.as_str().parse().unwrap();
            let before = list.insert(number, entry.version.unwrap());
            assert_eq!(before, None, "patient {number} came twice");
        }
        if !page.more {
            return list;
        }
        cursor = Some(page.cursor);
    }
}

#[tokio::test]
async fn everybody_is_listed_once_with_a_version_that_follows_the_record() {
    let office = Plan::remote(Duration::ZERO)
        .order(PageOrder::Shuffled)
        .open()
        .await;
    office.simulator.clock().freeze();
    office.type_in(350);
    let before = listed(&office).await;
    assert!(before.keys().copied().eq(1..=350));

    office.simulator.clock().advance(Duration::from_secs(1));
    office.desk().set(7, Field::HmPhone, "5035550199").unwrap();
    office.desk().delete(8).unwrap();
    let after = listed(&office).await;
    assert!(!after.contains_key(&8), "the API no longer shows the deleted one");
    let changed: Vec<_> = after
        .iter()
        .filter(|(number, version)| before[number] != **version)
        .collect();
    assert_eq!(
        changed.into_iter().map(|(number, _)| *number).collect::<Vec<_>>(),
        [7]
    );
}

#[tokio::test]
async fn an_office_without_patients_has_an_empty_list() {
    let office = Plan::service().open().await;
    assert!(listed(&office).await.is_empty());
}
