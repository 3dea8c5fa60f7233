//! What a vendor asks for or says that its contract does not grant is in the audit: by whom, what it was, and how often.

use crate::{
    house::{CEPH, House, IMAGING, Plan, code_of, eventually, token_of},
    office::{everything, vendor},
};
use archwire_core::{
    EventKind, FieldGroup,
    contract::{Contract, Reading, Writing},
};
use archwire_proto::v1::FindPatientsRequest;
use futures_util::TryStreamExt as _;

/// Sees names, and may say of nobody anything but a telephone number.
fn narrow() -> Contract {
    let all = everything(CEPH);
    Contract {
        read: Reading {
            fields: [FieldGroup::Name].into(),
            ..all.read.clone()
        },
        write: Writing {
            kinds: [EventKind::PatientUpdated].into(),
            fields: [FieldGroup::Contact].into(),
        },
        ..all
    }
}

#[tokio::test]
async fn what_is_not_granted_is_counted_by_vendor_and_code() {
    let house = House::with(Plan {
        vendors: vec![
            vendor(narrow(), &token_of(CEPH)),
            vendor(everything(IMAGING), &token_of(IMAGING)),
        ],
        ..Plan::default()
    })
    .await;
    let ceph = house.knock(&token_of(CEPH)).await;
    // An answer of its own, and one of many on a stream.
    for _ in 0..3 {
        let request = FindPatientsRequest {
            birth_date: "1987-03-02".to_owned(),
            ..FindPatientsRequest::default()
        };
        assert_eq!(code_of(&ceph.find(request).await.unwrap_err()), "field_denied");
    }
    let mut publishing = ceph.publish().await;
    publishing.say("c-1", "Okafor").await;
    assert!(!publishing.hear().await, "it may make nobody, nor name anybody");
    // Who does nothing of the kind is not in it, nor who asks for somebody who is not there.
    let mut publishing = house.knock(&token_of(IMAGING)).await.publish().await;
    publishing.say("i-1", "Okafor").await;
    assert!(publishing.hear().await);
    assert_eq!(ceph.ask().await, Ok(()));

    eventually("it is in the audit", async || {
        house.audit.settle().await.unwrap();
        let records: Vec<_> = house.audit.read(0).try_collect().await.unwrap();
        let denied = records
            .iter()
            .map(|(_, record)| record)
            .filter(|record| record.action == "access.denied");
        let mut found = 0;
        for record in denied {
            assert_eq!((record.vendor.as_deref(), &*record.address), (Some(CEPH), ""));
            assert!(record.reason.ends_with("_denied"), "{}", record.reason);
            assert!(record.patient_ids.is_empty());
            found += record.count;
        }
        found == 4
    })
    .await;
}
