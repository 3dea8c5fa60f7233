//! A log that was restored from an older copy is not taken for the one in which a vendor had come so far.

use crate::{
    bus::{Bus, TRACER, code, named},
    office::until_there,
};
use archwire_proto::v1::{New, Open, open::Start};
use std::time::Duration;
use tonic::Code;

/// A subscription that has come so far, and the cursor of where it did.
async fn come_so_far(bus: &Bus) -> String {
    bus.strangers(0..4).await;
    let mut reader = bus.read(TRACER, named("patients")).await;
    for _ in 0..2 {
        reader.event().await;
    }
    let (third, _) = reader.event().await;
    reader.ack(third.sequence).await;
    let bucket = "subscriptions".parse().unwrap();
    let positions = bus.office.registry.log().bucket(&bucket).await.unwrap();
    until_there(Duration::from_secs(30), async || {
        let kept = positions.get("tracer.patients").await.unwrap().unwrap();
        let is_stored = kept.starts_with(format!("{} ", third.sequence).as_bytes());
        is_stored
            .then_some(())
            .ok_or_else(|| "the position is not stored".to_owned())
    })
    .await;
    third.cursor
}

/// The ways in which a vendor goes on where it stopped.
fn ways(cursor: &str) -> [(&'static str, Open); 3] {
    let behind = Open {
        start: Some(Start::Cursor(cursor.to_owned())),
        ..named("other")
    };
    let seen = Open {
        seen: cursor.to_owned(),
        ..named("new")
    };
    [
        ("position", named("patients")),
        ("cursor", behind),
        ("seen", seen),
    ]
}

#[tokio::test]
async fn nobody_goes_on_in_a_log_that_holds_other_events_or_less() {
    let bus = Bus::open().await;
    let cursor = come_so_far(&bus).await;
    // In the one log that is meant, each way is open.
    for (way, open) in ways(&cursor) {
        assert!(bus.subscribe(TRACER, open).await.is_ok(), "{way}");
    }
    let cases = [
        (1..2, Code::OutOfRange, "cursor_ahead"),
        (4..12, Code::FailedPrecondition, "log_differs"),
    ];
    for (people, grpc, own) in cases {
        let restored = bus.restored().await;
        restored.strangers(people).await;
        for (way, open) in ways(&cursor) {
            let refusal = restored.subscribe(TRACER, open).await.err().expect(way);
            assert_eq!((refusal.code(), code(&refusal)), (grpc, own), "{way}");
        }
        // Whoever says that it begins anew does.
        let anew = Open {
            reset: true,
            start: Some(Start::New(New {})),
            ..named("patients")
        };
        assert!(restored.subscribe(TRACER, anew).await.is_ok());
        assert!(restored.subscribe(TRACER, named("patients")).await.is_ok());
        restored.close().await;
    }
    bus.close().await;
}
