//! `FindPatients`: who is as was asked for, page by page, within the contract.

use crate::{
    bus::{Bus, DESK, SCANNER, TRACER, by, code, named},
    office::{SSN, With as _, ann, bob, everything, id, in_time, says, system},
};
use archwire_core::{FieldGroup, contract::PatientScope};
use archwire_proto::v1::{FindPatientsRequest, FindPatientsResponse, Identifier, RecordKey};
use prost_types::FieldMask;
use tonic::{Code, Status};

async fn found(bus: &Bus, vendor: &str, asked: FindPatientsRequest) -> Result<FindPatientsResponse, Status> {
    let found = in_time(bus.client.clone().find_patients(by(vendor, asked))).await?;
    Ok(found.into_inner())
}

/// The ids on all pages.
async fn all(bus: &Bus, asked: FindPatientsRequest) -> Vec<String> {
    let (mut ids, mut page_token) = (Vec::new(), String::new());
    loop {
        let asked = FindPatientsRequest {
            page_token,
            ..asked.clone()
        };
        let page = found(bus, TRACER, asked).await.unwrap();
        ids.extend(page.patients.into_iter().map(|patient| patient.patient_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return ids;
        }
    }
}

fn asking() -> FindPatientsRequest {
    FindPatientsRequest::default()
}

#[tokio::test]
async fn everybody_who_is_as_was_asked_for_is_found_and_nobody_else() {
    let bus = Bus::open().await;
    let ann_id = bus
        .says("1", ann().ssn("078-05-1120").email("Ann@Example.com"))
        .await
        .to_string();
    let bob_id = bus.says("2", bob()).await.to_string();
    bus.strangers(0..3).await;
    let identifier = |system: &str, value: &str| {
        Some(Identifier {
            system: system.to_owned(),
            value: value.to_owned(),
            ..Identifier::default()
        })
    };
    let record = |system: &str, local_id: &str| {
        Some(RecordKey {
            system: system.to_owned(),
            local_id: local_id.to_owned(),
        })
    };
    let text = str::to_owned;
    let cases = [
        (
            FindPatientsRequest {
                family: text("SMITH"),
                ..asking()
            },
            vec![&ann_id],
        ),
        (
            FindPatientsRequest {
                family: text("Smith"),
                given: text("ann"),
                ..asking()
            },
            vec![&ann_id],
        ),
        (
            FindPatientsRequest {
                family: text("Smith"),
                given: text("Bob"),
                ..asking()
            },
            vec![],
        ),
        (
            FindPatientsRequest {
                family: text("Smi"),
                ..asking()
            },
            vec![],
        ),
        (
            FindPatientsRequest {
                birth_date: text("1987"),
                ..asking()
            },
            vec![&ann_id],
        ),
        (
            FindPatientsRequest {
                birth_date: text("1951-02-11"),
                ..asking()
            },
            vec![&bob_id],
        ),
        (
            FindPatientsRequest {
                identifier: identifier(SSN, "078-05-1120"),
                ..asking()
            },
            vec![&ann_id],
        ),
        (
            FindPatientsRequest {
                identifier: identifier("", "078-05-1120"),
                ..asking()
            },
            vec![&ann_id],
        ),
        (
            FindPatientsRequest {
                identifier: identifier("urn:other", "078-05-1120"),
                ..asking()
            },
            vec![],
        ),
        (
            FindPatientsRequest {
                telecom: text("(541) 555-0177"),
                ..asking()
            },
            vec![&bob_id],
        ),
        (
            FindPatientsRequest {
                telecom: text("ann@example.COM"),
                ..asking()
            },
            vec![&ann_id],
        ),
        (
            FindPatientsRequest {
                record: record(DESK, "2"),
                ..asking()
            },
            vec![&bob_id],
        ),
        (
            FindPatientsRequest {
                record: record(DESK, "2"),
                family: text("Smith"),
                ..asking()
            },
            vec![],
        ),
        (
            FindPatientsRequest {
                record: record("nobody", "2"),
                ..asking()
            },
            vec![],
        ),
    ];
    for (number, (asked, expected)) in cases.into_iter().enumerate() {
        let found = all(&bus, asked).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "case {number}");
    }
    bus.close().await;
}

#[tokio::test]
async fn pages_come_in_the_order_of_ids_and_leave_out_and_repeat_nobody() {
    let bus = Bus::open().await;
    let mut ids: Vec<_> = bus
        .strangers(0..7)
        .await
        .iter()
        .map(ToString::to_string)
        .collect();
    ids.sort();
    for page_size in [0, 1, 3, 7, 5_000] {
        let asked = FindPatientsRequest {
            page_size,
            ..asking()
        };
        assert_eq!(all(&bus, asked).await, ids, "pages of {page_size}");
    }
    let two = FindPatientsRequest {
        page_size: 2,
        ..asking()
    };
    let page = found(&bus, TRACER, two.clone()).await.unwrap();
    let token = page.next_page_token;
    // It is of this question and this vendor.
    let other_question = FindPatientsRequest {
        family: "Smith".to_owned(),
        page_token: token.clone(),
        ..two.clone()
    };
    let garbage = FindPatientsRequest {
        page_token: "garbage".to_owned(),
        ..two.clone()
    };
    let good = FindPatientsRequest {
        page_token: token,
        page_size: 4,
        ..two.clone()
    };
    for (vendor, asked) in [
        (TRACER, other_question),
        (TRACER, garbage),
        (SCANNER, good.clone()),
    ] {
        let refusal = found(&bus, vendor, asked).await.err().unwrap();
        assert_eq!(
            (refusal.code(), code(&refusal)),
            (Code::InvalidArgument, "page_token_invalid")
        );
    }
    let rest = found(&bus, TRACER, good).await.unwrap().patients;
    assert!(
        rest.iter().map(|patient| &patient.patient_id).eq(&ids[2..6]),
        "pages may change their size"
    );
    bus.close().await;
}

