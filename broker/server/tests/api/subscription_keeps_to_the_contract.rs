//! What a stream is sent while the contract, or the vendor's own filter, leaves something out, and while the contract changes.

use crate::{
    bus::{Bus, DESK, Reader, SCANNER, TRACER, after, code, named},
    office::{With as _, ann, ann_alone, everything, in_time, says, stranger},
};
use archwire_core::{EventKind, FieldGroup, SourceRecord, contract::Contract};
use archwire_proto::v1::{self, Filter, Open, open::Start, subscribe_response::Response as Answer};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;
use tonic::Code;

/// How long a change of a contract may take to count on open streams.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Everything but these groups of fields.
fn without(hidden: &[FieldGroup]) -> Contract {
    let mut contract = everything(TRACER);
    contract.read.fields = FieldGroup::ALL
        .into_iter()
        .filter(|group| !hidden.contains(group))
        .collect();
    contract.read.source = false;
    contract
}

fn filtered(name: &str, filter: Filter) -> Open {
    Open {
        filter: Some(filter),
        ..named(name)
    }
}

#[tokio::test]
async fn a_change_of_hidden_fields_alone_is_not_sent_and_is_told_from_a_loss() {
    let bus = Bus::open().await;
    bus.agree(without(&[FieldGroup::Contact]));
    let mut reader = bus.read(TRACER, named("patients")).await;
    let ann_id = bus.says("1", ann_alone()).await;
    bus.says("1", ann()).await;
    bus.says("1", ann().email("ann@example.com").ssn("078-05-1120"))
        .await;
    let (created, event) = reader.event().await;
    assert!(event.patient.unwrap().telecom.is_empty());
    assert_eq!(after(&created), Some(0));
    let (later, event) = reader.event().await;
    assert_eq!(
        (event.patient_id, event.revision),
        (ann_id.to_string(), 3),
        "the second is hidden"
    );
    assert_eq!(
        after(&later),
        Some(created.sequence),
        "and the chain says that nothing was lost"
    );
    assert!(event.changed.iter().all(|path| !path.starts_with("telecom")));
    bus.close().await;
}

#[tokio::test]
async fn while_everything_is_left_out_heartbeats_come_and_the_position_goes_on() {
    let bus = Bus::open().await;
    let mut contract = everything(TRACER);
    contract.read.kinds = BTreeSet::from([EventKind::PatientMerged]);
    bus.agree(contract);
    let mut reader = bus.read(TRACER, named("merges")).await;
    bus.strangers(0..3).await;
    let last = bus.office.registry.log().last_event().await.unwrap();
    while reader.heartbeat().await.through < last {}
    drop(reader);
    // The place is kept, although nothing was acknowledged.
    let reader = bus.read(TRACER, named("merges")).await;
    assert_eq!(reader.opened.after, last);
    bus.close().await;
}

#[tokio::test]
async fn heartbeats_come_without_credit_as_often_as_was_asked_for() {
    let bus = Bus::open().await;
    bus.strangers(0..1).await;
    let began = Instant::now();
    let mut reader = bus.subscribe(TRACER, named("patients")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(reader.heartbeat().await.through, 0, "nothing may be sent");
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(3), "{took:?} for three of them");
    for (seconds, own) in [
        (0, "argument_invalid"),
        (301, "argument_invalid"),
        (-1, "argument_invalid"),
    ] {
        let heartbeat = Some(prost_types::Duration { seconds, nanos: 0 });
        let open = Open {
            heartbeat,
            ..named("other")
        };
        let refusal = bus.subscribe(TRACER, open).await.err().unwrap();
        assert_eq!(code(&refusal), own);
    }
    bus.close().await;
}

#[tokio::test]
async fn a_filter_leaves_out_what_is_not_asked_for() {
    let bus = Bus::open().await;
    let [ann_id, bob_id] = bus.ann_and_bob().await;
    bus.says("1", ann().email("ann@example.com")).await;
    bus.says("1", ann().email("ann@example.com").ssn("078-05-1120"))
        .await;
    let kinds = |kinds: &[v1::EventKind]| Filter {
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        ..Filter::default()
    };
    let changes = |group: &str| Filter {
        changed_groups: vec![group.to_owned()],
        ..Filter::default()
    };
    let of_bob = Filter {
        patient_ids: vec![bob_id.to_string()],
        ..Filter::default()
    };
    let cases = [
        (
            kinds(&[v1::EventKind::PatientUpdated]),
            vec![(ann_id, 2), (ann_id, 3)],
        ),
        (changes("contact"), vec![(ann_id, 1), (bob_id, 1), (ann_id, 2)]),
        (of_bob, vec![(bob_id, 1)]),
        (kinds(&[v1::EventKind::PatientMerged]), vec![]),
    ];
    let last = bus.office.registry.log().last_event().await.unwrap();
    for (number, (filter, expected)) in cases.into_iter().enumerate() {
        let open = filtered(&format!("filter-{number}"), filter);
        let mut reader = bus.read(TRACER, open).await;
        assert_eq!(reader.events(expected.len()).await, expected);
        while reader.heartbeat().await.through < last {}
    }
    bus.close().await;
}

