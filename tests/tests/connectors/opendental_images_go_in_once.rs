//! Images in the patient's chart: byte for byte, under their view, and once, whatever becomes of the answer to the upload.

use crate::support::{Office, Plan, SYSTEM, jordan_at_the_desk, photograph, picture, refusal, told};
use archwire_core::{DeliveryAction, Disposition, ImageDelivered, ImageDelivery};
use archwire_host::{StateStore, StateValues};
use archwire_opendental_simulator::{ApiKey, DocumentFields, Fault, FaultKind, Permission, Version};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Longest wait for something that is bound to happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of an upload.
const MOST_BYTES: usize = 12_500_000;

/// An office with Jordan as its patient 1. Silence is given up after two seconds.
async fn open(mut plan: Plan) -> Office {
    plan.limits.connect_timeout = Duration::from_secs(1);
    plan.limits.first_byte_timeout = Duration::from_secs(1);
    let office = plan.open().await;
    assert_eq!(office.desk().create(&jordan_at_the_desk()), 1);
    office
}

async fn office_with(fault: Fault) -> Office {
    let office = open(Plan::service()).await;
    let fault = fault.on("POST", "/documents/Upload").times(1);
    office.simulator.set_fault(fault).unwrap();
    office
}

async fn bring(office: &Office, delivery: &ImageDelivery) -> ImageDelivered {
    office.connector.deliver_image(delivery).await.unwrap()
}

async fn refused(office: &Office, delivery: &ImageDelivery) -> String {
    let disposition = refusal(office.connector.deliver_image(delivery).await);
    disposition.reason().code.as_str().to_owned()
}

/// The next delivery of an image that the office has.
fn again(delivery: &ImageDelivery, delivered: &ImageDelivered) -> ImageDelivery {
    ImageDelivery {
        local_id: Some(delivered.local_id.clone()),
        ..delivery.clone()
    }
}

fn uploads(office: &Office) -> usize {
    let posts = office.requests("POST");
    posts
        .iter()
        .filter(|request| request.path == "/documents/Upload")
        .count()
}

/// Makes what the connector keeps older, since nobody can wait for a minute here.
async fn some_time_later(office: Office, by: Duration) -> Office {
    let system = SYSTEM.parse().unwrap();
    let mut values: StateValues = office.store.load(&system).await.unwrap();
    for value in values.values_mut() {
        let kept: String = serde_json::from_slice(value).unwrap();
        let mut kept: Value = serde_json::from_str(&kept).unwrap();
        if let Some(moment) = kept.get_mut("settled_ms") {
            *moment = (moment.as_u64().unwrap() - by.as_millis() as u64).into();
        }
        *value = serde_json::to_vec(&kept.to_string()).unwrap().into();
    }
    office.store.save(&system, &values).await.unwrap();
    office.restart().await
}

#[tokio::test]
async fn an_image_is_in_the_chart_byte_for_byte_and_is_read_back_by_its_digest() {
    let office = open(Plan::service().set("image-category", "Patient Pictures")).await;
    let bytes = picture(300_000);
    let delivery = photograph(&office, bytes.clone());
    let delivered = bring(&office, &delivery).await;
    assert_eq!(
        (delivered.local_id.as_str(), delivered.action),
        ("1", DeliveryAction::Created)
    );
    let document = office.simulator.document(1).unwrap();
    assert_eq!(document.bytes[..], bytes[..]);
    assert_eq!(
        (document.pat_num, document.doc_category, document.img_type),
        (1, 132, "Photo")
    );
    assert!(
        document.description.starts_with("Smile (aw "),
        "{}",
        document.description
    );

    let shown = office
        .connector
        .fetch_image(&delivered.local_id, delivered.record.as_ref())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.digest, Some(delivery.image.file.digest));
    assert_eq!(shown.record.as_str(), "1");
    assert_eq!(shown.image.about.view_label, Some("Smile".into()));
}

#[tokio::test]
async fn the_same_image_again_is_no_second_document() {
    let office = open(Plan::service()).await;
    let delivery = photograph(&office, picture(1_000));
    let delivered = bring(&office, &delivery).await;
    for delivery in [again(&delivery, &delivered), delivery] {
        assert_eq!(bring(&office, &delivery).await.local_id.as_str(), "1");
    }
    assert_eq!((office.simulator.documents().len(), uploads(&office)), (1, 1));
}