#[tokio::test]
async fn only_what_the_contract_reads_is_looked_at_and_shown() {
    let bus = Bus::open().await;
    let [ann_id, _] = bus.ann_and_bob().await;
    let mut contract = everything(TRACER);
    contract.read.fields = [FieldGroup::Name].into();
    contract.read.source = false;
    bus.agree(contract.clone());
    let smith = FindPatientsRequest {
        family: "Smith".to_owned(),
        ..asking()
    };
    let page = found(&bus, TRACER, smith).await.unwrap();
    let patient = page.patients[0].patient.clone().unwrap();
    assert_eq!(
        (patient.names.len(), patient.telecom.len(), patient.birth_date),
        (1, 0, None)
    );
    let denied = [
        FindPatientsRequest {
            birth_date: "1987".to_owned(),
            ..asking()
        },
        FindPatientsRequest {
            telecom: "503".to_owned(),
            ..asking()
        },
        FindPatientsRequest {
            record: Some(RecordKey {
                system: DESK.to_owned(),
                local_id: "1".to_owned(),
            }),
            ..asking()
        },
    ];
    for asked in denied {
        let refusal = found(&bus, TRACER, asked).await.err().unwrap();
        assert_eq!(
            (refusal.code(), code(&refusal)),
            (Code::PermissionDenied, "field_denied")
        );
    }
    // Of patients whom the contract is not about nothing is said, not even that there are some.
    bus.office
        .see(archwire_core::Observation {
            patient_id: Some(ann_id),
            ..says(TRACER, "t-1", ann())
        })
        .await;
    contract.patients = PatientScope::LinkedWith(system(TRACER));
    bus.agree(contract);
    let jones = FindPatientsRequest {
        family: "Jones".to_owned(),
        ..asking()
    };
    assert!(all(&bus, jones).await.is_empty());
    assert_eq!(all(&bus, asking()).await, [ann_id.to_string()]);
    let own = RecordKey {
        system: TRACER.to_owned(),
        local_id: "t-1".to_owned(),
    };
    assert_eq!(
        all(
            &bus,
            FindPatientsRequest {
                record: Some(own),
                ..asking()
            }
        )
        .await,
        [ann_id.to_string()]
    );
    assert_eq!(
        bus.office.registry.index().linked(&system(TRACER), &id("t-1")),
        Some(ann_id)
    );
    bus.close().await;
}

#[tokio::test]
async fn a_mask_leaves_out_what_is_not_asked_for() {
    let bus = Bus::open().await;
    let [ann_id, _] = bus.ann_and_bob().await;
    let asked = FindPatientsRequest {
        family: "Smith".to_owned(),
        mask: Some(FieldMask {
            paths: vec!["birth_date".to_owned()],
        }),
        ..asking()
    };
    let patient = found(&bus, TRACER, asked)
        .await
        .unwrap()
        .patients
        .remove(0)
        .patient
        .unwrap();
    assert_eq!(
        (patient.names.len(), patient.birth_date.as_deref()),
        (0, Some("1987-06-30"))
    );
    let asked = archwire_proto::v1::ListEventsRequest {
        patient_id: ann_id.to_string(),
        mask: Some(FieldMask {
            paths: vec!["revision".to_owned(), "patient.names".to_owned()],
        }),
        ..Default::default()
    };
    let events = in_time(bus.client.clone().list_events(by(TRACER, asked)))
        .await
        .unwrap()
        .into_inner();
    let event: archwire_proto::v1::Event = prost::Message::decode(events.events[0].clone()).unwrap();
    assert_eq!(
        (event.revision, event.id.as_str(), event.observation.is_none()),
        (1, "", true)
    );
    assert_eq!(event.patient.unwrap().names.len(), 1);
    bus.close().await;
}

#[tokio::test]
async fn errors_carry_their_code_and_the_field_that_is_to_blame_in_their_details() {
    use tonic_types::StatusExt as _;
    let bus = Bus::open().await;
    let asked = FindPatientsRequest {
        birth_date: "yesterday".to_owned(),
        ..asking()
    };
    let refusal = found(&bus, TRACER, asked).await.err().unwrap();
    let info = refusal.get_details_error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("argument_invalid", "archwire")
    );
    assert_eq!(code(&refusal), info.reason);
    let violations = refusal.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "birth_date");
    // What passes by itself says when to come again.
    let mut reader = bus.subscribe(TRACER, named("patients")).await.unwrap();
    let closing = tokio::spawn(bus.close());
    let refusal = reader.refusal().await;
    assert_eq!((refusal.code(), code(&refusal)), (Code::Unavailable, "stopping"));
    assert!(refusal.get_details_retry_info().unwrap().retry_delay.is_some());
    closing.await.unwrap();
}