#[tokio::test]
async fn a_filter_that_asks_for_more_than_the_contract_reads_is_refused() {
    let bus = Bus::open().await;
    let mut contract = without(&[FieldGroup::Contact]);
    contract.read.kinds.remove(&EventKind::PatientMerged);
    bus.agree(contract);
    let filter = |kinds: &[i32], groups: &[&str], patients: usize| Filter {
        kinds: kinds.to_vec(),
        changed_groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        patient_ids: vec!["0197f000-0000-7000-8000-000000000000".to_owned(); patients],
    };
    let cases = [
        (
            filter(&[v1::EventKind::PatientMerged.into()], &[], 0),
            Code::PermissionDenied,
            "kind_denied",
        ),
        (
            filter(&[], &["name", "contact"], 0),
            Code::PermissionDenied,
            "field_denied",
        ),
        (filter(&[0], &[], 0), Code::InvalidArgument, "argument_invalid"),
        (filter(&[77], &[], 0), Code::InvalidArgument, "argument_invalid"),
        (
            filter(&[], &["shoe-size"], 0),
            Code::InvalidArgument,
            "argument_invalid",
        ),
        (filter(&[], &[], 1_001), Code::InvalidArgument, "argument_invalid"),
    ];
    for (filter, grpc, own) in cases {
        let refusal = bus.subscribe(TRACER, filtered("f", filter)).await.err().unwrap();
        assert_eq!((refusal.code(), code(&refusal)), (grpc, own));
    }
    bus.close().await;
}

/// What a reader hears of somebody's name and phone from an event that comes now.
async fn hears(bus: &Bus, reader: &mut Reader, number: usize) -> (bool, bool) {
    bus.strangers(number..number + 1).await;
    let (_, event) = reader.event().await;
    let patient = event.patient.unwrap();
    (!patient.names.is_empty(), !patient.telecom.is_empty())
}

#[tokio::test]
async fn a_contract_that_changes_counts_at_once_on_streams_that_are_open() {
    let bus = Bus::open().await;
    let mut reader = bus.read(TRACER, named("patients")).await;
    assert_eq!(hears(&bus, &mut reader, 0).await, (true, true));
    bus.agree(without(&[FieldGroup::Contact]));
    assert_eq!(hears(&bus, &mut reader, 1).await, (true, false));
    bus.agree(without(&[FieldGroup::Name]));
    assert_eq!(hears(&bus, &mut reader, 2).await, (false, true));
    // What was asked for and is not read any more.
    let filter = Filter {
        changed_groups: vec!["contact".to_owned()],
        ..Filter::default()
    };
    let mut narrow = bus.read(TRACER, filtered("narrow", filter)).await;
    bus.agree(without(&[FieldGroup::Contact]));
    let refusal = in_time(narrow.refusal()).await;
    assert_eq!(code(&refusal), "field_denied");
    bus.close().await;
}

/// A reader that allows events, and one that allows none, when the contract ends and events come in the same moment. Tells how long it
/// took until both had ended.
async fn both_end(bus: &Bus, attempt: usize) -> Duration {
    bus.agree(everything(TRACER));
    let new = |name: &str| Open {
        start: Some(Start::New(v1::New {})),
        ..named(&format!("{name}-{attempt}"))
    };
    let mut reader = bus.read(TRACER, new("reads")).await;
    let mut idle = bus.subscribe(TRACER, new("waits")).await.unwrap();
    reader.ack(0).await;
    assert_eq!(hears(bus, &mut reader, 10 * attempt).await, (true, true));
    let mut contract = everything(TRACER);
    contract.enabled = false;
    let ended = Instant::now();
    bus.agree(contract);
    let ending = async {
        for reader in [&mut reader, &mut idle] {
            let refusal = loop {
                match reader.next().await {
                    Ok(Answer::Delivery(_)) => panic!("an event goes out after the contract's end"),
                    Ok(_) => {}
                    Err(refusal) => break refusal,
                }
            };
            assert_eq!(
                (refusal.code(), code(&refusal)),
                (Code::PermissionDenied, "vendor_suspended")
            );
        }
        ended.elapsed()
    };
    let (_, took) = tokio::join!(bus.strangers(10 * attempt + 1..10 * attempt + 3), ending);
    took
}

#[tokio::test]
async fn a_contract_that_ends_ends_the_stream_and_nothing_that_waits_goes_out() {
    let bus = Bus::open().await;
    // A machine that is busy may need longer, though not each time.
    let mut took = Duration::MAX;
    for attempt in 0..3 {
        took = took.min(both_end(&bus, attempt).await);
        if took < AT_ONCE {
            break;
        }
    }
    assert!(took < AT_ONCE, "{took:?}");
    let refusal = bus.subscribe(TRACER, named("patients")).await.err().unwrap();
    assert_eq!(code(&refusal), "vendor_suspended");
    bus.close().await;
}

#[tokio::test]
async fn what_waits_for_a_reader_that_does_not_read_goes_out_as_the_contract_is_then() {
    const RECORDS: usize = 40;
    let bus = Bus::open().await;
    // Much more than the connection takes, and all of it less than what waits before it.
    let large = |number: usize| {
        let mut said = says(DESK, &format!("large-{number}"), stranger(number));
        let source = SourceRecord::new("text/plain", "test/1", vec![b' '; 200 * 1024]);
        said.view.source = Some(source.unwrap());
        said
    };
    let mut slow = bus.read(TRACER, named("slow")).await;
    let mut quick = bus.read(SCANNER, named("quick")).await;
    for number in 0..RECORDS {
        bus.office.see(large(number)).await;
    }
    // By then the other one has had its time, too.
    let _ = quick.events(RECORDS).await;
    bus.agree(without(&[FieldGroup::Contact]));
    let (mut last, mut shown) = (0, Vec::new());
    while shown.len() < RECORDS {
        let (delivery, event) = slow.event().await;
        assert_eq!(after(&delivery), Some(last), "the chain has no hole");
        last = delivery.sequence;
        shown.push(!event.patient.unwrap().telecom.is_empty());
    }
    let on_the_way = shown.iter().take_while(|shown| **shown).count();
    assert!(
        on_the_way < RECORDS - 10,
        "{on_the_way} went out under the old contract"
    );
    assert!(!shown[on_the_way..].contains(&true));
    bus.close().await;
}