#[tokio::test]
async fn a_document_that_was_made_is_found_when_the_answer_is_lost() {
    for fault in [
        Fault::drop_after(),
        Fault::status(504).after_applying(),
        Fault::status(500).after_applying(),
        Fault::new(FaultKind::Hang).after_applying(),
        Fault::new(FaultKind::HalfBody),
        Fault::new(FaultKind::InvalidJson),
    ] {
        let office = office_with(fault.clone()).await;
        let delivered = bring(&office, &photograph(&office, picture(1_000))).await;
        assert_eq!(delivered.local_id.as_str(), "1", "{fault:?}");
        assert_eq!(
            (office.simulator.documents().len(), uploads(&office)),
            (1, 1),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_document_that_was_not_made_is_uploaded_again_once_that_is_certain() {
    for fault in [
        Fault::drop_before(),
        Fault::status(504),
        Fault::status(500),
        Fault::new(FaultKind::Hang),
    ] {
        let office = office_with(fault.clone()).await;
        let delivery = photograph(&office, picture(1_000));
        for _ in 0..3 {
            let Disposition::Retry(later) = refusal(office.connector.deliver_image(&delivery).await) else {
                panic!("{fault:?}: a doubt is told as retry, so that the bus keeps it in mind")
            };
            assert_eq!(later.reason.code.as_str(), "upload-in-doubt", "{fault:?}");
        }
        assert_eq!(
            uploads(&office),
            1,
            "{fault:?}: it only looks as long as it is not certain"
        );
        let office = some_time_later(office, Duration::from_secs(66)).await;
        bring(&office, &delivery).await;
        assert_eq!(
            (office.simulator.documents().len(), uploads(&office)),
            (1, 2),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn an_office_that_stores_it_later_is_not_sent_it_twice() {
    let mut plan = Plan::service();
    plan.options.processing_limit = Duration::from_millis(20);
    let office = open(plan).await;
    let slow = Fault::delay(Duration::from_secs(1))
        .on("POST", "/documents/Upload")
        .times(1);
    office.simulator.set_fault(slow).unwrap();
    let delivery = photograph(&office, picture(1_000));
    assert_eq!(refused(&office, &delivery).await, "upload-in-doubt");
    let made = |office: &archwire_opendental_simulator::Handle| office.documents().len() == 1;
    assert!(office.simulator.wait_until(PATIENCE, made).await);
    assert_eq!(bring(&office, &delivery).await.local_id.as_str(), "1");
    assert_eq!((office.simulator.documents().len(), uploads(&office)), (1, 1));
}

#[tokio::test]
async fn a_document_that_was_made_while_the_bus_was_killed_is_found_by_the_next_one() {
    let office = office_with(Fault::new(FaultKind::Hang).after_applying()).await;
    let delivery = photograph(&office, picture(1_000));
    let made = |office: &archwire_opendental_simulator::Handle| office.documents().len() == 1;
    tokio::select! {
        answer = office.connector.deliver_image(&delivery) => panic!("the office does not answer, but: {answer:?}"),
        made = office.simulator.wait_until(PATIENCE, made) => assert!(made),
    }
    let office = office.restart().await;
    let again = ImageDelivery {
        in_doubt_since: Some(SystemTime::now()),
        ..delivery
    };
    assert_eq!(bring(&office, &again).await.local_id.as_str(), "1");
    assert_eq!((office.simulator.documents().len(), uploads(&office)), (1, 1));
}

#[tokio::test]
async fn the_largest_upload_arrives_whole_and_one_byte_more_is_refused_unsent() {
    let mut plan = Plan::service();
    plan.limits.first_byte_timeout = PATIENCE;
    let office = plan.open().await;
    office.desk().create(&jordan_at_the_desk());
    let bytes = picture(MOST_BYTES);
    let delivery = photograph(&office, bytes.clone());
    let delivered = bring(&office, &delivery).await;
    assert!(office.simulator.document(1).unwrap().bytes[..] == bytes[..]);
    let shown = office
        .connector
        .fetch_image(&delivered.local_id, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.digest, Some(delivery.image.file.digest));

    let too_large = photograph(&office, picture(MOST_BYTES + 1));
    assert_eq!(refused(&office, &too_large).await, "document-too-large");
    assert_eq!(uploads(&office), 1);
}

#[tokio::test]
async fn other_bytes_become_another_document_and_the_former_one_says_that_it_is_replaced() {
    let office = open(Plan::service()).await;
    let first = photograph(&office, picture(1_000));
    let delivered = bring(&office, &first).await;
    let other = photograph(&office, picture(2_000));
    let amended = ImageDelivery {
        image_id: first.image_id,
        ..again(&other, &delivered)
    };
    let renewed = bring(&office, &amended).await;
    assert_eq!(
        (renewed.local_id.as_str(), renewed.action),
        ("2", DeliveryAction::Updated)
    );
    let former = office.simulator.document(1).unwrap();
    assert!(former.description.starts_with("REPLACED: Smile (aw "));
    assert_eq!(former.bytes.len(), 1_000, "nothing is deleted");
    assert_eq!(
        bring(&office, &again(&amended, &renewed)).await.action,
        DeliveryAction::Unchanged
    );
    assert_eq!(office.simulator.documents().len(), 2);
}

#[tokio::test]
async fn a_withdrawn_image_is_marked_where_the_key_allows_it_and_left_to_a_person_elsewhere() {
    let office = open(Plan::service()).await;
    let delivery = photograph(&office, picture(1_000));
    let retracted = ImageDelivery {
        retracted: true,
        ..again(&delivery, &bring(&office, &delivery).await)
    };
    assert_eq!(bring(&office, &retracted).await.action, DeliveryAction::Updated);
    assert!(
        office
            .simulator
            .document(1)
            .unwrap()
            .description
            .starts_with("WITHDRAWN: Smile")
    );
    let shown = office
        .connector
        .fetch_image(retracted.local_id.as_ref().unwrap(), None)
        .await;
    assert!(
        shown.unwrap().unwrap().retracted,
        "what is marked is shown as withdrawn"
    );

    let mut plan = Plan::service();
    let permissions = [Permission::ReadAll, Permission::Patients, Permission::Documents];
    plan.options.keys = vec![ApiKey::default().with_permissions(permissions)];
    let office = open(plan).await;
    let delivery = photograph(&office, picture(1_000));
    let delivered = bring(&office, &delivery).await;
    let retracted = ImageDelivery {
        retracted: true,
        ..again(&delivery, &delivered)
    };
    assert_eq!(refused(&office, &retracted).await, "retraction-by-hand");
    let shown = office
        .connector
        .fetch_image(&delivered.local_id, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.digest, None, "without queries the API gives no bytes");
    assert!(office.requests("DELETE").is_empty());
}

#[tokio::test]
async fn offices_that_show_notes_or_are_older_get_images_too() {
    let mut shows_notes = Plan::service();
    shows_notes.options.unknowns.raw_note_shown = true;
    shows_notes.options.unknowns.single_document_like_list = true;
    let mut is_older = Plan::service();
    is_older.options.version = Version(24, 1, 0);
    for plan in [shows_notes, is_older] {
        let office = open(plan).await;
        let delivery = photograph(&office, picture(100_000));
        let delivered = bring(&office, &delivery).await;
        assert_eq!(bring(&office, &delivery).await.local_id, delivered.local_id);
        assert_eq!(uploads(&office), 1);
        let shown = office
            .connector
            .fetch_image(&delivered.local_id, delivered.record.as_ref())
            .await;
        assert_eq!(shown.unwrap().unwrap().local_id, delivered.local_id);
    }
}

#[tokio::test]
async fn an_image_is_found_among_more_documents_than_one_page_has() {
    let office = open(Plan::service().set("page-size", "10")).await;
    for _ in 0..25 {
        let scan = office
            .desk()
            .scan(1, "scan.jpg", picture(10), &DocumentFields::default());
        scan.unwrap();
    }
    let delivery = photograph(&office, picture(1_000));
    let delivered = bring(&office, &delivery).await;
    assert_eq!(bring(&office, &delivery).await.local_id, delivered.local_id);
    assert_eq!(uploads(&office), 1);
}

#[tokio::test]
async fn a_category_that_the_office_does_not_have_is_told_with_those_that_it_has() {
    let office = open(Plan::service().set("image-category", "Ceph")).await;
    let report = office.connector.check().await.unwrap();
    let fact = report
        .facts
        .iter()
        .find(|(name, _)| name == "image-category")
        .unwrap();
    assert!(
        fact.1.ends_with("it has: Xrays, Patient Pictures, Lab Cases"),
        "{}",
        fact.1
    );
    let disposition = refusal(
        office
            .connector
            .deliver_image(&photograph(&office, picture(10)))
            .await,
    );
    assert_eq!(told(&disposition), ("rejected", "image-category-unknown"));
}

#[tokio::test]
async fn an_image_of_nobody_whom_the_office_knows_is_refused() {
    let office = open(Plan::service()).await;
    let stranger = ImageDelivery {
        record: Some("99".parse().unwrap()),
        ..photograph(&office, picture(10))
    };
    assert_eq!(refused(&office, &stranger).await, "record-gone");
}
