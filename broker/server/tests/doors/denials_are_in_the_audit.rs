//! What a vendor asks for or says that its contract does not grant is in the audit: by whom, what it was, and how often.

use crate::{
    house::{CEPH, House, IMAGING, Plan, code_of, eventually, token_of},
    office::{everything, vendor},
};
use archwire_core::{
    FieldGroup,
    contract::{Contract, Reading},
};
use archwire_proto::v1::FindPatientsRequest;
use futures_util::TryStreamExt as _;

/// Sees names and nothing else.
fn narrow() -> Contract {
    let all = everything(CEPH);
    Contract {
        read: Reading {
            fields: [FieldGroup::Name].into(),
            ..all.read.clone()
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
    for _ in 0..3 {
        let request = FindPatientsRequest {
            birth_date: "1987-03-02".to_owned(),
            ..FindPatientsRequest::default()
        };
        assert_eq!(code_of(&ceph.find(request).await.unwrap_err()), "field_denied");
    }
    // Who does nothing of the kind is not in it, nor who asks for somebody who is not there.
    let imaging = house.knock(&token_of(IMAGING)).await;
    let everybody = imaging.find(FindPatientsRequest::default()).await;
    assert!(everybody.is_ok());
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
            let (vendor, reason) = (record.vendor.as_deref(), &*record.reason);
            assert_eq!(
                (vendor, reason, &*record.address),
                (Some(CEPH), "field_denied", "")
            );
            assert!(record.patient_ids.is_empty());
            found += record.count;
        }
        found == 3
    })
    .await;
}
