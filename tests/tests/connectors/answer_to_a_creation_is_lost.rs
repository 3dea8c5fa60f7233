//! A POST whose answer is lost: by a cut connection, by an error of the office, by silence, or because the bus ended. The
//! record is made exactly once, whether the office carried the POST out or not.

use crate::support::{Office, Plan, SYSTEM, creation, jordan, refusal, told};
use archwire_core::{Delivery, DeliveryAction, Disposition};
use archwire_host::{StateStore, StateValues};
use archwire_opendental_simulator::{Fault, FaultKind};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Longest wait for something that is bound to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// An office that spoils the first POST. Silence is given up after two seconds: one for the connection and
/// one for the answer.
async fn office_with(fault: Fault) -> Office {
    let mut plan = Plan::service();
    plan.limits.connect_timeout = Duration::from_secs(1);
    plan.limits.first_byte_timeout = Duration::from_secs(1);
    let office = plan.open().await;
    office
        .simulator
        .set_fault(fault.on("POST", "/patients").times(1))
        .unwrap();
    office
}

/// What the office does when it carries the POST out and the answer does not arrive.
fn lost_after_applying() -> [Fault; 6] {
    [
        Fault::drop_after(),
        Fault::status(504).after_applying(),
        Fault::status(500).after_applying(),
        Fault::new(FaultKind::Hang).after_applying(),
        Fault::new(FaultKind::HalfBody),
        Fault::new(FaultKind::InvalidJson),
    ]
}

/// What it does when it does not.
fn lost_before_applying() -> [Fault; 4] {
    [
        Fault::drop_before(),
        Fault::status(504),
        Fault::status(500),
        Fault::new(FaultKind::Hang),
    ]
}

/// The connector does not know, and waits before it looks again.
async fn is_in_doubt(office: &Office, delivery: &Delivery, fault: &Fault) {
    let Disposition::Retry(later) = refusal(office.connector.deliver(delivery).await) else {
        panic!("{fault:?}: a doubt is told as retry, so that the bus keeps it in mind")
    };
    assert_eq!(
        (later.reason.code.as_str(), later.after),
        ("create-in-doubt", Duration::from_secs(5)),
        "{fault:?}"
    );
}

/// Makes what the connector keeps older, since nobody can wait for a minute here: every moment in it is this much
/// earlier. Returns with the broker started again.
async fn some_time_later(office: Office, by: Duration) -> Office {
    let system = SYSTEM.parse().unwrap();
    let mut values: StateValues = office.store.load(&system).await.unwrap();
    for value in values.values_mut() {
        // A value is a JSON string, and what the Open Dental connector keeps in there is JSON again.
        let kept: String = serde_json::from_slice(value).unwrap();
        let mut kept: Value = serde_json::from_str(&kept).unwrap();
        let moment = &mut kept["settled_ms"];
        *moment = (moment.as_u64().unwrap() - by.as_millis() as u64).into();
        *value = serde_json::to_vec(&kept.to_string()).unwrap().into();
    }
    assert_eq!(values.len(), 1, "one creation is in doubt");
    office.store.save(&system, &values).await.unwrap();
    office.restart().await
}

#[tokio::test]
async fn a_record_that_was_made_is_found_and_no_second_one_is_asked_for() {
    for fault in lost_after_applying() {
        let office = office_with(fault.clone()).await;
        let delivered = office.connector.deliver(&creation(jordan())).await.unwrap();
        assert_eq!(
            (delivered.local_id.as_str(), delivered.action),
            ("1", DeliveryAction::Created),
            "{fault:?}"
        );
        assert_eq!(office.created(), [1], "{fault:?}");
        assert_eq!(office.requests("POST").len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_record_that_was_not_made_is_asked_for_again_once_that_is_certain() {
    for fault in lost_before_applying() {
        let office = office_with(fault.clone()).await;
        let delivery = creation(jordan());
        for _ in 0..3 {
            is_in_doubt(&office, &delivery, &fault).await;
        }
        assert_eq!(
            office.requests("POST").len(),
            1,
            "{fault:?}: it only looks as long as it is not certain"
        );
        let office = some_time_later(office, Duration::from_secs(66)).await;
        let delivered = office.connector.deliver(&delivery).await.unwrap();
        assert_eq!(
            (delivered.local_id.as_str(), delivered.action),
            ("1", DeliveryAction::Created),
            "{fault:?}"
        );
        assert_eq!(
            (office.created(), office.requests("POST").len()),
            (vec![1], 2),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn an_office_that_carries_it_out_later_is_not_asked_twice() {
    let mut plan = Plan::service();
    plan.options.processing_limit = Duration::from_millis(20);
    let office = plan.open().await;
    let slow = Fault::delay(Duration::from_secs(1))
        .on("POST", "/patients")
        .times(1);
    office.simulator.set_fault(slow.clone()).unwrap();
    let delivery = creation(jordan());
    is_in_doubt(&office, &delivery, &slow).await;
    assert!(
        office
            .simulator
            .wait_until(PATIENCE, |office| office.patients().len() == 1)
            .await
    );
    let delivered = office.connector.deliver(&delivery).await.unwrap();
    assert_eq!(
        (delivered.local_id.as_str(), delivered.action),
        ("1", DeliveryAction::Created)
    );
    assert_eq!((office.created(), office.requests("POST").len()), (vec![1], 1));
}

#[tokio::test]
async fn a_record_that_was_made_while_the_bus_was_killed_is_found_by_the_next_one() {
    let office = office_with(Fault::new(FaultKind::Hang).after_applying()).await;
    let delivery = creation(jordan());
    tokio::select! {
        answer = office.connector.deliver(&delivery) => panic!("the office does not answer, but: {answer:?}"),
        made = office.simulator.wait_until(PATIENCE, |office| office.patients().len() == 1) => assert!(made),
    }
    let office = office.restart().await;
    let again = Delivery {
        in_doubt_since: Some(SystemTime::now()),
        ..delivery
    };
    let delivered = office.connector.deliver(&again).await.unwrap();
    assert_eq!(
        (delivered.local_id.as_str(), delivered.action),
        ("1", DeliveryAction::Created)
    );
    assert_eq!((office.created(), office.requests("POST").len()), (vec![1], 1));
}

#[tokio::test]
async fn after_a_kill_the_office_is_given_time_before_it_is_asked_again() {
    let office = Plan::service().open().await;
    let now = SystemTime::now();
    let lately = Delivery {
        in_doubt_since: Some(now),
        ..creation(jordan())
    };
    let looked = refusal(office.connector.deliver(&lately).await);
    assert_eq!(told(&looked), ("retry", "create-in-doubt"));
    assert_eq!(office.requests("POST").len(), 0);
    let long_ago = Delivery {
        in_doubt_since: Some(now - Duration::from_secs(75)),
        ..creation(jordan())
    };
    let delivered = office.connector.deliver(&long_ago).await.unwrap();
    assert_eq!(
        (delivered.action, office.created()),
        (DeliveryAction::Created, vec![1])
    );
}
