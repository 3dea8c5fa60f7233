//! A photograph that becomes another patient's leaves the former one in a real archive, and one that is withdrawn leaves it; what
//! the bus did not put there stays, and so does everything where the administrator does not let it be taken away.

use crate::support::{Archive, jordan, jpeg, pdf, refusal, small_radiograph, stl, told};
use archwire_core::{DeliveryAction, Digest, Disposition, ImageDelivered, ImageDelivery, PatientId, Uid};
use archwire_host::Connector;

/// Brings a file of one patient, and what is to be brought when it turns out to be somebody else's.
async fn brought(archive: &Archive, bytes: Vec<u8>) -> (ImageDelivered, ImageDelivery) {
    let one = archive.delivery("image/jpeg", bytes);
    let delivered = archive.connector.deliver_image(&one).await.unwrap();
    let other = PatientId::generate();
    let mut moved = ImageDelivery {
        patient_id: other,
        local_id: Some(delivered.local_id.clone()),
        ..one
    };
    let uid = |what| Uid::generate(what, other, moved.image.file.digest);
    let (study, series, instance) = (uid("study"), uid("series"), uid("instance"));
    moved.image.uids.study = study;
    moved.image.uids.series = series;
    moved.image.uids.instance = instance;
    moved.patient.names[0].given = vec!["Robin".into()];
    (delivered, moved)
}

async fn digest_shown(connector: &Connector, delivered: &ImageDelivered) -> Option<Digest> {
    let shown = connector
        .fetch_image(&delivered.local_id, delivered.record.as_ref())
        .await;
    shown.unwrap().and_then(|view| view.digest)
}

fn detail(disposition: &Disposition) -> &str {
    disposition
        .reason()
        .detail
        .as_ref()
        .map_or("", |detail| detail.as_str())
}

#[tokio::test]
async fn what_is_another_patients_now_is_under_that_one_only() {
    let archive = Archive::open("changes").await;
    for bytes in [jpeg(), pdf(), stl()] {
        archive.orthanc.clear().await.unwrap();
        let (_, moved) = brought(&archive, bytes.clone()).await;
        let delivered = archive.connector.deliver_image(&moved).await.unwrap();
        assert_eq!(delivered.action, DeliveryAction::Created);
        assert_eq!(delivered.local_id.as_str(), moved.image.uids.instance.as_str());
        let number = format!("(0010,0020) LO [{}]", moved.patient_id);
        let stored = archive.only_file().await;
        assert!(archive.orthanc.dump(&stored).unwrap().contains(&number));
        let shown = digest_shown(&archive.connector, &delivered).await;
        assert_eq!(shown, Some(Digest::of(&bytes)), "not a byte of it is another");
        // It comes twice, as every delivery may.
        let again = archive.connector.deliver_image(&moved).await.unwrap();
        assert_eq!(again.action, DeliveryAction::Unchanged);
        assert_eq!(
            (again.local_id, again.record),
            (delivered.local_id, delivered.record)
        );
        assert!(archive.only_file().await == stored);
    }
}

#[tokio::test]
async fn where_nothing_may_be_taken_away_a_person_is_told_both() {
    let archive = Archive::open("changes").await;
    let (former, moved) = brought(&archive, jpeg()).await;
    let connector = archive.connector_without("DELETE").await;
    let answer = refusal(connector.deliver_image(&moved).await);
    assert_eq!(told(&answer), ("rejected", "archived-under-another-uid"));
    let (instance, said) = (moved.image.uids.instance.as_str(), detail(&answer));
    assert!(
        said.contains(former.local_id.as_str()) && said.contains(instance),
        "{said}"
    );
    for uid in [former.local_id.as_str(), instance] {
        assert!(
            archive.orthanc.file(uid).await.unwrap().is_some(),
            "both are there"
        );
    }
    archive.orthanc.remove(former.local_id.as_str()).await.unwrap();
    // Somebody took the former one away by hand, and has it tried again.
    let delivered = connector.deliver_image(&moved).await.unwrap();
    assert_eq!(delivered.action, DeliveryAction::Unchanged);
    assert!(digest_shown(&connector, &delivered).await == Some(moved.image.file.digest));
}

#[tokio::test]
async fn what_was_withdrawn_is_taken_away_where_the_bus_put_it_there() {
    let archive = Archive::open("changes").await;
    let mut withdrawn = archive.delivery("image/jpeg", jpeg());
    let delivered = archive.connector.deliver_image(&withdrawn).await.unwrap();
    let kept = archive.delivery("application/pdf", pdf());
    let kept = archive.connector.deliver_image(&kept).await.unwrap();
    withdrawn.retracted = true;
    withdrawn.local_id = Some(delivered.local_id.clone());
    let connector = archive.connector_without("DELETE").await;
    let answer = refusal(connector.deliver_image(&withdrawn).await);
    assert_eq!(told(&answer), ("rejected", "archive-keeps-images"));
    assert!(detail(&answer).contains(delivered.local_id.as_str()));
    assert_eq!(archive.orthanc.count().await.unwrap(), 2);
    for action in [DeliveryAction::Updated, DeliveryAction::Unchanged] {
        let gone = archive.connector.deliver_image(&withdrawn).await.unwrap();
        assert_eq!((gone.action, &gone.local_id), (action, &delivered.local_id));
        assert_eq!(digest_shown(&archive.connector, &delivered).await, None);
        assert!(digest_shown(&archive.connector, &kept).await.is_some());
    }
}

#[tokio::test]
async fn what_the_bus_did_not_put_there_stays() {
    let archive = Archive::open("changes").await;
    // A radiograph is the machine's own file, whoever brought it.
    let mut withdrawn = archive.radiograph(&small_radiograph(), jordan());
    archive.connector.deliver_image(&withdrawn).await.unwrap();
    withdrawn.retracted = true;
    let answer = refusal(archive.connector.deliver_image(&withdrawn).await);
    assert_eq!(told(&answer), ("rejected", "archive-keeps-images"));
    // Another photograph lies under the identifier.
    let other = archive.delivery("image/jpeg", [jpeg(), vec![0x0A]].concat());
    let other = archive.connector.deliver_image(&other).await.unwrap();
    let (_, mut moved) = brought(&archive, jpeg()).await;
    moved.local_id = Some(other.local_id.clone());
    let answer = refusal(archive.connector.deliver_image(&moved).await);
    assert_eq!(told(&answer), ("rejected", "archived-under-another-uid"));
    assert!(digest_shown(&archive.connector, &other).await.is_some());
}
