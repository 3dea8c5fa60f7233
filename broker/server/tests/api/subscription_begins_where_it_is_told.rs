//! Where a name begins, and that cursors are the vendor's own.

use crate::{
    bus::{Bus, SCANNER, TRACER, code, named},
    office::{ann, ann_alone},
};
use archwire_proto::v1::{Earliest, New, Open, PatientRevision, open::Start};
use std::time::{Duration, SystemTime};
use tonic::{Code, Status};

fn starting(name: &str, start: Start) -> Open {
    Open {
        start: Some(start),
        ..named(name)
    }
}

fn behind(patient: impl ToString, revision: u64) -> Start {
    Start::PatientRevision(PatientRevision {
        patient_id: patient.to_string(),
        revision,
    })
}

async fn refused(bus: &Bus, vendor: &str, start: Start) -> Status {
    let refused = bus.subscribe(vendor, starting("refused", start)).await;
    refused.err().expect("it begins")
}

#[tokio::test]
async fn a_name_begins_where_it_is_told_and_a_known_one_where_it_stopped() {
    let bus = Bus::open().await;
    let ann_id = bus.says("1", ann_alone()).await;
    bus.strangers(0..1).await;
    bus.says("1", ann()).await;
    let last = bus.strangers(1..2).await;
    let all = {
        let mut reader = bus.read(TRACER, named("all")).await;
        let mut places = Vec::new();
        for _ in 0..4 {
            places.push(reader.event().await.0.sequence);
        }
        places
    };
    let third = bus.office.registry.log().at(all[2]).await.unwrap().unwrap().time;
    let cases = [
        ("earliest", Start::Earliest(Earliest {}), Some(all[0])),
        ("time", Start::Time(third.into()), Some(all[2])),
        (
            "long-ago",
            Start::Time(SystemTime::UNIX_EPOCH.into()),
            Some(all[0]),
        ),
        ("before-her", behind(ann_id, 0), Some(all[0])),
        ("behind-first", behind(ann_id, 1), Some(all[1])),
        ("behind-second", behind(ann_id, 2), Some(all[3])),
        ("new", Start::New(New {}), None),
    ];
    for (name, start, first) in cases {
        let mut reader = bus.read(TRACER, starting(name, start)).await;
        assert_eq!(reader.opened.last, all[3]);
        match first {
            Some(first) => assert_eq!(reader.event().await.0.sequence, first, "{name}"),
            None => assert_eq!(reader.heartbeat().await.through, all[3], "{name}"),
        }
    }
    // A known name goes on, whatever is said, unless it is reset.
    let mut reader = bus.read(TRACER, named("all")).await;
    let (first, _) = reader.event().await;
    reader.ack(first.sequence).await;
    let again = starting("all", Start::New(New {}));
    let mut reader = bus.read(TRACER, again.clone()).await;
    assert_eq!(reader.opened.after, all[0]);
    assert_eq!(reader.event().await.0.sequence, all[1]);
    let reset = Open {
        reset: true,
        ..starting("all", behind(last[0], 0))
    };
    let mut reader = bus.read(TRACER, reset).await;
    assert_eq!(reader.event().await.0.sequence, all[3]);
    bus.close().await;
}

#[tokio::test]
async fn a_cursor_stands_for_what_came_before_it_under_any_name_of_its_vendor() {
    let bus = Bus::open().await;
    bus.strangers(0..3).await;
    let mut reader = bus.read(TRACER, named("one")).await;
    let (first, _) = reader.event().await;
    let (second, _) = reader.event().await;
    assert_eq!(second.cursor.len(), 87);
    let mut other = bus
        .read(TRACER, starting("other", Start::Cursor(first.cursor.clone())))
        .await;
    assert_eq!(other.event().await.0.sequence, second.sequence);
    // With what is refused, it stands for what is before that.
    reader.nack(second.sequence, Duration::from_secs(60)).await;
    reader.event().await;
    let cursor = reader.heartbeat().await.cursor;
    let mut other = bus.read(TRACER, starting("third", Start::Cursor(cursor))).await;
    assert_eq!(other.event().await.0.sequence, second.sequence);
    bus.close().await;
}

#[tokio::test]
async fn a_cursor_that_is_altered_or_anothers_is_refused() {
    let bus = Bus::open().await;
    bus.strangers(0..1).await;
    let mut reader = bus.read(TRACER, named("one")).await;
    let cursor = reader.event().await.0.cursor;
    let of_another = refused(&bus, SCANNER, Start::Cursor(cursor.clone())).await;
    assert_eq!(of_another.code(), Code::PermissionDenied);
    assert_eq!(code(&of_another), "cursor_of_another");
    let swapped: String = cursor.chars().rev().collect();
    for invalid in ["", "1", "not a cursor", &cursor[1..], &swapped, &"A".repeat(87)] {
        let refusal = refused(&bus, TRACER, Start::Cursor(invalid.to_owned())).await;
        let is_invalid = (refusal.code(), code(&refusal)) == (Code::InvalidArgument, "cursor_invalid");
        assert!(is_invalid, "{invalid:?}: {refusal:?}");
    }
    bus.close().await;
}

#[tokio::test]
async fn a_start_that_there_is_not_is_refused() {
    let bus = Bus::open().await;
    let ann_id = bus.says("1", ann()).await;
    let nobody = "0197f000-0000-7000-8000-000000000000";
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    let cases = [
        (behind(nobody, 1), Code::NotFound, "patient_unknown"),
        (behind(ann_id, 2), Code::NotFound, "revision_unknown"),
        (behind(ann_id, u64::MAX), Code::NotFound, "revision_unknown"),
        (behind("../etc", 1), Code::InvalidArgument, "argument_invalid"),
        (
            Start::Time(tomorrow.into()),
            Code::InvalidArgument,
            "argument_invalid",
        ),
    ];
    for (start, grpc, own) in cases {
        let refusal = refused(&bus, TRACER, start).await;
        assert_eq!((refusal.code(), code(&refusal)), (grpc, own));
    }
    bus.close().await;
}
